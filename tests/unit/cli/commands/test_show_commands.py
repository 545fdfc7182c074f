"""`headrace runs` and `headrace show` on a small store."""

from __future__ import annotations

import json

import pytest
from small_stores import SmallStore, node_record

from headrace.store.open.store import Store

_DETAILS = {"command": "headrace run taxi", "configuration": {"parameters": {"train_steps": 5}}}
_OUTPUTS = [
    {
        "key": "model",
        "type_name": "Model",
        "artifact_id": 7,
        "uri": "/artifacts/model/7",
        "summary": "val_loss 0.4",
    },
    {"key": "model_run", "type_name": "ModelRun", "artifact_id": 8, "uri": "/artifacts/run/8"},
]
_STATES = ["done"] * 5 + ["cached"] * 3 + ["failed"]


@pytest.fixture(autouse=True)
def store(project, monkeypatch):
    """A store with two runs."""
    monkeypatch.setenv("TZ", "UTC")
    with Store(str(project / ".headrace")).open() as opened:
        small = SmallStore(opened)
        failed = [node_record(f"Node{number}", state) for number, state in enumerate(_STATES)]
        small.record("2026-11-21-1", "failed", failed, pipeline_name="taxi", seconds=62.0)
        nodes = [
            node_record("Trainer", seconds=5.0, outputs=_OUTPUTS, execution_id=3),
            node_record("Pusher", "skipped", seconds=0.0, reason="the model was not blessed"),
        ]
        small.record("2026-11-21-2", "succeeded", nodes, pipeline_name="taxi", seconds=5.04, details=_DETAILS)


def test_runs_are_listed(headrace):
    """One line each, with how many nodes were cached and failed."""
    lines = headrace("runs").output.splitlines()

    assert lines[0].split() == ["Run", "Pipeline", "Started", "Time", "State", "Nodes"]
    assert lines[1].startswith("2026-11-21-2  taxi      2026-11-21 ")
    assert lines[1].endswith("       5.0 s  succeeded  2")
    assert lines[2].endswith("  1 min 02 s  failed     9, 3 cached, 1 failed")
    assert len(headrace("runs", "--limit", "1").output.splitlines()) == 2


def test_runs_as_json(headrace):
    """Times in ISO 8601."""
    last = json.loads(headrace("runs", "--json").output)[1]

    assert last == {
        "format": 1,
        "run_id": "2026-11-21-1",
        "pipeline_name": "taxi",
        "started": "2026-11-21T10:00:00+00:00",
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
        "taxi 2026-11-21-2 done in 5.0 s: 1 ran, 1 skipped\n"
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
    assert headrace("show", "2026-11-21-2", "--outputs").output.endswith(
        "\n"
        "Trainer.model  Model 7\n"
        "    /artifacts/model/7\n"
        "Trainer.model_run  ModelRun 8\n"
        "    /artifacts/run/8\n"
    )


def test_show_as_json(headrace):
    """Everything that is known of the run."""
    data = json.loads(headrace("show", "--json").output)

    assert data["run_id"] == "2026-11-21-2"
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
    """The message, on standard error, names what there is and what was likely meant."""
    result = headrace("show", "2026-11-21-3")

    assert result.exit_code == 1
    assert "has no run '2026-11-21-3'. Its newest are '2026-11-21-1', '2026-11-21-2'." in result.stderr
    assert "did you mean '2026-11-21-" in result.stderr


@pytest.mark.parametrize(
    "command", ["show", "report", "diff a b", "explain a B", "logs a B", "lineage 1", "tensorboard"]
)
def test_no_store_is_an_error_for_what_reads_one_thing(headrace, command):
    result = headrace(*command.split(), "--store", "none")

    assert result.exit_code == 1
    assert result.stderr.startswith("StoreError: there is no store in ")


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
