"""Confusion matrices and curves from what TFMA wrote."""

from __future__ import annotations

import pytest

from headrace.formats.evaluations import files
from headrace.formats.evaluations.metrics import Metric, in_natural_order
from headrace.formats.evaluations.plots import CalibrationBucket, Plot, ThresholdPoint
from headrace.reports.artifacts.curves import class_matrix, label_matrix, threshold_blocks
from headrace.reports.artifacts.evaluations import _curves_of_slices
from headrace.reports.blocks.blocks import Note, Section


def test_examples_without_a_predicted_class_have_a_column():
    """TFMA's -1 stands for: no class reached the threshold. They count among the actual class."""
    plot = Plot("Overall", "", "", classes={(0, 0): 6.0, (0, -1): 2.0, (2, 0): 3.0, (2, 2): 1.0})

    table = next(one for one in class_matrix(plot).blocks if one.is_matrix)

    assert list(table.columns) == ["", "predicted 0", "predicted 2", "predicted none", "all"]
    assert [[cell.text for cell in row] for row in table.cells] == [
        ["actual 0", "6\n75 %", "0\n0 %", "2\n25 %", "8"],
        ["actual 2", "3\n75 %", "1\n25 %", "0\n0 %", "4"],
    ]


def test_of_many_classes_the_first_are_shown():
    table = next(
        one
        for one in class_matrix(Plot("", "", "", classes={(one, one): 1.0 for one in range(60)})).blocks
        if one.is_matrix
    )

    assert len(table.rows) == 50
    assert table.footnote == "Rates are among the actual class. The first 50 of 60 classes."


def test_curves_of_many_slices_stand_folded_under_one_heading():
    plots = [Plot(f"hour:{n}", "", "", calibration=(CalibrationBucket(1.0, 0.5, 0.5),)) for n in range(14)]

    section = _curves_of_slices(plots)

    assert [block.title for block in section.blocks if isinstance(block, Section)][:2] == ["hour:0", "hour:1"]
    assert all(block.is_folded for block in section.blocks if isinstance(block, Section))
    assert section.blocks[-1] == Note("The first 12 of 14 slices are shown.")


def test_where_nothing_is_predicted_positive_there_is_no_precision():
    """Not one: a line at the top would look like the best threshold of all."""
    some, none = ThresholdPoint(0.5, tp=3, fp=1, tn=5, fn=3), ThresholdPoint(0.9, tp=0, fp=0, tn=6, fn=6)

    assert (some.precision, some.recall, some.f1) == (0.75, 0.5, 0.6)
    assert (none.precision, none.recall, none.f1) == (None, 0.0, 0.0)


def test_examples_of_several_classes_are_counted_in_each():
    """Of four examples of class 0 three are found, and one is taken for class 1 as well."""
    plot = Plot("Overall", "", "", labels={(0, 0): (3.0, 4.0), (0, 1): (1.0, 4.0), (1, 1): (0.0, 0.0)})

    table = label_matrix(plot).blocks[0]

    assert list(table.columns) == ["", "predicted 0", "predicted 1", "all"]
    assert [[cell.text for cell in row] for row in table.cells] == [
        ["class 0", "3\n75 %", "1\n25 %", "4"],
        ["class 1", "0\n0 %", "0\n0 %", "0"],
    ]


def test_the_area_is_that_of_all_points():
    """Four hundred are drawn; that the curve has a corner between two of them is not lost."""
    points = [ThresholdPoint(0.0, 1000, 1000, 0, 0), ThresholdPoint(0.001, 1000, 500, 500, 0)]
    points += [ThresholdPoint(at / 1000, 500 - at / 2, 500 - at / 2, 500, 500) for at in range(2, 1001)]
    points = [ThresholdPoint(p.threshold, p.tp, p.fp, 1000 - p.fp, 1000 - p.tp) for p in points]

    (curves, _) = threshold_blocks([Plot("Overall", "", "", tuple(points))])

    chart = curves.blocks[0]
    assert chart.title == "ROC, AUC 0.6252"
    drawn = chart.spec["data"]["values"]
    assert [row["order"] for row in drawn] == list(range(400))


def curved(title: str = "", model: str = "") -> Plot:
    points = (
        ThresholdPoint(0.1, 4, 3, 1, 0),
        ThresholdPoint(0.5, 3, 1, 3, 1),
        ThresholdPoint(0.9, 1, 0, 4, 3),
    )
    return Plot("Overall", title, model, points)


def test_a_curve_is_named_with_the_metric_that_was_computed():
    """AUC of 10,000 thresholds stands in the table; the curve of fewer has the same number, not another."""
    metrics = [Metric("Overall", "auc (class 1)", "", 0.9079), Metric("hour:1", "auc (class 1)", "", 0.1)]

    plots = [curved("class 0"), curved("class 1")]
    roc = threshold_blocks(plots, metrics)[0].blocks[0]

    assert {row["series"] for row in roc.spec["data"]["values"]} == {
        "class 0, AUC 0.8125",
        "class 1, AUC 0.9079",
    }


@pytest.mark.parametrize(
    "others",
    [
        [Metric("Overall", "auc", "other", 0.5)],
        [Metric("Overall", "auc", "", 0.5, is_difference=True)],
        [Metric("Overall", "auc", "", 0.5), Metric("Overall", "auc", "", 0.6)],
        [Metric("Overall", "auc", "", float("nan"))],
    ],
)
def test_a_metric_that_may_be_another_is_not_put_on_a_curve(others):
    assert threshold_blocks([curved()], others)[0].blocks[0].title == "ROC, AUC 0.8125"


def test_each_class_has_thresholds():
    """The first is open, the others can be."""
    blocks = threshold_blocks([curved("class 0"), curved("class 1"), curved("class 2")])

    assert [(block.title, block.is_folded, block.anchor) for block in blocks[1:]] == [
        ("Thresholds of class 0", False, "thresholds"),
        ("Thresholds of class 1", True, "thresholds-1"),
        ("Thresholds of class 2", True, "thresholds-2"),
    ]


def test_classes_are_in_the_order_of_their_numbers():
    names = ["auc (class 10)", "auc (class 2)", "auc", "auc (class 1)"]

    assert sorted(names, key=in_natural_order) == ["auc", "auc (class 1)", "auc (class 2)", "auc (class 10)"]


def test_classes_have_their_names(tmp_path):
    (tmp_path / "classes.json").write_text('{"classes": ["bolt", "nut"]}')
    names = files.read_class_names(str(tmp_path))
    plot = Plot("Overall", "", "", classes={(0, 0): 1.0, (1, 0): 2.0}, class_names=names)

    table = next(one for one in class_matrix(plot).blocks if one.is_matrix)

    assert list(table.columns) == ["", "predicted bolt", "predicted nut", "all"]
    assert [row[0].text for row in table.cells] == ["actual bolt", "actual nut"]


def test_the_most_frequent_mistake_comes_first_and_each_class_has_its_measures():
    plot = Plot(
        "Overall", "", "", classes={(0, 0): 9.0, (0, 1): 1.0, (1, 0): 5.0, (1, 1): 24.0, (1, -1): 1.0}
    )

    pairs, matrix, by_class = class_matrix(plot).blocks

    assert [row[:2] for row in pairs.rows] == [["1 taken for 0", 5.0], ["0 taken for 1", 1.0]]
    assert matrix.is_matrix
    # 24 of 30 of class 1 are found, and 24 of 25 that are called it are.
    assert by_class.rows[1][:3] == ["1", 24 / 25, 24 / 30]
    assert by_class.rows[1][6:] == [24.0, 1.0, 6.0, 9.0, 30.0]
    assert "33 of 40 are right" in by_class.footnote
