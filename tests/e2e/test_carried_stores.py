"""A store, a pushed model and a cache made with one generation of TFX, in the hands of the other and of the same.

`tests/data/carried/make.py` makes the archives, one with each generation.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import stored
from click.testing import CliRunner

import headrace
from headrace.cli.main import cli

CARRIED = Path(__file__).parents[1] / "data" / "carried"
GENERATIONS = ("1.16", "1.21")
NODES = ["CsvExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "Transform", "Trainer", "Pusher"]
INSTALLED = ".".join(importlib.metadata.version("tfx").split(".")[:2])
OTHERS = [generation for generation in GENERATIONS if generation != INSTALLED]


def call(folder: Path, *arguments: str) -> str:
    """Run a command that must succeed; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "headrace", *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files_of(folder: Path) -> dict[str, bytes]:
    """What is in a store but the files that SQLite shares between processes."""
    found = {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
    return {path: content for path, content in found.items() if not path.endswith(("-shm", "-wal"))}


def look(*arguments: str) -> str:
    """Call a command that only reads, here and in the working folder; return what it printed."""
    done = CliRunner().invoke(cli, arguments, env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    return done.output


def states(folder: Path) -> dict[str, str]:
    """How each node of the latest run ended."""
    return {node.node_id: node.state.value for node in stored.read_run(str(folder / ".headrace")).nodes}


@pytest.fixture(params=GENERATIONS)
def made_with(request) -> str:
    """The TFX that the store was made with."""
    return request.param


@pytest.fixture
def place(tmp_path: Path, made_with: str) -> Path:
    """The folder of the run that failed at its last node, at another path than it was made at."""
    with tarfile.open(CARRIED / f"tfx-{made_with}.tar.gz") as archive:
        archive.extractall(tmp_path)
    shutil.copy(CARRIED / "pipeline.py", tmp_path)
    return tmp_path


def test_what_was_recorded_is_shown(place, monkeypatch):
    """Runs, nodes, artifacts, lineage, logs and the page of the run."""
    monkeypatch.chdir(place)
    [run] = json.loads(look("runs", "--json"))
    assert (run["pipeline_name"], run["state"]) == ("carried", "failed")

    shown = json.loads(look("show", "latest", "--json"))
    assert {node["node_id"]: node["state"] for node in shown["nodes"]} == {
        **dict.fromkeys(NODES, "done"),
        "Check": "failed",
    }
    assert "LookupError: not ready" in look("logs", run["run_id"], "Check")
    artifacts = {a["type_name"]: a for a in json.loads(look("artifacts", "--json"))}
    assert all(Path(artifact["uri"]).exists() for artifact in artifacts.values())
    lineage = look("lineage", str(artifacts["PushedModel"]["artifact_id"]))
    assert all(node_id in lineage for node_id in ("CsvExampleGen", "SchemaGen", "Transform", "Trainer"))

    look("report", run["run_id"], "--out", "run.html")
    page = (place / "run.html").read_text()
    assert all(node_id in page for node_id in NODES)


def test_a_session_reads_it_as_it_is(place):
    """0.1.0 made it, at another place, and gave its records no number; nothing of it is changed."""
    store = place / ".headrace"
    before = files_of(store)

    with headrace.open_store(store) as stored:
        [run] = stored.runs()
        result = stored.run(run.run_id)
        examples = stored.artifact("latest/CsvExampleGen.examples")
        artifacts = list(stored.artifacts())
        model = stored.artifact("latest/Trainer.model")
        ancestors = stored.lineage("latest/Pusher").up
        explanation = stored.explain("latest", "Trainer")
        is_same = stored.compare(run.run_id).nodes
        assert stored.pipelines() == ["carried"]
        assert "not ready" in Path(stored.log_path("latest", "Check")).read_text()

    assert [node.node_id for node in result.failed] == ["Check"]
    assert list(examples.split_paths) == ["train", "eval"]
    assert all(Path(folder).is_dir() for folder in examples.split_paths.values())
    assert (examples.span, examples.node_id, examples.run_id) == (0, "CsvExampleGen", run.run_id)
    assert {one.state for one in artifacts} == {"live"}
    assert all(one.path.startswith(f"{store}/artifacts/") and one.size_bytes for one in artifacts)
    assert model.type_name == "Model"
    assert ancestors.executions[0].place.node_id == "Pusher"
    assert explanation.outcome == "first"
    assert {node.is_equal for node in is_same} == {True, None}
    assert files_of(store) == before


def test_the_pushed_model_answers_as_it_did(place):
    """To a millionth: the kernels of two versions of TensorFlow need not agree in the last bit."""
    spec = importlib.util.spec_from_file_location("carried_make", CARRIED / "make.py")
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)

    wanted = json.loads((place / "answers.json").read_text())

    np.testing.assert_allclose(make.answers(place), wanted, atol=1e-6)


def test_a_run_is_resumed(place):
    """What finished with the other TFX is taken over; what is missing reads it."""
    (place / "ready").touch()

    # What another user recorded names code that `headrace resume` would execute.
    call(place, "run", "pipeline.py", "--resume-from", "latest", "--quiet")

    assert states(place) == {**dict.fromkeys(NODES, "cached"), "Check": "done"}


@pytest.mark.parametrize("made_with", OTHERS, indirect=True)
def test_training_reads_payloads_of_the_other_generation(place):
    """Examples, transform graph and schema; a partial run takes them over, and its parts run anew."""
    (place / "ready").touch()

    call(place, "run", "pipeline.py", "--from", "Trainer", "--quiet")

    ran = dict.fromkeys(("Trainer", "Pusher", "Check"), "done")
    assert states(place) == {**dict.fromkeys(NODES, "not selected"), **ran}
    assert len(list((place / "serving").iterdir())) == 2


def test_a_new_run_uses_no_result_of_the_other_generation(place, made_with):
    """Results may differ between versions of TensorFlow; `explain` says so. Its own are used again."""
    (place / "ready").touch()

    call(place, "run", "pipeline.py", "--quiet")

    explained = call(place, "explain", "latest", "CsvExampleGen")
    assert ("the version of TFX" in explained) == (made_with != INSTALLED), explained
    if made_with != INSTALLED:
        assert states(place) == dict.fromkeys([*NODES, "Check"], "done")
    call(place, "run", "pipeline.py", "--quiet")
    assert states(place) == dict.fromkeys([*NODES, "Check"], "cached")
