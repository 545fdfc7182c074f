"""Folders of partitioned Parquet, as Arrow writes them and reads them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from conftest_example_gen import records

from headrace import testing
from headrace.components import ParquetExampleGen
from headrace.components.example_gen.driver import ParquetDriver
from headrace.errors import MalformedFileError, MissingFileError
from headrace.sources.parquet import parquet_partitions
from headrace.sources.parquet.parquet_reader import ParquetReader


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two years of months, one of which nobody knows, beside what writers leave there."""
    table = pa.table(
        {
            "x": list(range(60)),
            "year": [2023 + n % 2 for n in range(60)],
            "month": [None if n % 10 == 0 else n % 3 for n in range(60)],
            "city": [("Köln a=b", "Ulm")[n % 2] for n in range(60)],
        }
    )
    folder = tmp_path / "data"
    schema = pa.schema([table.schema.field(name) for name in ("year", "month", "city")])
    ds.write_dataset(table, folder, format="parquet", partitioning=ds.partitioning(schema, flavor="hive"))
    (folder / "_SUCCESS").touch()
    pq.write_metadata(table.schema, folder / "_metadata")
    (folder / "year=2023" / "_temporary").mkdir()
    (folder / "year=2023" / "_temporary" / "part.parquet").write_bytes(b"half")
    (folder / "year=2023" / ".part.parquet.crc").write_bytes(b"crc")
    return folder


def read(place: Path, pattern: str = "*", **options: Any) -> list[dict[str, Any]]:
    reader = ParquetReader(**options)
    items = parquet_partitions.find(str(place), pattern)
    _, lists = pickle.loads(pickle.dumps(reader.plan(items, 3)))
    learned = [reader.learn(pieces) for pieces in lists]
    return [
        row for pieces in lists for rows in reader.read(pieces, learned) for row in rows.table().to_pylist()
    ]


def test_columns_of_folders_are_those_that_arrow_reads(data: Path):
    """Integers, texts with signs that folders' names escape, and null."""
    got = read(data)

    expected = ds.dataset(data, format="parquet", partitioning="hive", exclude_invalid_files=True).to_table()
    wanted = sorted(expected.to_pylist(), key=lambda row: row["x"])
    values = [{name: cells and cells[0] for name, cells in row.items()} for row in got]
    for row in values:
        row["city"] = row["city"].decode()
    assert sorted(values, key=lambda row: row["x"]) == wanted
    assert len(wanted) == 60


def test_folders_that_a_pattern_names_are_places(data: Path):
    assert {tuple(row) for row in read(data, "year=2023/*")} == {("x", "month", "city")}


def test_a_run_reads_them_and_the_cache_sees_a_move(data: Path, tmp_path: Path):
    """Bytes that lie elsewhere are other rows."""
    examples = testing.run_component(ParquetExampleGen(str(data)), tmp_path / "store").output("examples")
    rows = [
        tf.train.Example.FromString(record).features.feature
        for split in ("train", "eval")
        for record in records(examples, split)
    ]
    assert len(rows) == 60
    assert {row["year"].int64_list.value[0] for row in rows} == {2023, 2024}

    before = fingerprint(data)
    assert before == fingerprint(data)
    (data / "year=2023").rename(data / "year=2022")
    assert fingerprint(data) != before


def fingerprint(data: Path) -> str:
    properties = dict(ParquetExampleGen(str(data)).exec_properties)
    return str(ParquetDriver(None).resolve_exec_properties(properties, None, None)["input_fingerprint"])


def write(path: Path, **columns: list[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns or {"x": [1]}), path)


def test_a_column_that_the_file_has_is_that_of_the_file(tmp_path: Path):
    write(tmp_path / "k=1" / "a.parquet", x=[1], k=[7])
    assert read(tmp_path) == [{"x": [1], "k": [7]}]


@pytest.mark.parametrize("names", [["01", "2"], ["1", "b"], ["1", ""]])
def test_integers_are_what_is_one_everywhere(tmp_path: Path, names: list[str]):
    for name in names:
        write(tmp_path / f"k={name}" / "a.parquet")
    kinds = {type(row["k"][0]) for row in read(tmp_path)}
    assert kinds == ({int} if names == ["01", "2"] else {bytes})


def test_what_does_not_go_together_is_said(tmp_path: Path):
    (tmp_path / "k=0").mkdir()
    with pytest.raises(MissingFileError, match="hold no files: 'k=0'"):
        read(tmp_path)
    write(tmp_path / "k=1" / "a.parquet")
    write(tmp_path / "k=2" / "m=1" / "a.parquet")
    with pytest.raises(MalformedFileError, match=r"has the partitions 'k', 'm', and .* has 'k'"):
        read(tmp_path)
    assert len(read(tmp_path, "k=1")) == 1
    write(tmp_path / "b.parquet")
    with pytest.raises(MalformedFileError, match="lies beside"):
        read(tmp_path)


def test_marks_beside_plain_files_are_left_out(tmp_path: Path):
    write(tmp_path / "a.parquet")
    write(tmp_path / "_own.parquet")
    (tmp_path / "_SUCCESS").touch()
    assert len(read(tmp_path)) == 2


def test_signs_that_names_of_folders_escape(tmp_path: Path):
    """As Spark writes them."""
    write(tmp_path / "k=a%2Fb%20c" / "a.parquet")
    assert read(tmp_path) == [{"x": [1], "k": [b"a/b c"]}]
