"""Reads what differs between two runs: from the store, and the numbers from the payloads."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator

from headrace.errors import HeadraceError
from headrace.formats.statistics_changes import compare_statistics
from headrace.reports.artifacts.evaluation_results import OVERALL, read_metrics
from headrace.reports.artifacts.verdicts import read_verdict
from headrace.store.session import PayloadPair, StoreSession
from headrace.ui.comparison import NumberChange, RunDifference

_STATISTICS = "ExampleStatistics"
_EVALUATION = "ModelEvaluation"


def read_difference(store: StoreSession, first: str, second: str) -> RunDifference:
    """Compare two runs.

    Args:
        store: The open store.
        first: The run on the left, or `"latest"`.
        second: The run on the right, or `"latest"`.

    Raises:
        StoreError: If there is no such run.
    """
    runs = store.compare(first, second)
    statistics: list[NumberChange] = []
    metrics: list[NumberChange] = []
    verdicts: list[tuple[str, str, str]] = []
    unread: list[str] = []
    for pair in runs.payloads:
        if pair.type_name not in (_STATISTICS, _EVALUATION):
            continue
        missing = [uri for uri in (pair.old_uri, pair.new_uri) if not os.path.exists(uri)]
        if missing:
            unread.append(f"{pair.node_id}.{pair.key} is not compared: {missing[0]} is gone.")
            continue
        try:
            if pair.type_name == _STATISTICS:
                statistics += _statistics(pair)
            else:
                metrics += _metrics(pair)
                verdicts += _verdicts(pair)
        except HeadraceError as error:
            unread.append(f"{pair.node_id}.{pair.key} is not compared: {error.problem}")
    return RunDifference(runs, tuple(statistics), tuple(metrics), tuple(verdicts), tuple(unread))


def _statistics(pair: PayloadPair) -> Iterator[NumberChange]:
    where = f"{pair.node_id}.{pair.key}"
    for change in compare_statistics(pair.old_uri, pair.new_uri):
        name = f"{change.feature} {change.measure}" if change.feature else change.measure
        name = change.feature if change.measure == "feature" else name
        yield NumberChange(where, change.split, name, change.old, change.new)


def _metrics(pair: PayloadPair) -> Iterator[NumberChange]:
    old, new = _candidates_metrics(pair.old_uri), _candidates_metrics(pair.new_uri)
    changed = [key for key in dict.fromkeys([*new, *old]) if not _is_same(old.get(key), new.get(key))]
    for part, name in sorted(changed, key=lambda key: (key[0] != OVERALL, key[0])):
        yield NumberChange(pair.node_id, part, name, old.get((part, name)), new.get((part, name)))


def _candidates_metrics(path: str) -> dict[tuple[str, str], float]:
    """Return the metrics of all but the baseline by slice and name; differences follow from both."""
    return {
        (metric.slice_name, metric.name): metric.value
        for metric in read_metrics(path)
        if not metric.is_baseline and not metric.is_difference
    }


def _is_same(old: float | None, new: float | None) -> bool:
    """Whether two metrics are equal; two that could not be computed are."""
    return old == new or (old is not None and new is not None and math.isnan(old) and math.isnan(new))


def _verdicts(pair: PayloadPair) -> Iterator[tuple[str, str, str]]:
    old, new = read_verdict(pair.old_uri), read_verdict(pair.new_uri)
    words = {True: "blessed", False: "not blessed", None: "not validated"}
    if old.get("blessed") != new.get("blessed"):
        yield pair.node_id, words[old.get("blessed")], words[new.get("blessed")]
    before, after = _thresholds(old), _thresholds(new)
    for name in dict.fromkeys([*after, *before]):
        if before.get(name) != after.get(name):
            yield f"  {name}", before.get(name, "-"), after.get(name, "-")


def _thresholds(verdict: dict[str, object]) -> dict[str, str]:
    """For each threshold whether it passed."""
    found = {}
    thresholds = verdict.get("thresholds")
    for item in thresholds if isinstance(thresholds, list) else ():
        bounds = [
            f"{sign} {item[field]:g}"
            for sign, field in ((">=", "lower_bound"), ("<=", "upper_bound"))
            if item.get(field) is not None
        ]
        name = " ".join([str(item["metric"]), str(item["slice"]), str(item["kind"]), *bounds])
        found[name] = {True: "passed", False: "failed", None: "not checked"}[item.get("passed")]
    return found
