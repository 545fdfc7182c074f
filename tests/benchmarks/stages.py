"""Time the taxi pipeline's stages, stock TFX and Headrace side by side on the same data, and compare results.

::

    make bench                                   15,002 rows, everything: about 5 minutes
    make bench ROWS=1000000 STAGES=data          the long form: a quarter of an hour
    make bench ROWS=10000000 STAGES=data ARGS=--no-stock
    make bench STAGES=data ARGS="--data FOLDER"  other data, CSV or Parquet; without the Evaluator
    make bench STAGES=data ARGS="--columns 5000" ROWS=2000
    make bench STAGES=spans                      see spans.py; also payloads, training, predictions, divisions
    python tests/benchmarks/stages.py --rows 150000 --stages StatisticsGen,Transform --repeat 3

Each side of each stage runs in a process of its own, one after the other; the seconds are those of the
executor, after its imports, and `cores` is what Headrace's used of the processors in each of them. `pipeline`
is a whole process from its start to its end, training included: with the nodes of TFX's example, all cached, and
with all nodes of the ready pipeline. `start` is what one waits for. With --repeat the best time counts, for
both sides.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from measurement import Measured, machine, measure
from stage_process import STAGES
from taxi_data import write_csv, write_wide_csv

_HERE = os.path.dirname(os.path.abspath(__file__))
# Benchmarks with a table of their own, in the module of that name.
_TABLES = {
    "spans": "spans",
    "divisions": "divisions",
    "payloads": "payloads",
    "training": "training_input",
    "predictions": "predictions",
}
DATA_STAGES = ("CsvExampleGen", "StatisticsGen", "Transform", "Evaluator")
_PYTHON = [sys.executable, "-W", "ignore"]
_HEADRACE = os.path.join(os.path.dirname(sys.executable), "headrace")


@dataclass
class Row:
    """A line of the table."""

    stage: str
    rows: int
    stock: Measured | None
    ours: Measured
    agree: str
    cores: float = 0.0


class Bench:
    """Runs stages in a folder.

    Args:
        folder: Where data, artifacts and logs go.
        num_rows: Length of the CSV.
        repeat: How often each side runs; the best time counts.
        with_stock: Whether stock TFX runs as well.
        is_taxi: Whether the data are the taxi's, or others.
    """

    def __init__(self, folder: str, num_rows: int, repeat: int, with_stock: bool, is_taxi: bool) -> None:
        self._folder = folder
        self._num_rows = num_rows
        self._repeat = repeat
        self._with_stock = with_stock
        self._done: dict[str, Measured] = {}
        self._log = os.path.join(folder, "log.txt")
        self._environment = {"TF_CPP_MIN_LOG_LEVEL": "2", **({} if is_taxi else {"BENCH_DATA": "other"})}

    def data_stage(self, name: str) -> Row:
        """Run one executor on both sides and compare what they made."""
        ours = self._prepared(name)
        cores = ours.processor_seconds / ours.seconds
        if not self._with_stock:
            return Row(name, self._num_rows, None, ours, "", cores)
        stock = self._executor("stock", name)
        found = measure([*_PYTHON, f"{_HERE}/agreement.py", name, self._folder], self._folder, log=self._log)
        agree = str(_last_json(found).get("agree", f"could not compare, see {self._log}"))
        return Row(name, self._num_rows, stock, ours, agree, cores)

    def _prepared(self, name: str) -> Measured:
        """Run Headrace's executor, after those that its inputs come from."""
        if name not in self._done:
            for source, _ in STAGES[name].inputs.values():
                self._prepared(source)
            self._done[name] = self._executor("ours", name)
        return self._done[name]

    def _executor(self, side: str, name: str) -> Measured:
        best: Measured | None = None
        for _ in range(self._repeat if name in DATA_STAGES else 1):
            shutil.rmtree(os.path.join(self._folder, side, name), ignore_errors=True)
            command = [*_PYTHON, f"{_HERE}/stage_process.py", side, name, self._folder]
            measured = measure(command, self._folder, self._environment, self._log)
            found = _last_json(measured)
            if measured.exit_code or "seconds" not in found:
                raise SystemExit(f"{name} ({side}) failed: see {self._log}")
            measured.seconds = float(str(found["seconds"]))
            measured.processor_seconds = float(str(found["processor_seconds"]))
            if best is None or measured.seconds < best.seconds:
                best = measured
        assert best is not None
        _say(
            f"{name} {side}: {best.seconds:.1f} s, {best.processor_seconds:.1f} s of processors; "
            f"load {os.getloadavg()[0]:.1f}"
        )
        return best

    def pipeline(self) -> list[Row]:
        """Run the whole taxi pipeline in new stores, again with all of it cached, and with all nodes there are."""
        for side in ("stock", "ours", "all"):
            shutil.rmtree(os.path.join(self._folder, side, "pipeline"), ignore_errors=True)
        stock_command = [*_PYTHON, f"{_HERE}/stock_pipeline.py", self._folder]
        rows = []
        for name, repeat in (("pipeline", 1), ("pipeline, cached", 3)):
            stock = self._best(stock_command, repeat)
            _say(f"{name} stock: {stock.seconds:.1f} s")
            ours = self._best(self._headrace_run(f"{_HERE}/taxi_pipeline.py", "ours"), repeat)
            _say(f"{name} ours: {ours.seconds:.1f} s")
            rows.append(Row(name, self._num_rows, stock, ours, self._is_pushed("stock", "ours")))
        ready = self._best(self._headrace_run("taxi", "all"), 1)
        rows.insert(1, Row("pipeline, all nodes", self._num_rows, None, ready, self._is_pushed("all")))
        first = Measured(seconds=ours.first_line_seconds, largest_bytes=ours.largest_bytes)
        rows.append(Row("first line of a run", self._num_rows, None, first, ""))
        return rows

    def _is_pushed(self, *sides: str) -> str:
        pushed = [os.path.isdir(os.path.join(self._folder, side, "pipeline", "serving")) for side in sides]
        return "yes" if all(pushed) else "not pushed"

    def _headrace_run(self, pipeline: str, side: str) -> list[str]:
        home = os.path.join(self._folder, side, "pipeline")
        settings = {"data_root": os.path.join(self._folder, "data"), "push_to": os.path.join(home, "serving")}
        command = [_HEADRACE, "run", pipeline, "--plain", "--store", os.path.join(home, "store")]
        return command + [word for item in settings.items() for word in ("--set", "=".join(item))]

    def start(self) -> Row:
        """Time `headrace --help`."""
        return Row("headrace --help", 0, None, self._best([_HEADRACE, "--help"], 5), "")

    def _best(self, command: Sequence[str], repeat: int) -> Measured:
        runs = [measure(command, self._folder, log=self._log) for _ in range(repeat)]
        if any(run.exit_code for run in runs):
            raise SystemExit(f"{' '.join(command)} failed: see {self._log}\n{runs[-1].output[-2000:]}")
        return min(runs, key=lambda run: run.seconds)


def _last_json(measured: Measured) -> dict[str, object]:
    lines = [line for line in measured.output.splitlines() if line.startswith("{")]
    return json.loads(lines[-1]) if lines else {}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def render(rows: Sequence[Row]) -> str:
    """Return the table as Markdown; memory is that of the largest process."""
    lines = [
        "| stage | rows | stock s | ours s | ratio | cores | stock GB | ours GB | results agree |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        stock = f"{row.stock.seconds:.1f}" if row.stock else ""
        ratio = f"{row.stock.seconds / row.ours.seconds:.1f}" if row.stock else ""
        memory = [f"{one.largest_bytes / 1e9:.1f}" if one else "" for one in (row.stock, row.ours)]
        num_rows = f"{row.rows:,}" if row.rows else ""
        cores = f"{row.cores:.1f}" if row.cores else ""
        cells = [row.stage, num_rows, stock, f"{row.ours.seconds:.2f}", ratio, cores, *memory, row.agree]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _total(rows: Sequence[Row]) -> Row:
    sides = [[row.stock or row.ours for row in rows], [row.ours for row in rows]]
    stock, ours = (
        Measured(
            seconds=sum(one.seconds for one in side),
            largest_bytes=max(one.largest_bytes for one in side),
            processor_seconds=sum(one.processor_seconds for one in side),
        )
        for side in sides
    )
    cores = ours.processor_seconds / ours.seconds
    if rows[0].stock is None:
        return Row("all data stages", rows[0].rows, None, ours, "", cores)
    agree = "yes" if all(row.agree == "yes" for row in rows) else "no"
    return Row("all data stages", rows[0].rows, stock, ours, agree, cores)


def main() -> int:
    """Run the command line of this script; 1 where results differ."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=15_002)
    parser.add_argument("--stages", default="all", help="all, data, pipeline, start, or names with commas")
    parser.add_argument("--no-stock", action="store_true", help="data stages without stock TFX")
    parser.add_argument(
        "--data", help="a folder of CSV or Parquet files instead of taxi rows; ROWS is not used"
    )
    parser.add_argument("--columns", type=int, help="made-up rows of so many columns instead of taxi rows")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--folder", help="keep data and artifacts here; default: a folder that is removed")
    arguments = parser.parse_args()
    wanted = [
        name
        for word in arguments.stages.split(",")
        for name in {"all": (*DATA_STAGES, "pipeline", "start"), "data": DATA_STAGES}.get(word, (word,))
    ]
    known = (*DATA_STAGES, "pipeline", "start", *_TABLES)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        parser.error(f"no stage {unknown[0]!r}; there are {', '.join(known)}, data, all")
    title = f"{datetime.date.today():%Y-%m-%d}, {machine()}"
    folder = os.path.abspath(arguments.folder or tempfile.mkdtemp(prefix="headrace-bench-"))
    try:
        os.makedirs(folder, exist_ok=True)
        rows = _rows(wanted, folder, arguments)
        print(
            "\n\n".join([title, *([render(rows)] if rows else []), *_tables(wanted, folder, arguments.rows)])
        )
    finally:
        if not arguments.folder:
            shutil.rmtree(folder, ignore_errors=True)
    return int(any(row.agree not in ("yes", "") for row in rows))


def _rows(wanted: Sequence[str], folder: str, arguments: argparse.Namespace) -> list[Row]:
    if not set(wanted) - _TABLES.keys():
        return []
    is_taxi = not (arguments.data or arguments.columns)
    data = os.path.join(folder, "data")
    if arguments.data:
        if not os.path.exists(data):
            os.symlink(os.path.abspath(arguments.data), data)
    elif arguments.columns:
        write_wide_csv(data, arguments.columns, arguments.rows)
    else:
        write_csv(data, arguments.rows)
    num_rows = 0 if arguments.data else arguments.rows
    bench = Bench(folder, num_rows, arguments.repeat, not arguments.no_stock, is_taxi)
    # The model that the Evaluator looks at is the taxi's.
    stages = [name for name in DATA_STAGES if name in wanted and (is_taxi or name != "Evaluator")]
    rows = [bench.data_stage(name) for name in stages]
    if len(rows) > 1:
        rows.append(_total(rows))
    rows += bench.pipeline() if "pipeline" in wanted else []
    rows += [bench.start()] if "start" in wanted else []
    return rows


def _tables(wanted: Sequence[str], folder: str, num_rows: int) -> Iterator[str]:
    """Yield the tables of the other benchmarks."""
    for name, module in _TABLES.items():
        if name in wanted:
            home = os.path.join(folder, name)
            os.makedirs(home, exist_ok=True)
            yield importlib.import_module(module).table(home, num_rows)


if __name__ == "__main__":
    sys.exit(main())
