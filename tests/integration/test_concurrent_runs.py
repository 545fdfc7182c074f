"""Several processes on one store at once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
import nodes
import pytest
import stored
from ml_metadata.proto import metadata_store_pb2

import headrace
from headrace.authoring import Pipeline
from headrace.store.results import RunResult

NODES_PATH = str(Path(__file__).parent)
NUM_PROCESSES = 5

DIFFERENT = """
import sys
sys.path.insert(0, {folder!r})
import headrace, nodes
from headrace.authoring import Pipeline

if __name__ == "__main__":
    name = sys.argv[1]
    makes = [nodes.Make(text=f"{{name}} {{i}}").with_id(f"Make{{i}}") for i in range(3)]
    uses = [nodes.Use(given=make.outputs["out"]).with_id(f"Use{{i}}") for i, make in enumerate(makes)]
    result = headrace.run(Pipeline(name, components=[*makes, *uses]), store="store", show=False)
    result.raise_for_failure()
    print([node.state.value for node in result.nodes])
"""

SHARED = """
import sys
sys.path.insert(0, {folder!r})
import headrace, nodes
from headrace.authoring import Pipeline

if __name__ == "__main__":
    make = nodes.Timed(name="shared", seconds=1.0)
    result = headrace.run(
        Pipeline("test", components=[make, nodes.Use(given=make.outputs["out"])]), store="store", show=False
    )
    result.raise_for_failure()
"""


def start(tmp_path: Path, text: str, *arguments: str) -> subprocess.Popen[str]:
    script = tmp_path / "script.py"
    # Written once: an earlier process may be reading it.
    if not script.exists():
        script.write_text(text.format(folder=NODES_PATH))
    return subprocess.Popen(
        [sys.executable, str(script), *arguments],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def executions(tmp_path: Path) -> list[Any]:
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(tmp_path / "store" / "metadata.db")
    found: list[Any] = mlmd.MetadataStore(config).get_executions()
    return found


def test_processes_run_different_pipelines_in_one_new_store(tmp_path: Path):
    """The store is new: they also create its tables at the same time."""
    processes = [start(tmp_path, DIFFERENT, f"pipeline{i}") for i in range(NUM_PROCESSES)]

    ends = [(process.communicate(timeout=170), process.returncode) for process in processes]

    assert [code for _, code in ends] == [0] * NUM_PROCESSES, [error for (_, error), code in ends if code]
    assert [output for (output, _), _ in ends] == [f"{['done'] * 6}\n"] * NUM_PROCESSES
    assert len(stored.list_runs(str(tmp_path / "store"))) == NUM_PROCESSES
    assert [e.last_known_state for e in executions(tmp_path)] == [
        metadata_store_pb2.Execution.COMPLETE
    ] * 6 * NUM_PROCESSES
    assert os.listdir(tmp_path / "store" / "running") == []


def test_what_several_runs_need_at_once_is_computed_once(tmp_path: Path):
    processes = [start(tmp_path, SHARED) for _ in range(4)]

    ends = [(process.communicate(timeout=120), process.returncode) for process in processes]

    assert [code for _, code in ends] == [0] * 4, [error for (_, error), code in ends if code]
    for kind in ("nodes.Timed", "nodes.Use"):
        states = [e.last_known_state for e in executions(tmp_path) if e.type == kind]
        assert states.count(metadata_store_pb2.Execution.COMPLETE) == 1
        assert len(states) == 4


def run_in(project: Path, text: str = "made") -> RunResult:
    make = nodes.Make(text=text)
    given = nodes.Repeat(count=2)
    components = [make, given, nodes.Use(given=make.outputs["out"])]
    return headrace.run(Pipeline("test", components=components), store=str(project / ".headrace"), show=False)


@pytest.mark.parametrize("move", [os.rename, shutil.copytree])
def test_a_moved_or_copied_project_opens_and_hits(tmp_path: Path, move: Any):
    run_in(tmp_path / "here")
    os.makedirs(tmp_path / "deeper")
    move(tmp_path / "here", tmp_path / "deeper" / "there")
    shutil.rmtree(tmp_path / "here", ignore_errors=True)

    result = run_in(tmp_path / "deeper" / "there")

    assert {node.state.value for node in result.nodes} == {"cached"}
    for node in result.nodes:
        assert node.outputs[0].uri.startswith(str(tmp_path / "deeper" / "there"))
        assert nodes.read(node.outputs[0].uri)
    listed = stored.list_runs(str(tmp_path / "deeper" / "there" / ".headrace"))
    first = stored.read_run(str(tmp_path / "deeper" / "there" / ".headrace"), listed[-1].run_id)
    assert first.nodes[0].outputs[0].uri.startswith(str(tmp_path / "deeper" / "there"))
    assert first.nodes[0].log_path.startswith(str(tmp_path / "deeper" / "there"))
