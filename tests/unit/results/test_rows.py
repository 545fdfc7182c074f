"""Rows that a person has, as what a model reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from headrace.errors import DataError, ModelInputError
from headrace.formats.examples.plain_rows import parse_example
from headrace.models.example_features import ExampleFeature
from headrace.results import rows

AGE = ExampleFeature("age", "float32", (1,), True)
CITY = ExampleFeature("city", "string", None, False)
KIND = ExampleFeature("kind", "int64", (1,), False)
WANTED = {one.name: one for one in (AGE, CITY, KIND)}


def parsed(given: Any, wanted: dict[str, ExampleFeature] | None = WANTED) -> list[dict[str, list[Any]]]:
    table = rows.to_table(given, "the rows")
    return [parse_example(record) for batch in rows.serialized(table, wanted, "the rows") for record in batch]


COLUMNS = {"age": [1, 2], "city": ["a", None], "kind": [3.0, None], "more": ["x", "y"]}
FOUND = [{"age": [1.0], "city": [b"a"], "kind": [3]}, {"age": [2.0], "city": [], "kind": []}]


@pytest.mark.parametrize(
    "given",
    [
        COLUMNS,
        pd.DataFrame(COLUMNS),
        [{"age": 1, "city": "a", "kind": 3}, {"age": 2.0, "city": None, "kind": float("nan")}],
        [{"age": 1, "city": "a", "kind": 3, "more": b"\xff"}, {"age": 2}],
        {"age": np.array([1, 2]), "city": [["a"], []], "kind": pd.Series([3, None], dtype="Int64")},
    ],
)
def test_rows_of_each_form_are_the_same(given: Any) -> None:
    """Whole numbers stand for numbers, and pandas' floats for whole numbers where one is missing."""
    assert parsed(given) == FOUND


def test_one_row_may_be_a_dict_of_values() -> None:
    assert parsed({"age": 1, "city": "a", "kind": 3}) == FOUND[:1]


def test_what_a_model_reads_unknown_goes_as_it_is() -> None:
    assert parsed({"age": [1], "b": [[1.5, 2.5]]}, None) == [{"age": [1], "b": [1.5, 2.5]}]


def test_many_rows_come_in_batches() -> None:
    table = rows.to_table({"age": np.arange(25_000.0)}, "the rows")
    sizes = [len(batch) for batch in rows.serialized(table, {"age": AGE}, "the rows")]

    assert sizes == [10_000, 10_000, 5_000]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"city": ["a"], "kind": [1], "ages": [1]}, "the rows have no feature 'age', which the model reads. They have "
         "'ages', 'city', 'kind'."),
        ({"kind": [1]}, "the rows have no features 'age', 'city', which the model reads. They have 'kind'."),
        ({**COLUMNS, "age": [1, None]}, "the rows: feature 'age' has no value in row 1 (from 0), and the model reads 1 in each."),
        ({**COLUMNS, "age": [[1, 2], [3]]}, "the rows: feature 'age' has 2 values in row 0 (from 0), and the model reads 1 in each."),
        ({**COLUMNS, "age": ["1", "2"]}, "the rows: feature 'age' has '1' in row 0 (from 0), and the model reads a number."),
        ({**COLUMNS, "kind": [1, 2.5]}, "the rows: feature 'kind' has 2.5 in row 1 (from 0), and the model reads a whole number."),
        ({**COLUMNS, "city": [None, 4]}, "the rows: feature 'city' has 4 in row 1 (from 0), and the model reads text."),
        ([], "the rows are none."),
        (7, "the rows are of type int."),
        ([1, 2], "the rows are of type list."),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_by_feature_and_row(given: Any, problem: str) -> None:
    with pytest.raises(ModelInputError) as caught:
        parsed(given)

    assert caught.value.problem == problem


def test_a_name_that_is_nearly_right_is_asked_for() -> None:
    with pytest.raises(ModelInputError) as caught:
        parsed({"city": ["a"], "kind": [1], "ages": [1]})

    assert caught.value.fix == "did you mean 'ages'? Give each feature a column."


@pytest.mark.parametrize(("feature", "wrong"), [(AGE, None), (KIND, 2.5)])
def test_the_row_is_that_of_all_rows_not_of_its_batch(feature: ExampleFeature, wrong: float | None) -> None:
    values: list[float | None] = [1.0] * 12_000
    values[11_000] = wrong

    with pytest.raises(ModelInputError, match=r"in row 11,000 \(from 0\)"):
        parsed({feature.name: values}, {feature.name: feature})


def test_columns_of_two_lengths_are_refused() -> None:
    with pytest.raises(DataError, match="column 'age' has 2 rows, and 'city' 1"):
        parsed({"age": [1, 2], "city": ["a"]})


def test_a_model_that_takes_tensors_is_given_arrays() -> None:
    image = np.zeros((2, 3, 3), np.float32)

    assert rows.to_tensors({"image": image}, "the rows")["image"].shape == (2, 3, 3)
    assert rows.to_tensors([{"a": 1.5}, {"a": 2.5}], "the rows")["a"].tolist() == [1.5, 2.5]
