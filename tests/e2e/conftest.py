"""The two runs that these tests compare: TFX's own taxi example on TFX alone, and Headrace's taxi pipeline."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import stock_taxi


@pytest.fixture(scope="session")
def stock(tmp_path_factory) -> Path:
    """The folder of a run of the stock example up to its model, on all rows. Takes a minute."""
    folder = tmp_path_factory.mktemp("stock")
    stock_taxi.run_in_its_own_process(folder)
    return folder


@pytest.fixture(scope="session")
def ours(tmp_path_factory) -> Path:
    """The folder in which `headrace run taxi` ran as a new user starts it, with the stock example's steps.

    Its name has signs of file patterns in it, which are part of the name for all that is read and written there. What
    the run printed is in the file `printed`.
    """
    folder = tmp_path_factory.mktemp("ours") / "proj [v1]*?"
    folder.mkdir()
    steps = (f"--set=train_steps={stock_taxi.TRAIN_STEPS}", f"--set=eval_steps={stock_taxi.EVAL_STEPS}")
    done = subprocess.run(
        [sys.executable, "-m", "headrace", "run", "taxi", "--plain", *steps],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (folder / "printed").write_text(done.stdout)
    return folder
