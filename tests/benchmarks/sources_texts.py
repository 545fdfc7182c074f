"""Rates of the sources of texts, JSON and tables in memory, beside TensorFlow's, pandas' and polars' own, in one run.

    python tests/benchmarks/sources_texts.py [MEGABYTES]

What is compared is reading: of Headrace, to columns of features in one process, as each worker does it. Each is run
three times, and the best counts. With `--component`, `TextExampleGen` reads and writes a file in this process, and the
most memory that it took is told.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl
from tfx.proto import example_gen_pb2

from headrace.sources.frames import frame_files
from headrace.sources.json.json_reader import JsonReader
from headrace.sources.source import Request, Unreadable
from headrace.sources.text.text_source import TextSource


def best(work: Callable[[], object], times: int = 3) -> float:
    """The seconds that work takes, at best."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def read_texts(folder: str, **options: object) -> int:
    """Read a folder as a worker does; the number of rows."""
    source = TextSource(**options)
    split = example_gen_pb2.Input.Split(name="rows", pattern="*")
    items = source.survey(Request(folder, [split])).splits[0].items
    reader = source.reader(example_gen_pb2.FORMAT_TF_EXAMPLE)
    return count(reader, items)


def read_json(paths: list[str]) -> int:
    return count(JsonReader({}), paths)


def count(reader, items) -> int:
    lists = reader.plan(items, None)[1]
    learned = [reader.learn(pieces) for pieces in lists]
    num_rows = 0
    for pieces in lists:
        for rows in reader.read(pieces, learned):
            assert not isinstance(rows, Unreadable), rows
            num_rows += rows.table().num_rows
    return num_rows


def tell(what: str, size_mb: float, ours: float, others: dict[str, float]) -> None:
    print(f"{what} ({size_mb:,.0f} MB): Headrace {size_mb / ours:,.0f} MB/s", end="")
    for name, seconds in others.items():
        print(f"; {name} {size_mb / seconds:,.0f} MB/s, ratio {seconds / ours:.2f}", end="")
    print(flush=True)


def texts(folder: str, size_mb: int) -> None:
    import tensorflow as tf

    lines = os.path.join(folder, "lines")
    os.mkdir(lines)
    path = os.path.join(lines, "a.txt")
    line = "una película más bonita que la de ayer, y que vería otra vez sin dudarlo\n"
    with open(path, "w") as file:
        for number in range(size_mb):
            file.write("".join(f"{number} {line}" for _ in range((1 << 20) // len(line))))
    size = os.path.getsize(path) / 1e6
    tell(
        "lines",
        size,
        best(lambda: read_texts(lines)),
        {
            "TextLineDataset": best(lambda: sum(len(b) for b in tf.data.TextLineDataset(path).batch(4096))),
            "pandas": best(lambda: pd.read_csv(path, sep="\x01", header=None, quoting=3), 1),
            "polars": best(lambda: pl.read_csv(path, separator="\x01", has_header=False, quote_char=None)),
        },
    )
    classes = os.path.join(folder, "classes")
    for label in ("neg", "pos"):
        os.makedirs(os.path.join(classes, label))
        for number in range(5_000):
            with open(os.path.join(classes, label, f"{number}.txt"), "w") as file:
                file.write(line * 18)
    size = 10_000 * len(line.encode()) * 18 / 1e6

    def stock() -> int:
        dataset = tf.keras.utils.text_dataset_from_directory(classes, batch_size=256, verbose=False)
        return sum(len(batch) for batch, _ in dataset)

    tell(
        "10,000 files", size, best(lambda: read_texts(classes)), {"text_dataset_from_directory": best(stock)}
    )


def json_lines(folder: str, size_mb: int) -> None:
    path = os.path.join(folder, "a.jsonl")
    row = {
        "id": 1,
        "user": {"age": 33, "name": "Ñandú"},
        "tags": ["a", "b"],
        "score": 0.25,
        "at": "2024-01-01T00:00:00",
    }
    text = "".join(json.dumps({**row, "id": number}, ensure_ascii=False) + "\n" for number in range(10_000))
    with open(path, "w") as file:
        for _ in range(max(1, size_mb * 1_000_000 // len(text))):
            file.write(text)

    def python() -> None:
        with open(path) as file:
            for line in file:
                json.loads(line)

    tell(
        "JSON lines, types found and read",
        os.path.getsize(path) / 1e6,
        best(lambda: read_json([path])),
        {
            "json.loads": best(python, 1),
            "pandas": best(lambda: pd.read_json(path, lines=True), 1),
            "polars": best(lambda: pl.read_ndjson(path)),
        },
    )


def frames(folder: str) -> None:
    chooser = np.random.default_rng(7)
    frame = pd.DataFrame({f"x{number}": chooser.random(1_000_000) for number in range(6)})
    frame["i"], frame["j"] = np.arange(1_000_000), chooser.integers(0, 9, 1_000_000)
    frame["s"] = np.array(["cash", "card", "other"])[chooser.integers(0, 3, 1_000_000)]
    frame["t"] = [f"text {number}" for number in range(1_000_000)]
    path = os.path.join(folder, "x.parquet")
    other = pl.from_pandas(frame)
    tell(
        "a million rows of 10 columns of pandas, kept",
        frame.memory_usage(deep=True).sum() / 1e6,
        best(lambda: frame_files.keep(frame, folder, dates="iso", keeps_nan=None, where="it")),
        {
            "frame.to_parquet": best(lambda: frame.to_parquet(path)),
            "polars write_parquet": best(lambda: other.write_parquet(path)),
        },
    )


def component(folder: str, size_mb: int) -> None:
    from headrace import testing
    from headrace.components import TextExampleGen

    lines = os.path.join(folder, "large")
    os.mkdir(lines)
    block = ("una película más bonita que la de ayer\n" * 25_000).encode()
    with open(os.path.join(lines, "a.txt"), "wb") as file:
        for _ in range(max(1, size_mb * 1_000_000 // len(block))):
            file.write(block)
    start = time.perf_counter()
    testing.run_component(TextExampleGen(lines), os.path.join(folder, "store"))
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    seconds = time.perf_counter() - start
    print(
        f"TextExampleGen, {size_mb:,} MB: {seconds:.1f} s, {size_mb / seconds:,.0f} MB/s, at most {peak / 1e3:,.0f} MB"
    )


def main() -> None:
    numbers = [int(each) for each in sys.argv[1:] if each.isdigit()]
    size_mb = numbers[0] if numbers else 200
    with tempfile.TemporaryDirectory() as folder:
        if "--component" in sys.argv:
            component(folder, size_mb)
            return
        texts(folder, size_mb)
        json_lines(folder, size_mb)
        frames(folder)


if __name__ == "__main__":
    main()
