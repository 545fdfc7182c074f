"""What metrics of Headrace's own have in common: pairs of a batch go into an accumulator that can be merged."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np

from headrace.components.evaluator.pairs import Pairs
from headrace.components.evaluator.tfma_internals import metric_types, metric_util
from headrace.errors import SchemaMismatchError


@dataclass(frozen=True)
class Asked:
    """For which model, output and weighting TFMA asks a metric."""

    eval_config: Any = None
    model_name: str = ""
    output_name: str = ""
    example_weighted: bool = False

    def key(self, name: str, class_id: int | None = None) -> Any:
        """Return the key of a metric, of one class where a number is given."""
        return metric_types.MetricKey(
            name=name,
            model_name=self.model_name,
            output_name=self.output_name,
            sub_key=None if class_id is None else metric_types.SubKey(class_id=class_id),
            example_weighted=self.example_weighted,
        )


class OwnCombiner(beam.CombineFn):
    """Adds pairs of many rows at once; see `combiners`.

    What it gives is its accumulator, under a private key, from which `Derived` computes metrics.

    Args:
        asked: For what TFMA asks.
        name: Of the private key; equal names share one accumulator.
    """

    def __init__(self, asked: Asked, name: str) -> None:
        self.asked = asked
        self.key = asked.key(f"_{name}")
        self.example_weighted = asked.example_weighted

    @abstractmethod
    def accepts(self, pairs: Pairs) -> bool:
        """Whether it can add such pairs."""

    def refusal(self, pairs: Pairs) -> SchemaMismatchError:
        """Return what is said of pairs that it does not accept."""
        labels, predictions = (
            f"{values.shape[1]} in a row, from {values.min(initial=np.inf):g} to {values.max(initial=-np.inf):g}"
            for values in (pairs.labels.astype(np.float64), pairs.predictions.astype(np.float64))
        )
        return SchemaMismatchError(
            f"metrics by {self.key.name.strip('_').replace('_', ' ')} cannot read labels ({labels}) beside predictions "
            f"({predictions}).",
            "correct the label, or name metrics of another kind of problem; without names, the first rows decide the "
            "kind.",
        )

    @abstractmethod
    def add_pairs(self, accumulator: Any, pairs: Pairs) -> Any:
        """Return the accumulator with pairs added that it accepts."""

    @abstractmethod
    def merged(self, one: Any, other: Any) -> Any:
        """Return the accumulator of the rows of both."""

    def add_input(self, accumulator: Any, element: Any) -> Any:
        """Add one row, as TFMA hands them over where it goes row by row."""
        rows = metric_util.to_label_prediction_example_weight(
            element,
            eval_config=self.asked.eval_config,
            model_name=self.asked.model_name,
            output_name=self.asked.output_name,
            example_weighted=self.example_weighted,
            flatten=False,
            require_single_example_weight=True,
        )
        for label, prediction, weight in rows:
            pairs = Pairs(*(np.reshape(value, (1, -1)) for value in (label, prediction, weight)))
            if not self.accepts(pairs):
                raise self.refusal(pairs)
            accumulator = self.add_pairs(accumulator, pairs)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[Any]) -> Any:
        """Of all rows, in their order."""
        result = self.create_accumulator()
        for accumulator in accumulators:
            result = self.merged(result, accumulator)
        return result

    def extract_output(self, accumulator: Any) -> dict[Any, Any]:
        """The accumulator itself, for what is derived from it."""
        return {self.key: accumulator}


@dataclass(frozen=True)
class Derived:
    """Computes the metrics of a slice from an accumulator.

    Attributes:
        source: Key of the accumulator.
        asked: For what TFMA asks.
        compute: Gives values by name of a metric and number of a class, `None` for what is of no class.
    """

    source: Any
    asked: Asked
    compute: Callable[[Any], dict[tuple[str, int | None], float]]

    def __call__(self, metrics: dict[Any, Any]) -> dict[Any, float]:
        """Return the metrics by their keys."""
        found = self.compute(metrics[self.source])
        return {self.asked.key(*named): float(value) for named, value in found.items()}


def computations(
    combiner: OwnCombiner, name: str, compute: Callable[[Any], dict[tuple[str, int | None], float]]
) -> list[Any]:
    """Return TFMA's computations of a metric that is derived from a combiner's accumulator."""
    return [
        metric_types.MetricComputation(keys=[combiner.key], preprocessors=None, combiner=combiner),
        metric_types.DerivedMetricComputation(
            keys=[combiner.asked.key(name)], result=Derived(combiner.key, combiner.asked, compute)
        ),
    ]
