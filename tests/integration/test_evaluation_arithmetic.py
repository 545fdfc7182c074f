"""The arithmetic on histograms against TFMA's own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tensorflow_model_analysis.metrics import calibration_histogram

from headrace.components.evaluator import histograms

Bucket = calibration_histogram.Bucket
THREADS = 4


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Threads change places a hundred times as often as they do by themselves."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(5e-5)
    yield
    sys.setswitchinterval(interval)


def sparse_histogram() -> list[Bucket]:
    rng = np.random.default_rng(7)
    numbers = np.sort(rng.choice(10_002, 2_000, replace=False)).tolist()
    return [Bucket(number, *rng.random(3).tolist()) for number in numbers]


def test_threads_that_rebin_first_at_the_same_time_get_tfmas_buckets(eager_threads: None):
    """Beam finishes slices on threads; what they share must be whole before the second one reads it."""
    histogram = sparse_histogram()
    thresholds = [number / 10_000 for number in range(10_001)]
    expected = calibration_histogram.rebin(thresholds, histogram)

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(10):
            histograms._empty_buckets.cache_clear()
            results = [pool.submit(histograms.rebin, thresholds, histogram) for _ in range(THREADS)]
            assert all(result.result() == expected for result in results)
