"""What preprocessing functions may do, against stock TFX: every kind of analyzer, odd values, errors."""

from __future__ import annotations

import math
import re
import traceback

import numpy as np
import pyarrow as pa
import pytest
from conftest_transform import (
    assert_equal_rows,
    odd_records,
    odd_schema,
    rows,
    transform,
    transform_by_stock,
    vocabularies,
)
from data_validation import example

from headrace.errors import EmptyDataError, SchemaMismatchError, UserFunctionError
from headrace.runtime.implementation import Implementation
from headrace.testing import make_examples, make_schema


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    return make_schema(tmp_path_factory.mktemp("schema"), odd_schema())


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    records = odd_records()
    return make_examples(tmp_path_factory.mktemp("odd"), {"train": records[:400], "eval": records[400:]})


@pytest.fixture
def run(tmp_path, examples, schema):
    """Run a function of `transform_functions` on the odd data."""

    def of(name, given=examples, **parameters):
        return transform(tmp_path / name, given, schema, f"transform_functions.{name}", **parameters)

    return of


def column(run, name, split="train"):
    batch = run.rows(split)
    return batch.column(batch.schema.get_field_index(name))


@pytest.fixture(scope="module")
def ours(tmp_path_factory, examples, schema):
    """What Headrace makes with one of each analyzer."""
    folder = tmp_path_factory.mktemp("ours")
    return transform(folder, examples, schema, "transform_functions.one_of_each")


def test_every_kind_of_analyzer_equals_stock(ours, examples, schema, tmp_path):
    """Moments, quantiles, vocabularies, per key, matrices; on unicode, NaN, missing and huge values."""
    stock = transform_by_stock(tmp_path / "stock", examples, schema, "transform_functions.one_of_each")

    for split in ("train", "eval"):
        # Covariance over 2^40 in TensorFlow's 32-bit floats depends on the size of batches.
        assert_equal_rows(ours.rows(split), stock.rows(split), tolerance=2e-5)
    found, expected = vocabularies(ours), vocabularies(stock)
    weights, expected_weights = (
        dict(reversed(line.split(b" ")) for line in every.pop("weighted_keys").splitlines())
        for every in (found, expected)
    )
    assert list(weights) == list(expected_weights)
    for token, weight in expected_weights.items():
        assert float(weights[token]) == pytest.approx(float(weight), rel=1e-6)
    assert found == expected


def test_analyzers_may_work_on_what_analyzers_found(run):
    """Two passes over the data: one on arithmetic, one on a vocabulary's table."""
    made = run("two_passes")

    centred = column(made, "centred_unit").flatten().to_numpy()
    assert np.abs(centred).max() == pytest.approx(1.0)
    assert centred.mean() == pytest.approx(0.0, abs=1e-6)
    index = column(made, "index_z").flatten().to_numpy()
    assert index.mean() == pytest.approx(0.0, abs=1e-6)
    assert index.std() == pytest.approx(1.0, rel=1e-5)


def test_what_headrace_does_not_run_goes_to_tfx(run):
    """Mutual information; the result is there all the same."""
    made = run("mutual_information")

    (tokens,) = vocabularies(made).values()
    assert len(tokens.splitlines()) == 2
    assert made.summary("transform_graph") == "1 feature, 1 vocabulary"
    assert made.rows("train").num_rows == 400
    assert made.implementation == Implementation("stock", "analyzers with VocabularyAccumulate")


def test_tf_compat_v1_runs_on_tfx(run):
    """Slower, and complete."""
    made = run("no_analyzer", force_tf_compat_v1=1)

    assert made.rows("eval").num_rows == 200
    assert made.implementation == Implementation("stock", "force_tf_compat_v1 is on")


def test_nan_and_missing_values_pass_through(ours):
    """As TFT leaves them."""
    maybe = column(ours, "maybe")

    assert maybe.value_lengths().to_pylist()[:11] == [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
    assert math.isnan(maybe.flatten()[1].as_py())
    assert maybe.flatten()[0].as_py() == 1.5


def test_an_exception_of_the_function_passes_through_with_its_line(run):
    """The user's own error, and in its traceback the user's own line."""
    with pytest.raises(ZeroDivisionError, match="no feature to divide 6 by") as caught:
        run("raises")

    assert user_line(caught.value) == 'raise ZeroDivisionError(f"no feature to divide {len(inputs)} by")'


@pytest.mark.parametrize(
    ("name", "error", "line"),
    [
        ("missing_key", KeyError, 'return {"z": tft.scale_to_z_score(inputs["no_such"])}'),
        ("wrong_shape", ValueError, 'return {"sum": tf.reshape(inputs["x"], [-1, 1]) @ tf.ones([3, 2])}'),
    ],
)
def test_an_error_while_the_graph_is_built_passes_through_with_its_line(run, name, error, line):
    """A feature that does not exist; shapes that do not fit."""
    with pytest.raises(error) as caught:
        run(name)

    assert user_line(caught.value) == line


def user_line(error):
    """The innermost line of the user's file in the traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    return [frame.line for frame in frames if frame.filename.endswith("transform_functions.py")][-1]


def test_a_function_must_return_features(run):
    """An empty dict is an error, and named."""
    with pytest.raises(UserFunctionError) as caught:
        run("returns_nothing")

    assert re.fullmatch(
        r"transform: returns_nothing in transform_functions.py:\d+: the function returned an empty dict, and a dict of "
        r"tensors by feature name is needed\.",
        caught.value.problem,
    )
    assert caught.value.fix == (
        "return at least one feature, such as {'fare_xf': tft.scale_to_z_score(inputs['fare'])}."
    )


def test_an_assertion_of_the_graph_reaches_the_user(run):
    """Its own message is in what is raised."""
    with pytest.raises(Exception, match="x must be negative"):
        run("fails_on_data")


def test_an_output_of_other_rows_than_the_input_is_named(run):
    """Arrow would only say that lengths differ."""
    with pytest.raises(
        UserFunctionError, match=r"preprocessing_fn made \d+ rows of output 'short' from \d+ rows"
    ):
        run("drops_rows")


def test_a_feature_that_the_schema_promises_is_missing(run, tmp_path):
    """Named, with how many rows lack it."""
    records = [example(key=[b"a"], number=[1], **({"x": [1.0]} if row % 2 else {})) for row in range(50)]
    given = make_examples(tmp_path / "gaps", {"train": records, "eval": records})

    with pytest.raises(SchemaMismatchError) as caught:
        run("no_analyzer", given)

    assert str(caught.value) == (
        "the data contradicts the schema: feature 'x' is missing from 25 of 50 rows.\n"
        "  Fix: correct the data, or drop 'shape' of the feature in the schema so that it may be missing."
    )


def test_a_feature_of_another_type_than_the_schema(run, tmp_path):
    """Named, with both types and the file."""
    records = [example(x=[1], key=[b"a"], number=[1])] * 50
    given = make_examples(tmp_path / "ints", {"train": records, "eval": records})

    with pytest.raises(SchemaMismatchError) as caught:
        run("no_analyzer", given)

    path = f"{given.uri}/Split-train/data_tfrecord-00000-of-00001.gz"
    assert caught.value.problem == f"feature 'x' is int64_list in {path} and float_list in the schema."


def test_an_empty_split_is_transformed_to_an_empty_split(run, tmp_path):
    """A file without a record, zero rows in the summary."""
    given = make_examples(tmp_path / "empty", {"train": odd_records(50), "eval": []})

    made = run("two_passes", given)

    assert made.summary("transformed_examples") == "train 50 rows, eval 0 rows"
    folder = f"{made.path('transformed_examples')}/Split-eval"
    assert rows(folder).num_rows == 0


def test_nothing_to_analyze_is_an_error(run, tmp_path):
    """A mean of no row would be served as if it were one."""
    given = make_examples(tmp_path / "empty", {"train": [], "eval": odd_records(50)})

    with pytest.raises(EmptyDataError) as caught:
        run("two_passes", given)

    assert str(caught.value) == (
        "transform: no row in the splits to analyze, 'train': analyzers such as tft.scale_to_z_score have "
        "nothing to learn from.\n"
        "  Fix: run ExampleGen on data that fills these splits, or analyze others with splits_config."
    )


def test_large_lists_of_text_lengths_equal_pythons():
    """The statistics of categorical integers measure their text."""
    from headrace.statistics.text_lengths import total_length

    values = [0, 9, 10, 99, 100, -1, -9, -10, 2**63 - 1, -(2**63), 10**18, 10**18 - 1]
    assert total_length(pa.array(values).to_numpy()) == sum(len(str(value)) for value in values)
