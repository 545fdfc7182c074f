"""Metrics of runs side by side: what `headrace runs --metrics` and `headrace diff RUN RUN RUN` show."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from headrace.errors import DefinitionError, HeadraceError, did_you_mean, listed
from headrace.formats import training_histories
from headrace.formats.evaluations.metrics import OVERALL, read_metrics
from headrace.formats.training_histories import History
from headrace.store.session import OutputRecord, RunResult, RunSummary, StoreSession

_EVALUATION, _TRAINING = "ModelEvaluation", "ModelRun"
# What is better the smaller it is.
_LOW_IS_GOOD = re.compile(
    r"(^|_)(loss|error|mae|mse|rmse|mape|msle|crossentropy|deviation|divergence|false|miss_rate|fall_out)(_|$)"
)


@dataclass(frozen=True)
class RunMetrics:
    """What is known of how good a run's models are.

    Attributes:
        run: The run.
        by_node: Metrics by node and name: those of an Evaluator for the whole data, and of a Trainer those of its best
            epoch; Evaluators last.
        histories: The learning curves by node.
        unread: What could not be read, as sentences.
    """

    run: RunResult
    by_node: Mapping[str, Mapping[str, float]]
    histories: Mapping[str, History] = field(default_factory=dict)
    unread: Sequence[str] = ()

    @property
    def values(self) -> dict[str, float]:
        """Metrics by name; of a name that several nodes have, that of the last."""
        return {name: value for found in self.by_node.values() for name, value in found.items()}

    def value(self, name: str) -> float | None:
        """Return a metric by its name or as `NODE.name`; `None` where the run has none."""
        values = self.values
        if name in values:
            return values[name]
        node_id, _, metric = name.partition(".")
        return self.by_node.get(node_id, {}).get(metric)


def read_run(run: RunResult) -> RunMetrics:
    """Read the metrics of a run from what it made or reused; what is gone or damaged is noted."""
    by_node: dict[str, dict[str, float]] = {}
    histories: dict[str, History] = {}
    unread: list[str] = []
    # What is evaluated counts before what was told in training.
    outputs = [
        (node.node_id, output)
        for node in run.nodes
        # Of a search all trials are handed on, the best first.
        for output in {one.key: one for one in reversed(node.outputs)}.values()
    ]
    for type_name in (_TRAINING, _EVALUATION):
        for node_id, output in outputs:
            if output.type_name != type_name:
                continue
            try:
                found = _read(output, node_id, histories)
            except (HeadraceError, OSError) as error:
                text = error.problem if isinstance(error, HeadraceError) else str(error)
                unread.append(f"{node_id}.{output.key} of run {run.run_id}: {text}")
                continue
            if found:
                by_node.setdefault(node_id, {}).update(found)
    return RunMetrics(run, by_node, histories, tuple(unread))


def _read(output: OutputRecord, node_id: str, histories: dict[str, History]) -> dict[str, float]:
    if not os.path.isdir(output.uri):
        return {}
    if output.type_name == _EVALUATION:
        return {
            one.name: one.value
            for one in read_metrics(output.uri)
            if one.slice_name == OVERALL and not one.is_baseline and not one.is_difference
        }
    history = training_histories.read(output.uri)
    if not any(history.values()):
        return {}
    histories[node_id] = history
    best = training_histories.best_epoch(history)
    return {name: values[best] for name, values in history.items() if best is not None and best < len(values)}


def read_board(
    store: StoreSession, summaries: Iterable[RunSummary], metrics: Sequence[str], sort: str = ""
) -> list[RunMetrics]:
    """Return runs with their metrics.

    Args:
        store: The open store.
        summaries: The runs.
        metrics: What is asked for.
        sort: A metric by which runs are ordered, the best first and those without it last; empty for the order given.

    Raises:
        DefinitionError: If no run has one of the metrics, naming those that runs have.
    """
    found = [read_run(store.run(summary.run_id)) for summary in summaries]
    known = {name for one in found for name in one.values}
    for name in [*metrics, *([sort] if sort else [])]:
        if found and all(one.value(name) is None for one in found):
            raise DefinitionError(
                f"none of these {len(found)} runs has a metric '{name}'. They have {listed(known)}.",
                f"{did_you_mean(name, known)}Correct the name; NODE.{name} names that of one node.",
            )
    if not sort:
        return found
    sign = 1 if is_low_good(sort) else -1

    def place(one: RunMetrics) -> tuple[bool, float]:
        value = one.value(sort)
        is_none = value is None or math.isnan(value)
        return (is_none, 0.0 if is_none or value is None else sign * value)

    return sorted(found, key=place)


def is_low_good(metric: str) -> bool:
    """Whether a metric is better the smaller it is, as its name tells: losses, errors and rates of false answers."""
    return bool(_LOW_IS_GOOD.search(metric.rpartition(".")[2].partition(" (")[0].lower()))
