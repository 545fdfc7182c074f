"""Beam orchestrates: a run is a Beam pipeline whose elements are slots.

Each slot takes the next node that is ready from the shared plan, runs it, and takes another, until none is
left. So nodes that do not wait for each other overlap, which they do not when each node is a Beam stage of
its own: Beam's in-process runner executes stages one after another.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from typing import Any

from headrace.authoring.light import heavy_import
from headrace.orchestration.plan.plan import Plan, PlannedNode
from headrace.runtime.local_objects import LocalObject


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

    slots = _Slots(work)
    # Beam warns that threads alone do not speed up Python code; the slots wait for processes.
    logging.getLogger("apache_beam").setLevel(logging.ERROR)
    options = PipelineOptions(["--direct_running_mode=in_memory", f"--direct_num_workers={num_slots}"])
    pipeline = beam.Pipeline(runner=FnApiRunner(), options=options)
    _move_temporary_files(pipeline, tmp_path)
    with pipeline:
        _ = (
            pipeline
            | "Slots" >> beam.Create([(slot, slots) for slot in range(num_slots)], reshuffle=False)
            # Groups are dealt out to the runner's threads. A reshuffle does the same in seven more steps, 0.1 s.
            | "Apart" >> beam.GroupByKey()
            | "RunNodes" >> beam.MapTuple(_work_in_slot)
        )


class _Slots(LocalObject):
    """What a slot does. Slots run in threads of this process; a pickled function would carry a copy of the plan.

    Elsewhere there is none, and Beam, which would run no node there, says so.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__()
        self.work = work


def _work_in_slot(_: int, slots: Iterable[_Slots]) -> None:
    for one in slots:
        one.work()


def _move_temporary_files(pipeline: Any, path: str) -> None:
    """Give a pipeline another temporary folder; the one that it has made is empty."""
    os.rmdir(pipeline.local_tempdir)
    pipeline.local_tempdir = os.path.join(path, "beam")
    os.makedirs(pipeline.local_tempdir, exist_ok=True)
