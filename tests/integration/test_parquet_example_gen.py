"""ParquetExampleGen against stock TFX's; files whose columns differ, files that are none."""

from __future__ import annotations

import glob
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from conftest_example_gen import data, deterministic, records, run, table_of_all_types
from tfx.components.example_gen.custom_executors import parquet_executor as stock_parquet
from tfx.proto import example_gen_pb2

from headrace.components.example_gen import ImportExampleGen, ParquetExampleGen
from headrace.components.example_gen.import_executor import Executor as ImportExecutor
from headrace.components.example_gen.parquet_executor import Executor as ParquetExecutor
from headrace.errors import DataError, EmptyDataError, MalformedFileError, UnsupportedColumnError

_ = (data,)  # fixtures


def test_parquet_equals_stock(data, tmp_path):
    """Every type that has a form in tf.Example, in several files and row groups."""
    pq.write_table(table_of_all_types(), data / "a.parquet", row_group_size=100)
    pq.write_table(table_of_all_types().slice(50, 99), data / "b.parquet")
    component = ParquetExampleGen(str(data), num_shards=2)
    ours = run(ParquetExecutor, component, tmp_path / "ours")
    theirs = run(stock_parquet.Executor, component, tmp_path / "stock")
    for split in ("train", "eval"):
        assert deterministic(records(ours, split)) == deterministic(records(theirs, split))
        assert len(os.listdir(os.path.join(ours.uri, f"Split-{split}"))) == 2


def test_parquet_keeps_zeros_and_the_split_of_stock(data, tmp_path):
    """Stock TFX records 0, False and '' as missing. Here they stay, and the rows fall as they fall there."""
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


REFUSED = {
    "a type without a form": (
        [pa.table({"when": pa.array([1], pa.timestamp("us"))})],
        UnsupportedColumnError,
        "{data}/a.parquet: column 'when' has type timestamp[us], which has no tf.Example form. "
        "Integers, floats, booleans, text, bytes and lists of these have one.",
    ),
    "a null in a list": (
        [pa.table({"x": pa.array([[1, None]])})],
        DataError,
        "{data}/a.parquet: column 'x' has a list with a null in it, which tf.Example cannot hold.",
    ),
    "another type in another file": (
        [pa.table({"x": [1], "y": [1]}), pa.table({"x": [1.5], "z": [1]})],
        MalformedFileError,
        "{data}/b.parquet: column 'x' is double, and int64 in {data}/a.parquet.",
    ),
    "two columns of one name": (
        [pa.table([pa.array([1]), pa.array(["x"])], names=["a", "a"])],
        MalformedFileError,
        "{data}/a.parquet has 2 columns named 'a' (columns 1, 2 of 2).",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_form_or_no_one_meaning_is_refused(data, tmp_path, name):
    """The file and the column are named, with their types."""
    tables, error, problem = REFUSED[name]
    for letter, table in zip("ab", tables):
        pq.write_table(table, data / f"{letter}.parquet")

    with pytest.raises(error) as caught:
        run(ParquetExecutor, ParquetExampleGen(str(data)), tmp_path / "out")

    assert caught.value.problem == f"example_gen: {problem.format(data=data)}"


def test_a_number_that_is_too_large_is_refused(data, tmp_path):
    """The file, the column and its type are named."""
    pq.write_table(pa.table({"x": pa.array([2**63], pa.uint64())}), data / "a.parquet")

    with pytest.raises(DataError) as caught:
        run(ParquetExecutor, ParquetExampleGen(str(data)), tmp_path / "out")

    assert caught.value.problem.startswith(
        f"example_gen: {data}/a.parquet: column 'x' of type uint64 holds a value that does not fit: "
    )


def test_columns_of_one_name_are_refused_where_parquet_is_imported(data, tmp_path):
    """As in CSV: of two features of one name a reader would keep the last."""
    [table], error, problem = REFUSED["two columns of one name"]
    pq.write_table(table, data / "a.parquet")

    with pytest.raises(error) as caught:
        run(
            ImportExecutor,
            ImportExampleGen(str(data), payload_format=example_gen_pb2.FORMAT_PARQUET),
            tmp_path / "out",
        )

    assert caught.value.problem == f"example_gen: {problem.format(data=data)}"


def test_parquet_without_rows(data, tmp_path):
    """A file with columns only."""
    pq.write_table(pa.table({"x": pa.array([], pa.int64())}), data / "a.parquet")
    with pytest.raises(EmptyDataError) as caught:
        run(ParquetExecutor, ParquetExampleGen(str(data)), tmp_path / "out")
    assert caught.value.problem == f"example_gen: the files that match '*' in '{data}' hold no rows."
    assert os.listdir(tmp_path / "out") == []


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


def test_parquet_that_is_none(data, tmp_path):
    """Text under that name."""
    (data / "a.parquet").write_text("no parquet, but text of some length")
    with pytest.raises(MalformedFileError) as caught:
        run(ParquetExecutor, ParquetExampleGen(str(data)), tmp_path / "out")
    assert caught.value.problem.startswith(
        f"example_gen: {data}/a.parquet is not a Parquet file, or damaged: "
    )
