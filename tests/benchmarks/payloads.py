"""What examples should be kept as: tf.Example in TFRecord files or Parquet, and how they are compressed.

::

    make bench STAGES=payloads
    make bench STAGES=payloads ROWS=1000000

The first table runs CsvExampleGen, StatisticsGen and Transform on both payloads; each in a process of its own,
the seconds are those of the executor. The second writes and reads the examples of one shard with each
compression, on one processor.
"""

from __future__ import annotations

import glob
import gzip
import json
import os
import shutil
import sys
import time
import zlib
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from isal import isal_zlib
from measurement import measure
from stage_process import PAYLOADS
from taxi_data import write_csv

_STAGES = ("CsvExampleGen", "StatisticsGen", "SchemaGen", "Transform")
_HERE = os.path.dirname(os.path.abspath(__file__))
# Wire format 31: gzip.
_GZIP = 31


def table(folder: str, num_rows: int) -> str:
    """Run everything in a folder and return both tables as Markdown."""
    stages = [name for name in _STAGES if name != "SchemaGen"]
    lines = [
        f"| payload, {num_rows:,} rows | {' | '.join(f'{name} s' for name in stages)} | examples MB |",
        f"|---|{'---:|' * (len(stages) + 1)}",
    ]
    for payload in PAYLOADS:
        home = os.path.join(folder, payload)
        shutil.rmtree(os.path.join(home, "ours"), ignore_errors=True)
        write_csv(os.path.join(home, "data"), num_rows)
        seconds = {name: _stage(name, home, payload) for name in _STAGES}
        size = sum(map(os.path.getsize, _files(home)))
        cells = [*(f"{seconds[name]:.2f}" for name in stages), f"{size / 1e6:.1f}"]
        lines.append(f"| {payload} | {' | '.join(cells)} |")
    lines += ["", *_compressions(*(_files(os.path.join(folder, payload))[0] for payload in PAYLOADS))]
    return "\n".join(lines)


def _stage(name: str, folder: str, payload: str) -> float:
    command = [sys.executable, "-W", "ignore", f"{_HERE}/stage_process.py", "ours", name, folder]
    environment = {"TF_CPP_MIN_LOG_LEVEL": "2", "BENCH_PAYLOAD": payload}
    measured = measure(command, folder, environment, os.path.join(folder, "log.txt"))
    if measured.exit_code:
        raise SystemExit(f"{name} on {payload} failed: see {folder}/log.txt")
    return float(json.loads(measured.output.splitlines()[-1])["seconds"])


def _files(folder: str) -> list[str]:
    return sorted(glob.glob(f"{folder}/ours/CsvExampleGen/examples/Split-train/*"))


def _compressions(tfrecord_path: str, parquet_path: str) -> list[str]:
    with gzip.open(tfrecord_path) as file:
        records = file.read()
    examples = pq.read_table(parquet_path)
    lines = ["| compression of one shard | write s | read s | MB |", "|---|---:|---:|---:|"]
    for title, module, level in (
        ("TFRecord, gzip 0 (zlib, stored)", zlib, 0),
        ("TFRecord, gzip 1 (zlib)", zlib, 1),
        ("TFRecord, gzip 6 (zlib)", zlib, 6),
        ("TFRecord, gzip 0 (ISA-L)", isal_zlib, 0),
        ("TFRecord, gzip 1 (ISA-L)", isal_zlib, 1),
        ("TFRecord, gzip 2 (ISA-L)", isal_zlib, 2),
        ("TFRecord, gzip 3 (ISA-L)", isal_zlib, 3),
    ):
        lines.append(_gzip_row(title, module, level, records))
    for codec in ("none", "snappy", "lz4", "zstd", "gzip"):
        lines.append(_parquet_row(codec, examples))
    return lines


def _gzip_row(title: str, module: Any, level: int, records: bytes) -> str:
    def write() -> bytes:
        packer = module.compressobj(level, module.DEFLATED, _GZIP)
        return bytes(packer.compress(records) + packer.flush())

    return _row(title, write, lambda packed: module.decompress(packed, _GZIP))


def _parquet_row(codec: str, examples: pa.Table) -> str:
    def write() -> bytes:
        sink = pa.BufferOutputStream()
        pq.write_table(examples, sink, compression=codec)
        return bytes(sink.getvalue())

    def read(packed: bytes) -> pa.Table:
        return pq.read_table(pa.BufferReader(packed), use_threads=False)

    return _row(f"Parquet, {codec}", write, read)


def _row(title: str, write: Callable[[], bytes], read: Callable[[bytes], object]) -> str:
    packed = write()
    seconds = [_best(write), _best(lambda: read(packed))]
    return f"| {title} | {seconds[0]:.3f} | {seconds[1]:.3f} | {len(packed) / 1e6:.1f} |"


def _best(function: Callable[[], object], repeat: int = 3) -> float:
    times: list[float] = []
    for _ in range(repeat):
        started = time.process_time()
        function()
        times.append(time.process_time() - started)
    return min(times)
