"""What differs between the evaluations of two runs, number by number."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from headrace.cli import run_difference
from headrace.formats import verdicts
from headrace.formats.bare_protos import proto_class
from headrace.formats.changes import METRICS
from headrace.formats.evaluations import files
from headrace.formats.verdicts import Threshold, Verdict
from headrace.store.results import RunResult
from headrace.store.session import PayloadPair, RunComparison
from headrace.ui.comparison import comparison_data, print_difference
from headrace.ui.screen import Screen
from headrace.ui.symbols import UNICODE

NAN = float("nan")
# Slice, model and value, and whether it is a difference; the baseline is called "live".
EVALUATIONS = {
    "old": [
        ("", "new", 0.5, False),
        ("", "live", 0.9, False),
        ("1", "new", NAN, False),
        ("2", "new", NAN, False),
        ("3", "new", 0.5, False),
    ],
    "new": [
        ("", "new", 0.75, False),
        ("", "live", 0.9, False),
        ("", "new", 0.15, True),
        ("1", "new", NAN, False),
        ("2", "new", 0.5, False),
    ],
}
VERDICTS = {
    "old": Verdict(False, (Threshold("auc", "Overall", "value", lower_bound=0.6, passed=False),)),
    "new": Verdict(True, (Threshold("auc", "Overall", "value", lower_bound=0.6, passed=True),)),
}


def write_evaluation(folder: Path, rows: list[tuple[str, str, float, bool]], verdict: Verdict) -> None:
    """An evaluation of Headrace's Evaluator."""
    folder.mkdir()
    records = []
    for hour, model, value, is_difference in rows:
        proto = proto_class("MetricsForSlice")()
        if hour:
            proto.slice_key.single_slice_keys.add(column="hour", bytes_value=hour.encode())
        metric = proto.metric_keys_and_values.add()
        metric.key.name, metric.key.model_name, metric.key.is_diff = "auc", model, is_difference
        metric.value.double_value.value = value
        records.append(proto.SerializeToString())
    files.write_table(str(folder), files.METRICS, records)
    specs = [{"name": "live", "isBaseline": True}, {"name": "new"}]
    files.write_config(str(folder), {"evalConfig": {"modelSpecs": specs}})
    verdicts.write(str(folder), verdict.is_blessed, verdict.thresholds)


def compared(tmp_path: Path, type_name: str) -> Any:
    """A store with two runs, each of which made one artifact of a type, in folders `old` and `new`."""
    places = {number: tmp_path / name for number, name in enumerate(EVALUATIONS)}
    pair = PayloadPair("Evaluator", "evaluation", type_name, str(places[0]), str(places[1]), 0, 1)
    runs = [RunResult(name, "taxi", (), 1.0, "store") for name in EVALUATIONS]
    found = RunComparison(runs[0], runs[1], (), (), (pair,))
    return SimpleNamespace(
        compare=lambda *_: found,
        subject=lambda number: SimpleNamespace(artifact=SimpleNamespace(uri=str(places[number]))),
    )


@pytest.fixture
def difference(tmp_path):
    """Two runs whose evaluations are those above."""
    for name, rows in EVALUATIONS.items():
        write_evaluation(tmp_path / name, rows, VERDICTS[name])
    return run_difference.read_difference(compared(tmp_path, "ModelEvaluation"), "old", "new")


def test_the_candidates_metrics_that_changed_are_listed(difference):
    """Not the baseline's, and not what neither run could compute; the whole data set first."""
    changes = [one.change for one in difference.of_table(METRICS)]
    found = [(change.part, change.name, str(change.old), str(change.new)) for change in changes]

    assert found == [
        ("Overall", "auc", "0.5", "0.75"),
        ("hour:2", "auc", "nan", "0.5"),
        ("hour:3", "auc", "0.5", "None"),
    ]


def test_a_change_from_or_to_no_number_has_no_size(difference):
    file = io.StringIO()
    print_difference(Screen(Console(file=file, width=100), UNICODE, is_live=False), difference, verbose=False)

    rows = [line.split() for line in file.getvalue().splitlines() if "auc" in line and ">=" not in line]
    assert rows == [
        ["Evaluator", "Overall", "auc", "0.5", "0.75", "+0.25"],
        ["hour:2", "auc", "nan", "0.5", "changed"],
        ["hour:3", "auc", "0.5", "-", "gone"],
    ]


def test_json_holds_no_number_that_json_lacks(difference):
    """Readers of JSON refuse NaN."""
    text = json.dumps(comparison_data(difference), default=str, allow_nan=False)

    assert [change["old"] for change in json.loads(text)["metrics"]] == [0.5, "nan", 0.5]


def test_the_verdict_stands_above_what_its_thresholds_said(difference):
    found = json.loads(json.dumps(comparison_data(difference)))["verdicts"]

    assert found == [
        {"name": "Evaluator", "old": "not blessed", "new": "blessed"},
        {"name": "  auc Overall value >= 0.6", "old": "failed", "new": "passed"},
    ]


def test_what_cannot_be_read_is_told_and_the_rest_compared(tmp_path):
    """One damaged file spoils no comparison; the reader learns which and what to do is to make it again."""
    for name, rows in EVALUATIONS.items():
        write_evaluation(tmp_path / name, rows, VERDICTS[name])
    (tmp_path / "old" / verdicts.VERDICT_FILE).write_text('{"blessed": "perhaps"}')

    found = run_difference.read_difference(compared(tmp_path, "ModelEvaluation"), "old", "new")

    path = tmp_path / "old" / verdicts.VERDICT_FILE
    assert found.changes == ()
    assert found.unread == (
        f"Evaluator.evaluation is not compared: {path} is not a verdict: of 'blessed' and 'thresholds' one is of another "
        "type.",
    )
