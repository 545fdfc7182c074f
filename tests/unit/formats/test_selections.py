"""ModelSelection: what is written is read, and what differs is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headrace.authoring.own_artifacts import ModelSelection
from headrace.errors import MalformedFileError
from headrace.formats import selections
from headrace.formats.selections import Candidate, Selection

SELECTION = Selection(
    "forest",
    "it has the largest value",
    "auc",
    "Overall",
    False,
    [Candidate("forest", 0.9468, 10, True, 3, {"auc": 0.9468}), Candidate("net", None, 20)],
    ["net has no auc in this slice"],
)


@pytest.fixture
def artifact(tmp_path: Path) -> ModelSelection:
    made = ModelSelection()
    made.uri = str(tmp_path)
    return made


def test_what_is_written_is_read(artifact: ModelSelection) -> None:
    selections.write(artifact, SELECTION)

    assert selections.read(artifact) == SELECTION
    assert selections.summary(SELECTION) == "forest: auc 0.9468 (net –)"


@pytest.mark.parametrize("content", ["[]", "{}", '{"format": 1, "candidates": [{"no": 1}]}', '{"format": 9}'])
def test_damage_names_the_file(artifact: ModelSelection, content: str) -> None:
    (Path(artifact.uri) / selections.FILE).write_text(content)

    with pytest.raises(MalformedFileError, match=r"selection\.json"):
        selections.read(artifact)


def test_differences() -> None:
    other = Selection(
        "net", "", "auc", "Overall", False, [Candidate("net", 0.97, 20), Candidate("forest", 0.9468, 10)]
    )

    found = [(one.name, one.old, one.new) for one in selections.compare(SELECTION, other)]
    assert json.loads(json.dumps(found)) == [["chosen", "forest", "net"], ["auc", None, 0.97]]
    assert not list(selections.compare(SELECTION, SELECTION))
