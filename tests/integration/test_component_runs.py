"""`headrace.testing`: one component run on what a test made."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nodes
import pyarrow as pa
import pytest

import headrace
from headrace import testing
from headrace.authoring import standard_artifacts
from headrace.errors import DefinitionError, HeadraceError, UnknownSplitError

README = Path(__file__).parents[2] / "README.md"


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


def test_readmes_example_passes(tmp_path: Path):
    """Two components that are connected; splits and span go with an artifact."""
    blocks = re.findall(r"```python\n(.*?)```\n", README.read_text(), re.DOTALL)
    [example] = [block for block in blocks if "headrace import testing" in block]
    names: dict[str, Any] = {}

    exec(example, names)
    [test] = [value for name, value in names.items() if name.startswith("test_")]
    test(tmp_path)

    with headrace.open_store(tmp_path / "store") as store:
        assert store.artifact("latest/StatisticsGen.statistics").splits == ("train",)


def test_rows_come_back_as_features(tmp_path: Path):
    """A missing column, `None`, text, several values: each as an ExampleGen would write it."""
    examples = testing.make_examples(
        tmp_path / "examples",
        {
            "train": [
                {"fare": 1.5, "paid": "cash", "tags": ["a", "b"]},
                {"fare": None, "count": 3, "tags": "c"},
            ],
            "eval": pa.table({"fare": [2.5]}),
            "late": [],
        },
        span=4,
    )

    assert examples.split_names == '["train", "eval", "late"]'
    assert examples.span == 4
    assert testing.read_examples(examples, "train") == [
        {"fare": [1.5], "paid": [b"cash"], "tags": [b"a", b"b"], "count": None},
        {"fare": None, "paid": None, "tags": [b"c"], "count": [3]},
    ]
    assert testing.read_examples(examples, "eval") == [{"fare": [2.5]}]
    assert testing.read_examples(examples, "late") == []
    with pytest.raises(UnknownSplitError, match="'test'"):
        testing.read_examples(examples, "test")
