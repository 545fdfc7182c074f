"""`headrace tensorboard`: TensorBoard itself, on the recorded training of a run."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import nodes
import pytest
from click.testing import CliRunner

import headrace
from headrace.authoring import Pipeline
from headrace.cli.main import cli
from headrace.store.results import RunResult


def train(store: Path, name: str = "train") -> RunResult:
    components = [nodes.Make(), nodes.RecordTraining()]
    result = headrace.run(Pipeline(name, components=components), store=str(store), show=False)
    result.raise_for_failure()
    return result


def test_it_starts_tensorboard_on_the_runs_named_and_ends_with_control_c(tmp_path: Path):
    """Each training stands under its run and node; nothing is left behind."""
    first, second = train(tmp_path / "store"), train(tmp_path / "store", "other")
    aside = tmp_path / "aside"
    aside.mkdir()
    names = [first.run_id, second.run_id]
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "headrace",
            "tensorboard",
            *names,
            "--store",
            str(tmp_path / "store"),
            "--port=0",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TMPDIR": str(aside)},
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        address = re.search(r"at (http://\S+)", line)
        if address:
            break
    assert address is not None, "".join(lines)
    with urllib.request.urlopen(f"{address[1]}data/runs", timeout=60) as answer:
        shown = json.load(answer)

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)

    assert lines[0] == f"TensorBoard shows {first.run_id}/RecordTraining, {second.run_id}/RecordTraining.\n"
    assert sorted(shown) == [f"{name}/RecordTraining" for name in names]
    assert process.returncode == 0
    assert [path for path in aside.iterdir() if path.name.startswith("headrace-")] == []


def test_a_run_that_trained_nothing_is_said_so(tmp_path: Path):
    result = headrace.run(
        Pipeline("no_training", components=[nodes.Make()]), store=str(tmp_path / "store"), show=False
    )

    done = CliRunner().invoke(cli, ["tensorboard", "--store", str(tmp_path / "store")])

    assert done.exit_code == 1
    assert done.output == (
        f"StoreError: run {result.run_id} trained nothing that TensorBoard could show: none of its nodes, 'Make', "
        "made a ModelRun.\n  Fix: name a run with a Trainer; list the runs with: headrace runs\n"
    )


def test_files_that_are_gone_are_said_so(tmp_path: Path):
    result = train(tmp_path / "store")
    [output] = result.node("RecordTraining").outputs
    shutil.rmtree(output.uri)

    done = CliRunner().invoke(cli, ["tensorboard", "--store", str(tmp_path / "store")])

    assert done.exit_code == 1
    assert done.output == (
        f"StoreError: the files of ModelRun {output.artifact_id} of run {result.run_id} are gone: there is no "
        f"{output.uri}.\n  Fix: make them again with what made them: {result.details['command']}\n"
    )


@pytest.mark.parametrize("argument", ["--help"])
def test_its_help_starts_nothing(argument: str):
    assert "Ctrl-C" in CliRunner().invoke(cli, ["tensorboard", argument]).output
