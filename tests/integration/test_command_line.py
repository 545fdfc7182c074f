"""The command line with the real engine and real TFX: scripts, resume, doctor."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

# Without the usual guard around its last lines, as many of TFX's tutorials are.
_SCRIPT = """
import os

from tfx import v1 as tfx
from tfx.dsl.component.experimental.decorators import component

Model = tfx.types.standard_artifacts.Model


@component
def Make(model: tfx.dsl.components.OutputArtifact[Model], size: tfx.dsl.components.Parameter[int]):
    os.makedirs(model.uri, exist_ok=True)
    with open(os.path.join(model.uri, "text"), "w") as file:
        file.write("x" * size)


@component
def Use(model: tfx.dsl.components.InputArtifact[Model]):
    if not os.path.exists("ready"):
        raise LookupError("not ready")


make = Make(size=4)
use = Use(model=make.outputs["model"])
pipeline = tfx.dsl.Pipeline("demo", pipeline_root="root", components=[make, use], enable_cache=True)
tfx.orchestration.LocalDagRunner().run(pipeline)
print("the script went on")
"""


# As the README's example is: a function that returns the pipeline, here with a component of the file's own.
_FILE = """
from headrace.authoring import Pipeline
from headrace.authoring.light import authoring

with authoring():
    from tfx.dsl.component.experimental.annotations import OutputArtifact
    from tfx.dsl.component.experimental.decorators import component
    from tfx.types.standard_artifacts import Model


@component
def Make(model: OutputArtifact[Model]):
    with open(f"{model.uri}/text", "w") as file:
        file.write("made")


def create_pipeline():
    return Pipeline("own", components=[Make()])
"""


# Hands its pipeline over compiled, without a guard: a worker that reads the file must not start it again.
_COMPILED = """
from tfx.dsl.compiler.compiler import Compiler
from tfx.orchestration.local.local_dag_runner import LocalDagRunner

from own import Make, Pipeline
from headrace.authoring.light import authoring

with authoring():
    from tfx.dsl.component.experimental.decorators import component


@component
def Here():
    print("in the worker")


LocalDagRunner().run_with_ir(Compiler().compile(Pipeline("compiled", "root", components=[Make(), Here()])))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with a script for stock TFX."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "script.py").write_text(_SCRIPT)
    return folder


def headrace(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "headrace", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_a_stock_script_runs_fails_and_is_resumed(project):
    """The failure names the script's own line; resume runs what is missing, and the script goes on."""
    failed = headrace(project, "run", "script.py", "--plain")

    assert failed.returncode == 1, failed.stdout + failed.stderr
    assert "in script.py:20, Use:\n    LookupError: not ready\n" in failed.stdout
    assert "the script went on" not in failed.stdout
    assert re.search(r"\n  Fix: correct Use, then run: headrace resume [\d-]+\n", failed.stdout)

    (project / "ready").write_text("")
    resumed = headrace(project, "resume", "--quiet")

    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert resumed.stdout.endswith(": 1 ran, 1 cached\nthe script went on\n")
    # Nothing of TensorFlow, Beam or absl reaches the screen.
    assert failed.stderr == resumed.stderr == ""


def test_runs_and_show_know_the_runs(project):
    """After the test above: a failed and a good one."""
    runs = json.loads(headrace(project, "runs", "--json").stdout)
    shown = json.loads(headrace(project, "show", runs[-1]["run_id"], "--json").stdout)

    assert [run["state"] for run in runs] == ["succeeded", "failed"]
    assert shown["nodes"][1]["error"]["type"] == "ExecutorError"
    assert shown["parameters"]["command"] == "headrace run script.py --plain"


def test_doctor_finds_this_installation_fit(tmp_path):
    """Beam runs and a store opens; nothing is left behind."""
    done = headrace(tmp_path, "doctor", "--json")

    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert done.returncode == 0, done.stdout
    assert checks["Beam"]["text"].startswith("ran a pipeline in process (")
    assert checks["ML Metadata"]["outcome"] == "good"
    assert list(tmp_path.iterdir()) == []


def test_a_file_brings_its_own_components(tmp_path):
    """`create_pipeline` and a component's function in one file; the second run comes from the cache."""
    (tmp_path / "own.py").write_text(_FILE)

    done = headrace(tmp_path, "run", "own.py", "--quiet")
    again = headrace(tmp_path, "run", "own.py", "--quiet")

    assert (done.returncode, again.returncode) == (0, 0), done.stdout + done.stderr
    assert done.stdout.endswith(": 1 ran\n")
    assert again.stdout.endswith(": 1 cached\n")


def test_a_file_that_hands_over_a_compiled_pipeline_is_run(tmp_path):
    """The result comes as JSON."""
    (tmp_path / "own.py").write_text(_FILE)
    (tmp_path / "compiled.py").write_text(_COMPILED)

    done = headrace(tmp_path, "run", "compiled.py", "--json", "--run-id", "first")

    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert (result["pipeline_name"], result["run_id"]) == ("compiled", "first")
    assert {node["node_id"]: node["state"] for node in result["nodes"]} == {"Make": "done", "Here": "done"}
    assert "in the worker" in (tmp_path / ".headrace" / "logs" / "first" / "Here.log").read_text()
