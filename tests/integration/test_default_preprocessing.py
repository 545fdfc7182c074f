"""`default_preprocessing` in Transform: declared without a schema, decided by it and by rows, and the same in serving."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform as tft
from conftest_transform import Run, transform
from tfx.types.standard_artifacts import TransformGraph

from headrace.components import Transform
from headrace.errors import UserFunctionError
from headrace.features import default_preprocessing, z_score
from headrace.features.defaults import FUNCTION
from headrace.formats import transform_graphs
from headrace.reports.artifacts import transforms
from headrace.reports.blocks.blocks import Section, Table
from headrace.testing import channel, make_examples, make_schema

default = default_preprocessing(label="kind", max_words=30)

SCHEMA = """
feature { name: 'amount' type: FLOAT }
feature { name: 'count' type: INT shape {} presence { min_fraction: 1 } }
feature { name: 'colour' type: BYTES domain: 'colours' }
feature { name: 'said' type: BYTES }
feature { name: 'day' type: BYTES }
feature { name: 'written' type: BYTES }
feature { name: 'customer_id' type: INT }
feature { name: 'tags' type: BYTES }
feature { name: 'odd' type: BYTES lifecycle_stage: DEPRECATED }
feature { name: 'kind' type: BYTES domain: 'kinds' shape {} presence { min_fraction: 1 } }
string_domain { name: 'colours' value: ['blue', 'green', 'red'] }
string_domain { name: 'kinds' value: ['no', 'yes'] }
"""


def own_function(inputs: dict[str, Any], schema: Any, sample: Any) -> dict[str, Any]:
    """What a user adds to the default."""
    outputs = default(inputs, schema, sample)
    outputs["twice_xf"] = z_score(inputs["count"] * 2)
    return outputs


def rows(count: int) -> list[dict[str, Any]]:
    random = np.random.default_rng(0)
    made = []
    for row in range(count):
        one: dict[str, Any] = {
            "count": [row % 9],
            "colour": [("red", "green", "blue")[row % 3]],
            "said": [f"a long story of {row} and of much else that was said"],
            "day": [f"2020-{row % 12 + 1:02}-17"],
            "written": ["NA" if row % 10 == 0 else f"{row / 4}"],
            "customer_id": [row * 31],
            "tags": ["a", "b"][: row % 3],
            "kind": ["yes" if row % 2 else "no"],
        }
        if row % 5:
            one["amount"] = [float(random.exponential(9) ** 2)]
        made.append({name: value for name, value in one.items() if value})
    return made


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    folder = tmp_path_factory.mktemp("data")
    made = rows(120)
    examples = make_examples(folder / "rows", {"train": made[:80], "eval": made[80:]})
    return examples, make_schema(folder / "schema", SCHEMA)


@pytest.fixture(scope="module")
def made(data: tuple[Any, Any], tmp_path_factory: pytest.TempPathFactory) -> Run:
    declared = Transform(
        channel(data[0]), channel(data[1]), preprocessing_fn=default, custom_config={"other": 1}
    )
    parameters = dict(declared.exec_properties)
    return transform(
        tmp_path_factory.mktemp("made"),
        *data,
        parameters["preprocessing_fn"],
        custom_config=parameters["custom_config"],
        disable_statistics=1,
    )


def test_a_pipeline_declares_it_without_a_schema(data: tuple[Any, Any]):
    """Its options are plain values beside those of the user, so they are part of the cache key."""
    declared = Transform(
        channel(data[0]), channel(data[1]), preprocessing_fn=default, custom_config={"other": 1}
    )
    assert declared.exec_properties["preprocessing_fn"] == FUNCTION
    assert declared.exec_properties["custom_config"] == (
        '{"default_preprocessing": {"label": "kind", "max_words": 30}, "other": 1}'
    )


def test_each_feature_becomes_what_fits_it(made: Run):
    """Numbers, words, dates and lists side by side; what identifies rows and what splits disagree about is left out."""
    output = tft.TFTransformOutput(made.path("transform_graph"))
    widths = {name: list(spec.shape) for name, spec in output.transformed_feature_spec().items()}
    assert widths == {
        "amount_xf": [1],
        "amount_missing_xf": [1],
        "count_xf": [1],
        "colour_xf": [4],
        "said_xf": [30],
        "day_xf": [7],
        "written_xf": [1],
        "written_missing_xf": [1],
        "tags_xf": [50],
        "kind_xf": [1],
    }
    columns = made.rows("train")
    amount = np.array(columns.column(columns.schema.get_field_index("amount_xf")).to_pylist())
    assert abs(amount.mean()) < 0.05
    # By the logarithm: no row is as far away as the largest is of itself.
    assert amount.max() < 3
    kinds = columns.column(columns.schema.get_field_index("kind_xf")).to_pylist()
    assert kinds[:4] == [[0], [1], [0], [1]]


def test_serving_makes_the_same_of_raw_rows(made: Run, data: tuple[Any, Any]):
    """The graph holds all that was learned; a row without anything is no error."""
    layer = tft.TFTransformOutput(made.path("transform_graph")).transform_features_layer()
    words = {"colour", "said", "day", "written", "tags"}
    row = rows(120)[81]

    def feature(name: str, kind: Any) -> Any:
        values = row.get(name, [])
        indices = [[0, place] for place in range(len(values))]
        shape = [1, max(len(values), 1)]
        return tf.SparseTensor(np.reshape(indices, (-1, 2)), tf.constant(values, kind), shape)

    inputs = {name: feature(name, tf.string) for name in words}
    inputs |= {"amount": feature("amount", tf.float32), "customer_id": feature("customer_id", tf.int64)}
    inputs |= {"count": tf.constant([row["count"][0]], tf.int64)}
    served = layer(inputs)
    columns = made.rows("eval")
    for name in ("amount_xf", "colour_xf", "said_xf", "day_xf", "written_xf", "tags_xf"):
        expected = columns.column(columns.schema.get_field_index(name))[1].as_py()
        np.testing.assert_allclose(np.array(served[name])[0], expected, rtol=1e-5, atol=1e-6)


def test_a_function_of_ones_own_hands_schema_and_rows_on(data: tuple[Any, Any], tmp_path: Path):
    """And adds to what the default makes; an object in a module is a function as well."""
    run = transform(
        tmp_path, *data, "test_default_preprocessing:own_function", disable_statistics=1, without=()
    )
    names = run.rows("train").schema.names
    assert {"twice_xf", "amount_xf", "tags_xf", "kind_xf"} <= set(names)
    # What it decided is kept, though a function of one's own asked it.
    assert ("customer_id", "id", "nearly every row has a number of its own") in transform_graphs.read_choices(
        run.path("transform_graph")
    )


def test_the_page_says_what_each_feature_was_taken_for(made: Run):
    """And why, and what became of it; the file lies beside TFT's, which nobody else reads."""
    artifact = TransformGraph()
    artifact.uri = made.path("transform_graph")

    blocks = transforms.render(cast("Any", SimpleNamespace(artifact=artifact, outputs={})))

    (section,) = [block for block in blocks if isinstance(block, Section) and block.anchor == "taken-for"]
    (table,) = section.blocks
    assert isinstance(table, Table)
    found = {cells[0].text: [cell.text for cell in cells[1:]] for cells in table.cells}
    assert found["amount"] == ["number", "numbers with fractions", "amount_missing_xf, amount_xf"]
    assert found["colour"] == ["category", "3 different words", "colour_xf"]
    assert found["customer_id"][0::2] == ["id", "–"]
    assert found["odd"][0] == "ignore"
    assert found["kind"] == ["label", "the label", "kind_xf"]


def failure(tmp_path: Path, preprocessing: Any, row: dict[str, Any], schema: str) -> str:
    """What the user reads when a function fails on one row."""
    examples = make_examples(tmp_path / "rows", {"train": [row, {}]})
    with pytest.raises(UserFunctionError) as caught:
        transform(tmp_path / "run", examples, make_schema(tmp_path / "schema", schema), preprocessing)
    return str(caught.value)


def fails_sparse(inputs: dict[str, Any]) -> dict[str, Any]:
    return {"high": tf.cast(inputs["quality"] >= 7, tf.int64)}


def fails_text(inputs: dict[str, Any]) -> dict[str, Any]:
    return {"quality": z_score(inputs["quality"])}


def test_a_missing_value_is_told_with_the_function_that_fills_it(tmp_path: Path):
    """Instead of what TensorFlow says of a SparseTensor."""
    told = failure(
        tmp_path,
        "test_default_preprocessing:fails_sparse",
        {"quality": 7},
        "feature { name: 'quality' type: INT }",
    )
    assert "'quality' has rows without value (train 1 of 2), so it comes as SparseTensor" in told
    assert "headrace.features.dense(inputs['quality'], default), or headrace.features.impute" in told


def test_a_function_names_the_feature_that_does_not_fit(tmp_path: Path):
    """And the functions that do."""
    told = failure(
        tmp_path,
        "test_default_preprocessing:fails_text",
        {"quality": "good"},
        "feature { name: 'quality' type: BYTES }",
    )
    assert told == (
        "headrace.features.z_score needs numbers, and feature 'quality' holds text.\n  Fix: read it with "
        "headrace.features.number where its texts are numbers; else use vocabulary, one_hot or tokens."
    )
