"""A few random disturbances; `make torture` makes as many as there is time for."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

TORTURE_PATH = Path(__file__).parent.parent / "torture"


# Short ones of different kinds; their moments are new each time, and the seed repeats them.
@pytest.mark.parametrize("kinds", [["Ctrl-C", "kill all"], ["bad listener", "fail fast"]])
def test_what_is_disturbed_leaves_no_trace(kinds: list[str], tmp_path: Path):
    """Nothing runs for ever, nothing is left behind or lost, and the exit code said what happened."""
    seed = random.randrange(1_000_000)
    command = [sys.executable, str(TORTURE_PATH), "--quick", "--each=1", "--jobs=1", f"--seed={seed}"]

    done = subprocess.run(
        [*command, "--kinds", *kinds],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert done.returncode == 0, done.stdout + done.stderr
