"""What features are taken for: by the schema alone, by rows, by statistics, and by what the user says."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from headrace.errors import DefinitionError, UserFunctionError
from headrace.features import default_preprocessing, explain
from headrace.features.facts import from_rows
from headrace.features.roles import table

NUM_ROWS = 60


def schema(*lines: str) -> schema_pb2.Schema:
    return text_format.Parse("\n".join(lines), schema_pb2.Schema())


def feature(name: str, kind: str, more: str = "") -> str:
    return f"feature {{ name: '{name}' type: {kind} {more} }}"


def taken(kind: str, values: list[Any], name: str = "x", more: str = "") -> str:
    """What a feature with these values is taken for."""
    return explain(schema(feature(name, kind, more)), rows={name: values})[0][1]


@pytest.mark.parametrize(
    ("kind", "values", "name", "expected"),
    [
        ("FLOAT", [float(row) for row in range(NUM_ROWS)], "id", "number"),
        ("INT", [row % 7 for row in range(NUM_ROWS)], "quality", "number"),
        ("INT", list(range(100, 100 + NUM_ROWS)), "x", "id"),
        ("INT", [row * row for row in range(NUM_ROWS)], "customer_id", "id"),
        ("INT", [row * row for row in range(NUM_ROWS)], "population", "number"),
        ("INT", [row % 3 for row in range(NUM_ROWS)], "store_type", "category"),
        ("INT", [row % 2 for row in range(NUM_ROWS)], "is_class", "number"),
        ("INT", [1_400_000_000 + row * 3600 for row in range(NUM_ROWS)], "start_timestamp", "date"),
        ("INT", [1_400_000_000 + row * 3601 for row in range(NUM_ROWS)], "earnings", "number"),
        ("BYTES", ["red", "green", None] * 20, "x", "category"),
        ("BYTES", [f"A{row:05}" for row in range(NUM_ROWS)], "x", "id"),
        ("BYTES", [f"2020-01-{row % 28 + 1:02}" for row in range(NUM_ROWS)], "x", "date"),
        ("BYTES", [f"{row % 28 + 1}/12/2020" for row in range(NUM_ROWS)], "x", "date"),
        ("BYTES", ["NA", *(f"{row / 7:.2f}" for row in range(NUM_ROWS))], "x", "number"),
        ("BYTES", [f"a film about number {row} and more" for row in range(NUM_ROWS)], "x", "text"),
        ("BYTES", [f"电影很好看 {row}" for row in range(NUM_ROWS)], "x", "text"),
        ("BYTES", [b"\xff\xd8\xff\xe0" + bytes([row]) for row in range(NUM_ROWS)], "x", "image"),
        ("BYTES", [["a", "b"], ["a"], []] * 20, "x", "list"),
        ("FLOAT", [[1.0, 2.0], [1.0]] * 20, "x", "ignore"),
    ],
)
def test_values_tell_what_a_feature_is(kind: str, values: list[Any], name: str, expected: str):
    """A name such as `id` decides only between what the values leave open."""
    assert taken(kind, values, name) == expected


def test_the_schema_tells_where_it_can():
    """Without any row."""
    made = schema(
        feature("code", "INT", "int_domain { is_categorical: true }"),
        feature("photo", "BYTES", "image_domain {}"),
        feature("review", "BYTES", "natural_language_domain {}"),
        feature("when", "INT", "time_domain { integer_format: UNIX_SECONDS }"),
        feature("colour", "BYTES", "domain: 'colours'"),
        feature("vector", "FLOAT", "shape { dim { size: 4 } }"),
        feature("block", "FLOAT", "shape { dim { size: 4 } dim { size: 4 } }"),
        feature("words", "BYTES", "value_count { min: 0 max: 9 }"),
        feature("open", "BYTES"),
        "string_domain { name: 'colours' value: ['red', 'blue'] }",
    )
    assert [(name, role) for name, role, _ in explain(made)] == [
        ("code", "category"),
        ("photo", "image"),
        ("review", "text"),
        ("when", "date"),
        ("colour", "category"),
        ("vector", "number"),
        ("block", "ignore"),
        ("words", "list"),
        ("open", "category"),
    ]


def test_statistics_tell_where_there_are_no_rows():
    """How many words differ, and the most frequent ones."""
    statistics = text_format.Parse(
        """features { path { step: 'name' } string_stats { unique: 60 avg_length: 6
             common_stats { num_non_missing: 60 max_num_values: 1 } top_values { value: 'A00001' frequency: 1 } } }
           features { path { step: 'day' } string_stats { unique: 20 avg_length: 10
             common_stats { num_non_missing: 60 max_num_values: 1 } top_values { value: '2020-01-01' frequency: 3 } } }
           features { path { step: 'amount' } num_stats { min: 1 max: 9 mean: 4 median: 3 std_dev: 1
             common_stats { num_non_missing: 60 max_num_values: 1 } } }""",
        statistics_pb2.DatasetFeatureStatistics(),
    )
    made = schema(feature("name", "BYTES"), feature("day", "BYTES"), feature("amount", "FLOAT"))
    roles = [role for _, role, _ in explain(made, statistics=statistics)]
    assert roles == ["id", "date", "number"]


def test_what_the_user_says_goes_first():
    """With the label, which is no input."""
    made = schema(feature("x", "INT"), feature("y", "FLOAT"))
    found = explain(made, label="y", roles={"x": "category"})
    assert found == [("x", "category", "as roles says"), ("y", "label", "the label")]


def test_what_the_splits_disagree_about_is_left_out_and_said():
    """As a label it is an error: there is nothing to learn."""
    made = schema(feature("sugar", "BYTES", "lifecycle_stage: DEPRECATED"), feature("y", "FLOAT"))
    ((_, role, why), _) = explain(made, label="y")
    assert role == "ignore"
    assert why == "the schema marks it DEPRECATED, as SchemaGen does where the splits disagree about its type"
    with pytest.raises(UserFunctionError) as caught:
        explain(made, label="sugar")
    assert str(caught.value) == (
        "default_preprocessing: feature 'sugar' is not handed over: the schema marks it DEPRECATED, as SchemaGen does "
        "where the splits disagree about its type.\n  Fix: give it one type in all splits; or review the schema, take "
        "the mark off and hand it in with ImportSchemaGen."
    )


def test_wrong_names_are_answered_with_those_there_are():
    """Of the label, a feature, a role, an option and its value."""
    made = schema(feature("quality", "FLOAT"), feature("ph", "FLOAT"))
    with pytest.raises(
        UserFunctionError, match=r"no feature 'qualty', the label.*\n.*did you mean 'quality'"
    ):
        explain(made, label="qualty")
    with pytest.raises(UserFunctionError, match="no feature 'hp', a feature of roles"):
        explain(made, roles={"hp": "number"})
    with pytest.raises(DefinitionError, match=r"roles says 'numbr'.*\n.*did you mean 'number'"):
        default_preprocessing(roles={"ph": "numbr"})
    with pytest.raises(DefinitionError, match=r"no option 'max_word'.*\n.*did you mean 'max_words'"):
        default_preprocessing(max_word=3)
    with pytest.raises(DefinitionError, match="texts is 'bow'"):
        default_preprocessing(texts="bow")
    with pytest.raises(UserFunctionError, match="are all labels"):
        explain(made, label="ph", roles={"quality": "label"})


def test_the_function_is_its_settings():
    """Equal settings are one function, to the cache too; what is the default is not recorded."""
    one = default_preprocessing(label="y", image_size=(8, 8), classes=["a", "b"])
    assert one == default_preprocessing(label="y", image_size=[8, 8], classes=("a", "b"), max_words=1000)
    assert one.settings() == {"label": "y", "image_size": [8, 8], "classes": ["a", "b"]}
    assert one != default_preprocessing(label="z", image_size=(8, 8), classes=["a", "b"])
    with pytest.raises(UserFunctionError, match="called without a schema"):
        one({})


def test_rows_of_examples_are_looked_at():
    """Lists, as Arrow holds them; and what is missing in them."""
    rows = pa.table({"x": [[1.0], None, [float("nan")], [3.0]], "word": [[b"a"], [b""], [b"b"], []]})
    known = from_rows(rows)
    assert (known["x"].num_rows, known["x"].num_missing, known["x"].greatest) == (4, 2, 3.0)
    assert (known["word"].num_filled, known["word"].values) == (2, ("a", "b"))


def test_the_table_is_lined_up():
    """As logs and pages print it."""
    made = schema(feature("alcohol", "FLOAT"), feature("y", "FLOAT"))
    choices = default_preprocessing(made, label="y").choices()
    assert table(choices).splitlines() == [
        "alcohol  number    numbers with fractions",
        "y        label     the label",
    ]
