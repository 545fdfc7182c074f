"""ParquetExampleGen and ImportExampleGen against stock TFX's, and the encoder below them."""

from __future__ import annotations

import glob
import math
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from conftest_example_gen import TAXI, deterministic, files, records, run
from hypothesis import given, settings
from hypothesis import strategies as st
from tfx.components.example_gen.custom_executors import parquet_executor as stock_parquet
from tfx.components.example_gen.import_example_gen import executor as stock_import
from tfx.proto import example_gen_pb2

from headrace.components.example_gen import CsvExampleGen, ImportExampleGen, ParquetExampleGen
from headrace.components.example_gen.csv_executor import Executor as CsvExecutor
from headrace.components.example_gen.import_executor import Executor as ImportExecutor
from headrace.components.example_gen.import_executor import ProtoRows
from headrace.components.example_gen.parquet_executor import Executor as ParquetExecutor
from headrace.errors import DataError, EmptyDataError, MalformedFileError, UnsupportedColumnError
from headrace.io import artifacts, example_encoder, examples, tfrecord

_INT64 = st.integers(-(2**63), 2**63 - 1)


def _table(num_rows=300):
    chooser = np.random.default_rng(7)
    return pa.table(
        {
            "int": pa.array(chooser.integers(1, 1000, num_rows)),
            "missing": pa.array([None if row % 3 else row + 1 for row in range(num_rows)]),
            "float": pa.array(chooser.random(num_rows) + 0.5),
            "nan": pa.array([math.nan] * num_rows),
            "single": pa.array(chooser.random(num_rows) + 0.5, pa.float32()),
            "text": pa.array([f"tëxt {row}" for row in range(num_rows)]),
            "bytes": pa.array([b"bytes %d" % row for row in range(num_rows)]),
            "list": pa.array([[1] * (row % 4) for row in range(num_rows)]),
            "texts": pa.array([["a", "b"], None, []] * (num_rows // 3)),
            "dictionary": pa.array(["x", "y", "z"] * (num_rows // 3)).dictionary_encode(),
            "small": pa.array([7] * num_rows, pa.int8()),
        }
    )


@pytest.mark.parametrize("split", ["train", "eval"])
def test_parquet_equals_stock(tmp_path, split):
    """Every type that has a form in tf.Example, in several files and row groups."""
    data = tmp_path / "data"
    data.mkdir()
    pq.write_table(_table(), data / "a.parquet", row_group_size=100)
    pq.write_table(_table().slice(50, 99), data / "b.parquet")
    component = ParquetExampleGen(str(data), num_shards=2)
    ours = run(ParquetExecutor, component, tmp_path / "ours")
    theirs = run(stock_parquet.Executor, component, tmp_path / "stock")
    assert deterministic(records(ours, split)) == deterministic(records(theirs, split))
    assert len(os.listdir(os.path.join(ours.uri, f"Split-{split}"))) == 2


def test_parquet_keeps_zeros_and_the_split_of_stock(tmp_path):
    """Stock TFX records 0, False and '' as missing. Here they stay, and the rows fall as they fall there."""
    data = tmp_path / "data"
    data.mkdir()
    count = 60
    table = pa.table(
        {
            "row": list(range(1, count + 1)),
            "zero": [0] * count,
            "real": [0.0] * count,
            "no": [False, True] * (count // 2),
            "text": [""] * count,
        }
    )
    pq.write_table(table, data / "a.parquet")
    component = ParquetExampleGen(str(data))
    ours = run(ParquetExecutor, component, tmp_path / "ours")
    theirs = run(stock_parquet.Executor, component, tmp_path / "stock")

    def rows(made, split):
        parsed = [tf.train.Example.FromString(record).features.feature for record in records(made, split)]
        return {features["row"].int64_list.value[0]: features for features in parsed}

    for split in ("train", "eval"):
        mine, stocks = rows(ours, split), rows(theirs, split)
        assert sorted(mine) == sorted(stocks)
        features = next(iter(mine.values()))
        assert features["zero"].int64_list.value == [0]
        assert features["real"].float_list.value == [0.0]
        assert features["text"].bytes_list.value == [b""]


def test_parquet_column_without_a_form(tmp_path):
    """The file, the column and its type are named."""
    data = tmp_path / "data"
    data.mkdir()
    pq.write_table(pa.table({"when": pa.array([1], pa.timestamp("us"))}), data / "a.parquet")
    with pytest.raises(UnsupportedColumnError) as caught:
        run(ParquetExecutor, ParquetExampleGen(str(data)), tmp_path / "out")
    assert caught.value.problem == (
        f"example_gen: {data}/a.parquet: column 'when' has type timestamp[us], which has no tf.Example form. "
        "Integers, floats, booleans, text, bytes and lists of these have one."
    )


def test_parquet_without_rows(tmp_path):
    """A file with columns only."""
    data = tmp_path / "data"
    data.mkdir()
    pq.write_table(pa.table({"x": pa.array([], pa.int64())}), data / "a.parquet")
    with pytest.raises(EmptyDataError) as caught:
        run(ParquetExecutor, ParquetExampleGen(str(data)), tmp_path / "out")
    assert caught.value.problem == f"example_gen: the files that match '*' in '{data}' hold no rows."
    assert os.listdir(tmp_path / "out") == []


def _write_csv(path, num_rows):
    path.write_text("x\n" + "".join(f"{row}\n" for row in range(num_rows)))


def _write_parquet(path, num_rows):
    pq.write_table(pa.table({"x": pa.array(range(num_rows), pa.int64())}), path)


def _write_records(path, num_rows):
    with tfrecord.Writer(str(path)) as writer:
        writer.write([tf.train.Example().SerializeToString()] * num_rows)


@pytest.mark.parametrize("payload", ["FORMAT_TF_EXAMPLE", "FORMAT_PARQUET"])
@pytest.mark.parametrize("kind", ["csv", "parquet", "imported"])
def test_a_split_without_rows_goes_through_where_another_has_some(tmp_path, kind, payload):
    """It has its files, the reader is told, and its columns are there for what reads Parquet."""
    is_parquet = payload == "FORMAT_PARQUET"
    payload_format = example_gen_pb2.PayloadFormat.Value(payload)
    write = {"csv": _write_csv, "parquet": _write_parquet}.get(
        kind, _write_parquet if is_parquet else _write_records
    )
    for name, num_rows in (("train", 5), ("eval", 0)):
        (tmp_path / name).mkdir()
        write(tmp_path / name / "rows", num_rows)
    splits = [example_gen_pb2.Input.Split(name=name, pattern=f"{name}/*") for name in ("train", "eval")]
    given = {"input_base": str(tmp_path), "input_config": example_gen_pb2.Input(splits=splits)}
    executor, component = {
        "csv": (CsvExecutor, CsvExampleGen(**given)),
        "parquet": (ParquetExecutor, ParquetExampleGen(**given)),
        "imported": (ImportExecutor, ImportExampleGen(**given, payload_format=payload_format)),
    }[kind]

    artifact = run(executor, component, tmp_path / "out", output_data_format=payload_format)

    assert artifact.get_string_custom_property("headrace_summary") == (
        "train 5 rows, eval 0 rows; note: the files that match 'eval/*' hold no rows"
    )
    (path,) = artifacts.split_files(artifact, "eval")
    assert sum(batch.num_rows for batch in examples.read_file(path, payload)) == 0
    assert not is_parquet or pq.read_schema(path).names == ["x"]


def test_a_parquet_column_of_another_type_is_refused(tmp_path):
    """Both files and both types are named."""
    data = tmp_path / "data"
    data.mkdir()
    pq.write_table(pa.table({"x": [1], "y": [1]}), data / "a.parquet")
    pq.write_table(pa.table({"x": [1.5], "z": [1]}), data / "b.parquet")
    with pytest.raises(MalformedFileError) as caught:
        run(ParquetExecutor, ParquetExampleGen(str(data)), tmp_path / "out")
    assert caught.value.problem == (
        f"example_gen: {data}/b.parquet: column 'x' is double, and int64 in {data}/a.parquet."
    )


def _evolving_files(folder):
    """Three files: a column comes, one goes, numbers become wider, one holds nulls alone at first."""
    folder.mkdir()
    vectors = pa.array([[float(row), 1.0] for row in range(1, 21)], pa.list_(pa.float32(), 2))
    pq.write_table(
        pa.table(
            {
                "id": pa.array(range(1, 21), pa.int32()),
                "real": pa.array([0.5] * 20, pa.float32()),
                "late": pa.nulls(20),
                "gone": ["old"] * 20,
            }
        ),
        folder / "2022.parquet",
    )
    for year, first in ((2023, 21), (2024, 41)):
        pq.write_table(
            pa.table(
                {
                    "vector": vectors,
                    "id": pa.array(range(first, first + 20), pa.int64()),
                    "real": pa.array([1.5] * 20, pa.float64()),
                    "late": pa.array(["new"] * 20, pa.large_string()),
                }
            ),
            folder / f"{year}.parquet",
        )


def test_parquet_columns_that_come_and_go_equal_stock(tmp_path):
    """Rows of a file without a column lack the feature; narrower numbers and nulls take the type of the others."""
    _evolving_files(tmp_path / "data")
    component = ParquetExampleGen(str(tmp_path / "data"))
    ours = run(ParquetExecutor, component, tmp_path / "ours")
    theirs = run(stock_parquet.Executor, component, tmp_path / "stock")
    for split in ("train", "eval"):
        assert deterministic(records(ours, split)) == deterministic(records(theirs, split))
        assert records(ours, split)


@pytest.mark.parametrize("component", ["parquet", "import"])
def test_parquet_columns_that_come_and_go_in_parquet(tmp_path, component):
    """Files that are written have the columns of all files that were read, with nulls where one was missing."""
    _evolving_files(tmp_path / "data")
    executor, made_by = {
        "parquet": (ParquetExecutor, ParquetExampleGen(str(tmp_path / "data"), output_data_format=15)),
        "import": (
            ImportExecutor,
            ImportExampleGen(str(tmp_path / "data"), payload_format=example_gen_pb2.FORMAT_PARQUET),
        ),
    }[component]
    made = run(executor, made_by, tmp_path / "out")
    rows = []
    for path in glob.glob(os.path.join(made.uri, "Split-*", "*.parquet")):
        table = pq.read_table(path)
        assert table.column_names == ["id", "real", "late", "gone", "vector"]
        rows += [
            {
                name: value[0] if isinstance(value, list) and name != "vector" else value
                for name, value in row.items()
            }
            for row in table.to_pylist()
        ]
    rows.sort(key=lambda row: row["id"])
    assert [row["id"] for row in rows] == list(range(1, 61))
    assert [row["late"] for row in rows[18:22]] == [None, None, *[rows[20]["late"]] * 2]
    assert rows[0]["vector"] is None
    assert rows[20]["vector"] == [1.0, 1.0]
    assert rows[20]["gone"] is None


def test_parquet_columns_of_one_name_are_refused(tmp_path):
    """As in CSV: of two features of one name a reader would keep the last."""
    data = tmp_path / "data"
    data.mkdir()
    pq.write_table(pa.table([pa.array([1]), pa.array(["x"])], names=["a", "a"]), data / "a.parquet")
    for executor, component in (
        (ParquetExecutor, ParquetExampleGen(str(data))),
        (ImportExecutor, ImportExampleGen(str(data), payload_format=example_gen_pb2.FORMAT_PARQUET)),
    ):
        with pytest.raises(MalformedFileError) as caught:
            run(executor, component, tmp_path / "out")
        assert caught.value.problem == (
            f"example_gen: {data}/a.parquet has 2 columns named 'a' (columns 1, 2 of 2)."
        )


def test_parquet_partition_feature_that_a_file_lacks(tmp_path):
    """The file is named, and what it has."""
    _evolving_files(tmp_path / "data")
    output = example_gen_pb2.Output(
        split_config=example_gen_pb2.SplitConfig(
            splits=[example_gen_pb2.SplitConfig.Split(name=name, hash_buckets=1) for name in ("a", "b")],
            partition_feature_name="gone",
        )
    )
    with pytest.raises(DataError) as caught:
        run(
            ParquetExecutor, ParquetExampleGen(str(tmp_path / "data"), output_config=output), tmp_path / "out"
        )
    assert caught.value.problem == (
        f"example_gen: {tmp_path}/data/2023.parquet: there is no column 'gone', which partition_feature_name "
        "names. There is 'id', 'late', 'real', 'vector'."
    )


def test_parquet_that_is_none(tmp_path):
    """Text under that name."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "a.parquet").write_text("no parquet, but text of some length")
    with pytest.raises(MalformedFileError) as caught:
        run(ParquetExecutor, ParquetExampleGen(str(data)), tmp_path / "out")
    assert caught.value.problem.startswith(
        f"example_gen: {data}/a.parquet is not a Parquet file, or damaged: "
    )


@pytest.mark.parametrize(
    ("column", "words"),
    [
        (pa.array([[1, None]]), "has a list with a null in it, which tf.Example cannot hold."),
        (pa.array([2**63], pa.uint64()), "of type uint64 holds a value that does not fit: "),
    ],
)
def test_parquet_value_without_a_form(tmp_path, column, words):
    """The file and column are named."""
    data = tmp_path / "data"
    data.mkdir()
    pq.write_table(pa.table({"x": column}), data / "a.parquet")
    with pytest.raises(DataError) as caught:
        run(ParquetExecutor, ParquetExampleGen(str(data)), tmp_path / "out")
    assert caught.value.problem.startswith(f"example_gen: {data}/a.parquet: column 'x' {words}")


@pytest.fixture(scope="module")
def taxi_files(tmp_path_factory):
    """The taxi Examples as files to import: of one split, in this form and in stock TFX's random order."""
    folder = tmp_path_factory.mktemp("taxi")
    made = run(CsvExecutor, CsvExampleGen(TAXI), folder / "made")
    data = folder / "data"
    data.mkdir()
    kept = records(made, "eval")[:1000]
    with tfrecord.Writer(str(data / "a.gz")) as writer:
        writer.write(kept[:600])
    with tfrecord.Writer(str(data / "b")) as writer:
        writer.write([tf.train.Example.FromString(record).SerializeToString() for record in kept[600:]])
    return data


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


def test_import_of_sequence_examples_equals_stock(tmp_path):
    """The other proto that TFX knows."""
    data = tmp_path / "data"
    data.mkdir()
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


def test_import_of_parquet_equals_stock(tmp_path):
    """Rows are copied, each into the split of stock TFX."""
    data = tmp_path / "data"
    data.mkdir()
    table = _table(90).append_column("when", pa.array(range(90), pa.timestamp("us")))
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


def test_import_of_what_is_no_tfrecord(tmp_path):
    """A CSV, for example."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "a").write_text("some,csv,header\n1,2,3\n")
    with pytest.raises(MalformedFileError) as caught:
        run(ImportExecutor, ImportExampleGen(str(data)), tmp_path / "out")
    assert caught.value.problem == (
        f"example_gen: {data}/a: record 1 does not start where it should: not a TFRecord file, or damaged."
    )
    assert os.listdir(tmp_path / "out") == []


def test_import_of_a_damaged_file(taxi_files, tmp_path):
    """Cut in the middle."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "b").write_bytes((taxi_files / "b").read_bytes()[:-9])
    with pytest.raises(MalformedFileError) as caught:
        run(ImportExecutor, ImportExampleGen(str(data)), tmp_path / "out")
    assert caught.value.problem == f"example_gen: {data}/b: cut short after record 399."
    assert os.listdir(tmp_path / "out") == []


def test_import_of_other_records(tmp_path):
    """Records that are no tf.Example are named by their number."""
    data = tmp_path / "data"
    data.mkdir()
    with tfrecord.Writer(str(data / "a")) as writer:
        writer.write([tf.train.Example().SerializeToString(), b"\xff\xff"])
    with pytest.raises(MalformedFileError) as caught:
        run(ImportExecutor, ImportExampleGen(str(data)), tmp_path / "out")
    assert caught.value.problem.startswith(f"example_gen: {data}/a: record 2 is not a tensorflow.Example: ")


@st.composite
def _columns(draw):
    kinds = {
        pa.int64(): _INT64,
        pa.float32(): st.floats(width=32),
        pa.binary(): st.binary(max_size=200),
    }
    num_rows = draw(st.integers(1, 8))
    names = draw(st.lists(st.text(max_size=5), min_size=1, max_size=5, unique=True))
    columns = []
    for _ in names:
        kind = draw(st.sampled_from([*kinds, None]))
        if kind is None:
            columns.append(pa.nulls(num_rows))
            continue
        cells = st.one_of(st.none(), st.lists(kinds[kind], max_size=4))
        values = draw(st.lists(cells, min_size=num_rows, max_size=num_rows))
        columns.append(pa.array(values, pa.list_(kind)))
    return pa.RecordBatch.from_arrays(columns, names)


def _as_proto(batch, row):
    example = tf.train.Example()
    example.features.SetInParent()
    for name, column in zip(batch.schema.names, batch.columns):
        feature, values = example.features.feature[name], column[row].as_py()
        if values is None:
            continue
        kind = column.type.value_type
        part = {pa.int64(): "int64_list", pa.float32(): "float_list", pa.binary(): "bytes_list"}[kind]
        getattr(feature, part).SetInParent()
        getattr(feature, part).value.extend(values)
    return example


@settings(max_examples=300, deadline=None)
@given(_columns())
def test_encoder_equals_protobuf(batch):
    """Byte for byte, for any names, values, lists and missing cells; and for slices of a batch."""
    expected = [_as_proto(batch, row).SerializeToString(deterministic=True) for row in range(batch.num_rows)]
    assert example_encoder.encode(batch).to_pylist() == expected
    assert example_encoder.encode(batch.slice(1)).to_pylist() == expected[1:]
    for name, column in zip(batch.schema.names, batch.columns):
        keys = [
            _as_proto(batch, row).features.feature[name].SerializeToString(deterministic=True)
            for row in range(batch.num_rows)
        ]
        assert example_encoder.encode_feature(column).to_pylist() == keys


@settings(max_examples=200, deadline=None)
@given(_columns(), st.data())
def test_imported_records_take_their_deterministic_form(batch, data):
    """Also where a row lacks a feature altogether, or has one without values."""
    protos = [_as_proto(batch, row) for row in range(batch.num_rows)]
    for proto in protos:
        for name in batch.schema.names:
            if data.draw(st.booleans()):
                del proto.features.feature[name]
    serialized = [proto.SerializeToString() for proto in protos]
    expected = [
        tf.train.Example.FromString(record).SerializeToString(deterministic=True) for record in serialized
    ]
    assert ProtoRows(serialized, tf.train.Example, "a", 1).records() == expected


def test_import_is_repeatable(taxi_files, tmp_path):
    """Equal input gives equal bytes."""
    one = run(ImportExecutor, ImportExampleGen(str(taxi_files)), tmp_path / "one")
    two = run(ImportExecutor, ImportExampleGen(str(taxi_files)), tmp_path / "two")
    assert files(one.uri) == files(two.uri)
