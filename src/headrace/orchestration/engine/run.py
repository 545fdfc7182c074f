"""Run a pipeline: the one entry for scripts, the command line, notebooks and CI."""

from __future__ import annotations

import functools
import logging
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ParamSpec

from headrace import secrets
from headrace.authoring import BaseNode, compiler
from headrace.authoring.light import authoring
from headrace.authoring.resources import resources_of
from headrace.errors import DefinitionError, HeadraceError
from headrace.files import addresses
from headrace.orchestration import earlier_runs, process_role
from headrace.orchestration.capacity import num_processors
from headrace.orchestration.engine import dry_run as dry_runs
from headrace.orchestration.engine.engine import Engine, RunSettings
from headrace.orchestration.engine.exit_handlers import plan_exit_handlers
from headrace.orchestration.engine.provenance import provenance
from headrace.orchestration.events import Listener
from headrace.orchestration.plan import pipeline_graph
from headrace.orchestration.plan.selection import select
from headrace.orchestration.runners.base import NodeRunner
from headrace.store.open.store import DEFAULT_PATH, Store
from headrace.store.results import RunResult

with authoring():
    from tfx.orchestration import pipeline as tfx_pipeline
    from tfx.proto.orchestration import pipeline_pb2

Parameters = ParamSpec("Parameters")


def _remembered(run: Callable[Parameters, RunResult]) -> Callable[Parameters, RunResult]:
    """Note how each run of a script ends; in a worker that reads the script, give that instead of running."""

    @functools.wraps(run)
    def remember(*args: Parameters.args, **kwargs: Parameters.kwargs) -> RunResult:
        if process_role.is_worker():
            return earlier_runs.next_result()
        try:
            result = run(*args, **kwargs)
        except HeadraceError as error:
            _remember(error)
            raise
        _remember(result)
        return result

    return remember


def _remember(outcome: earlier_runs.Outcome) -> None:
    # A kernel or a server may start runs without end, and nobody reads it again.
    if _main_script():
        earlier_runs.remember(outcome)


@_remembered
def run(
    pipeline: tfx_pipeline.Pipeline | pipeline_pb2.Pipeline,
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
    base_run: str = "",
    exit_handlers: Iterable[BaseNode] = (),
    listener: Listener | None = None,
    script: str = "",
    command: str = "",
    configuration: Mapping[str, Any] | None = None,
    outputs_from: Mapping[str, int] | None = None,
    workers: NodeRunner | None = None,
) -> RunResult:
    """Run a TFX pipeline.

    Nodes run in worker processes, as many at once as there are processors. A node whose code, parameters and
    input contents are those of an earlier execution reuses its outputs. A failed node stops only what depends
    on it.

    Args:
        pipeline: A pipeline of TFX or Headrace components, or both; or one that is compiled already. It is not
            changed.
        run_id: The run's id; today's date and a number where it is left out.
        store: Folder of the store; `.headrace` in the working directory where it is left out. Metadata go to
            the pipeline's `metadata_connection_config` instead, where it has one.
        from_nodes: Execute only these nodes and what depends on them.
        to_nodes: Execute only these nodes and what they depend on.
        only: Execute exactly these nodes. Nodes left out give their last good outputs.
        enable_cache: Overrides the pipeline's cache switch.
        max_workers: How many nodes may run at once, 1 or more.
        fail_fast: Stop everything at the first failure of a node that the run needs.
        dry_run: Only say what would run and what the cache would serve; nothing is recorded.
        resume_from: An earlier run of this pipeline; what it finished is not executed again.
        base_run: The run whose outputs stand for the nodes that a partial run leaves out; for each its newest
            where it is left out.
        exit_handlers: Components to run when all else has ended, however that was.
        listener: Called with each event, from several threads, one at a time. One that raises is told nothing
            more, and the run goes on.
        script: The script that defines components in its `__main__`; found by itself in a plain script.
        command: The command line to record with the run.
        configuration: The configuration to record with the run.
        outputs_from: For nodes that are not to run, the executions whose outputs stand for theirs. Such a run
            is a step of an interactive session, which no command resumes.
        workers: Where executors run; a server of this run's own where it is left out.

    Returns:
        How each node ended. Neither a failed node nor a signal raises here: see `RunResult.raise_for_failure` and
        `interrupts.raise_again`.

    Raises:
        DefinitionError: If the pipeline cannot run as it is written. Nothing was recorded then.
        StoreError: If the store cannot be opened or written.
        InputResolutionError: If a partial run needs a node that never ran.
    """
    # TFX warns of what the compiler itself left out; nothing there is for the user of a run.
    logging.getLogger("absl").setLevel(logging.ERROR)
    if max_workers is not None and max_workers < 1:
        raise DefinitionError(
            f"max_workers={max_workers}: no node could ever run.", "give 1 or more, or leave it out."
        )
    is_ir = isinstance(pipeline, pipeline_pb2.Pipeline)
    ir = _copy(pipeline) if is_ir else compiler.compile_pipeline(pipeline)
    compiler.refuse_unsupported(ir)
    asked = {} if is_ir else dict(resources_of(pipeline.components))
    planned = select(pipeline_graph.plan_nodes(ir, asked), from_nodes, to_nodes, only)
    planned += plan_exit_handlers(list(exit_handlers), ir.pipeline_info.id, planned)
    pipeline_graph.refuse_containers(planned)
    opened = Store(store or DEFAULT_PATH, pipeline_graph.connection_config(ir))
    settings = RunSettings(
        enable_cache=enable_cache,
        max_workers=max_workers or default_workers(),
        fail_fast=fail_fast,
        listener=listener,
        script=script or _main_script(),
        resume_from=resume_from,
        base_run=base_run,
        outputs_from=dict(outputs_from or {}),
        workers=workers,
        details={
            "configuration": secrets.mask_values(dict(configuration or {})),
            "script": _started_script(script) if outputs_from is None else "",
            **provenance(command, opened.project_path),
        },
    )
    engine = Engine(ir, planned, opened, _root(ir, opened), settings)
    if dry_run:
        return dry_runs.dry_run(opened, engine.context, planned, engine.life)
    return engine.run(run_id)


def _copy(ir: pipeline_pb2.Pipeline) -> pipeline_pb2.Pipeline:
    """A run writes its id and root into the IR: the caller's own stays as it is, fit for other runs."""
    copied = pipeline_pb2.Pipeline()
    copied.CopyFrom(ir)
    return copied


def default_workers() -> int:
    """How many nodes run at once: one for each processor this process may use, at least two."""
    return max(2, num_processors())


def _root(ir: pipeline_pb2.Pipeline, store: Store) -> str:
    root = pipeline_graph.declared_root(ir)
    if not root:
        return os.path.join(store.artifacts_path, ir.pipeline_info.id)
    return addresses.absolute_path(root, f"pipeline '{ir.pipeline_info.id}': pipeline_root")


def _main_script() -> str:
    main = sys.modules.get("__main__")
    path = getattr(main, "__file__", None)
    is_module = getattr(main, "__spec__", None) is not None
    return os.path.abspath(path) if path and not is_module and path.endswith(".py") else ""


def _started_script(script: str) -> str:
    """The script that can be started again as it is; empty where there is none, or it was given arguments."""
    script = script or _main_script()
    return "" if sys.argv[1:] and script == _main_script() else script
