"""Run a pipeline: the one entry for scripts, the command line, notebooks and CI."""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from headrace.errors import HeadraceError, InputResolutionError, UnsupportedFeatureError
from headrace.metadata import executions, locks, runs
from headrace.metadata.results import NodeResult, RunResult
from headrace.metadata.store import DEFAULT_PATH, Store
from headrace.orchestration import dry_run as dry_runs
from headrace.orchestration import failures, schedule, worker
from headrace.orchestration.context import NodeContext, RunContext, class_path_of
from headrace.orchestration.events import (
    Event,
    Listener,
    NodeFinished,
    NodeStarted,
    RunFinished,
    RunStarted,
)
from headrace.orchestration.folders import remove_unfinished
from headrace.orchestration.node import NodeLife
from headrace.orchestration.plan import Plan, PlannedNode, select
from headrace.orchestration.provenance import provenance
from headrace.orchestration.workers import Workers
from headrace.sdk import compiler
from headrace.sdk.light import authoring

with authoring():
    from tfx.orchestration import pipeline as tfx_pipeline
    from tfx.orchestration.local import runner_utils
    from tfx.proto.orchestration import pipeline_pb2


Ending = TypeVar("Ending", bound="NodeResult | None")


def run(
    pipeline: tfx_pipeline.Pipeline,
    *,
    run_id: str | None = None,
    store: str | None = None,
    from_nodes: Iterable[str] = (),
    to_nodes: Iterable[str] = (),
    only: Iterable[str] = (),
    enable_cache: bool | None = None,
    max_workers: int | None = None,
    fail_fast: bool = False,
    dry_run: bool = False,
    resume_from: str = "",
    listener: Listener | None = None,
    script: str = "",
    command: str = "",
    configuration: Mapping[str, Any] | None = None,
) -> RunResult:
    """Run a TFX pipeline.

    Nodes run in worker processes, as many at once as there are processors. A node whose code, parameters and
    input contents are those of an earlier execution reuses its outputs. A failed node stops only what depends
    on it.

    Args:
        pipeline: A pipeline of TFX or Headrace components, or both.
        run_id: The run's id; today's date and a number where it is left out.
        store: Folder of the store; `.headrace` in the working directory where it is left out. Metadata go to
            the pipeline's `metadata_connection_config` instead, where it has one.
        from_nodes: Execute only these nodes and what depends on them.
        to_nodes: Execute only these nodes and what they depend on.
        only: Execute exactly these nodes. Nodes left out give their last good outputs.
        enable_cache: Overrides the pipeline's cache switch.
        max_workers: How many nodes may run at once.
        fail_fast: Stop everything at the first failure.
        dry_run: Only say what would run and what the cache would serve; nothing is recorded.
        resume_from: An earlier run of this pipeline; what it finished is not executed again.
        listener: Called with each event, from several threads, one at a time.
        script: The script that defines components in its `__main__`; found by itself in a plain script.
        command: The command line to record with the run.
        configuration: The configuration to record with the run.

    Returns:
        How each node ended. A failed node does not raise: see `RunResult.raise_for_failure`.

    Raises:
        DefinitionError: If the pipeline cannot run as it is written. Nothing was recorded then.
        StoreError: If the store cannot be opened or written.
        InputResolutionError: If a partial run needs a node that never ran.
    """
    if worker.is_worker_process:
        raise worker.LeaveScript
    ir = compiler.compile_pipeline(pipeline)
    compiler.refuse_unsupported(ir)
    planned = select(plan_nodes(ir), from_nodes, to_nodes, only)
    opened = Store(store or DEFAULT_PATH, pipeline.metadata_connection_config)
    # TFX warns of what the compiler itself left out; nothing there is for the user of a run.
    logging.getLogger("absl").setLevel(logging.ERROR)
    engine = _Engine(
        ir=ir,
        planned=planned,
        store=opened,
        root=_root(pipeline, opened),
        enable_cache=enable_cache,
        max_workers=max_workers or default_workers(),
        fail_fast=fail_fast,
        listener=listener,
        script=script or _main_script(),
        resume_from=resume_from,
        details={
            "configuration": dict(configuration or {}),
            "script": _started_script(script),
            **provenance(command, opened.project_path),
        },
    )
    if dry_run:
        return dry_runs.dry_run(opened, engine.context, planned, engine.life)
    return engine.run(run_id)


def plan_nodes(ir: pipeline_pb2.Pipeline) -> list[PlannedNode]:
    """Return the nodes of an IR in topological order.

    Raises:
        UnsupportedFeatureError: If the pipeline contains another pipeline.
    """
    nodes = []
    ids = {node.pipeline_node.node_info.id for node in ir.nodes}
    for node in ir.nodes:
        if node.WhichOneof("node") == "sub_pipeline":
            raise UnsupportedFeatureError(
                f"pipeline '{ir.pipeline_info.id}' contains the pipeline "
                f"'{node.sub_pipeline.pipeline_info.id}', and Headrace runs flat pipelines only.",
                "list its components in the outer pipeline.",
            )
        upstream = tuple(name for name in node.pipeline_node.upstream_nodes if name in ids)
        nodes.append(PlannedNode(node.pipeline_node.node_info.id, node.pipeline_node, upstream))
    return nodes


def default_workers() -> int:
    """How many nodes run at once: one for each processor this process may use, at least two."""
    return max(2, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2)


def _root(pipeline: tfx_pipeline.Pipeline, store: Store) -> str:
    root = pipeline.pipeline_info.pipeline_root
    if not root:
        return os.path.join(store.artifacts_path, pipeline.id)
    root = str(root)
    return root if "://" in root else os.path.abspath(root)


def _main_script() -> str:
    main = sys.modules.get("__main__")
    path = getattr(main, "__file__", None)
    is_module = getattr(main, "__spec__", None) is not None
    return os.path.abspath(path) if path and not is_module and path.endswith(".py") else ""


def _started_script(script: str) -> str:
    """The script that can be started again as it is; empty where there is none, or it was given arguments."""
    script = script or _main_script()
    return "" if sys.argv[1:] and script == _main_script() else script


def _has_outputs(node: PlannedNode) -> bool:
    """Whether a node makes artifacts that an executor must have written."""
    return bool(node.ir.outputs.outputs)


class _Engine:
    """One run in one process."""

    def __init__(
        self,
        ir: pipeline_pb2.Pipeline,
        planned: Sequence[PlannedNode],
        store: Store,
        root: str,
        enable_cache: bool | None,
        max_workers: int,
        fail_fast: bool,
        listener: Listener | None,
        script: str,
        resume_from: str,
        details: dict[str, Any],
    ) -> None:
        self._ir = ir
        self._planned = planned
        self._store = store
        self._root = root
        self._enable_cache = enable_cache
        self._max_workers = max_workers
        self._listener = listener
        self._script = script
        self._resume_from = resume_from
        self._details = details
        self._event_lock = threading.RLock()
        self._plan = Plan(planned, fail_fast, lambda result: self._emit(NodeFinished(result)))
        self._deployment = runner_utils.extract_local_deployment_config(ir)
        self._started = time.monotonic()
        self._started_at = datetime.now().astimezone()

    def run(self, run_id: str | None) -> RunResult:
        """Run the plan to its end and record it."""
        with self._store.open():
            locks.mend(self._store)
            self._check_reusable()
            run_id = locks.new_run_id(self._store, run_id)
            with locks.living_run(self._store, run_id, self._root), Workers(self._modules) as workers:
                context = self.context(self._store, run_id, workers)
                node_ids = tuple(node.node_id for node in self._planned)
                self._emit(
                    RunStarted(run_id, self._ir.pipeline_info.id, node_ids, self._store.logs_path(run_id))
                )
                self._record(run_id, "running")
                with self._stopping_on_signals():
                    self._run_nodes(context)
                remove_unfinished(self._root)
                result = self._record(run_id, "")
        self._emit(RunFinished(result))
        return result

    def context(self, store: Store, run_id: str, workers: Workers) -> RunContext:
        """Return what the nodes of a run share; the IR's runtime parameters are set."""
        compiler.set_runtime_parameters(
            self._ir, {compiler.RUN_ID_PARAMETER: run_id, compiler.ROOT_PARAMETER: self._root}
        )
        return RunContext(
            store=store,
            ir=self._ir,
            run_id=run_id,
            workers=workers,
            listener=self._emit,
            is_cancelled=lambda: self._plan.is_cancelled,
            main_path=self._script,
            arguments=tuple(sys.argv[1:]) if self._script else (),
            enable_cache=self._enable_cache,
            resume_from=self._resume_from,
            resume_command=self._resume_command(store, run_id),
        )

    def _resume_command(self, store: Store, run_id: str) -> str:
        is_known = self._details["configuration"].get("pipeline") or self._details["script"]
        if not is_known or store is not self._store:
            # Nothing says how to make the pipeline again, or this is a dry run on a copy.
            return ""
        is_usual = store.path == os.path.abspath(DEFAULT_PATH)
        path = min(store.path, os.path.relpath(store.path), key=len)
        return f"headrace resume {run_id}" + ("" if is_usual else f" --store {shlex.quote(path)}")

    def life(self, context: RunContext, node: PlannedNode) -> NodeLife:
        """Return the life of one node in a run."""
        executor_spec = runner_utils.extract_executor_spec(self._deployment, node.node_id)
        driver_spec = runner_utils.extract_custom_driver_spec(self._deployment, node.node_id)
        return NodeLife(NodeContext(context, node, executor_spec, driver_spec))

    def _run_nodes(self, context: RunContext) -> None:
        """Serve from the cache what it holds; hand the rest to Beam, which need not load before."""
        driven: dict[str, NodeLife] = {}
        while not self._plan.is_finished:
            node = self._plan.next_ready(wait=False)
            if node is None:
                break
            self._emit(NodeStarted(node.node_id))
            life = self.life(context, node)
            result = self._guarded(life, life.drive)
            if result is None:
                driven[node.node_id] = life
                context.workers.start()
            else:
                self._plan.finish(result)
        for node_id in driven:
            self._plan.put_back(node_id)
        if self._plan.is_finished:
            return

        def run_node(node: PlannedNode) -> None:
            life = driven.pop(node.node_id, None)
            if life is not None:
                self._plan.finish(self._guarded(life, life.execute))
                return
            self._emit(NodeStarted(node.node_id))
            life = self.life(context, node)
            result = self._guarded(life, life.drive)
            self._plan.finish(self._guarded(life, life.execute) if result is None else result)

        schedule.run_nodes(self._plan, run_node, min(self._max_workers, len(self._planned)))

    def _guarded(self, life: NodeLife, step: Callable[[], Ending]) -> Ending | NodeResult:
        """Run a step of a node's life; a defect here fails that node, not the run."""
        try:
            return step()
        except Exception as error:
            described = failures.describe(error, life.node_id, 0.0)
            with contextlib.suppress(OSError), open(life.log_path, "a", encoding="utf-8") as log:
                log.write(traceback.format_exc())
            return life.failed(described)

    def _check_reusable(self) -> None:
        """A partial run needs outputs of the nodes it leaves out: refuse before anything starts."""
        needed = {name for node in self._planned if node.is_selected for name in node.upstream}
        for node in self._planned:
            if node.is_selected or node.node_id not in needed or not _has_outputs(node):
                continue
            if executions.latest_successful(self._store, node.ir) is None:
                raise InputResolutionError(
                    f"this partial run leaves out {node.node_id}, and no earlier run made its outputs.",
                    f"run the whole pipeline once, or select {node.node_id} too.",
                )

    def _modules(self) -> list[str]:
        """What the workers' server loads ahead of need: executors of nodes without a result, in order."""
        paths = [
            class_path_of(spec)
            for node in self._planned
            if node.is_selected
            and self._plan.result(node.node_id) is None
            and (spec := runner_utils.extract_executor_spec(self._deployment, node.node_id)) is not None
        ]
        modules = [path.rpartition(".")[0] for path in paths if path and not path.startswith("__main__.")]
        if any(module.startswith(("headrace.", "tfx.")) for module in modules):
            modules.insert(0, "apache_beam")
        return modules

    def _emit(self, event: Event) -> None:
        if self._listener is not None:
            with self._event_lock:
                self._listener(event)

    def _record(self, run_id: str, state: str) -> RunResult:
        result = RunResult(
            run_id=run_id,
            pipeline_name=self._ir.pipeline_info.id,
            nodes=self._plan.results(),
            seconds=time.monotonic() - self._started,
            store_path=self._store.path,
            parameters=dict(self._details),
        )
        if not state:
            state = "succeeded" if result.is_success else "failed" if result.failed else "cancelled"
        with _tolerating_failed(result):
            runs.write_record(self._store, result, state, self._started_at, self._details)
        return result

    @contextlib.contextmanager
    def _stopping_on_signals(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM stop the run cleanly; a second one ends the process at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(number: int, frame: object) -> None:
            if self._plan.is_cancelled:
                os._exit(128 + number)
            # The handler may interrupt a thread that holds the plan's lock: cancel from another one.
            reason = "stopped by Ctrl-C" if number == signal.SIGINT else "stopped by SIGTERM"
            threading.Thread(target=self._plan.cancel, args=(reason,), daemon=True).start()

        previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)


@contextlib.contextmanager
def _tolerating_failed(result: RunResult) -> Iterator[None]:
    """When the run failed already, a store that cannot record it must not hide why."""
    try:
        yield
    except HeadraceError:
        if not result.failed:
            raise
