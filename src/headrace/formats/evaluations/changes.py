"""What differs between two evaluations: metrics of the candidates, the verdict, and what each threshold said."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from headrace.authoring import Artifact
from headrace.formats import verdicts
from headrace.formats.changes import METRICS, VERDICT, Change
from headrace.formats.evaluations.metrics import OVERALL, Metric, read_metrics
from headrace.formats.verdicts import Verdict

_WORDS = {True: "blessed", False: "not blessed", None: "not validated"}
_OUTCOMES = {True: "passed", False: "failed", None: "not checked"}
_NOT_VALIDATED = Verdict(None)


@dataclass(frozen=True)
class Evaluation:
    """What is compared of an evaluation.

    Attributes:
        metrics: All that are numbers.
        verdict: That of Headrace's Evaluator; one without thresholds where there is none.
    """

    metrics: tuple[Metric, ...]
    verdict: Verdict


def read(evaluation: Artifact) -> Evaluation:
    """Read a ModelEvaluation artifact.

    Raises:
        MalformedFileError: If a file is damaged, or a newer Headrace wrote it in another form.
    """
    return Evaluation(tuple(read_metrics(evaluation.uri)), verdicts.read(evaluation.uri) or _NOT_VALIDATED)


def compare(old: Evaluation, new: Evaluation) -> Iterator[Change]:
    """Yield the metrics that differ, those of the whole data set first, then what differs in the verdict."""
    before, after = _candidates_metrics(old), _candidates_metrics(new)
    changed = [
        key for key in dict.fromkeys([*after, *before]) if not _is_same(before.get(key), after.get(key))
    ]
    for part, name in sorted(changed, key=lambda key: (key[0] != OVERALL, key[0])):
        yield Change(METRICS, part, name, before.get((part, name)), after.get((part, name)))
    if old.verdict.is_blessed != new.verdict.is_blessed:
        yield Change(VERDICT, "", "", _WORDS[old.verdict.is_blessed], _WORDS[new.verdict.is_blessed])
    first, second = _outcomes(old.verdict), _outcomes(new.verdict)
    for name in dict.fromkeys([*second, *first]):
        if first.get(name) != second.get(name):
            yield Change(VERDICT, "", name, first.get(name), second.get(name))


def _candidates_metrics(evaluation: Evaluation) -> dict[tuple[str, str], float]:
    """Return the metrics of all but the baseline by slice and name; differences follow from both."""
    return {
        (metric.slice_name, metric.name): metric.value
        for metric in evaluation.metrics
        if not metric.is_baseline and not metric.is_difference
    }


def _is_same(old: float | None, new: float | None) -> bool:
    """Whether two metrics are equal; two that could not be computed are."""
    return old == new or (old is not None and new is not None and math.isnan(old) and math.isnan(new))


def _outcomes(verdict: Verdict) -> dict[str, str]:
    """For each threshold whether it passed."""
    found = {}
    for one in verdict.thresholds:
        bounds = [
            f"{sign} {bound:g}"
            for sign, bound in ((">=", one.lower_bound), ("<=", one.upper_bound))
            if bound is not None
        ]
        found[" ".join([one.metric, one.slice, one.kind, *bounds])] = _OUTCOMES[one.passed]
    return found
