"""Beam orchestrates: a run is a Beam pipeline whose elements are slots.

Each slot takes the next node that is ready from the shared plan, runs it, and takes another, until none is
left. So nodes that do not wait for each other overlap, which they do not when each node is a Beam stage of
its own: Beam's in-process runner executes stages one after another.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import tempfile
from collections.abc import Callable, Iterator

from headrace.authoring.light import heavy_import
from headrace.orchestration.plan.plan import Plan, PlannedNode

_runs: dict[int, Callable[[], None]] = {}
_tokens = itertools.count(1)


def run_nodes(plan: Plan, run_node: Callable[[PlannedNode], None], num_slots: int, tmp_path: str) -> None:
    """Run every node of `plan` that can still start, up to `num_slots` at a time.

    Args:
        plan: Hands out nodes.
        run_node: Runs one node and reports its result to the plan; called from the slots' threads.
        num_slots: How many nodes may run at once, 1 or more.
        tmp_path: For Beam's temporary folder, which a killed process could not remove; made where it is missing.
    """
    with heavy_import():
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions

        from headrace.runtime.beam_internals import FnApiRunner

    def work() -> None:
        while (node := plan.next_ready()) is not None:
            run_node(node)

    # Slots run in threads of this process. A pickled function would carry a copy of the plan; a number does not.
    token = next(_tokens)
    _runs[token] = work
    # Beam warns that threads alone do not speed up Python code; the slots wait for processes.
    logging.getLogger("apache_beam").setLevel(logging.ERROR)
    options = PipelineOptions(["--direct_running_mode=in_memory", f"--direct_num_workers={num_slots}"])
    try:
        with _temporary_files_in(tmp_path):
            pipeline = beam.Pipeline(runner=FnApiRunner(), options=options)
        with pipeline:
            _ = (
                pipeline
                | "Slots" >> beam.Create([(token, slot) for slot in range(num_slots)], reshuffle=True)
                | "RunNodes" >> beam.Map(_work_in_slot)
            )
    finally:
        del _runs[token]


@contextlib.contextmanager
def _temporary_files_in(path: str) -> Iterator[None]:
    os.makedirs(path, exist_ok=True)
    before, tempfile.tempdir = tempfile.tempdir, path
    try:
        yield
    finally:
        tempfile.tempdir = before


def _work_in_slot(element: tuple[int, int]) -> None:
    token, _ = element
    _runs[token]()
