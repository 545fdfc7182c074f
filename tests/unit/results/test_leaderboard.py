"""Runs by their metrics: `headrace runs --metrics`, `headrace diff` of several, and `headrace.load` by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from json_keys import misfits
from small_stores import SmallStore, node_record

import headrace
from headrace.cli.main import cli
from headrace.errors import DefinitionError, HeadraceError, StoreError
from headrace.formats import training_histories
from headrace.results import leaderboard
from headrace.store.open.store import Store
from headrace.store.results import NodeResult, NodeState, OutputRecord, RunResult
from headrace.ui.json_shapes import BoardLine

LOSSES = {"run-1": [0.9, 0.5, 0.7], "run-2": [0.8, 0.3], "run-3": None}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three runs: two that trained, and one that trained nothing."""
    monkeypatch.chdir(tmp_path)
    with Store(".headrace").open() as opened:
        small = SmallStore(opened)
        for run_id, losses in LOSSES.items():
            nodes = [node_record("A")]
            if losses:
                folder = tmp_path / ".headrace" / "artifacts" / run_id
                artifact = small.artifact(folder, "ModelRun")
                training_histories.write(str(folder), {"val_loss": losses, "acc": [0.1] * len(losses)})
                made = small.execution({"model_run": [artifact]}, run_id=run_id, node="pipeline.Trainer")
                output = {
                    "key": "model_run",
                    "type_name": "ModelRun",
                    "artifact_id": artifact,
                    "uri": str(folder),
                }
                nodes.append(node_record("Trainer", outputs=[{**output, "summary": ""}], execution_id=made))
            else:
                small.execution(run_id=run_id, node="pipeline.A")
            small.record(run_id, nodes=nodes, details={"command": f"headrace run p --set id={run_id}"})
    return tmp_path


def printed(*words: str) -> Any:
    done = CliRunner().invoke(cli, [*words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_runs_are_ordered_by_a_metric_the_best_first(store: Path) -> None:
    """Of the best epoch, not the last; a run without the metric stands last."""
    lines = json.loads(printed("runs", "--metrics", "val_loss,acc", "--sort", "val_loss", "--json"))

    assert [line["run_id"] for line in lines] == ["run-2", "run-1", "run-3"]
    assert [line["metrics"]["val_loss"] for line in lines] == [0.3, 0.5, None]
    assert lines[0]["metrics"]["acc"] == 0.1
    assert list(misfits(lines, list[BoardLine])) == []


def test_a_table_says_how_it_is_ordered(store: Path) -> None:
    text = printed("runs", "--sort", "val_loss")

    assert "Ordered by val_loss, smallest first." in text
    assert text.index("run-2") < text.index("run-1") < text.index("run-3")


def test_a_metric_that_no_run_has_is_told_with_those_there_are(store: Path) -> None:
    with headrace.open_store() as session, pytest.raises(DefinitionError) as caught:
        leaderboard.read_board(session, session.runs(), ["val_los"])

    assert caught.value.problem == "none of these 3 runs has a metric 'val_los'. They have 'acc', 'val_loss'."
    assert "did you mean 'val_loss'?" in caught.value.fix


@pytest.mark.parametrize(
    ("name", "is_low"),
    [("val_loss", True), ("mean_absolute_error", True), ("Trainer.mae", True), ("auc", False), ("accuracy", False),
     ("false_positives", True), ("r2_score", False), ("binary_crossentropy (class 1)", True)],
)  # fmt: skip
def test_what_is_better_when_smaller(name: str, is_low: bool) -> None:
    assert leaderboard.is_low_good(name) is is_low


def test_several_runs_are_compared_on_a_page(store: Path) -> None:
    text = printed("diff", "run-1", "run-2", "run-3")
    printed("diff", "run-1", "run-2", "--html", "page.html")

    assert "id=run-1" in text
    assert "val_loss by epoch: run-1 0.9 to 0.7, run-2 0.8 to 0.3" in text
    assert "val_loss" in (store / "page.html").read_text()


def test_one_run_named_three_times_is_no_comparison(store: Path) -> None:
    done = CliRunner().invoke(cli, ["diff", "run-1", "run-1", "run-1"])

    assert isinstance(done.exception, (HeadraceError, SystemExit))
    assert done.exit_code != 0


def test_an_artifact_is_loaded_by_each_of_its_names(store: Path) -> None:
    by_name = headrace.load("run-1/Trainer.model_run")
    with headrace.open_store() as session:
        record = session.artifact("run-1/Trainer")
        result = session.run("run-1")
        others = [
            headrace.load(record, store=session),
            headrace.load(record.artifact_id),
            headrace.load(record.uri),
            headrace.load(Path(record.uri)),
            headrace.load("Trainer.model_run", run=result),
            headrace.load("Trainer", run="run-1"),
            headrace.load(result.node("Trainer").outputs[0], run=result),
        ]

    assert {one.artifact_id for one in others} == {by_name.artifact_id}
    assert by_name.best_epoch == 2
    assert by_name.history["val_loss"].tolist() == [0.9, 0.5, 0.7]
    assert (by_name.run_id, by_name.node_id) == ("run-1", "Trainer")


@pytest.mark.parametrize(
    ("name", "problem", "fix"),
    [
        (
            "run-1",
            "'run-1' is a run, which has made several artifacts: 'Trainer.model_run'.",
            "run-1/Trainer.model_run",
        ),
        ("run-1/Trainr", "run run-1 has no node 'Trainr'. It has 'A', 'Trainer'.", "did you mean 'Trainer'?"),
        ("A", "'A' names no run.", "write latest/A"),
    ],
)
def test_a_name_that_is_none_is_answered_with_what_there_is(
    store: Path, name: str, problem: str, fix: str
) -> None:
    with pytest.raises(HeadraceError) as caught:
        headrace.load(name)

    assert caught.value.problem == problem
    assert fix in caught.value.fix


def test_what_is_no_name_and_what_is_gone_are_told(store: Path) -> None:
    for wrong in (None, True, 1.5, "", []):
        with pytest.raises(DefinitionError, match="load takes an artifact"):
            headrace.load(wrong)  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match="names a run too"):
        headrace.load("run-1/Trainer", run="run-1")
    found = headrace.load("run-1/Trainer")
    for file in Path(found.path).iterdir():
        file.unlink()
    Path(found.path).rmdir()
    with pytest.raises(StoreError, match="are gone"):
        headrace.load("run-1/Trainer")


def test_of_a_search_the_first_trial_counts(tmp_path: Path) -> None:
    """A Tuner hands on all its trials, the best first."""
    outputs = []
    for number, loss in enumerate((0.2, 0.5, 0.1)):
        training_histories.write(str(tmp_path / str(number)), {"val_loss": [loss]})
        outputs.append(OutputRecord("trials", "ModelRun", number, str(tmp_path / str(number)), ""))
    tuner = NodeResult("Tuner", NodeState.DONE, outputs=tuple(outputs))

    found = leaderboard.read_run(RunResult("run", "pipeline", (tuner,), 1.0, ""))

    assert found.values == {"val_loss": 0.2}
    assert found.histories == {"Tuner": {"val_loss": [0.2]}}
