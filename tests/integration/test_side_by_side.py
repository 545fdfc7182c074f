"""Two executions, and two runs, in two threads of one process: neither touches what the other has."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import nodes
from conftest_runs import texts, workers
from executor_contexts import executor_context
from tfx.types.standard_artifacts import Schema

from headrace.authoring import Pipeline
from headrace.orchestration.engine import start as engine
from headrace.orchestration.events import NodeProgress
from headrace.orchestration.runners.local.workers import Workers
from headrace.run_options import RunOptions
from headrace.runtime import partial_results, services
from headrace.runtime.context import ExecutionContext
from headrace.runtime.executor import BeamExecutor
from headrace.runtime.partial_results import PartialResults
from headrace.runtime.progress import Progress
from headrace.runtime.services import Services
from headrace.runtime.spread import Spread
from headrace.store.results import RunResult

_ = (workers,)  # a fixture
_SECONDS = 60
_meeting = threading.Barrier(2)


class _Add(beam.DoFn):
    """Adds rows from the threads of Beam's runner."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def process(self, rows: int) -> Iterator[int]:
        self._progress.report("counting")
        self._progress.add_rows(rows)
        yield rows


class _Executor(BeamExecutor):
    """Uses all that it is lent while the other does."""

    def execute(self, context: ExecutionContext) -> None:
        name, rows = context.parameter("name"), context.parameter("rows")
        context.progress.report(f"{name} begins")
        _meeting.wait(_SECONDS)
        with self.beam_pipeline(spread_over=context.side_processes) as pipeline:
            step = Spread(_Add(context.progress), context.side_processes)
            _ = pipeline | beam.Create([rows]) | beam.ParDo(step)
        partial_results.dump(context.partial_results.path("content", "statistics"), name)
        Path(context.tmp_path, "name").write_text(name)
        _meeting.wait(_SECONDS)
        nodes.write(context.output("out").uri, Path(context.tmp_path, "name").read_text())
        context.progress.report(f"{name} ends")


def _in_threads(*works: Callable[[], Any]) -> list[Any]:
    found: list[Any] = [None] * len(works)

    def work(number: int) -> None:
        found[number] = works[number]()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_two_executors_have_progress_kept_results_and_folders_of_their_own(tmp_path: Path) -> None:
    """Each reports to its own listener, also from Beam's steps, and keeps and writes in its own folders."""
    heard: dict[str, list[tuple[str, int | None]]] = {"one": [], "other": []}

    def execute(name: str, rows: int) -> str:
        folder = tmp_path / name
        output = Schema()
        output.uri = str(folder / "out")
        os.makedirs(output.uri)
        lent = Services(
            progress=Progress(lambda doing, rows: heard[name].append((doing, rows))),
            partial_results=PartialResults(str(folder / "kept")),
        )
        with services.lent(lent):
            _Executor(executor_context(folder)).Do({}, {"out": [output]}, {"name": name, "rows": rows})
        return nodes.read(output.uri)

    made = _in_threads(lambda: execute("one", 3), lambda: execute("other", 5))

    assert made == ["one", "other"]
    for name, rows in (("one", 3), ("other", 5)):
        assert heard[name] == [
            (f"{name} begins", None),
            ("counting", None),
            ("counting", rows),
            (f"{name} ends", None),
        ]
        (kept,) = (tmp_path / name / "kept").iterdir()
        assert partial_results.load(str(kept)) == name


def test_without_headrace_executors_report_nowhere_and_keep_nothing(tmp_path: Path) -> None:
    """As under TFX's own launchers, which know nothing of it."""
    seen: list[ExecutionContext] = []

    class Executor(BeamExecutor):
        def execute(self, context: ExecutionContext) -> None:
            context.progress.report("unheard")
            seen.append(context)

    Executor(executor_context(tmp_path)).Do({}, {}, {})

    (context,) = seen
    assert context.partial_results.path("content", "statistics") == ""
    assert len(context.side_processes) == 0


def test_two_runs_in_two_threads_and_stores_do_not_touch_each_other(tmp_path: Path, workers: Workers) -> None:
    """Their nodes wait for each other, so they overlap; the process is left as it was."""
    paths = [str(tmp_path / name) for name in ("one", "other")]
    before = tempfile.tempdir
    told: dict[str, list[str]] = {path: [] for path in paths}

    def run(mine: str, other: str) -> RunResult:
        def listen(event: object) -> None:
            if isinstance(event, NodeProgress):
                told[mine].append(event.doing)

        meet = nodes.Meet(mine=mine, other=other)
        make = nodes.Repeat(count=len(mine))
        pipeline = Pipeline(os.path.basename(mine), components=[meet, make])
        return engine.run(pipeline, RunOptions(store=f"{mine}-store", listener=listen), pool=workers)

    results = _in_threads(lambda: run(*paths), lambda: run(*reversed(paths)))

    for path, result in zip(paths, results):
        assert result.is_success, result
        assert result.store_path == f"{path}-store"
        assert texts(result, "Meet") == ["met"]
        assert texts(result, "Repeat") == ["x" * len(path)]
        assert all(output.uri.startswith(f"{path}-store") for node in result.nodes for output in node.outputs)
        assert told[path]
    assert tempfile.tempdir == before
