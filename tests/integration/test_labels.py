"""What is said of labels before a model is trained on them."""

from __future__ import annotations

import pytest
import tensorflow as tf
from data_validation import example
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.errors import DataError
from headrace.models.features import from_schema
from headrace.models.readers import ExampleReader
from headrace.training.parsing import Parser

# As TFT describes what `apply_vocabulary` makes.
_CLASSES = "int_domain { min: -1 max: 9 is_categorical: true }"


def _parser(domain: str) -> Parser:
    text = f"feature {{ name: 'kind_xf' type: INT shape {{ dim {{ size: 1 }} }} presence {{ min_fraction: 1 }} {domain} }}"
    features = from_schema(text_format.Parse(text, schema_pb2.Schema()), several_by_default=True)
    return Parser(ExampleReader(features), ["kind_xf"], "kind_xf", "Trainer: split 'valid'")


def test_classes_that_transform_did_not_learn_are_counted():
    """Keras says of them 'Received a label value of -1', with all values of a batch, behind a hundred lines."""
    parser = _parser(_CLASSES)
    for values in ([0, 9, -1], [-1, 3]):
        parser.parse([example(kind_xf=[value]) for value in values])

    with pytest.raises(DataError) as caught:
        parser.check_label(5)

    assert caught.value.problem == (
        "Trainer: split 'valid': the label 'kind_xf' of 2 of 5 rows is -1: their class is not among those that Transform "
        "learned, which are those of the splits that it analyzes."
    )
    assert "split_by=stratify(LABEL)" in caught.value.fix


@pytest.mark.parametrize(
    "domain", ["", "int_domain { min: -1 max: 1 }", "int_domain { min: -5 max: 9 is_categorical: true }"]
)
def test_numbers_below_zero_are_labels_too(domain: str):
    """-1 and 1 are what a hinge loss takes, and what a regression may have."""
    parser = _parser(domain)
    columns = parser.parse([example(kind_xf=[value]) for value in (-1, 1)])

    parser.check_label(2)

    assert columns["kind_xf"].numpy().tolist() == [[-1], [1]]
    assert tf.as_dtype(parser.label_range().dtype) == tf.int64
