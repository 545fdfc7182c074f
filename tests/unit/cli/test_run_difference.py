"""What differs between the evaluations of two runs, number by number."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace

import pytest
from rich.console import Console

from headrace.cli import run_difference
from headrace.reports.artifacts.evaluation_results import Metric
from headrace.store.results import RunResult
from headrace.store.session import PayloadPair, RunComparison
from headrace.ui.comparison import comparison_data, print_difference
from headrace.ui.screen import Screen
from headrace.ui.symbols import UNICODE

NAN = float("nan")
EVALUATIONS = {
    "old": [
        Metric("Overall", "auc", "new", 0.5),
        Metric("Overall", "auc", "live", 0.9, is_baseline=True),
        Metric("hour:1", "auc", "new", NAN),
        Metric("hour:2", "auc", "new", NAN),
        Metric("hour:3", "auc", "new", 0.5),
    ],
    "new": [
        Metric("Overall", "auc", "new", 0.75),
        Metric("Overall", "auc", "live", 0.9, is_baseline=True),
        Metric("Overall", "auc", "new", 0.15, is_difference=True),
        Metric("hour:1", "auc", "new", NAN),
        Metric("hour:2", "auc", "new", 0.5),
    ],
}


@pytest.fixture
def difference(tmp_path, monkeypatch):
    """Two runs whose evaluations are those above."""
    for name in EVALUATIONS:
        (tmp_path / name).mkdir()
    pair = PayloadPair(
        "Evaluator", "evaluation", "ModelEvaluation", str(tmp_path / "old"), str(tmp_path / "new")
    )
    runs = [RunResult(name, "taxi", (), 1.0, "store") for name in EVALUATIONS]
    compared = RunComparison(runs[0], runs[1], (), (), (pair,))
    monkeypatch.setattr(run_difference, "read_metrics", lambda path: EVALUATIONS[path.rpartition("/")[2]])
    return run_difference.read_difference(SimpleNamespace(compare=lambda *_: compared), "old", "new")


def test_the_candidates_metrics_that_changed_are_listed(difference):
    """Not the baseline's, and not what neither run could compute; the whole data set first."""
    found = [(change.part, change.name, str(change.old), str(change.new)) for change in difference.metrics]

    assert found == [
        ("Overall", "auc", "0.5", "0.75"),
        ("hour:2", "auc", "nan", "0.5"),
        ("hour:3", "auc", "0.5", "None"),
    ]


def test_a_change_from_or_to_no_number_has_no_size(difference):
    file = io.StringIO()
    print_difference(Screen(Console(file=file, width=100), UNICODE, is_live=False), difference, verbose=False)

    rows = [line.split() for line in file.getvalue().splitlines() if "auc" in line]
    assert rows == [
        ["Evaluator", "Overall", "auc", "0.5", "0.75", "+0.25"],
        ["hour:2", "auc", "nan", "0.5", "changed"],
        ["hour:3", "auc", "0.5", "-", "gone"],
    ]


def test_json_holds_no_number_that_json_lacks(difference):
    """Readers of JSON refuse NaN."""
    text = json.dumps(comparison_data(difference), default=str, allow_nan=False)

    assert [change["old"] for change in json.loads(text)["metrics"]] == [0.5, "nan", 0.5]
