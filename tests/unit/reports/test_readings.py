"""What reports say of histories, curves, graphs and numbers: pure data in, words out."""

from __future__ import annotations

import pytest

from headrace.reports.curves import area, threshold_blocks
from headrace.reports.evaluation_results import Plot, ThresholdPoint
from headrace.reports.numbers import format_bytes, format_number, format_seconds, format_share, plural
from headrace.reports.schemas import differences
from headrace.reports.training import best_epoch, judge


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (9998, "9,998"),
        (0.34754, "0.3475"),
        (1234.56, "1,234.6"),
        (1.2e-7, "1.2e-07"),
        (float("nan"), "NaN"),
        (3.0, "3"),
    ],
)
def test_numbers(value, text):
    assert format_number(value) == text


def test_shares_sizes_times_and_plurals():
    assert [format_share(share) for share in (0, 0.0001, 0.125, 0.9999, 1)] == [
        "0 %",
        "<0.1 %",
        "12.5 %",
        ">99.9 %",
        "100 %",
    ]
    assert [format_bytes(size) for size in (12, 3400, 1_200_000_000)] == ["12 B", "3.4 kB", "1.2 GB"]
    assert [format_seconds(seconds) for seconds in (0.34, 41, 125, 3720)] == [
        "0.3 s",
        "41 s",
        "2 min 05 s",
        "1 h 02 min",
    ]
    assert [plural(1, "anomaly"), plural(2, "anomaly"), plural(1000, "row")] == [
        "1 anomaly",
        "2 anomalies",
        "1,000 rows",
    ]


def test_overfitting_is_named_with_its_epoch():
    """The reader learns when it began and by how much."""
    history = {"loss": [1.0, 0.5, 0.2, 0.1], "val_loss": [1.0, 0.6, 0.7, 0.9]}

    assert best_epoch(history) == 1
    assert judge(history) == (
        "warning",
        "Overfitting after epoch 2: the validation loss rose from 0.6 to 0.9 while training went on. Stop earlier, or "
        "regularize more.",
    )


@pytest.mark.parametrize(
    ("history", "start"),
    [
        ({"loss": [1.0, 0.5], "val_loss": [1.0, 0.6]}, "Underfitting, perhaps: "),
        ({"loss": [1.0, 0.5, 0.5], "val_loss": [1.0, 0.5, 0.5]}, "Training settled: "),
        ({"loss": [1.0, float("nan")], "val_loss": [1.0, 0.6]}, "The loss became NaN"),
        ({"loss": [1.0, 0.5]}, "No loss on validation data"),
        ({}, "No loss on validation data"),
        ({"loss": [1.0, 0.1, 0.1], "val_loss": [1.0, 0.5, 0.5]}, "Some overfitting: "),
    ],
)
def test_other_verdicts_on_training(history, start):
    assert judge(history)[1].startswith(start)


def test_area_of_the_diagonal_is_a_half():
    assert area([0, 0.5, 1], [0, 0.5, 1]) == area([1, 0], [1, 0]) == 0.5


def test_one_threshold_gives_a_matrix_and_no_curve():
    """A confusion matrix as a metric is shown as such."""
    blocks = threshold_blocks([Plot("Overall", "", "", (ThresholdPoint(0.5, 30, 10, 50, 10),))])

    assert [block.title for block in blocks] == ["Thresholds"]
    assert [[cell.text for cell in row] for row in blocks[0].blocks[0].cells] == [
        ["actual negative", "50\n83.3 %", "10\n16.7 %", "60"],
        ["actual positive", "10\n25 %", "30\n75 %", "40"],
    ]


def test_schema_differences_name_what_changed():
    before = {"a": ["a", "INT", "required", "1", "", ""], "b": ["b", "INT", "required", "1", "", ""]}
    now = {"a": ["a", "FLOAT", "required", "1", "", ""], "c": ["c", "BYTES", "optional", "1", "", ""]}

    found = [
        [cell if isinstance(cell, str) else cell.text for cell in row] for row in differences(before, now)
    ]

    assert found == [["a", "type", "INT", "FLOAT"], ["c", "new", "–", "BYTES"], ["b", "removed", "INT", "–"]]
