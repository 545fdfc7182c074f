"""Signatures: what they take and give, and which one is called by rule."""

from __future__ import annotations

from pathlib import Path

import pytest
import small_models

from headrace.errors import ModelError
from headrace.models import signatures
from headrace.models.saved_model import SavedModel
from headrace.models.signatures import Signature, Tensor


def known(*names: str) -> dict[str, Signature]:
    return {name: Signature(name, small_models.PREDICT, {}, {}) for name in names}


def test_a_signature_is_read_as_the_file_has_it(tmp_path: Path):
    path = small_models.serving(
        tmp_path, {"b": ("DT_FLOAT", None), "a": ("DT_INT64", [-1, 3])}, {"y": ("DT_STRING", [-1])}
    )

    (found,) = SavedModel(path, "node").signatures.values()

    assert (found.name, found.is_predict) == ("serving_default", True)
    assert list(found.inputs.values()) == [
        Tensor("a", "DT_INT64", (-1, 3), "tensor:0"),
        Tensor("b", "DT_FLOAT", None, "tensor:0"),
    ]
    assert found.told_inputs() == "'a' (int64), 'b' (float32)"
    assert found.gives_one_text
    assert not found.takes_examples


@pytest.mark.parametrize(
    ("inputs", "takes"),
    [
        ({"examples": ("DT_STRING", [-1])}, True),
        ({"examples": ("DT_STRING", None)}, True),
        ({"city": ("DT_STRING", [-1, 1])}, False),
        ({"x": ("DT_FLOAT", [-1])}, False),
        ({"a": ("DT_STRING", [-1]), "b": ("DT_STRING", [-1])}, False),
        ({}, False),
    ],
)
def test_one_input_of_strings_is_serialized_examples(
    tmp_path: Path, inputs: small_models.Tensors, takes: bool
):
    path = small_models.serving(tmp_path, inputs)

    assert SavedModel(path, "node").signatures["serving_default"].takes_examples is takes


@pytest.mark.parametrize(
    ("there", "named", "called"),
    [
        (("predict", "serving_default"), "", "predict"),
        (("serving_default",), "", "serving_default"),
        (("predict", "serving_default"), "serving_default", "serving_default"),
    ],
)
def test_tfma_takes_predictions_of_an_estimators_signature_first(
    there: tuple[str, ...], named: str, called: str
):
    assert signatures.evaluated(known(*there), named) == called


def test_features_are_made_by_the_signatures_named_or_the_usual_ones():
    there = known("serving_default", "transformed_labels", "other")

    assert signatures.transforms(there, []) == ["transformed_labels"]
    assert signatures.transforms(there, ["other", "tft_layer"]) == ["other", "tft_layer"]


def test_a_signature_that_takes_no_examples_says_what_it_takes(tmp_path: Path):
    path = small_models.serving(tmp_path, {"x": ("DT_DOUBLE", [-1])})
    there = SavedModel(path, "node").signatures

    with pytest.raises(ModelError) as caught:
        signatures.check_take_examples(["serving_default"], there, "node", "model_spec")

    assert str(caught.value) == (
        "node: the model's signature 'serving_default' takes 'x' (float64), and one string tensor of serialized "
        "examples is needed.\n"
        "  Fix: name another signature in model_spec, or export one as headrace.models.exporters.export_model does."
    )


def test_strings_that_are_no_records_are_told_with_their_shape(tmp_path: Path):
    """Records given to a model of raw texts would be answered, with nonsense."""
    path = small_models.serving(tmp_path, {"city": ("DT_STRING", [-1, 1])})
    there = SavedModel(path, "node").signatures

    with pytest.raises(
        ModelError, match=r"takes 'city' \(string of shape \[None, 1\]\), and one string tensor"
    ):
        signatures.check_take_examples(["serving_default"], there, "node", "model_spec")


def test_a_missing_signature_names_those_there_are():
    with pytest.raises(ModelError) as caught:
        signatures.check_exists("serve", known("serving_default", "numbers"), "node: the model", "model_spec")

    assert (
        caught.value.problem
        == "node: the model has no signature 'serve'. It has 'numbers', 'serving_default'."
    )
