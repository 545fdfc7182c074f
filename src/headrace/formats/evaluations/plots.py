"""TFMA's plots in plain Python, read without TFMA."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from headrace.formats.evaluations import files
from headrace.formats.evaluations.metrics import OVERALL, in_natural_order, slice_name_of, title_of


@dataclass(frozen=True)
class ThresholdPoint:
    """A binary confusion matrix at a threshold."""

    threshold: float
    tp: float
    fp: float
    tn: float
    fn: float

    @property
    def precision(self) -> float | None:
        """Share of true among predicted positives; `None` where nothing is predicted positive."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else None

    @property
    def recall(self) -> float:
        """Share of the positives that are found."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else 0.0

    @property
    def false_positive_rate(self) -> float:
        """Share of the negatives that are called positive."""
        return self.fp / (self.fp + self.tn) if self.fp + self.tn else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / total if total else 0.0


@dataclass(frozen=True)
class CalibrationBucket:
    """Predictions of similar size: how many, their mean and the mean of their labels."""

    count: float
    prediction: float
    label: float


@dataclass(frozen=True)
class Plot:
    """Curves of one slice, model and output or class; parts that were not computed are empty.

    Attributes:
        slice_name: As in `Metric`.
        title: Output and class; empty for a model with one.
        model: Model name.
        thresholds: By rising threshold.
        calibration: By rising prediction.
        classes: Actual and predicted class to their number of examples, at the lowest threshold.
        labels: Where an example may have several classes: two of them to the number of examples of the first that
            are predicted to have the second, and to the number of all examples of the first.
        class_names: Of the classes 0, 1, 2 ..., where labels and predictions were names.
    """

    slice_name: str
    title: str
    model: str
    thresholds: tuple[ThresholdPoint, ...] = ()
    calibration: tuple[CalibrationBucket, ...] = ()
    classes: dict[tuple[int, int], float] | None = None
    labels: dict[tuple[int, int], tuple[float, float]] | None = None
    class_names: tuple[str, ...] = ()

    def class_name(self, number: int) -> str:
        """Return what to call a class: its name, where it has one, else its number."""
        return self.class_names[number] if 0 <= number < len(self.class_names) else str(number)


def read_plots(path: str) -> list[Plot]:
    """Return all curves, those of the whole data set first, classes in their order.

    Confusion matrices that are metrics are among them.
    """
    names = files.read_class_names(path)
    found = []
    for proto in files.read_table(path, files.PLOTS):
        found += [_plot(slice_name_of(proto), one, names) for one in proto.plot_keys_and_values]
    for proto in files.read_table(path, files.METRICS):
        for one in proto.metric_keys_and_values:
            if one.value.WhichOneof("type") in (
                "confusion_matrix_at_thresholds",
                "multi_class_confusion_matrix_at_thresholds",
            ):
                found.append(_plot(slice_name_of(proto), one, names))
    merged: dict[tuple[str, str, str], Plot] = {}
    for plot in found:
        key = plot.slice_name, plot.title, plot.model
        merged[key] = _merge(merged[key], plot) if key in merged else plot
    slices = {name: number for number, name in enumerate(dict.fromkeys(plot.slice_name for plot in found))}
    numbers = {f"class {name}": number for number, name in enumerate(names)}
    ordered = sorted(
        merged.values(),
        key=lambda plot: (
            plot.slice_name != OVERALL,
            slices[plot.slice_name],
            numbers.get(plot.title.rpartition(", ")[2], -1),
            in_natural_order(plot.title),
        ),
    )
    return [replace(plot, class_names=names) for plot in ordered]


def _merge(one: Plot, two: Plot) -> Plot:
    # The finer of two sets of thresholds gives the better curve.
    thresholds = max(one.thresholds, two.thresholds, key=len)
    return Plot(
        one.slice_name,
        one.title,
        one.model,
        thresholds,
        one.calibration or two.calibration,
        one.classes or two.classes,
        one.labels or two.labels,
    )


def _plot(slice_name: str, proto: Any, class_names: Sequence[str]) -> Plot:
    value = proto.value
    present = {field.name for field, _ in value.ListFields()}
    thresholds: tuple[ThresholdPoint, ...] = ()
    calibration: tuple[CalibrationBucket, ...] = ()
    classes = labels = None
    if "confusion_matrix_at_thresholds" in present:
        matrices = value.confusion_matrix_at_thresholds.matrices
        thresholds = tuple(
            ThresholdPoint(
                m.threshold, m.true_positives, m.false_positives, m.true_negatives, m.false_negatives
            )
            for m in sorted(matrices, key=lambda m: m.threshold)
        )
    if "calibration_histogram_buckets" in present:
        calibration = tuple(
            CalibrationBucket(
                bucket.num_weighted_examples.value,
                bucket.total_weighted_refined_prediction.value / bucket.num_weighted_examples.value,
                bucket.total_weighted_label.value / bucket.num_weighted_examples.value,
            )
            for bucket in value.calibration_histogram_buckets.buckets
            if bucket.num_weighted_examples.value
        )
    if "multi_class_confusion_matrix_at_thresholds" in present:
        classes = {
            (e.actual_class_id, e.predicted_class_id): e.num_weighted_examples
            for e in _lowest(value.multi_class_confusion_matrix_at_thresholds)
        }
    if "multi_label_confusion_matrix_at_thresholds" in present:
        labels = {
            (e.actual_class_id, e.predicted_class_id): (
                e.true_positives + e.false_positives,
                e.true_positives + e.false_positives + e.true_negatives + e.false_negatives,
            )
            for e in _lowest(value.multi_label_confusion_matrix_at_thresholds)
        }
    return Plot(
        slice_name,
        title_of(proto.key, class_names),
        proto.key.model_name,
        thresholds,
        calibration,
        classes,
        labels,
    )


def _lowest(matrices: Any) -> Sequence[Any]:
    """Return the entries of the matrix at the lowest threshold; none where there is no matrix."""
    lowest = min(matrices.matrices, key=lambda matrix: matrix.threshold, default=None)
    return lowest.entries if lowest is not None else ()
