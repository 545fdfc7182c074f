"""ImportExampleGen against stock TFX's, for each format of records; what it refuses."""

from __future__ import annotations

import glob
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from conftest_example_gen import data, deterministic, files, records, run, table_of_all_types
from data_validation import taxi_records
from tfx.components.example_gen.import_example_gen import executor as stock_import
from tfx.proto import example_gen_pb2

from headrace.components.example_gen import ImportExampleGen
from headrace.components.example_gen.import_executor import Executor as ImportExecutor
from headrace.errors import MalformedFileError
from headrace.formats.examples import tfrecord

_ = (data,)  # fixtures


@pytest.fixture(scope="module")
def taxi_files(tmp_path_factory):
    """The taxi Examples as files to import: of one split, in this form and in stock TFX's random order."""
    folder = tmp_path_factory.mktemp("taxi")
    given = folder / "data"
    given.mkdir()
    parsed = [tf.train.Example.FromString(record) for record in taxi_records(1_000)]
    with tfrecord.Writer(str(given / "a.gz")) as writer:
        writer.write([one.SerializeToString(deterministic=True) for one in parsed[:600]])
    with tfrecord.Writer(str(given / "b")) as writer:
        writer.write([one.SerializeToString() for one in parsed[600:]])
    return given


@pytest.mark.parametrize("payload", ["FORMAT_TF_EXAMPLE", "FORMAT_PROTO"])
def test_import_equals_stock(taxi_files, tmp_path, payload):
    """Gzip and plain files together."""
    component = ImportExampleGen(
        str(taxi_files), payload_format=example_gen_pb2.PayloadFormat.Value(payload), num_shards=3
    )
    ours = run(ImportExecutor, component, tmp_path / "ours")
    theirs = run(stock_import.Executor, component, tmp_path / "stock")
    for split in ("train", "eval"):
        assert deterministic(records(ours, split)) == deterministic(records(theirs, split))
        assert len(os.listdir(os.path.join(ours.uri, f"Split-{split}"))) == 3
    assert ours.get_string_custom_property("payload_format") == payload


def test_import_of_sequence_examples_equals_stock(data, tmp_path):
    """The other proto that TFX knows."""
    made = []
    for row in range(50):
        proto = tf.train.SequenceExample()
        proto.context.feature["id"].int64_list.value.append(row)
        proto.context.feature["name"].bytes_list.value.append(b"n")
        proto.feature_lists.feature_list["steps"].feature.add().float_list.value.append(row / 3)
        made.append(proto.SerializeToString())
    with tfrecord.Writer(str(data / "a")) as writer:
        writer.write(made)
    component = ImportExampleGen(str(data), payload_format=example_gen_pb2.FORMAT_TF_SEQUENCE_EXAMPLE)
    ours = run(ImportExecutor, component, tmp_path / "ours")
    theirs = run(stock_import.Executor, component, tmp_path / "stock")
    for split in ("train", "eval"):
        kind = tf.train.SequenceExample
        assert deterministic(records(ours, split), kind) == deterministic(records(theirs, split), kind)


def test_import_of_parquet_equals_stock(data, tmp_path):
    """Rows are copied, each into the split of stock TFX."""
    table = table_of_all_types(90).append_column("when", pa.array(range(90), pa.timestamp("us")))
    pq.write_table(table, data / "a.parquet")
    component = ImportExampleGen(str(data), payload_format=example_gen_pb2.FORMAT_PARQUET)
    ours = run(ImportExecutor, component, tmp_path / "ours")
    theirs = run(stock_import.Executor, component, tmp_path / "stock")
    for split in ("train", "eval"):
        rows = []
        for made in (ours, theirs):
            paths = glob.glob(os.path.join(made.uri, f"Split-{split}", "*.parquet"))
            tables = [pq.read_table(path).to_pylist() for path in paths]
            rows.append(sorted((row for table in tables for row in table), key=lambda row: str(row["text"])))
        assert repr(rows[0]) == repr(rows[1])
        assert rows[0]


def test_import_of_what_is_no_tfrecord(data, tmp_path):
    """A CSV, for example."""
    (data / "a").write_text("some,csv,header\n1,2,3\n")
    with pytest.raises(MalformedFileError) as caught:
        run(ImportExecutor, ImportExampleGen(str(data)), tmp_path / "out")
    assert caught.value.problem == (
        f"example_gen: {data}/a: record 1 does not start where it should: not a TFRecord file, or damaged."
    )
    assert os.listdir(tmp_path / "out") == []


def test_import_of_a_damaged_file(data, taxi_files, tmp_path):
    """Cut in the middle."""
    (data / "b").write_bytes((taxi_files / "b").read_bytes()[:-9])
    with pytest.raises(MalformedFileError) as caught:
        run(ImportExecutor, ImportExampleGen(str(data)), tmp_path / "out")
    assert caught.value.problem == f"example_gen: {data}/b: cut short after record 399."
    assert os.listdir(tmp_path / "out") == []


def test_import_of_other_records(data, tmp_path):
    """Records that are no tf.Example are named by their number."""
    with tfrecord.Writer(str(data / "a")) as writer:
        writer.write([tf.train.Example().SerializeToString(), b"\xff\xff"])
    with pytest.raises(MalformedFileError) as caught:
        run(ImportExecutor, ImportExampleGen(str(data)), tmp_path / "out")
    assert caught.value.problem.startswith(f"example_gen: {data}/a: record 2 is not a tensorflow.Example: ")


def test_import_is_repeatable(taxi_files, tmp_path):
    """Equal input gives equal bytes."""
    one = run(ImportExecutor, ImportExampleGen(str(taxi_files)), tmp_path / "one")
    two = run(ImportExecutor, ImportExampleGen(str(taxi_files)), tmp_path / "two")
    assert files(one.uri) == files(two.uri)
