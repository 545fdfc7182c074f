"""TFX's own tests of its components, which its wheel carries, run with Headrace's classes in place of TFX's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tfx_own_tests import LEFT_OUT

# Module by module, how many of its cases run. Each in less than a second.
QUICK = {
    "bulk_inferrer.component_test": 2,
    "evaluator.component_test": 9,
    "example_gen.component_test": 8,
    "example_gen.csv_example_gen.component_test": 1,
    "example_gen.custom_executors.parquet_component_test": 1,
    "example_gen.driver_test": 4,
    "example_gen.import_example_gen.component_test": 1,
    "example_validator.component_test": 1,
    "infra_validator.component_test": 1,
    "pusher.component_test": 5,
    "pusher.executor_test": 9,
    "schema_gen.component_test": 2,
    "schema_gen.executor_test": 2,
    "schema_gen.import_schema_gen.component_test": 1,
    "schema_gen.import_schema_gen.executor_test": 1,
    "statistics_gen.component_test": 2,
    "statistics_gen.executor_test": 6,
    "trainer.component_test": 10,
    "transform.component_test": 9,
    "tuner.component_test": 4,
}
# Those that train or run many Beam pipelines.
SLOW = {
    "bulk_inferrer.executor_test": 3,
    "evaluator.executor_test": 7,
    "example_gen.csv_example_gen.executor_test": 4,
    "example_gen.custom_executors.parquet_executor_test": 2,
    "example_gen.import_example_gen.executor_test": 5,
    "trainer.executor_test": 3,
    "tuner.executor_test": 1,
}


def run(modules, folder):
    """Run TFX's test modules in a process of their own, with the plugin that replaces the classes."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tfx_own_tests", "-p", "no:cacheprovider"]
        + ["-c", os.devnull, "--rootdir", str(folder), "--pyargs"]
        + [f"tfx.components.{module}" for module in modules],
        # The models of TFX's tests are Keras 2.
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent), "TF_USE_LEGACY_KERAS": "1"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=900,
    )


@pytest.mark.parametrize("modules", [pytest.param(QUICK, id="quick"), pytest.param(SLOW, id="slow")])
def test_headrace_passes_tfxs_own_tests(modules, tmp_path):
    """All of them but those that `LEFT_OUT` gives a reason for."""
    done = run(modules, tmp_path)

    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    [passed] = re.findall(r"(\d+) passed", done.stdout)
    assert int(passed) >= sum(modules.values()), done.stdout[-2000:]


def test_what_is_left_out_exists_and_says_why():
    """A case that TFX renames or drops is not left out in silence."""
    import tfx

    folder = Path(tfx.__file__).parent / "components"
    for name, reason in LEFT_OUT.items():
        module, _, case = name.rpartition("/")
        source = (folder / f"{module}.py").read_text()
        # The name of a parameterized case begins with that of its function.
        assert any(f"def {case[:length]}(" in source for length in range(5, len(case) + 1)), name
        assert reason
