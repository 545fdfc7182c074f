"""The most memory that whole runs of the ExampleGens and of the Cleaner take, at a size and at twice the size.

    python tests/benchmarks/source_memory.py [CASE ...] [--scale 0.1] [--sizes 2]

Each run is `headrace run` of one node in processes of its own, without a server, on data made here in a temporary folder
and removed after it. `all` is the most that its processes held together, pages that they share counted for each; `one`,
the largest of them. What counts is the growth from one size to the next, also told as bytes for each row more: bounded
memory does not grow.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import shutil
import sqlite3
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from measurement import Measured, machine, measure

_LINE = "una película más bonita que la de ayer, y que vería otra vez sin dudarlo"
_COLORS = 50


def lines(folder: str, rows: int) -> None:
    _write(os.path.join(folder, "a.txt"), rows, lambda first: [f"{n} {_LINE}\n" for n in first])


def table(folder: str, rows: int) -> None:
    chooser = random.Random(7)
    ends = [
        f"{chooser.random():.6f},{chooser.randint(0, 99)},{chooser.choice(['cash', 'card', 'other'])},{_LINE[:30]}\n"
        for _ in range(1_009)
    ]
    path = os.path.join(folder, "a.csv")
    _write(path, rows, lambda first: [f"{n},{ends[n % 1_009]}" for n in first], "id,x,i,kind,text\n")


def json_lines(folder: str, rows: int) -> None:
    row = {
        "user": {"age": 33, "name": "Ñandú"},
        "tags": ["a", "b"],
        "score": 0.25,
        "at": "2024-01-01T00:00:00",
    }
    end = json.dumps(row, ensure_ascii=False)[1:] + "\n"
    _write(os.path.join(folder, "a.jsonl"), rows, lambda first: [f'{{"id": {n}, {end}' for n in first])


def pictures(folder: str, rows: int) -> None:
    """Pictures of 8 x 8 in one colour each, of 20 classes; a text in each says its number, so that no two are alike."""
    encoded = [_encoded(color) for color in range(_COLORS)]
    for number in range(rows):
        place = os.path.join(folder, f"class-{number % 20:02d}")
        if number < 20:
            os.makedirs(place)
        said = b"tEXtnumber\0%d" % number
        chunk = struct.pack(">I", len(said) - 4) + said + struct.pack(">I", zlib.crc32(said))
        data = encoded[number % _COLORS]
        with open(os.path.join(place, f"{number:07d}.png"), "wb") as file:
            # Before the chunk that ends the file.
            file.write(data[:-12] + chunk + data[-12:])


def _encoded(color: int) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (8, 8), (color, 5 * color, 255 - color)).save(out, "PNG")
    return out.getvalue()


def database(folder: str, rows: int) -> None:
    with sqlite3.connect(os.path.join(folder, "a.db")) as connection:
        connection.execute("CREATE TABLE trips (id INTEGER PRIMARY KEY, miles REAL, kind TEXT, note TEXT)")
        values = ((n, n / 7, ("cash", "card")[n % 2], _LINE[:40]) for n in range(rows))
        connection.executemany("INSERT INTO trips VALUES (?, ?, ?, ?)", values)
    connection.close()


def nothing(folder: str, rows: int) -> None:
    """The source makes its rows."""


def _write(path: str, rows: int, block: Callable[[range], list[str]], header: str = "") -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(header)
        for start in range(0, rows, 50_000):
            file.writelines(block(range(start, min(rows, start + 50_000))))


_OWN = """
from headrace.sources import example_source

@example_source
def numbers(rows: int):
    for number in range(rows):
        yield {"id": number, "x": number / 7, "text": "una película más bonita"}
"""


@dataclass(frozen=True)
class Case:
    """One way to read.

    Attributes:
        make: Writes a folder of data of a number of rows.
        rows: Their number at scale 1.
        node: The expression of the node; `{data}` is the folder.
        before: What the module defines before it.
        after: The expression of a node behind, which alone is measured then; `read` is the first.
    """

    make: Callable[[str, int], None]
    rows: int
    node: str
    before: str = ""
    after: str = ""


_STRATIFIED = 'CsvExampleGen({data!r}, splits={{"train": 2, "eval": 1}}, split_by={way})'
CASES = {
    "text": Case(lines, 12_200_000, "TextExampleGen({data!r})"),
    "csv": Case(table, 8_500_000, "CsvExampleGen({data!r})"),
    "csv_stratify": Case(table, 8_500_000, _STRATIFIED.replace("{way}", 'stratify("kind")')),
    "csv_group": Case(table, 8_500_000, _STRATIFIED.replace("{way}", 'group("id")')),
    "images": Case(pictures, 20_000, "ImageFolderExampleGen({data!r})"),
    "sql": Case(database, 2_000_000, 'SqlExampleGen("sqlite:///" + {data!r} + "/a.db", "trips")'),
    "json": Case(json_lines, 4_400_000, "JsonExampleGen({data!r})"),
    "function": Case(nothing, 1_000_000, "numbers(rows={rows})", _OWN),
    "cleaner": Case(table, 500_000, "CsvExampleGen({data!r})", after="Cleaner(read.outputs['examples'])"),
    "cleaner_text": Case(
        lines,
        500_000,
        "TextExampleGen({data!r})",
        after="Cleaner(read.outputs['examples'], near_duplicates='drop', texts='text')",
    ),
}

_PIPELINE = """
from headrace.components import *
from headrace.authoring import Pipeline
from headrace.splits import group, stratify
{before}

def create_pipeline():
    read = {node}
    nodes = [read]
    {after}
    return Pipeline("memory", components=nodes)
"""


def run(case: Case, rows: int) -> tuple[Measured, float]:
    """Make the data, run the node, remove all; what it took, and the megabytes of the data."""
    folder = tempfile.mkdtemp(prefix="source-memory-")
    try:
        data = os.path.join(folder, "data")
        os.mkdir(data)
        case.make(data, rows)
        size_mb = (
            sum(os.path.getsize(os.path.join(at, f)) for at, _, names in os.walk(data) for f in names) / 1e6
        )
        with open(os.path.join(folder, "memory.py"), "w", encoding="utf-8") as file:
            node = case.node.format(data=data, rows=rows)
            after = f"nodes.append({case.after})" if case.after else ""
            file.write(_PIPELINE.format(before=case.before, node=node, after=after))
        command = [sys.executable, "-m", "headrace", "run", "memory.py"]
        if case.after:
            first = measure([*command, "--to", case.node.partition("(")[0]], folder)
            assert not first.exit_code, first.output
        measured = measure(command, folder, log=os.path.join(folder, "log"))
        if measured.exit_code:
            with open(os.path.join(folder, "log"), encoding="utf-8") as file:
                raise SystemExit(measured.output + file.read())
        return measured, size_mb
    finally:
        shutil.rmtree(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--scale", type=float, default=1.0, help="times the rows of each case")
    parser.add_argument("--sizes", type=int, default=2, help="how many sizes, each twice the one before")
    given = parser.parse_args()
    print(machine())
    print(
        f"{'case':14}{'rows':>12}{'MB':>8}{'s':>7}{'all MB':>9}{'one MB':>9}{'more bytes a row: all, one':>29}"
    )
    for name in given.cases or CASES:
        last: tuple[int, Measured] | None = None
        for size in range(given.sizes):
            rows = int(CASES[name].rows * given.scale) * 2**size
            took, size_mb = run(CASES[name], rows)
            growth = ""
            if last:
                more = rows - last[0]
                growth = f"{(took.total_bytes - last[1].total_bytes) / more:,.1f}, "
                growth += f"{(took.largest_bytes - last[1].largest_bytes) / more:,.1f}"
            print(
                f"{name:14}{rows:12,}{size_mb:8,.0f}{took.seconds:7.0f}{took.total_bytes / 1e6:9,.0f}"
                f"{took.largest_bytes / 1e6:9,.0f}{growth:>29}",
                flush=True,
            )
            last = rows, took


if __name__ == "__main__":
    main()
