"""TFX's own tests of executors that train or run many Beam pipelines, with Headrace's classes in place of TFX's."""

from __future__ import annotations

import pytest
from tfx_own_tests import assert_they_pass

# Module by module, how many of its cases run.
MODULES = {
    "bulk_inferrer.executor_test": 3,
    "evaluator.executor_test": 7,
    "example_gen.csv_example_gen.executor_test": 4,
    "example_gen.custom_executors.parquet_executor_test": 2,
    "example_gen.import_example_gen.executor_test": 5,
    "trainer.executor_test": 3,
    "tuner.executor_test": 1,
}


@pytest.mark.long
@pytest.mark.timeout(1500)  # Some 200 s of processors.
def test_headrace_passes_tfxs_own_tests_of_executors(tmp_path):
    """The other modules are in `test_tfx_own_tests`; what is left out is in `tfx_own_tests`."""
    assert_they_pass(MODULES, tmp_path)
