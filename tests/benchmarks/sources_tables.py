"""Rows to Examples: what the readers of tables take, beside what a user would write with pandas.

::

    python tests/benchmarks/sources_tables.py 200000

One process and no Beam on both sides, alternating, the best of two. `examples`: all columns to gzip TFRecord files, beside
pandas, tf.train.Example and TFRecordWriter. `reading`: columns in memory alone, beside pandas and polars, which do not have
to bound it. `peak`: the most memory of a process of its own that does the work of `examples`, TensorFlow's own included.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import tensorflow as tf

from headrace.sources.csv.csv_reader import CsvReader
from headrace.sources.parquet.parquet_reader import ParquetReader
from headrace.sources.reading import Reader
from headrace.sources.rows import Rows, SplitFiles
from headrace.sources.source import Unreadable
from headrace.sources.sql.sql_reader import SqlReader
from headrace.sources.sql.sql_source import Options

_BLOCK_ROWS = 100_000


def frame(num_rows: int, seed: int) -> pd.DataFrame:
    """Rows of four integers, four floats, one of which has gaps, and two texts."""
    random = np.random.default_rng(seed)
    columns: dict[str, Any] = {f"int{n}": random.integers(0, 10**6, num_rows) for n in range(4)}
    columns |= {f"real{n}": random.normal(size=num_rows).round(4) for n in range(4)}
    columns["real3"] = np.where(random.random(num_rows) < 0.1, np.nan, columns["real3"])
    columns |= {
        f"text{n}": np.char.add("text ", random.integers(0, 10**4, num_rows).astype(str)) for n in (0, 1)
    }
    return pd.DataFrame(columns)


def write(folder: str, num_rows: int) -> None:
    """Write the same rows in each form, block by block."""
    database = sqlite3.connect(os.path.join(folder, "rows.db"))
    for first in range(0, num_rows, _BLOCK_ROWS):
        block = frame(min(_BLOCK_ROWS, num_rows - first), first)
        for name, separator in (("rows.csv", ","), ("rows.tsv", "\t")):
            block.to_csv(os.path.join(folder, name), sep=separator, index=False, mode="a", header=not first)
        block.to_sql("rows", database, if_exists="append", index=False)
    database.close()
    with (
        pa.OSFile(os.path.join(folder, "rows.csv.zst"), "wb") as sink,
        pa.CompressedOutputStream(sink, "zstd") as packed,
        open(os.path.join(folder, "rows.csv"), "rb") as file,
    ):
        while chunk := file.read(1 << 20):
            packed.write(chunk)
    pd.read_csv(os.path.join(folder, "rows.csv")).to_parquet(os.path.join(folder, "rows.parquet"))


def cases(folder: str) -> dict[str, tuple[Reader, str, Callable[[], pd.DataFrame], Callable[[], Any]]]:
    """For each form, the reader, its item, and how pandas and polars read it."""
    path = functools.partial(os.path.join, folder)
    address = f"sqlite:///{path('rows.db')}"
    query = "SELECT * FROM rows"

    def from_database() -> pd.DataFrame:
        return pd.read_sql(query, sqlite3.connect(path("rows.db")))

    def polars_from_database() -> Any:
        return pl.read_database(query, sqlite3.connect(path("rows.db")))

    return {
        "CSV": (CsvReader(), path("rows.csv"), lambda: pd.read_csv(path("rows.csv")), lambda: pl.read_csv(path("rows.csv"))),
        "TSV": (
            CsvReader(), path("rows.tsv"),
            lambda: pd.read_csv(path("rows.tsv"), sep="\t"), lambda: pl.read_csv(path("rows.tsv"), separator="\t"),
        ),
        "CSV, zstd": (
            CsvReader(), path("rows.csv.zst"),
            lambda: pd.read_csv(path("rows.csv.zst")), lambda: pl.read_csv(path("rows.csv.zst")),
        ),
        "Parquet": (
            ParquetReader(), path("rows.parquet"),
            lambda: pd.read_parquet(path("rows.parquet")), lambda: pl.read_parquet(path("rows.parquet")),
        ),
        "SQLite": (SqlReader(Options(address, {}), is_parquet=False), query, from_database, polars_from_database),
    }  # fmt: skip


def batches(reader: Reader, item: str) -> Iterator[Rows]:
    """Read as the executor does."""
    _, lists = reader.plan([item], None)
    learned = [reader.learn(pieces) for pieces in lists] if reader.needs_learning else []
    for pieces in lists:
        for rows in reader.read(pieces, learned):
            if isinstance(rows, Unreadable):
                raise ValueError(rows.problem)
            yield rows


def ours(reader: Reader, item: str, folder: str) -> None:
    """Write Examples as the executor does."""
    out = SplitFiles(folder, [0], 1, is_parquet=False)
    for rows in batches(reader, item):
        out.write(rows, np.arange(rows.num_rows))
    out.close(None)


def users(read: Callable[[], pd.DataFrame], folder: str) -> None:
    """Write Examples as a user would."""
    rows = read()
    options = tf.io.TFRecordOptions(compression_type="GZIP")
    with tf.io.TFRecordWriter(os.path.join(folder, "user.gz"), options) as writer:
        for row in rows.itertuples(index=False):
            features = {}
            for name, value in zip(rows.columns, row):
                if isinstance(value, str):
                    features[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))
                elif isinstance(value, int):
                    features[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
                elif value == value:
                    features[name] = tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
                else:
                    features[name] = tf.train.Feature()
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())


def best(*works: Callable[[], Any]) -> list[float]:
    """Return the least seconds of each of some works, which take turns."""
    found = [float("inf")] * len(works)
    for _ in range(2):
        for place, work in enumerate(works):
            started = time.perf_counter()
            work()
            found[place] = min(found[place], time.perf_counter() - started)
    return found


def drained(reader: Reader, item: str) -> None:
    """Read all columns."""
    for rows in batches(reader, item):
        rows.table()


def _peak(name: str, folder: str, out: str) -> int:
    reader, item, _, _ = cases(folder)[name]
    ours(reader, item, out)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main(num_rows: int) -> None:
    """Print the table."""
    print("| form | examples s | pandas s | times faster | reading s | pandas s | polars s | peak MB |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as out:
        write(folder, num_rows)
        for name in cases(folder):
            print(_line(name, folder, out), flush=True)


def _line(name: str, folder: str, out: str) -> str:
    reader, item, pandas, polars = cases(folder)[name]
    made, theirs = best(lambda: ours(reader, item, out), lambda: users(pandas, out))
    alone, by_pandas, by_polars = best(lambda: drained(reader, item), pandas, polars)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        peak = pool.apply(_peak, (name, folder, out)) / 1024
    cells = (
        f"{made:.2f} | {theirs:.2f} | {theirs / made:.1f} | {alone:.2f} | {by_pandas:.2f} | {by_polars:.2f}"
    )
    return f"| {name} | {cells} | {peak:.0f} |"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
