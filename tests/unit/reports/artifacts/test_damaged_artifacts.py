"""What a page says of an artifact whose files are damaged."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headrace import testing
from headrace.authoring import standard_artifacts
from headrace.reports.artifacts.renderers import render
from headrace.reports.blocks.blocks import Note, Table

KINDS = {
    "ModelRun": ("history.json", "[]", "is not a training history: it is a list."),
    "TunerResults": ("tuner_results.json", "{", "is not a list of trials: "),
    "HyperParameters": ("best.txt", "{", "is not hyperparameters: "),
    "ModelEvaluation": ("verdict.json", "3", "is not a verdict: it is a int."),
    "Schema": ("schema.pbtxt", "feature {", "not a Schema in text form: "),
    "Model": ("saved_model.pb", "x", "saved_model.pb is damaged: "),
}


@pytest.mark.parametrize("type_name", KINDS)
@pytest.mark.parametrize("command", ["", "headrace run taxi --set steps=3"])
def test_the_reader_learns_which_file_and_what_makes_it_again(tmp_path: Path, type_name: str, command: str):
    """And sees the files that there are."""
    name, content, problem = KINDS[type_name]
    kind: Any = getattr(standard_artifacts, type_name)
    artifact = testing.make_artifact(tmp_path, kind, {name: content})
    subject: Any = SimpleNamespace(
        artifact=artifact,
        inputs={},
        outputs={},
        predecessor=None,
        command=command,
        place=SimpleNamespace(run_id=""),
    )

    note, files = render(subject)

    assert isinstance(note, Note)
    assert note.text == f"The files of {type_name} {artifact.id} cannot be read."
    assert str(tmp_path / name) in note.detail
    assert problem in note.detail
    again = note.detail.partition("Make them again with what made them: ")[2]
    assert again == command
    assert isinstance(files, Table)
    assert [row[0] for row in files.rows] == [name]
