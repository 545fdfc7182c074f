"""The page of hyperparameters, from the files that there may be."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from headrace.reports.artifacts.tuning import render_hyperparameters


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (
            {
                "space": [{"class_name": "Choice", "config": {"name": "units", "values": [8, 16]}}],
                "values": {"units": 8},
            },
            [["units", "8", "one of 8, 16"]],
        ),
        ({"units": 8, "values": "mine"}, [["units", "8", ""], ["values", "mine", ""]]),
    ],
)
def test_values_are_shown_with_and_without_their_space(tmp_path, content, rows):
    """Trainer takes both KerasTuner's files and plain values, so both have a page."""
    (tmp_path / "best.txt").write_text(json.dumps(content))
    subject = SimpleNamespace(artifact=SimpleNamespace(uri=str(tmp_path)), outputs={})

    (table,) = render_hyperparameters(subject)

    assert [[cell.text for cell in row] for row in table.cells] == rows
