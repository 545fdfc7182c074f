"""What reports say of histories, curves, graphs and numbers: pure data in, words out."""

from __future__ import annotations

import math

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.formats import transform_graphs
from headrace.formats.evaluations.plots import Plot, ThresholdPoint
from headrace.formats.training_histories import best_epoch
from headrace.reports.artifacts.curves import area, threshold_blocks
from headrace.reports.artifacts.schemas import describe, differences
from headrace.reports.artifacts.training import judge
from headrace.reports.artifacts.tuning import scale
from headrace.reports.blocks.numbers import format_number, format_share


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


def test_shares():
    shares = (0, 0.0001, 0.125, 0.9999, 1, float("nan"))
    assert [format_share(share) for share in shares] == ["0 %", "<0.1 %", "12.5 %", ">99.9 %", "100 %", "–"]


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


@pytest.mark.parametrize(
    ("values", "places", "ends"),
    [
        ([None, 100.0, 200.0], [None, 0.0, 1.0], [("100", 0.0), ("200", 1.0)]),
        ([float("nan"), 1, 3, 2], [None, 0.0, 1.0, 0.5], [("1", 0.0), ("3", 1.0)]),
        ([None, "b", "a"], [None, 1.0, 0.0], [("a", 0.0), ("b", 1.0)]),
        ([None, None], [None, None], [("0", 0.0)]),
    ],
)
def test_a_hyperparameter_that_a_trial_did_not_have_has_no_place(values, places, ends):
    """It is no zero that stretches the axis, and no value called None."""
    found, labels = scale(values)

    assert [None if math.isnan(place) else place for place in found] == places
    assert labels == ends


def test_a_vocabulary_has_one_term_per_line(tmp_path):
    """A line ends with a newline, and not with what Unicode calls an end of line too."""
    assets = tmp_path / "transform_fn" / "assets"
    assets.mkdir(parents=True)
    (assets / "words").write_bytes("one\u2028two\nthree\x0b\n\xe9\n".encode())
    (assets / "none").write_bytes(b"")

    assert transform_graphs.read_vocabularies(str(tmp_path)) == {
        "none": [],
        "words": ["one\u2028two", "three\x0b", "\xe9"],
    }


def test_features_made_of_others_are_in_the_table():
    """TFMD's sparse features: values of one feature at the places that another says."""
    text = 'sparse_feature { name: "s" value_feature { name: "v" } index_feature { name: "i" } }'

    (row,) = describe(text_format.Parse(text, schema_pb2.Schema())).values()

    assert [getattr(cell, "text", cell) for cell in row] == [
        "s",
        "sparse",
        "optional",
        "any",
        "values of v at i",
        "",
    ]
