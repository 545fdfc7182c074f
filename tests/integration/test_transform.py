"""Transform against stock TFX's on the taxi data: rows, vocabularies, schemas, statistics, cache."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_transform as tft
from conftest_transform import (
    STATISTICS,
    TAXI_FUNCTION,
    assert_equal_rows,
    taxi_examples,
    taxi_schema,
    transform,
    tree,
    vocabularies,
)
from data_validation import taxi_records
from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2
from tfx.components.transform import component as stock_component
from tfx.types import standard_component_specs

from headrace.components.transform.component import Transform, TransformSpec
from headrace.formats import protos
from headrace.testing import make_examples


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    """1,000 taxi rows in one file for each split; with several files, stock TFX mixes rows."""
    records = taxi_records(1_000)
    return make_examples(tmp_path_factory.mktemp("taxi"), {"train": records[:700], "eval": records[700:]})


@pytest.fixture(scope="module")
def stock(tmp_path_factory, examples):
    """Stock TFX's outputs, made once."""
    folder = tmp_path_factory.mktemp("stock")
    return transform(folder, examples, taxi_schema(), TAXI_FUNCTION, stock=True)


@pytest.fixture(scope="module")
def ours(tmp_path_factory, examples):
    """Headrace's outputs, made once."""
    return transform(tmp_path_factory.mktemp("ours"), examples, taxi_schema(), TAXI_FUNCTION)


def test_the_spec_is_the_stock_one():
    """Keys, types and flags, so that either executor takes either declaration."""
    theirs = standard_component_specs.TransformSpec
    for ours_part, their_part in (
        (TransformSpec.PARAMETERS, theirs.PARAMETERS),
        (TransformSpec.INPUTS, theirs.INPUTS),
        (TransformSpec.OUTPUTS, theirs.OUTPUTS),
    ):
        assert {key: (p.type, p.optional) for key, p in ours_part.items()} == {
            key: (p.type, p.optional) for key, p in their_part.items()
        }
    assert TransformSpec.TYPE_ANNOTATION == theirs.TYPE_ANNOTATION
    assert (
        f"{stock_component.Transform.__module__}.{stock_component.Transform.__qualname__}"
    ) == Transform.TFX_TYPE


@pytest.mark.parametrize("split", ["train", "eval"])
def test_rows_equal_those_of_stock(ours, stock, split):
    """The same features; floats within rounding."""
    assert_equal_rows(ours.rows(split), stock.rows(split))


def test_files_lie_where_those_of_stock_lie(ours, stock):
    """Every output, down to the names of shards and cache entries."""
    for key in ours.outputs:
        assert tree(ours.path(key)) == tree(stock.path(key)), key


def test_vocabularies_and_schemas_equal_those_of_stock(ours, stock):
    """Byte for byte."""
    assert vocabularies(ours) == vocabularies(stock)
    for key, name in (
        ("pre_transform_schema", "schema.pbtxt"),
        ("post_transform_schema", "schema.pbtxt"),
        ("transform_graph", "metadata/schema.pbtxt"),
        ("transform_graph", "transformed_metadata/schema.pbtxt"),
        ("transform_graph", "transformed_metadata/asset_map"),
    ):
        assert Path(ours.path(key), name).read_text() == Path(stock.path(key), name).read_text(), name


@pytest.mark.parametrize("key", ["pre_transform_stats", "post_transform_stats"])
def test_statistics_agree_with_those_of_stock(ours, stock, key):
    """Counts, top values and lengths equal; moments within rounding."""
    found, expected = (
        protos.read_binary(f"{run.path(key)}/FeatureStats.pb", statistics_pb2.DatasetFeatureStatisticsList)
        for run in (ours, stock)
    )
    by_name = {feature.path.step[0]: feature for feature in found.datasets[0].features}
    assert found.datasets[0].num_examples == expected.datasets[0].num_examples
    assert set(by_name) == {feature.path.step[0] for feature in expected.datasets[0].features}
    for feature in expected.datasets[0].features:
        other = by_name[feature.path.step[0]]
        assert other.type == feature.type
        assert other.string_stats == feature.string_stats
        assert other.num_stats.common_stats == feature.num_stats.common_stats
        assert other.num_stats.mean == pytest.approx(feature.num_stats.mean, rel=1e-5, abs=1e-6)
        assert other.num_stats.std_dev == pytest.approx(feature.num_stats.std_dev, rel=1e-5, abs=1e-6)


def test_anomalies_equal_those_of_stock(ours, stock):
    """None in both."""
    name = "post_transform_anomalies/SchemaDiff.pb"
    found, expected = (
        protos.read_binary(str(run.folder / name), anomalies_pb2.Anomalies) for run in (ours, stock)
    )
    assert found == expected


def test_the_cache_has_the_keys_of_stock(ours, stock):
    """So each continues the other's cache."""
    (ours_manifest,), (stock_manifest,) = (
        [
            pickle.loads(path.read_bytes())
            for path in Path(run.path("updated_analyzer_cache")).glob("*/MANIFEST")
        ]
        for run in (ours, stock)
    )
    assert ours_manifest.keys() == stock_manifest.keys()


def test_the_graph_serves_what_was_trained_on(ours):
    """`tft.TFTransformOutput` reads the graph, and computes the rows that were written."""
    output = tft.TFTransformOutput(ours.path("transform_graph"))
    features = tf.io.parse_example(taxi_records(1_000)[700:], output.raw_feature_spec())

    made = output.transform_features_layer()(features)

    rows = ours.rows("eval")
    for name in ("fare_xf", "company_xf", "pickup_latitude_xf"):
        column = rows.column(rows.schema.get_field_index(name)).flatten().to_numpy()
        assert made[name].numpy() == pytest.approx(column)
    assert output.vocabulary_size_by_name("vocab_compute_and_apply_vocabulary_vocabulary") > 1


def test_what_was_made_is_said_in_one_line(ours):
    """The final table shows it."""
    assert ours.summary("transform_graph") == "17 features, 2 vocabularies"
    assert ours.summary("transformed_examples") == "train 700 rows, eval 300 rows"
    assert ours.outputs["transformed_examples"][0].split_names == '["train", "eval"]'


_RUN_ALONE = """
import os, sys
from pathlib import Path
sys.path[:0] = [sys.argv[1]]
import headrace.components.transform.executor, headrace.components.transform.stock
assert "TF_USE_LEGACY_KERAS" not in os.environ
import keras
assert keras.__version__.startswith("3.")
from conftest_transform import TAXI_FUNCTION, taxi_schema, transform, standard_artifacts
examples = standard_artifacts.Examples()
examples.uri, examples.split_names = sys.argv[2], '["train", "eval"]'
transform(Path(sys.argv[3]), examples, taxi_schema(), TAXI_FUNCTION)
"""


def test_equal_input_makes_equal_bytes_and_keras_stays_keras_3(examples, tmp_path):
    """In other processes and folders: the cache of runs compares contents.

    TFT would make every later `tf.keras` Keras 2, there and in processes started from there.
    """
    environment = {key: value for key, value in os.environ.items() if key != "TF_USE_LEGACY_KERAS"}
    folders = [tmp_path / "one", tmp_path / "other_folder"]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", _RUN_ALONE, os.path.dirname(__file__), examples.uri, str(folder)],
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for folder in folders
    ]
    for process in processes:
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors

    one, other = folders
    for key in ("transform_graph", "transformed_examples", "updated_analyzer_cache", *STATISTICS):
        for path in tree(str(one / key)):
            assert (one / key / path).read_bytes() == (other / key / path).read_bytes(), path


def test_several_files_give_the_same_analysis_and_as_many_files(ours, tmp_path):
    """Accumulators of files are merged."""
    run = transform(tmp_path / "run", taxi_examples(tmp_path / "data", 1_050), taxi_schema(), TAXI_FUNCTION)

    assert tree(os.path.join(run.path("transformed_examples"), "Split-train")) == [
        "transformed_examples-00000-of-00002.gz",
        "transformed_examples-00001-of-00002.gz",
    ]
    assert vocabularies(run) == vocabularies(ours)
    assert_equal_rows(run.rows("train"), ours.rows("train"))
