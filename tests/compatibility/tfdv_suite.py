"""pytest plugin: TFDV's own cases of whole statistics, computed by StatisticsGen.

A case puts record batches through `GenerateStatisticsImpl`. Here they become an Examples artifact of two files, on
which StatisticsGen's executor runs with the options of the case.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
import suite_surroundings
from data_validation import (
    execute,
    in_files,
    statistics_of,
)
from tensorflow_data_validation.statistics import stats_impl
from tfx.types.standard_artifacts import ExampleStatistics

from headrace.components.statistics_gen.executor import Executor
from headrace.formats.examples import example_encoder
from headrace.testing import make_examples

NUM_FILES = 2
_GenerateStatisticsImpl = stats_impl.GenerateStatisticsImpl
_taken: list[str] = []


def _statistics(batches: list[Any], options: str) -> Any:
    folder = Path(tempfile.mkdtemp())
    records = [record for batch in batches for record in example_encoder.encode(batch).to_pylist()]
    examples = make_examples(folder / "examples", {"rows": in_files(records, NUM_FILES)})
    made = execute(
        Executor,
        folder,
        {"examples": examples},
        "statistics",
        ExampleStatistics,
        {"stats_options_json": options},
    )
    return statistics_of(made, "rows")


class _StatisticsGen(beam.PTransform):
    """In the place of `GenerateStatisticsImpl`, for a case; StatisticsGen itself may ask for the original."""

    def __init__(self, options: Any) -> None:
        super().__init__()
        self._options = options

    def expand(self, batches: Any) -> Any:
        """Gather all batches, and run the executor on them."""
        _taken.append(self._options.to_json())
        return (
            batches.pipeline
            | beam.Create([None])
            | beam.Map(_run, rows=beam.pvalue.AsList(batches), options=self._options.to_json())
        )


def _run(_: None, rows: list[Any], options: str) -> Any:
    case, stats_impl.GenerateStatisticsImpl = stats_impl.GenerateStatisticsImpl, _GenerateStatisticsImpl
    try:
        return _statistics(rows, options)
    finally:
        stats_impl.GenerateStatisticsImpl = case


def pytest_configure(config: pytest.Config) -> None:
    """Put Headrace's code in the place of TFDV's."""
    suite_surroundings.prepare()
    stats_impl.GenerateStatisticsImpl = _StatisticsGen


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how often Headrace's code was used: a suite that it never meets shows nothing."""
    terminalreporter.write_line(f"cases taken: {len(_taken)}")
