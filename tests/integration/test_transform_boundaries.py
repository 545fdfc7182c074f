"""Where a vocabulary or a bucket ends: exactly at a count, a tie, a border, as in stock TFX."""

from __future__ import annotations

import pytest
from conftest_transform import (
    assert_equal_rows,
    odd_schema,
    transform,
    transform_by_stock,
    vocabularies,
)
from data_validation import example

from headrace.testing import make_examples, make_schema

COUNTS = {"thirty": 30, "also": 30, "less": 29, "more": 31, "one": 1}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Headrace's and stock TFX's, on tokens that occur 29, 30 and 31 times, in three files."""
    folder = tmp_path_factory.mktemp("boundaries")
    keys = [key for key, count in COUNTS.items() for _ in range(count)]
    records = [
        example(x=[0.0], key=[key.encode()], number=[row % 10], unused=[0]) for row, key in enumerate(keys)
    ]
    third = len(records) // 3
    files = [records[:third], records[third : 2 * third], records[2 * third :]]
    examples = make_examples(folder / "examples", {"train": files, "eval": [records[:20]]})
    schema = make_schema(folder / "schema", odd_schema())
    function = "transform_functions.boundaries"
    return {
        name: make(folder / name, examples, schema, function)
        for name, make in (("ours", transform), ("stock", transform_by_stock))
    }


def test_vocabularies_end_where_those_of_stock_end(runs):
    """A token that occurs as often as the threshold says is in; of a tie the greater token."""
    found = vocabularies(runs["ours"])

    assert found == vocabularies(runs["stock"])
    assert set(found["at_30"].split()) == {b"more", b"thirty", b"also"}
    assert set(found["at_31"].split()) == {b"more"}
    assert set(found["at_29"].split()) == {b"more", b"thirty", b"also", b"less"}
    assert found["top_2"].splitlines() == [b"31 more", b"30 thirty"]
    assert len(found["top_9"].splitlines()) == len(COUNTS)


@pytest.mark.parametrize("split", ["train", "eval"])
def test_values_on_a_border_fall_into_the_bucket_of_stock(runs, split):
    """And tokens beyond the end get the index of stock."""
    ours, stock = runs["ours"].rows(split), runs["stock"].rows(split)

    assert_equal_rows(ours, stock)
    pairs = dict(
        zip(
            ours.column(ours.schema.get_field_index("number")).flatten().to_pylist(),
            ours.column(ours.schema.get_field_index("by_border")).flatten().to_pylist(),
        )
    )
    assert [pairs[number] for number in (1, 2, 4, 5)] == [0, 1, 1, 2]
