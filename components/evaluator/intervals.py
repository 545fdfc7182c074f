"""Confidence intervals as TFMA computes them, on samples of a batch's rows instead of row by row.

TFMA computes every metric again for each of 20 samples and takes the spread of the results: in the jackknife
each sample leaves out a twentieth of the rows, drawn at random; in the Poisson bootstrap each row is in a
sample as often as a Poisson distribution of mean 1 says. Here the rows of a sample are added to accumulators of
their own, all at once. How the spread becomes an interval is TFMA's own code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.components.evaluator import tfma_internals
from headrace.components.evaluator.slices import SliceKey
from headrace.components.evaluator.tfma_internals import confidence_intervals_util, metric_types

# TFMA's number for the sample that has every row once.
ALL_ROWS = -1

Sample = tuple[SliceKey, int]


@dataclass(frozen=True)
class Sampling:
    """How many samples are drawn, and how.

    Attributes:
        num_samples: 0 where no intervals are wanted.
        is_jackknife: Whether each sample leaves rows out; else rows are in it never, once or several times.
        without: Metrics that are to have no interval.
    """

    num_samples: int = 0
    is_jackknife: bool = False
    without: frozenset[metric_types.MetricKey] = frozenset()

    def rows_by_sample(
        self, rows_by_slice: Mapping[SliceKey, NDArray[Any] | None], num_rows: int, seed: tuple[int, int]
    ) -> dict[Sample, NDArray[Any] | None]:
        """Return the rows of each sample of each slice, and under `ALL_ROWS` those of the slice.

        Args:
            rows_by_slice: Row numbers by slice; `None` stands for all rows.
            num_rows: Rows of the batch.
            seed: File and batch: what is drawn depends on nothing else, so that equal inputs give equal results.

        Returns:
            Ascending row numbers, those that were drawn several times repeated. A jackknife sample without rows
            is left out, as TFMA leaves it out.
        """
        found: dict[Sample, NDArray[Any] | None] = {
            (key, ALL_ROWS): rows for key, rows in rows_by_slice.items()
        }
        if not self.num_samples:
            return found
        generator = np.random.default_rng(seed)
        if self.is_jackknife:
            left_out = generator.integers(self.num_samples, size=num_rows)
            counts = (left_out != np.arange(self.num_samples)[:, np.newaxis]).astype(np.int64)
        else:
            counts = generator.poisson(1.0, (self.num_samples, num_rows))
        for key, rows in rows_by_slice.items():
            of_slice = np.arange(num_rows) if rows is None else rows
            for sample in range(self.num_samples):
                taken = np.repeat(of_slice, counts[sample, of_slice])
                if len(taken) or not self.is_jackknife:
                    found[key, sample] = taken
        return found


def sampling(eval_config: Any) -> Sampling:
    """Return what an `EvalConfig` with defaults filled in asks for."""
    asked = tfma_internals.confidence_interval_params(eval_config, list(eval_config.metrics_specs))
    return Sampling(
        asked.num_jackknife_samples or asked.num_bootstrap_samples,
        bool(asked.num_jackknife_samples),
        frozenset(asked.skip_ci_metric_keys),
    )


def combine(
    metrics_by_sample: Mapping[int, Mapping[Any, Any]], sampling: Sampling, *, with_private: bool
) -> dict[Any, Any]:
    """Return a slice's metrics with their distributions, as TFMA makes them of the samples.

    Args:
        metrics_by_sample: Metrics of each sample and of `ALL_ROWS`.
        sampling: How the samples were drawn; without samples, the metrics are returned as they are.
        with_private: Whether the intermediate results of metrics get a distribution too. Only computations that
            run after the intervals read it, and for matrices of 10,000 thresholds it takes TFMA seconds.

    Returns:
        `tfma.types.ValueWithTDistribution` for metrics that are numbers or made of numbers, the value over all
        rows for others, and where samples are missing a metric of TFMA's that says so.
    """
    if not sampling.num_samples:
        return dict(metrics_by_sample[ALL_ROWS])
    method = tfma_internals.JackknifeSampleCombineFn
    if not sampling.is_jackknife:
        method = tfma_internals.BootstrapSampleCombineFn
    combiner = method(sampling.num_samples, sampling.without)
    accumulator = combiner.create_accumulator()
    for sample in sorted(metrics_by_sample):
        metrics = dict(metrics_by_sample[sample])
        if sample != ALL_ROWS and not with_private:
            metrics = {key: value for key, value in metrics.items() if not is_private(key)}
        accumulator = combiner.add_input(
            accumulator, confidence_intervals_util.SampleMetrics(metrics, sample)
        )
    combined: dict[Any, Any] = combiner.extract_output(accumulator)
    return combined


def is_private(key: metric_types.MetricKey) -> bool:
    """Whether TFMA keeps a metric for itself, as what other metrics are computed from."""
    return key.name.startswith("_") and not key.name.startswith("__")
