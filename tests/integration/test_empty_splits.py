"""A split without rows goes through each ExampleGen."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from conftest_example_gen import run
from tfx.proto import example_gen_pb2

from headrace.components.example_gen import CsvExampleGen, ImportExampleGen, ParquetExampleGen
from headrace.components.example_gen.csv_executor import Executor as CsvExecutor
from headrace.components.example_gen.import_executor import Executor as ImportExecutor
from headrace.components.example_gen.parquet_executor import Executor as ParquetExecutor
from headrace.formats import artifacts
from headrace.formats.examples import examples, tfrecord


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
