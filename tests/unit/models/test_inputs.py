"""Batches in each of their forms, as the tensors that a signature takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import small_models

from headrace.errors import ModelInputError
from headrace.formats.examples import example_encoder
from headrace.models import inputs
from headrace.models.saved_model import SavedModel
from headrace.models.signatures import Signature

ROWS = pa.RecordBatch.from_pydict(
    {
        "fare": pa.array([[1.5], [2.5]], pa.large_list(pa.float32())),
        "hours": pa.array([[1, 2], [3, 4]], pa.large_list(pa.int64())),
        "name": pa.array([[b"a"], [b"b"]], pa.large_list(pa.large_binary())),
        "words": pa.array([[b"a"], None], pa.large_list(pa.large_binary())),
    }
)
RECORDS = example_encoder.encode(ROWS).to_pylist()
DENSE: small_models.Tensors = {
    "fare": ("DT_FLOAT", [-1, 1]),
    "hours": ("DT_INT64", [-1, 2]),
    "name": ("DT_STRING", [-1, 1]),
}


def signature(path: Path, takes: small_models.Tensors) -> Signature:
    return SavedModel(small_models.serving(path, takes), "node").signatures["serving_default"]


@pytest.mark.parametrize("batch", [ROWS, RECORDS, np.array(RECORDS, object)])
def test_serialized_examples_are_made_of_any_rows(tmp_path: Path, batch: Any):
    (records,) = inputs.arrays(batch, signature(tmp_path, small_models.EXAMPLES), "node").values()

    assert list(records) == RECORDS
    assert inputs.num_rows(batch) == 2


@pytest.mark.parametrize(
    "batch", [ROWS, {"fare": [1.5, 2.5], "hours": [[1, 2], [3, 4]], "name": ["a", "b"], "label": [0, 1]}]
)
def test_dense_tensors_are_made_of_any_rows(tmp_path: Path, batch: Any):
    """A vector becomes the column that is wanted, text becomes bytes; what the signature does not take is left out."""
    found = inputs.arrays(batch, signature(tmp_path, DENSE), "node")

    assert {name: array.tolist() for name, array in found.items()} == {
        "fare": [[1.5], [2.5]],
        "hours": [[1, 2], [3, 4]],
        "name": [[b"a"], [b"b"]],
    }
    assert [array.dtype for array in found.values()] == [np.float32, np.int64, object]


@pytest.mark.parametrize(
    ("takes", "batch", "problem"),
    [
        (
            {"fares": ("DT_FLOAT", [-1])},
            {"fare": [1.0], "hour": [1]},
            "node: signature 'serving_default' takes 'fares' (float32), and the batch has no 'fares'. "
            "It has 'fare', 'hour'.",
        ),
        (
            {"fare": ("DT_FLOAT", [-1])},
            {"fare": ["cheap"]},
            "node: input 'fare' of signature 'serving_default' is float32, and the batch has string.",
        ),
        (
            {"hour": ("DT_INT64", [-1])},
            {"hour": [1.5]},
            "node: input 'hour' of signature 'serving_default' is int64, and the batch has float64.",
        ),
        (
            {"hours": ("DT_INT64", [-1, 3])},
            {"hours": [[1, 2]]},
            "node: input 'hours' of signature 'serving_default' has shape [None, 3], and the batch has [1, 2].",
        ),
        (
            {"words": ("DT_STRING", [-1, 1]), "fare": ("DT_FLOAT", [-1, 1])},
            ROWS,
            "node: rows of feature 'words' differ in their number of values (none, 1), and the model takes a dense "
            "tensor.",
        ),
        (
            {"hours": ("DT_INT64", [-1, 2])},
            {"hours": [[1, 2], [3]]},
            "node: input 'hours' of signature 'serving_default' is int64, and rows of the batch differ in their number "
            "of values.",
        ),
        (
            {"hour": ("DT_INT32", [-1])},
            {"hour": [1, 1 << 31]},
            "node: input 'hour' of signature 'serving_default' is int32, and the batch has whole numbers that it cannot "
            "hold, such as 2147483648.",
        ),
        (
            {"hour": ("DT_FLOAT", [-1])},
            {"hour": [1, (1 << 24) + 1]},
            "node: input 'hour' of signature 'serving_default' is float32, and the batch has whole numbers that it "
            "cannot hold, such as 16777217.",
        ),
        (
            {"handle": ("DT_RESOURCE", [-1])},
            {"handle": [1]},
            "node: input 'handle' of signature 'serving_default' is resource, which no batch holds.",
        ),
    ],
)
def test_what_does_not_fit_is_one_kind_of_error(
    tmp_path: Path, takes: small_models.Tensors, batch: Any, problem: str
):
    """It names the input, what the model takes, and what the batch has."""
    with pytest.raises(ModelInputError) as caught:
        inputs.arrays(batch, signature(tmp_path, takes), "node")

    assert caught.value.problem == problem
    assert caught.value.fix


def test_whole_numbers_do_for_fractions_and_nothing_has_no_type(tmp_path: Path):
    found = inputs.arrays({"fare": [1, 2]}, signature(tmp_path, {"fare": ("DT_FLOAT", [-1])}), "node")
    empty = inputs.arrays({"fare": []}, signature(tmp_path, {"fare": ("DT_FLOAT", [-1])}), "node")

    assert (found["fare"].dtype, found["fare"].tolist()) == (np.float32, [1.0, 2.0])
    assert (empty["fare"].dtype, empty["fare"].shape) == (np.float32, (0,))
