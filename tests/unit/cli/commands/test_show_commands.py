"""`headrace runs` and `headrace show` on a store that a fake reader stands for."""

from __future__ import annotations

import json
import sys
import types
from dataclasses import dataclass
from datetime import datetime, timezone

import pytest

from headrace.errors import StoreError
from headrace.orchestration.events import NodeResult, NodeState, OutputRecord, RunResult


@dataclass(frozen=True)
class Summary:
    """As `headrace.store.read.runs.RunSummary`."""

    run_id: str
    pipeline_name: str
    started: datetime
    seconds: float
    state: str
    num_nodes: int
    num_cached: int
    num_failed: int


_STARTED = datetime(2026, 11, 21, 12, 0, tzinfo=timezone.utc)
_RUNS = [
    Summary("2026-11-21-2", "taxi", _STARTED, 62.0, "failed", 9, 3, 1),
    Summary("2026-11-21-1", "taxi", _STARTED, 5.04, "succeeded", 9, 0, 0),
]
_OUTPUTS = (
    OutputRecord("model", "Model", 7, "/artifacts/model/7", "val_loss 0.4"),
    OutputRecord("model_run", "ModelRun", 8, "/artifacts/run/8"),
)
_RESULT = RunResult(
    "2026-11-21-1",
    "taxi",
    (
        NodeResult("Trainer", NodeState.DONE, 5.0, outputs=_OUTPUTS, execution_id=3),
        NodeResult("Pusher", NodeState.SKIPPED, reason="the model was not blessed"),
    ),
    5.04,
    "/store",
    {"command": "headrace run taxi", "configuration": {"parameters": {"train_steps": 5}}},
)


@pytest.fixture(autouse=True)
def store(project, monkeypatch):
    """A store folder with two runs."""
    (project / ".headrace").mkdir()
    monkeypatch.setenv("TZ", "UTC")
    module = types.ModuleType("headrace.store.read.runs")

    def read_run(store: str, run_id: str) -> RunResult:
        if run_id not in ("latest", "2026-11-21-1"):
            raise StoreError(f"no run '{run_id}'.", "see headrace runs.")
        return _RESULT

    module.list_runs = lambda store, limit: _RUNS[:limit]  # type: ignore[attr-defined]
    module.read_run = read_run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "headrace.store.read.runs", module)


def test_runs_are_listed(headrace):
    """One line each, with how many nodes were cached and failed."""
    lines = headrace("runs").output.splitlines()

    assert lines[0].split() == ["Run", "Pipeline", "Started", "Time", "State", "Nodes"]
    assert lines[1].startswith("2026-11-21-2  taxi      2026-11-21 ")
    assert lines[1].endswith("  1 min 02 s  failed     9, 3 cached, 1 failed")
    assert lines[2].endswith("       5.0 s  succeeded  9")
    assert len(headrace("runs", "--limit", "1").output.splitlines()) == 2


def test_runs_as_json(headrace):
    """Times in ISO 8601."""
    first = json.loads(headrace("runs", "--json").output)[0]

    assert first == {
        "run_id": "2026-11-21-2",
        "pipeline_name": "taxi",
        "started": "2026-11-21T12:00:00+00:00",
        "seconds": 62.0,
        "state": "failed",
        "num_nodes": 9,
        "num_cached": 3,
        "num_failed": 1,
    }


def test_no_store_yet_is_no_error_for_runs(headrace):
    """There is simply nothing to list."""
    result = headrace("runs", "--store", "none")

    assert (result.exit_code, result.output) == (
        0,
        "There are no runs in none. Start one: headrace run taxi\n",
    )


def test_show_repeats_the_end_of_the_run(headrace):
    """The latest where no run is named; with the command and the parameters it had."""
    assert headrace("show").output == (
        "taxi 2026-11-21-1 done in 5.0 s: 1 ran, 1 skipped\n"
        "\n"
        "   Node     State     Time  Made\n"
        "✓  Trainer  ran      5.0 s  val_loss 0.4\n"
        "○  Pusher   skipped         the model was not blessed\n"
        "\n"
        "Command  headrace run taxi\n"
        "With     train_steps = 5\n"
    )


def test_show_lists_outputs(headrace):
    """Every artifact, also one without a summary."""
    assert headrace("show", "2026-11-21-1", "--outputs").output.endswith(
        "\n"
        "Trainer.model  Model 7\n"
        "    /artifacts/model/7\n"
        "Trainer.model_run  ModelRun 8\n"
        "    /artifacts/run/8\n"
    )


def test_show_as_json(headrace):
    """Everything that is known of the run."""
    data = json.loads(headrace("show", "--json").output)

    assert data["run_id"] == "2026-11-21-1"
    assert data["is_success"] is True
    assert data["nodes"][0]["outputs"][0] == {
        "key": "model",
        "type_name": "Model",
        "artifact_id": 7,
        "uri": "/artifacts/model/7",
        "summary": "val_loss 0.4",
    }
    assert data["nodes"][1] == {
        "node_id": "Pusher",
        "state": "skipped",
        "seconds": 0.0,
        "reason": "the model was not blessed",
        "execution_id": 0,
        "log_path": "",
        "implementation": None,
        "error": None,
        "outputs": [],
    }


def test_an_unknown_run_is_an_error(headrace):
    """The reader's message, on standard error."""
    result = headrace("show", "nope")

    assert (result.exit_code, result.stderr) == (
        1,
        "StoreError: no run 'nope'.\n  Fix: see headrace runs.\n",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--with", "7"), "--with has no use here: latest is a run: headrace diff compares two."),
        (("--html", "page.html", "--json"), "--json has no use here: a page shows all of it."),
        (("--open", "--outputs"), "--outputs has no use here: a page shows all of it."),
    ],
)
def test_options_that_would_change_nothing_are_refused(headrace, arguments, message):
    """Rather than passed over: the reader would wait for what never comes."""
    result = headrace("show", "latest", *arguments)

    assert result.exit_code == 2
    assert result.stderr.endswith(f"Error: {message}\n")
