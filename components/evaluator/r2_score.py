"""The coefficient of determination, as a metric of TFMA.

Keras has an `R2Score`, which TFMA cannot use: its variables differ in shape, and it makes them at the first batch.
Keras also sums squares in float32, which leaves nothing of labels such as 100,000 and 100,001. Here means and
squared distances to them are kept, and merged as in Chan, Golub and LeVeque (1979).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import apache_beam as beam
import numpy as np
from numpy.typing import NDArray

from headrace.components.evaluator.tfma_internals import metric_types, metric_util

NAME = "r2_score"
_AGGREGATIONS = (None, "uniform_average", "variance_weighted_average")

_Array: TypeAlias = NDArray[np.float64]


@dataclass
class Accumulator:
    """What is known of some rows; arrays have one value for each output of the model.

    Attributes:
        num_rows: Rows, whatever their weight.
        weight: Total weight.
        mean: Weighted mean of the labels.
        distances: Weighted sum of squared distances of the labels to their mean.
        residuals: Weighted sum of squared distances of the labels to the predictions.
    """

    num_rows: int = 0
    weight: float = 0.0
    mean: _Array = field(default_factory=lambda: np.zeros(1))
    distances: _Array = field(default_factory=lambda: np.zeros(1))
    residuals: _Array = field(default_factory=lambda: np.zeros(1))

    @classmethod
    def of(cls, labels: NDArray[Any], predictions: NDArray[Any], weights: NDArray[Any]) -> Accumulator:
        """Return what rows add: labels and predictions of shape (rows, outputs), weights of shape (rows,)."""
        labels, predictions = labels.astype(np.float64), predictions.astype(np.float64)
        weights = weights.astype(np.float64)
        total = float(weights.sum())
        mean = weights @ labels / total if total else np.zeros(labels.shape[1])
        return cls(
            len(labels),
            total,
            mean,
            weights @ np.square(labels - mean),
            weights @ np.square(labels - predictions),
        )

    def merged(self, other: Accumulator) -> Accumulator:
        """Return what is known of the rows of both."""
        if not self.num_rows or not other.num_rows:
            return self if self.num_rows else other
        weight = self.weight + other.weight
        share = other.weight / weight if weight else 0.0
        apart = other.mean - self.mean
        return Accumulator(
            self.num_rows + other.num_rows,
            weight,
            self.mean + apart * share,
            self.distances + other.distances + np.square(apart) * self.weight * share,
            self.residuals + other.residuals,
        )


class R2Combiner(beam.CombineFn):
    """Combines rows to a coefficient of determination."""

    def __init__(
        self,
        key: metric_types.MetricKey,
        eval_config: Any,
        aggregation_type: Any,
        example_weighted: bool,
        class_aggregation: str | None,
        num_regressors: int,
    ) -> None:
        self.key = key
        self.example_weighted = example_weighted
        self._eval_config = eval_config
        self._aggregation_type = aggregation_type
        self._class_aggregation = class_aggregation
        self._num_regressors = num_regressors

    def create_accumulator(self) -> Accumulator:
        """Of no rows."""
        return Accumulator()

    def add_input(self, accumulator: Accumulator, element: Any) -> Accumulator:
        """Add one row."""
        pairs = metric_util.to_label_prediction_example_weight(
            element,
            eval_config=self._eval_config,
            model_name=self.key.model_name,
            output_name=self.key.output_name,
            sub_key=self.key.sub_key,
            aggregation_type=self._aggregation_type,
            example_weighted=self.example_weighted,
            flatten=False,
            require_single_example_weight=True,
        )
        for label, prediction, weight in pairs:
            labels, predictions = np.reshape(label, (1, -1)), np.reshape(prediction, (1, -1))
            if labels.shape != predictions.shape:
                raise ValueError(
                    f"r2_score needs a label for each of {predictions.size} outputs, not {labels.size}"
                )
            accumulator = accumulator.merged(Accumulator.of(labels, predictions, np.reshape(weight, -1)))
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[Accumulator]) -> Accumulator:
        """Of all rows, in their order."""
        result = Accumulator()
        for accumulator in accumulators:
            result = result.merged(accumulator)
        return result

    def extract_output(self, accumulator: Accumulator) -> dict[Any, Any]:
        """As Keras: where all labels are equal, 0, or NaN where the predictions equal them too."""
        with np.errstate(all="ignore"):
            scores: Any = 1 - accumulator.residuals / accumulator.distances
            scores = np.where(np.isinf(scores), 0.0, scores)
            if self._class_aggregation == "uniform_average":
                scores = scores.mean()
            elif self._class_aggregation == "variance_weighted_average":
                scores = (accumulator.distances * scores).sum() / accumulator.distances.sum()
        degrees = accumulator.num_rows - self._num_regressors - 1
        if self._num_regressors and degrees > 0:
            scores = 1 - (1 - scores) * (accumulator.num_rows - 1) / degrees
        return {self.key: scores if np.ndim(scores) else float(scores)}


class R2Score(metric_types.Metric):
    """Coefficient of determination, 1 minus the share of the labels' variance that a model leaves unexplained.

    Args:
        name: Of the metric.
        class_aggregation: For models with several outputs, as in Keras: `"uniform_average"`,
            `"variance_weighted_average"`, or `None` for one value for each output.
        num_regressors: For the adjusted value: the number of independent variables.
    """

    def __init__(
        self, name: str = NAME, class_aggregation: str | None = "uniform_average", num_regressors: int = 0
    ) -> None:
        if class_aggregation not in _AGGREGATIONS:
            raise ValueError(f"class_aggregation is {class_aggregation!r}, and may be one of {_AGGREGATIONS}")
        super().__init__(
            metric_util.merge_per_key_computations(_computations),
            name=name,
            class_aggregation=class_aggregation,
            num_regressors=num_regressors,
        )


def _computations(
    name: str = NAME,
    eval_config: Any = None,
    model_name: str = "",
    output_name: str = "",
    sub_key: Any = None,
    aggregation_type: Any = None,
    example_weighted: bool = False,
    class_aggregation: str | None = "uniform_average",
    num_regressors: int = 0,
) -> list[metric_types.MetricComputation]:
    key = metric_types.MetricKey(
        name=name,
        model_name=model_name,
        output_name=output_name,
        sub_key=sub_key,
        aggregation_type=aggregation_type,
        example_weighted=example_weighted,
    )
    combiner = R2Combiner(
        key, eval_config, aggregation_type, example_weighted, class_aggregation, num_regressors
    )
    return [metric_types.MetricComputation(keys=[key], preprocessors=None, combiner=combiner)]


metric_types.register_metric(R2Score)
