"""TFMA's own cases of metrics pass on Evaluator's arithmetic, with their rows in two files."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SUITES = (
    "mean_regression_error_test.py",
    "cross_entropy_metrics_test.py",
    "example_count_test.py",
    "multi_class_confusion_matrix_metrics_test.py",
    "calibration_test.py",
)


def test_tfmas_own_cases_pass(tmp_path: Path) -> None:
    """Most of them by batches; what each expects is TFMA's to say."""
    package = importlib.util.find_spec("tensorflow_model_analysis")
    assert package is not None
    assert package.origin is not None
    folder = Path(package.origin).parent / "metrics"
    files = [str(folder / name) for name in SUITES if (folder / name).exists()]
    if not files:
        pytest.skip("this wheel of TFMA has no tests")
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "TF_USE_LEGACY_KERAS": "1"}
    arguments = ["-p", "tfma_suite", "-p", "no:cacheprovider", "-q", "--tb=short", "-W", "ignore"]

    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            *arguments,
            f"--rootdir={tmp_path}",
            "-k",
            "not test_session",
            *files,
        ],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout[-6000:]
    taken = re.search(r"combined by batches: (\d+)", run.stdout)
    assert taken is not None
    assert int(taken.group(1)) >= 20
