"""Run a pipeline: the one entry for scripts, the command line, notebooks and CI."""

from __future__ import annotations

import functools
import logging
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, ParamSpec, TypeAlias

from headrace import secrets
from headrace.authoring import compiler
from headrace.authoring.light import authoring
from headrace.authoring.node_options import find_options
from headrace.errors import HeadraceError
from headrace.files import addresses
from headrace.orchestration import earlier_runs, process_role
from headrace.orchestration.engine import dry_run as dry_runs
from headrace.orchestration.engine.engine import Engine, RunSettings
from headrace.orchestration.engine.exit_handlers import plan_exit_handlers
from headrace.orchestration.engine.listening import warn
from headrace.orchestration.engine.provenance import provenance
from headrace.orchestration.events import Listener
from headrace.orchestration.plan import pipeline_graph
from headrace.orchestration.plan.selection import select
from headrace.orchestration.runners.base import NodeRunner
from headrace.run_options import RunOptions
from headrace.store.open.store import DEFAULT_PATH, Store
from headrace.store.results import RunResult
from headrace.store.session import open_store

with authoring():
    from tfx.orchestration import pipeline as tfx_pipeline
    from tfx.proto.orchestration import pipeline_pb2

Parameters = ParamSpec("Parameters")
AnyPipeline: TypeAlias = tfx_pipeline.Pipeline | pipeline_pb2.Pipeline
DEFAULT_OPTIONS = RunOptions()


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
    pipeline: AnyPipeline,
    options: RunOptions = DEFAULT_OPTIONS,
    *,
    display: Listener | None = None,
    script: str = "",
    command: str = "",
    configuration: Mapping[str, Any] | None = None,
    outputs_from: Mapping[str, int] | None = None,
    pool: NodeRunner | None = None,
) -> RunResult:
    """Run a TFX pipeline; `headrace.run` shows how it goes, and this is what stands behind it.

    Args:
        pipeline: A pipeline of TFX or Headrace components, or both; or one that is compiled already. It is not
            changed.
        options: How the run is to go. Nothing is shown here, and no failed node raises, whatever they say.
        display: Told of each event before the options' listener.
        script: The script that defines components in its `__main__`; found by itself in a plain script.
        command: The command line to record with the run.
        configuration: The configuration to record with the run.
        outputs_from: For nodes that are not to run, the executions whose outputs stand for theirs. Such a run
            is a step of an interactive session, which no command resumes.
        pool: Where executors run; a server of this run's own where it is left out.

    Returns:
        How each node ended. Neither a failed node nor a signal raises here: see `RunResult.raise_for_failure` and
        `interrupts.raise_again`.

    Raises:
        DefinitionError: If the pipeline cannot run as it is written. Nothing was recorded then.
        StoreError: If the store cannot be opened or written, or has no run of a name that the options give.
        InputResolutionError: If a partial run needs a node that never ran.
    """
    # TFX warns of what the compiler itself left out; nothing there is for the user of a run.
    logging.getLogger("absl").setLevel(logging.ERROR)
    is_ir = isinstance(pipeline, pipeline_pb2.Pipeline)
    ir = _copy(pipeline) if is_ir else compiler.compile_pipeline(pipeline)
    compiler.refuse_unsupported(ir)
    asked = {} if is_ir else dict(find_options(pipeline.components))
    planned = select(pipeline_graph.plan_nodes(ir, asked), options.from_nodes, options.to_nodes, options.only)
    planned += plan_exit_handlers(list(options.exit_handlers), ir.pipeline_info.id, planned)
    pipeline_graph.add_beam_arguments(planned, tuple(options.beam_pipeline_args))
    pipeline_graph.refuse_containers(planned)
    connection = pipeline_graph.connection_config(ir)
    opened = Store(os.fspath(options.store or DEFAULT_PATH), connection)
    options = _with_runs_found(options, ir)
    is_step = outputs_from is not None
    if options.store and connection is not None and not is_step:
        _warn_of_other_database(opened, has_root=bool(pipeline_graph.declared_root(ir)))
    settings = RunSettings(
        options=options,
        display=display,
        script=script or _main_script(),
        outputs_from=dict(outputs_from or {}),
        pool=pool,
        details={
            "configuration": secrets.mask_values(dict(configuration or {})),
            "script": "" if is_step else _started_script(script),
            **provenance(command, opened.project_path),
        },
    )
    engine = Engine(ir, planned, opened, _root(ir, opened), settings)
    if options.dry_run:
        return dry_runs.dry_run(opened, engine.context, planned, engine.life)
    return engine.run(options.run_id)


def _with_runs_found(options: RunOptions, ir: pipeline_pb2.Pipeline) -> RunOptions:
    """The options with the ids of the runs that they name, which may be `latest`."""
    named = (options.resume_from, options.base_run)
    if not any(named):
        return options
    with open_store(options.store or DEFAULT_PATH, pipeline_graph.connection_config(ir)) as stored:
        resume_from, base_run = (stored.run(run_id).run_id if run_id else "" for run_id in named)
    return replace(options, resume_from=resume_from, base_run=base_run)


def _warn_of_other_database(store: Store, *, has_root: bool) -> None:
    """Say what a store that was asked for does not hold: the pipeline's own connection goes first."""
    if store.connection_config is None and store.database_path == os.path.join(store.path, "metadata.db"):
        return
    place = "a database server" if store.connection_config is not None else store.database_path
    warn(
        f"the pipeline's metadata_connection_config names {place}: metadata go there, and the store "
        f"{store.given_path} holds {'logs' if has_root else 'artifacts and logs'} only. Leave "
        "metadata_connection_config out of the pipeline to have all in the store"
    )


def _copy(ir: pipeline_pb2.Pipeline) -> pipeline_pb2.Pipeline:
    """A run writes its id and root into the IR: the caller's own stays as it is, fit for other runs."""
    copied = pipeline_pb2.Pipeline()
    copied.CopyFrom(ir)
    return copied


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
