"""The main job, as a new user starts it: the taxi pipeline from CSV to a pushed model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def headrace(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "headrace", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
    )


def test_taxi_runs_to_a_pushed_model(tmp_path: Path):
    """Every node runs, the model is blessed and pushed, and the store knows the run."""
    done = headrace(tmp_path, "run", "taxi", "--plain", "--set", "train_steps=200")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "BLESSED" in done.stdout
    [version] = os.listdir(tmp_path / "serving" / "taxi")
    assert (tmp_path / "serving" / "taxi" / version / "saved_model.pb").is_file()
    shown = json.loads(headrace(tmp_path, "show", "latest", "--json").stdout)
    assert {node["state"] for node in shown["nodes"]} == {"done"}
    assert len(shown["nodes"]) == 11
