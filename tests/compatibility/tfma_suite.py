"""pytest plugin: TFMA's own metric cases, which lie in its wheel, computed by Headrace's Evaluator.

A case puts rows through `beam.CombinePerKey(computation.combiner)`. Here the rows of a key become two batches of two
"files", are added as `EvaluateFile` adds them, cross a pickle, and are merged and read as `FinishSlice` does. Cases
whose rows TFMA itself does not put into a batch go on in TFMA.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import numpy as np
import pytest
import suite_surroundings
from tensorflow_model_analysis import constants
from tensorflow_model_analysis.metrics import metric_types
from tensorflow_model_analysis.proto import config_pb2
from tensorflow_model_analysis.utils import util

from headrace.components.evaluator import batches, combiners, intervals, keras_metrics, pairs

NUM_FILES = 2
_ALL = ((), intervals.ALL_ROWS)
_CombinePerKey = beam.CombinePerKey
_make_computation = metric_types.MetricComputation.__new__
_computations: dict[int, Any] = {}
_taken: list[str] = []


def _file(computation: Any, rows: list[Any]) -> Any:
    """The accumulator of a file with these rows."""
    present = [{key: value for key, value in row.items() if value is not None} for row in rows]
    # Extractors always leave features, if only an empty dict.
    extracts = {constants.FEATURES_KEY: {}, **util.merge_extracts(present)}
    eval_config = getattr(computation.combiner, "_eval_config", None) or config_pb2.EvalConfig()
    part = batches.EvaluateFile(eval_config, None, [computation], None, {}, None, intervals.Sampling())
    part._accumulators = {_ALL: [computation.combiner.create_accumulator()]}
    inputs = pairs.Inputs(
        extracts.get(constants.LABELS_KEY),
        extracts.get(constants.PREDICTIONS_KEY),
        extracts.get(constants.EXAMPLE_WEIGHTS_KEY),
        len(rows),
    )
    part._add(inputs, extracts, {_ALL: None})
    return pickle.loads(pickle.dumps(computation.combiner.compact(part._accumulators[_ALL][0])))


def _combine(element: tuple[Any, Iterable[Any]], computation: Any) -> tuple[Any, Any]:
    key, rows = element[0], list(element[1])
    keras_metrics.set_up(computation.combiner)
    chunks = np.array_split(np.arange(len(rows)), max(1, min(NUM_FILES, len(rows))))
    parts = [_file(computation, [rows[at] for at in chunk]) for chunk in chunks]
    merged = computation.combiner.merge_accumulators(iter(parts))
    return key, computation.combiner.extract_output(merged)


class _Batches(beam.PTransform):
    """In the place of a `CombinePerKey`."""

    def __init__(self, computation: Any) -> None:
        super().__init__()
        self._computation = computation

    def with_hot_key_fanout(self, _: Any) -> _Batches:
        """Nothing to do."""
        return self

    def expand(self, rows: Any) -> Any:
        """Add, merge and read."""
        return rows | beam.GroupByKey() | beam.Map(_combine, self._computation)


def _combine_per_key(combiner: Any, *arguments: Any, **named: Any) -> Any:
    computation = _computations.get(id(combiner))
    if computation is None or not combiners.takes_batches(computation):
        return _CombinePerKey(combiner, *arguments, **named)
    _taken.append(type(combiner).__name__)
    return _Batches(computation)


def _noted(cls: Any, *arguments: Any, **named: Any) -> Any:
    made = _make_computation(cls, *arguments, **named)
    _computations[id(made.combiner)] = made
    return made


def pytest_configure(config: pytest.Config) -> None:
    """Put Headrace's code in the place of TFMA's."""
    suite_surroundings.prepare()
    metric_types.MetricComputation.__new__ = _noted
    beam.CombinePerKey = _combine_per_key


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how often Headrace's code was used: a suite that it never meets shows nothing."""
    terminalreporter.write_line(f"cases taken: {len(_taken)}")
