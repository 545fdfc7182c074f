"""One run in one process: open the store, serve from the cache, hand the rest to Beam, record how it went."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from headrace.authoring import compiler
from headrace.authoring.light import authoring
from headrace.errors import StoreError
from headrace.orchestration import failures
from headrace.orchestration.capacity import default_workers, machine_capacity
from headrace.orchestration.engine import exit_handlers, interrupts, left_out, schedule
from headrace.orchestration.engine.early_node import EarlyNode
from headrace.orchestration.engine.listening import Audience, warn
from headrace.orchestration.engine.preloading import modules_ahead
from headrace.orchestration.events import Listener, NodeFinished, NodeStarted, RunFinished, RunStarted
from headrace.orchestration.node.live_run import LiveNode, LiveRun, class_path_of
from headrace.orchestration.node.node import NodeLife
from headrace.orchestration.plan.plan import Plan, PlannedNode
from headrace.orchestration.resume_commands import resume_command
from headrace.orchestration.runners import placement
from headrace.orchestration.runners.base import NodeRunner
from headrace.orchestration.runners.choice import make_runner, server_stays
from headrace.run_options import RunOptions
from headrace.store import locks
from headrace.store.open.store import Store
from headrace.store.read import executions, run_records
from headrace.store.record import publications
from headrace.store.results import NodeResult, RunResult

with authoring():
    from tfx.proto.orchestration import pipeline_pb2

Ending = TypeVar("Ending", bound="NodeResult | None")


@dataclass(frozen=True)
class RunSettings:
    """How a run is to go; see `run.run`.

    Attributes:
        options: What its user asked for.
        display: Told of each event, before the options' listener.
        script: The script that started it; empty where there is none.
        outputs_from: Executions whose outputs stand for nodes that are not to run, by node id.
        pool: Where executors run; `None` for a server of the run's own.
        details: What is recorded of how it was started.
    """

    options: RunOptions
    display: Listener | None = None
    script: str = ""
    outputs_from: Mapping[str, int] = field(default_factory=dict)
    pool: NodeRunner | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


class Engine:
    """One run.

    Args:
        ir: The compiled pipeline.
        planned: Its nodes, in topological order.
        store: The store, not open.
        root: The pipeline root.
        settings: How the run is to go.
    """

    def __init__(
        self,
        ir: pipeline_pb2.Pipeline,
        planned: Sequence[PlannedNode],
        store: Store,
        root: str,
        settings: RunSettings,
    ) -> None:
        self._ir = ir
        self._planned = planned
        self._store = store
        self._root = root
        self._settings = settings
        self._options = settings.options
        self._details = dict(settings.details)
        self._audience = Audience(settings.display, self._options.listener)
        self._stopped_by = 0
        self._num_slots = min(self._options.workers or default_workers(), len(planned))
        self._plan = Plan(
            planned,
            self._options.fails_fast,
            lambda result: self._audience.tell(NodeFinished(result)),
            machine_capacity(self._num_slots),
        )
        self._started = time.monotonic()
        self._started_at = datetime.now().astimezone()

    def run(self, run_id: str | None) -> RunResult:
        """Run the plan to its end and record it."""
        # What is wrong with their settings is told before anything is recorded.
        workers = self._workers()
        with self._store.open():
            locks.mend(self._store)
            left_out.check_outputs(
                self._store, self._planned, self._options.base_run, self._settings.outputs_from
            )
            run_id = locks.new_run_id(self._store, run_id)
            self._audience.log_path = self._store.logs_path(run_id)
            try:
                result = self._run_and_record(run_id, workers)
            except Exception as error:
                result = self._result(run_id)
                if not result.failed:
                    raise
                # A store that cannot record a failed run must not hide why it failed.
                warn(f"run {run_id} could not be recorded to its end: {error}")
        self._audience.tell(RunFinished(result))
        return result

    def _run_and_record(
        self, run_id: str, opened: contextlib.AbstractContextManager[NodeRunner]
    ) -> RunResult:
        """Run the nodes.

        Whatever leaves `living_run` as an exception leaves the run's marker too: the next start mends what this
        one could not put on record.
        """
        with (
            locks.living_run(self._store, run_id, self._root) as tmp_path,
            interrupts.cancelling(self._plan.cancel) as received,
        ):
            with opened as workers:
                workers.expect()
                context = self.context(self._store, run_id, workers, tmp_path)
                node_ids = tuple(node.node_id for node in self._planned)
                self._audience.tell(
                    RunStarted(run_id, self._ir.pipeline_info.id, node_ids, self._audience.log_path)
                )
                self._record(self._result(run_id), "running")
                try:
                    self._run_nodes(context)
                finally:
                    self._details.update(workers.told())
            # Of an execution that is still open nobody works any more, whatever kept its node from closing it.
            executions.mark_cancelled(self._store, run_records.open_executions(self._store, run_id))
            self._stopped_by = received.number
            result = self._result(run_id)
            state = "succeeded" if result.is_success else "failed" if result.failed else "cancelled"
            self._record(result, state)
        return result

    def context(self, store: Store, run_id: str, workers: NodeRunner, tmp_path: str = "") -> LiveRun:
        """Return what the nodes of a run share; the IR's runtime parameters are set."""
        values = {compiler.RUN_ID_PARAMETER: run_id, compiler.ROOT_PARAMETER: self._root}
        compiler.set_runtime_parameters(self._ir, values)
        for node in self._planned:
            if node.is_exit_handler:
                compiler.set_runtime_parameters(node.ir, values)
        settings = self._settings
        return LiveRun(
            store=store,
            ir=self._ir,
            run_id=run_id,
            workers=workers,
            listener=self._audience.tell,
            is_cancelled=lambda: self._plan.is_cancelled,
            main_path=settings.script,
            arguments=tuple(sys.argv[1:]) if settings.script else (),
            script_libraries=self._script_libraries(),
            cache=self._options.cache,
            resume_from=self._options.resume_from,
            base_run=self._options.base_run,
            outputs_from=settings.outputs_from,
            tmp_path=tmp_path,
            final_status=lambda: exit_handlers.final_status(run_id, self._plan.results()),
            # A dry run, which is on a copy, is nothing to go on with.
            resume_command=self._resume_command(run_id) if store is self._store else "",
        )

    def _workers(self) -> contextlib.AbstractContextManager[NodeRunner]:
        """The workers of this run; those that were given outlive it."""
        given = self._settings.pool
        if given is None:
            stays = server_stays(self._options.server, os.environ)
            return contextlib.closing(make_runner(self._modules, stays=stays))
        return contextlib.nullcontext(given)

    def life(self, context: LiveRun, node: PlannedNode) -> NodeLife:
        """Return the life of one node in a run."""
        return NodeLife(LiveNode(context, node))

    def _resume_command(self, run_id: str) -> str:
        return resume_command(run_id, self._store.given_path, self._settings.details)

    def _run_nodes(self, context: LiveRun) -> None:
        """Serve from the cache what it holds; hand the rest to Beam, which loads while the first of it runs."""
        driven: dict[str, NodeLife] = {}
        early: EarlyNode | None = None
        while not self._plan.is_finished:
            node = self._plan.next_ready(wait=False)
            if node is None:
                break
            life, result = self._drive(context, node)
            if result is None:
                driven[node.node_id] = life
                # What keeps it from starting is the failure of the node that asks for it next.
                with contextlib.suppress(OSError):
                    context.workers.start()
                # Runners of others may work in this process, where Beam is to be loaded first.
                if early is None and self._settings.pool is None:
                    early = EarlyNode(node.node_id, functools.partial(self._guarded, life, life.execute))
            else:
                self._plan.finish(result)
        for node_id in driven:
            self._plan.put_back(node_id)

        def run_node(node: PlannedNode) -> None:
            result: NodeResult | None = None
            life = driven.pop(node.node_id, None)
            if early is not None and node.node_id == early.node_id:
                self._plan.finish(early.result())
                return
            if life is None:
                life, result = self._drive(context, node)
            self._plan.finish(self._guarded(life, life.execute) if result is None else result)

        try:
            if not self._plan.is_finished:
                schedule.run_nodes(self._plan, run_node, self._num_slots, context.tmp_path)
        finally:
            # The run was stopped before their turn came.
            if early is not None and driven.pop(early.node_id, None) is not None:
                self._plan.cancel("the run was stopped")
                early.result()
            for life in driven.values():
                life.close()

    def _drive(self, context: LiveRun, node: PlannedNode) -> tuple[NodeLife, NodeResult | None]:
        if node.is_selected:
            self._audience.tell(NodeStarted(node.node_id))
        life = self.life(context, node)
        return life, self._guarded(life, life.drive)

    def _guarded(self, life: NodeLife, step: Callable[[], Ending]) -> Ending | NodeResult:
        """Run a step of a node's life; a defect here fails that node, not the run."""
        try:
            return step()
        except BaseException as error:
            # Also where a resolver or a driver of the user's calls `sys.exit`: no slot may end without a result, for
            # the others wait for it. Ctrl-C does not come here but to `interrupts`.
            described = failures.describe(error, life.node_id)
            with contextlib.suppress(OSError), open(life.log_path, "a", encoding="utf-8") as log:
                log.write(traceback.format_exc())
            if isinstance(described, StoreError):
                # Nothing more can be recorded: each further node would only fail alike.
                self._plan.cancel("the store cannot be written")
            return life.failed(described)

    def _modules(self) -> list[str]:
        """What the workers' server loads: for the nodes without a result, in order."""
        return modules_ahead(
            [
                node.executor_spec
                for node in self._planned
                if node.is_selected
                and self._plan.result(node.node_id) is None
                and node.executor_spec is not None
            ],
            self._settings.script,
            self._script_libraries(),
        )

    def _script_libraries(self) -> tuple[str, ...]:
        specs = [node.executor_spec for node in self._planned if node.executor_spec is not None]
        return placement.script_libraries(class_path_of(spec) for spec in specs)

    def _result(self, run_id: str) -> RunResult:
        return RunResult(
            run_id=run_id,
            pipeline_name=self._ir.pipeline_info.id,
            nodes=self._plan.results(),
            seconds=time.monotonic() - self._started,
            store_path=self._store.path,
            details=dict(self._details),
            resume_command=self._resume_command(run_id),
            stopped_by=self._stopped_by,
        )

    def _record(self, result: RunResult, state: str) -> None:
        publications.publish_run(self._store, result, state, self._started_at, self._details)
