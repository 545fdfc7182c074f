"""A loaded model: what it is given, what it gives, and how it fails, whatever runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small_models

from headrace.errors import ModelError, ModelInputError, SchemaMismatchError
from headrace.models import cost
from headrace.models.model import Model, load
from headrace.models.runner import Refused


def scored(inputs: Any) -> Any:
    """One row for each of the batch."""
    (records,) = inputs.values()
    return {"scores": np.array([[len(record)] for record in records], np.float32)}


def loaded(path: Path, library: small_models.Library) -> Model:
    return load(small_models.serving(path), where="node", open_runner=library.open)


def test_the_graph_for_serving_is_loaded_and_let_go_of(tmp_path: Path):
    library = small_models.Library(scored)

    with loaded(tmp_path, library) as model:
        outputs = model.predict([b"a", b"bb"])

    assert outputs["scores"].tolist() == [[1], [2]]
    assert library.opened == [(str(tmp_path), ["serve"])]
    assert library.asked[0][0] == "serving_default"
    assert library.is_closed


def test_a_missing_signature_names_those_there_are(tmp_path: Path):
    with pytest.raises(ModelError) as caught:
        loaded(tmp_path, small_models.Library()).predict([b"a"], "serve")

    assert caught.value.problem == "node: the model has no signature 'serve'. It has 'serving_default'."


def test_what_the_model_cannot_read_is_told_in_the_librarys_words(tmp_path: Path):
    """As a fault of the rows: who catches what contradicts the schema catches this too."""
    text = "Graph execution error:\n\nNode: parse\nFeature: fare is required.\n\t [[{{node parse}}]]"
    library = small_models.Library(refusal=Refused("InvalidArgumentError", text))

    with pytest.raises(ModelInputError) as caught:
        loaded(tmp_path, library).predict([b"a"])

    assert isinstance(caught.value, SchemaMismatchError)
    assert str(caught.value) == (
        "node: signature 'serving_default' of the model cannot read the batch: Feature: fare is required.\n"
        "  Fix: give rows of the schema with which the model was trained."
    )


def test_what_else_fails_is_no_fault_of_the_rows(tmp_path: Path):
    library = small_models.Library(refusal=Refused("ResourceExhaustedError", "no memory"))

    with pytest.raises(ModelError) as caught:
        loaded(tmp_path, library).predict([b"a"])

    assert not isinstance(caught.value, ModelInputError)
    assert caught.value.problem == (
        "node: signature 'serving_default' of the model failed: ResourceExhaustedError: no memory"
    )


def test_a_function_that_is_not_there_is_no_fault_of_the_rows(tmp_path: Path):
    told = "ValueError: Could not find callback with key=pyfunc_0 in the registry."
    stack = f'{told}\nTraceback (most recent call last):\n\n  File "ops.py", line 1, in f\n\n{told}\n'
    library = small_models.Library(refusal=Refused("InvalidArgumentError", stack))

    with pytest.raises(ModelError) as caught:
        loaded(tmp_path, library).predict([b"a"])

    assert not isinstance(caught.value, ModelInputError)
    assert caught.value.problem == (
        f"node: signature 'serving_default' of the model failed: InvalidArgumentError: {told}"
    )


def test_a_signature_that_gives_nothing_has_no_predictions(tmp_path: Path):
    model = loaded(tmp_path, small_models.Library(lambda _: {}))

    with pytest.raises(ModelError, match="node: signature 'serving_default' of the model gives no output"):
        model.predict([b"a"])
    assert model.call([b"a"]) == {}


def test_a_model_that_does_not_load_says_which(tmp_path: Path):
    library = small_models.Library(load_refusal=Refused("NotFoundError", "no variables"))

    with pytest.raises(ModelError) as caught:
        loaded(tmp_path, library)

    assert (
        caught.value.problem == f"node: the model ({tmp_path}) cannot be loaded: NotFoundError: no variables"
    )


@pytest.mark.parametrize("output", [np.zeros((2, 1)), np.zeros(())])
def test_another_number_of_rows_is_refused_where_rows_are_asked_for(tmp_path: Path, output: Any):
    model = loaded(tmp_path, small_models.Library(lambda _: {"scores": output}))

    with pytest.raises(
        ModelError, match=r"output 'scores' of signature 'serving_default' has shape .* for 3 "
    ):
        model.predict([b"a", b"b", b"c"])
    assert model.call([b"a", b"b", b"c"])["scores"] is output


def test_the_cost_is_measured_after_a_call_that_warms_up(tmp_path: Path):
    library = small_models.Library(scored)
    model = loaded(tmp_path, library)

    found = cost.measure(model, [b"a"] * 4, calls=3)

    assert len(library.asked) == 4
    assert (found.rows, found.load_seconds) == (4, model.load_seconds)
    assert found.size_bytes == (tmp_path / "saved_model.pb").stat().st_size
    assert found.memory_bytes > 1 << 20
    assert found.row_seconds == found.batch_seconds / 4 > 0
