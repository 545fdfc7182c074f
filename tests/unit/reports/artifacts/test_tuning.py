"""The page of hyperparameters, from the files that there may be."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from headrace.authoring import standard_artifacts
from headrace.formats import hyperparameters
from headrace.formats.hyperparameters import Trial
from headrace.reports.artifacts.training import render
from headrace.reports.artifacts.tuning import render_hyperparameters, render_results


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


def _trial(tmp_path, name, state, score=None, message=""):
    made = standard_artifacts.ModelRun()
    made.uri = str(tmp_path / name)
    made.set_string_custom_property(hyperparameters.TRIAL_STATE, state)
    made.set_string_custom_property(hyperparameters.TRIAL_VALUES, json.dumps({"units": 8, "relu": True}))
    if score is not None:
        made.set_float_custom_property(hyperparameters.TRIAL_SCORE, score)
    if message:
        made.set_string_custom_property(hyperparameters.TRIAL_MESSAGE, message)
    return made


def test_what_was_stopped_or_failed_is_shown_with_its_reason(tmp_path):
    """TFX's file holds the trials that gave a model alone."""
    trials = [
        _trial(tmp_path, "00", "complete", 0.5),
        _trial(tmp_path, "01", "pruned", 0.9),
        _trial(tmp_path, "02", "failed", message="ValueError: too large"),
        standard_artifacts.ModelRun(),
    ]
    hyperparameters.write_trials(str(tmp_path), [Trial("00", 0.5, {"units": 8})])
    subject = SimpleNamespace(artifact=SimpleNamespace(uri=str(tmp_path)), outputs={"trials": trials})

    table = render_results(subject)[-1]

    assert [[cell.text for cell in row] for row in table.cells] == [
        ["01", "pruned", "relu=True, units=8", ""],
        ["02", "failed", "relu=True, units=8", "ValueError: too large"],
    ]


def test_a_trial_has_its_values_and_its_end_on_its_page(tmp_path):
    """One that failed has no learning curve."""
    failed = _trial(tmp_path, "02", "failed", message="ValueError: too large")
    (tmp_path / "02").mkdir()
    subject = SimpleNamespace(artifact=failed, outputs={}, place=SimpleNamespace(run_id=""))

    facts, note = render(subject)

    assert [(name, cell.text) for name, cell in facts.cells] == [
        ("trial", "02, failed"),
        ("relu", "True"),
        ("units", "8"),
    ]
    assert note.text == "ValueError: too large"
