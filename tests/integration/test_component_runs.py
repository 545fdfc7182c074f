"""`headrace.testing`: one component run on what a test made."""

from __future__ import annotations

from pathlib import Path

import nodes
import pytest

import headrace
from headrace import testing
from headrace.authoring import standard_artifacts
from headrace.components import SchemaGen, StatisticsGen
from headrace.errors import DefinitionError, HeadraceError


def test_a_component_runs_on_artifacts_and_a_patch_reaches_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Recorded as in a pipeline; what the test replaces is replaced for the component."""
    made = testing.make_artifact(tmp_path / "given", standard_artifacts.Schema, {"text": "by hand"})
    monkeypatch.setattr(nodes, "write", lambda folder, text: Path(folder, "text").write_text(text.upper()))

    result = testing.run_component(nodes.Use(given=testing.channel(made)), tmp_path / "store")

    assert Path(result.output("out").uri, "text").read_text() == "USED BY HAND"
    assert result.node.state.value == "done"
    with pytest.raises(DefinitionError, match="output 'ou' has 0 artifacts; there are 'out'"):
        result.output("ou")
    with headrace.open_store(result.store) as store:
        [run] = store.runs()
        assert (run.state, run.num_nodes) == ("succeeded", 2)


def test_what_stops_a_component_is_raised(tmp_path: Path):
    made = testing.make_artifact(tmp_path / "given", standard_artifacts.Schema, {"text": "x"})

    with pytest.raises(HeadraceError, match="nothing good comes of this"):
        testing.run_component(nodes.Fail(given=testing.channel(made)), tmp_path / "store")


def test_components_that_are_connected_run_one_after_the_other(tmp_path: Path):
    """Properties such as splits and span go with an artifact."""
    rows = testing.make_examples(
        tmp_path / "rows",
        {"train": [{"fare": 1.5, "paid": "cash"}, {"fare": 2.0}], "eval": [{"fare": 1.0}]},
        span=3,
    )
    statistics = StatisticsGen(examples=testing.channel(rows))

    result = testing.run_component(SchemaGen(statistics=statistics.outputs["statistics"]), tmp_path / "store")

    text = Path(result.output("schema").uri, "schema.pbtxt").read_text()
    assert 'name: "fare"' in text
    assert 'name: "paid"' in text
