"""Two artifacts on one page: drawn over each other, or refused."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from headrace.errors import StoreError
from headrace.reports.artifacts import page, renderers, training
from headrace.reports.blocks.blocks import Chart, Table


def subject(artifact_id: int, path: Any, type_name: str = "ModelRun") -> Any:
    """An artifact, as a report takes it."""
    artifact = SimpleNamespace(id=artifact_id, uri=str(path), type_name=type_name)
    return SimpleNamespace(artifact=artifact, place=SimpleNamespace(run_id="", node_id="", pipeline_name=""))


def test_learning_curves_are_drawn_over_each_other(tmp_path):
    """The best epoch of both in one table, and a chart with both for each metric."""
    for name, losses in (("one", [3.0, 1.0, 2.0]), ("two", [4.0, 0.5])):
        (tmp_path / name).mkdir()
        history = {"loss": losses, "val_loss": losses}
        (tmp_path / name / "history.json").write_text(json.dumps(history))

    blocks = training.render(subject(12, tmp_path / "one"), subject(15, tmp_path / "two"))

    table = next(block for block in blocks if isinstance(block, Table))
    assert table.columns == ["", "ModelRun 12", "ModelRun 15"]
    assert table.rows[:4] == [
        ["epochs", 3, 2],
        ["best epoch", 2, 2],
        ["loss at best", 1.0, 0.5],
        ["val_loss at best", 1.0, 0.5],
    ]
    charts = [block for block in blocks if isinstance(block, Chart)]
    assert [chart.title for chart in charts] == ["loss", "val_loss"]


def test_the_types_that_can_be_compared():
    """Every other one refuses `--with` instead of leaving it out."""
    assert renderers.comparable() == ["ModelEvaluation", "ModelRun", "Model", "ExampleStatistics", "Schema"]


@pytest.mark.parametrize("type_name", ["Examples", "TransformGraph", "SomebodysOwn"])
def test_two_artifacts_of_a_type_that_is_not_compared_are_refused(type_name):
    """With the types that can be, and what shows both."""
    store: Any = SimpleNamespace(subject=lambda name: subject(int(name), "/", type_name))

    with pytest.raises(StoreError, match=f"two artifacts of type {type_name} cannot be drawn over") as caught:
        page.artifact_report(store, "3", "4")

    assert "headrace show 3, headrace show 4" in caught.value.fix
