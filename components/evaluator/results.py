"""From accumulators to TFMA's result files."""

from __future__ import annotations

import json
import numbers
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow_model_analysis as tfma
from google.protobuf import json_format
from tensorflow_model_analysis.proto import config_pb2, validation_result_pb2

from headrace.components.evaluator import histograms, intervals, keras_metrics
from headrace.components.evaluator.own_metrics import aims
from headrace.components.evaluator.tfma_internals import (
    constants,
    metric_types,
    metrics_validator,
    model_util,
    version,
)
from headrace.components.evaluator.tfma_internals import writer as tfma_writer
from headrace.formats.evaluations import files

_TABLES = (files.METRICS, files.PLOTS, files.ATTRIBUTIONS)

# What one file added to one sample of a slice: number of the file, sample, rows, accumulator of each computation.
Part = tuple[int, int, int, Sequence[Any]]
# TFMA's, letter for letter: its own front end looks for it.
_TOO_SMALL = (
    "Example count for this slice key is lower than the minimum required value: {}. No data is aggregated for this "
    "slice."
)


@dataclass(frozen=True)
class Computations:
    """TFMA's computations of an evaluation, by the stage in which they run."""

    combined: tuple[Any, ...]
    derived: tuple[Any, ...]
    after_intervals: tuple[Any, ...]


def separate(computations: Iterable[Any]) -> Computations:
    """Sort computations by stage and drop repeated ones, keeping the first: later ones depend on it."""
    combined: dict[Any, None] = {}
    derived: dict[Any, None] = {}
    after_intervals: dict[Any, None] = {}
    for computation in computations:
        if isinstance(computation, metric_types.MetricComputation):
            combined.setdefault(computation)
        elif isinstance(computation, metric_types.CIDerivedMetricComputation):
            after_intervals.setdefault(computation)
        elif isinstance(computation, metric_types.DerivedMetricComputation):
            derived.setdefault(computation)
    return Computations(tuple(combined), tuple(derived), tuple(after_intervals))


@dataclass(frozen=True)
class SliceResult:
    """What is known of one slice, as serialized protos of TFMA: one for each file, and the validation."""

    metrics: bytes
    plots: bytes
    attributions: bytes
    validation: bytes


class FinishSlice(beam.DoFn):
    """Merges the accumulators of a slice and computes its metrics, plots and validation."""

    def __init__(self, eval_config: Any, computations: Computations, sampling: intervals.Sampling) -> None:
        self._eval_config = eval_config
        self._computations = computations
        self._sampling = sampling
        baseline = model_util.get_baseline_model_spec(eval_config)
        self._baseline_name = baseline.name if baseline else None

    def setup(self) -> None:
        for computation in self._computations.combined:
            keras_metrics.set_up(computation.combiner)

    def process(self, element: tuple[Any, Iterable[Part]]) -> Iterable[SliceResult]:
        key, parts = element
        # Keys come back from Beam's coder as tuples of lists in some versions.
        key = tuple(tuple(part) for part in key)
        # In the order of the files, whatever was done first: sums of floats depend on it.
        ordered = sorted(parts, key=lambda part: part[:2])
        num_rows = sum(rows for _, sample, rows, _ in ordered if sample == intervals.ALL_ROWS)
        least = self._eval_config.options.min_slice_size.value
        is_too_small = bool(key) and num_rows < least
        metrics = (
            {constants.ERROR_METRIC_NAME: _TOO_SMALL.format(least)} if is_too_small else self._all(ordered)
        )
        plots = _of_kind(metrics, metric_types.PlotKey)
        attributions = _of_kind(metrics, metric_types.AttributionsKey)
        values = {name: metrics[name] for name in metrics if name not in plots and name not in attributions}
        if key:
            # A threshold is one for all rows: those that single slices would choose are no decision.
            values = {name: value for name, value in values.items() if not _is_chosen(name)}
        yield SliceResult(
            tfma_writer.convert_slice_metrics_to_proto((key, _sorted(values)), []).SerializeToString(),
            tfma_writer.convert_slice_plots_to_proto((key, _sorted(plots)), []).SerializeToString(),
            tfma_writer.convert_slice_attributions_to_proto((key, _sorted(attributions))).SerializeToString(),
            metrics_validator.validate_metrics((key, _sorted(values)), self._eval_config).SerializeToString(),
        )

    def _all(self, parts: Iterable[Part]) -> dict[Any, Any]:
        """Return the metrics of a slice, with intervals where they are wanted, from its parts in their order."""
        by_sample: dict[int, list[Sequence[Any]]] = {}
        for _, sample, _, accumulators in parts:
            by_sample.setdefault(sample, []).append(accumulators)
        with histograms.fast_arithmetic(self._computations.derived):
            metrics_by_sample = {
                sample: self._metrics(found, with_plots=sample == intervals.ALL_ROWS)
                for sample, found in by_sample.items()
            }
        after = self._computations.after_intervals
        metrics = intervals.combine(metrics_by_sample, self._sampling, with_private=bool(after))
        for computation in after:
            metrics.update(computation.result(metrics))
        return {name: value for name, value in metrics.items() if not intervals.is_private(name)}

    def _metrics(self, accumulators: Sequence[Sequence[Any]], *, with_plots: bool) -> dict[Any, Any]:
        """Return the metrics of what was added to one sample, with differences to the baseline.

        Args:
            accumulators: Of each file, in order.
            with_plots: Whether plots are made too, which have no intervals.
        """
        metrics: dict[Any, Any] = {}
        for computation, parts in zip(self._computations.combined, zip(*accumulators)):
            combiner = computation.combiner
            metrics.update(combiner.extract_output(combiner.merge_accumulators(iter(parts))))
        for computation in self._computations.derived:
            if with_plots or not _is_plot(computation):
                metrics.update(computation.result(metrics))
        return {**metrics, **self._differences(metrics)}

    def _differences(self, metrics: dict[Any, Any]) -> dict[Any, Any]:
        """Candidate minus baseline, for each number that both have."""
        if not self._baseline_name:
            return {}
        differences = {}
        for key, value in metrics.items():
            if intervals.is_private(key) or key.is_diff or key.model_name == self._baseline_name:
                continue
            baseline_key = key.make_baseline_key(self._baseline_name)
            if baseline_key in metrics and _has_difference(value):
                differences[key.make_diff_key()] = value - metrics[baseline_key]
        return differences


def _is_chosen(key: Any) -> bool:
    return isinstance(key, metric_types.MetricKey) and key.name.startswith(aims.NAME)


def _is_plot(computation: Any) -> bool:
    """Whether a computation makes what is shown as a plot, and nothing that others are computed from."""
    keys = computation.keys
    return bool(keys) and all(
        isinstance(key, metric_types.PlotKey) and not intervals.is_private(key) for key in keys
    )


def _has_difference(value: Any) -> bool:
    if isinstance(value, (numbers.Number, tfma.types.StructuredMetricValue)):
        return True
    return isinstance(value, np.ndarray) and np.issubdtype(value.dtype, np.number)


def _of_kind(metrics: dict[Any, Any], kind: type) -> dict[Any, Any]:
    return {key: value for key, value in metrics.items() if isinstance(key, kind)}


def _sorted(metrics: dict[Any, Any]) -> dict[Any, Any]:
    return {key: metrics[key] for key in sorted(metrics, key=str)}


def write(results: Sequence[SliceResult], eval_config: Any, folder: str) -> None:
    """Write TFMA's result files; equal results give equal bytes.

    Args:
        results: One for each slice, in any order.
        eval_config: With defaults filled in.
        folder: Made where it is missing.
    """
    os.makedirs(folder, exist_ok=True)
    ordered = sorted(results, key=lambda result: result.metrics)
    for table in _TABLES:
        files.write_table(folder, table, [getattr(result, table) for result in ordered])
    combine = tfma_writer.CombineValidations(eval_config)
    merged = combine.create_accumulator()
    for result in ordered:
        validation = validation_result_pb2.ValidationResult.FromString(result.validation)
        merged = combine.add_input(merged, validation)
    files.write_validation(folder, combine.extract_output(merged).SerializeToString(deterministic=True))


def write_eval_config(eval_config: Any, model_paths: dict[str, str], folder: str) -> None:
    """Write what tells TFMA's loaders what was evaluated."""
    run = config_pb2.EvalRun(
        eval_config=eval_config,
        version=version.VERSION,
        data_location="<user provided PCollection>",
        file_format="<unknown>",
        model_locations=model_paths or {"": "<unknown>"},
    )
    files.write_config(folder, json.loads(json_format.MessageToJson(run)))
