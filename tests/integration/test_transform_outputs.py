"""The forms that outputs of `preprocessing_fn` may have: what is written is what the graph's schema reads."""

from __future__ import annotations

import glob
import os

import numpy as np
import pyarrow as pa
import pytest
import tensorflow as tf
from conftest_transform import (
    assert_equal_rows,
    odd_records,
    odd_schema,
    transform,
    transform_by_stock,
    vocabularies,
)
from data_validation import example
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.components.transform.output_checks import check_outputs
from headrace.components.transform.tft_library import tft
from headrace.errors import UnsupportedFeatureError, UserFunctionError
from headrace.formats import protos
from headrace.models import readers
from headrace.models.features import read_transformed
from headrace.testing import make_examples, make_schema

KEPT = ("transform_graph", "transformed_examples")


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    return make_schema(tmp_path_factory.mktemp("schema"), odd_schema())


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    records = odd_records(300)
    return make_examples(tmp_path_factory.mktemp("odd"), {"train": records[:200], "eval": records[200:]})


@pytest.fixture(scope="module")
def ours(tmp_path_factory, examples, schema):
    folder = tmp_path_factory.mktemp("ours")
    return transform(folder, examples, schema, "transform_functions.composites")


@pytest.fixture(scope="module")
def stock(tmp_path_factory, examples, schema):
    folder = tmp_path_factory.mktemp("stock")
    return transform_by_stock(folder, examples, schema, "transform_functions.composites")


def parsed(run, split="train"):
    """The rows of a split as the graph's own feature spec reads them."""
    spec = tft.TFTransformOutput(run.path("transform_graph")).transformed_feature_spec()
    files = sorted(glob.glob(f"{run.path('transformed_examples')}/Split-{split}/*"))
    records = list(tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator())
    return tf.io.parse_example(records, spec)


def values(tensor):
    """A tensor of any form as nested lists."""
    if isinstance(tensor, tf.SparseTensor):
        return [
            tensor.indices.numpy().tolist(),
            tensor.values.numpy().tolist(),
            tensor.dense_shape.numpy().tolist(),
        ]
    return tensor.to_list() if isinstance(tensor, tf.RaggedTensor) else tensor.numpy().tolist()


@pytest.mark.parametrize("split", ["train", "eval"])
def test_the_records_hold_what_those_of_stock_hold(ours, stock, split):
    """Dense, sparse and ragged outputs: the same features with the same values, row by row."""
    assert_equal_rows(ours.rows(split), stock.rows(split), tolerance=1e-6)


def test_the_feature_spec_reads_what_was_made(ours, stock):
    """No output comes back empty, and each is what stock's records give."""
    found, expected = parsed(ours), parsed(stock)

    assert set(found) == set(expected)
    for name, tensor in found.items():
        assert tf.size(getattr(tensor, "flat_values", getattr(tensor, "values", tensor))) > 0, name
        if name == "z_lengths":
            np.testing.assert_allclose(tensor.flat_values, expected[name].flat_values, rtol=1e-5)
        else:
            assert values(tensor) == values(expected[name]), name
    assert values(found["words"])[0][:2] == [b"a", b"b"]
    assert values(found["nested"])[0][0] == values(found["characters"])[0]


def test_equal_rows_give_equal_bytes(ours, examples, schema, tmp_path):
    """Several ragged dimensions too, so that equal data keeps its digest."""
    again = transform(tmp_path, examples, schema, "transform_functions.composites")

    for path in glob.glob(f"{ours.path('transformed_examples')}/Split-*/*"):
        other = os.path.join(
            again.path("transformed_examples"), os.path.relpath(path, ours.path("transformed_examples"))
        )
        with open(path, "rb") as one, open(other, "rb") as two:
            assert one.read() == two.read()


def test_python_functions_work_where_they_were_traced(examples, schema, tmp_path):
    """In what is analyzed and in what is transformed; and it is said that no server can do it."""
    made = transform(tmp_path, examples, schema, "transform_functions.python_functions")

    found = parsed(made)
    x = found["x"].numpy()
    np.testing.assert_allclose(found["twice"], 2 * x, rtol=1e-6)
    np.testing.assert_allclose(found["pure"], 2 * x, rtol=1e-6)
    np.testing.assert_allclose(found["four"], 4 * x, rtol=1e-6)
    np.testing.assert_allclose(found["centred"], 2 * (x - x.mean()), atol=1e-4)
    assert made.summary("transform_graph") == (
        "5 features; the graph calls Python functions, so no other process can apply it: it cannot be exported "
        "for serving"
    )
    with pytest.raises(UnsupportedFeatureError, match="calls a Python function") as caught:
        readers.TransformReader(made.path("transform_graph"))
    assert "TensorFlow operations" in caught.value.fix


@pytest.fixture(scope="module")
def partly_described(tmp_path_factory):
    """Rows, and a schema that says of two features alone how they become tensors: a default, and ragged."""
    given = schema_pb2.Schema()
    given.feature.add(name="x", type=schema_pb2.FLOAT)
    given.feature.add(name="tags", type=schema_pb2.BYTES)
    given.feature.add(name="more", type=schema_pb2.BYTES)
    other = given.feature.add(name="number", type=schema_pb2.INT)
    other.shape.SetInParent()
    other.presence.min_fraction = 1
    tensors = given.tensor_representation_group[""].tensor_representation
    dense = tensors["x"].dense_tensor
    dense.column_name = "x"
    dense.shape.SetInParent()
    dense.default_value.float_value = -1
    tensors["tags"].ragged_tensor.feature_path.step.append("tags")
    records = [
        example(x=[1.0], number=[2], tags=[b"a", b"b"], more=[b"c"]),
        example(number=[3], tags=[b"d"]),
        example(x=[5.0], number=[4], more=[b"e", b"f"]),
    ] * 10
    folder = tmp_path_factory.mktemp("partly")
    return make_examples(folder / "rows", {"train": records}), make_schema(folder / "schema", given)


def test_a_representation_of_one_feature_leaves_the_others_theirs(partly_described, tmp_path):
    """The documented way to give a feature a default: the others come as without it."""
    made = transform(tmp_path, *partly_described, f"{__name__}.as_they_are")

    found = parsed(made)
    assert values(found["x"])[:3] == [1.0, -1.0, 5.0]
    assert values(found["number"])[:3] == [2, 3, 4]
    assert values(found["tags"])[:3] == [[b"a", b"b"], [b"d"], []]
    assert values(tf.sparse.to_dense(found["more"]))[:3] == [[b"c", b""], [b"", b""], [b"e", b"f"]]


def test_what_is_left_to_tfx_reads_such_a_schema_too(partly_described, tmp_path):
    """TFX's own implementation alone cannot; records, feature spec and schemas are those of the fast way."""
    fast = transform(tmp_path / "fast", *partly_described, f"{__name__}.as_they_are")
    left = transform(tmp_path / "left", *partly_described, f"{__name__}.informative")

    rows, specs = left.rows("train"), [_feature_spec(run) for run in (fast, left)]
    kept = [name for name in rows.schema.names if name != "index"]
    assert_equal_rows(pa.Table.from_batches([rows]).select(kept).to_batches()[0], fast.rows("train"))
    assert specs[1].pop("index") is not None
    assert specs[0] == specs[1]
    assert [sorted(tokens.splitlines()) for tokens in vocabularies(left).values()] == [[b"a", b"d"]]
    for written in ("transform_graph/metadata", "pre_transform_schema"):
        fast_one, left_one = (
            protos.read_text(f"{run.folder}/{written}/schema.pbtxt", schema_pb2.Schema)
            for run in (fast, left)
        )
        assert fast_one == left_one, written


def _feature_spec(run):
    return tft.TFTransformOutput(run.path("transform_graph")).transformed_feature_spec()


def as_they_are(inputs):
    """The features, by name."""
    return {name: inputs[name] for name in ("x", "number", "tags", "more")}


def informative(inputs):
    """The same, and a vocabulary by mutual information, which TFX's own implementation finds."""
    first = inputs["tags"].to_tensor(default_value="a", shape=[None, 1])[:, 0]
    index = tft.compute_and_apply_vocabulary(first, labels=inputs["number"] % 2)
    return {**as_they_are(inputs), "index": index}


@pytest.mark.parametrize(
    ("function", "problem", "fix"),
    [
        ("int32_output", "output 'letters' is int32, and a tf.Example holds", "tf.cast(letters, tf.int64)"),
        (
            "unknown_width",
            "output 'tags' has rows of unknown size (?)",
            "tf.ensure_shape(tags, [None, width])",
        ),
        (
            "compares_sparse",
            "'maybe' has rows without value (train 160 of 200, eval 80 of 100)",
            "headrace.features.dense",
        ),
    ],
)
def test_what_cannot_be_written_is_named_with_its_cure(function, problem, fix, examples, schema, tmp_path):
    """The output or the feature, where the function stands, and the call that helps."""
    with pytest.raises(UserFunctionError) as caught:
        transform(tmp_path, examples, schema, f"transform_functions.{function}")

    assert f"{function} in transform_functions.py:" in caught.value.problem
    assert problem in caught.value.problem
    assert fix in caught.value.fix


def test_a_deprecated_feature_is_told_from_a_wrong_name(examples, tmp_path):
    """SchemaGen marks a feature so whose splits disagree; the function would see a bare KeyError."""
    given = odd_schema()
    given.feature[0].lifecycle_stage = schema_pb2.DEPRECATED

    with pytest.raises(UserFunctionError, match="the schema marks feature 'x' DEPRECATED"):
        transform(tmp_path, examples, make_schema(tmp_path, given), "transform_functions.no_analyzer")


@pytest.mark.parametrize(
    ("make", "problem", "fix"),
    [
        (lambda: tf.constant([True]), "is bool", "tf.cast(x, tf.int64)"),
        (lambda: tf.constant([1.0], tf.float64), "is float64", "tf.cast(x, tf.float32)"),
        (lambda: tf.constant([1j]), "is complex128", "return numbers or strings"),
        (lambda: tf.constant(1.0), "is a single value", "tf.fill(tf.shape("),
        (lambda: 1.0, "is a float", "return one tensor"),
        (lambda: {"nested": tf.constant([1])}, "is a dict", "return one tensor"),
        (
            lambda: tf.sparse.SparseTensor([[0]], [1.0], [2]),
            "is a sparse tensor with 1 dimension",
            "tf.sparse.reshape(x, [-1, 1])",
        ),
        (
            lambda: tf.py_function(lambda: 1.0, [], tf.float32),
            "has an unknown number of dimensions",
            "tf.ensure_shape(x, [None, width])",
        ),
        (
            lambda: tf.RaggedTensor.from_row_lengths(
                tf.RaggedTensor.from_uniform_row_length(tf.range(4.0), 2), [1, 1]
            ),
            "describes only those whose dimensions of fixed size come last",
            "x.to_tensor(shape=[None, ...])",
        ),
    ],
)
def test_each_form_that_has_no_tf_example_is_told_with_its_cure(make, problem, fix):
    """Before TFT meets it, whose words name neither the output's place nor a cast."""
    with tf.Graph().as_default(), pytest.raises(UserFunctionError) as caught:
        check_outputs({"x": make()}, "Transform: preprocessing_fn in features.py:1")

    assert caught.value.problem.startswith("Transform: preprocessing_fn in features.py:1: output 'x' ")
    assert problem in caught.value.problem
    assert fix in caught.value.fix


@pytest.mark.parametrize("part", ["ragged_values", "row_lengths_1"])
def test_an_output_named_like_a_part_of_another_is_told(part: str):
    """TFT would infer two features of one name, and tfx_bsl find that out with a bare assertion."""
    ragged = tf.ragged.constant([[1], [2, 3]], tf.int64)
    with pytest.raises(
        UserFunctionError, match=rf"output 'x\${part}' has the name under which a part of output 'x'"
    ):
        check_outputs({"x": ragged, f"x${part}": tf.constant([1, 2], tf.int64)}, "here")

    check_outputs({"x": ragged.to_tensor(), f"x${part}": tf.constant([1, 2], tf.int64)}, "here")


def test_a_model_gets_from_records_what_it_gets_from_the_graph(ours, examples):
    """Every form is dense for the short form, in training (records) as in serving (the graph)."""
    features = read_transformed(ours.path("transform_graph"))
    records = list(
        tf.data.TFRecordDataset(
            sorted(glob.glob(f"{ours.path('transformed_examples')}/Split-train/*")), "GZIP"
        ).as_numpy_iterator()
    )
    raw = list(
        tf.data.TFRecordDataset(
            sorted(glob.glob(f"{examples.uri}/Split-train/*")), "GZIP"
        ).as_numpy_iterator()
    )

    trained = readers.ExampleReader(features).read(tf.constant(records), features)
    served = readers.TransformReader(ours.path("transform_graph")).read(tf.constant(raw), features)

    assert {name: feature.shape for name, feature in features.items()} == {
        "characters": (None, None),
        "corners": (None, None),
        "cube": (2, 2),
        "dense": (2,),
        "flat": (None,),
        "lengths": (None,),
        "nested": (None, None, None),
        "pairs": (None, 2),
        "squares": (None, None, 2, 2),
        "tags": (None,),
        "words": (None,),
        "z_lengths": (None,),
    }
    for name, one in trained.items():
        assert one.shape == served[name].shape
        if one.dtype == tf.string:
            assert (one.numpy() == served[name].numpy()).all(), name
        else:
            np.testing.assert_allclose(one, served[name], rtol=1e-5, err_msg=name)
    assert "sparse outputs with gaps, 'flat'" in ours.summary("transform_graph")
