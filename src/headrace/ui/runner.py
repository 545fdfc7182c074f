"""Headrace in the place of one of TFX's runners."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from headrace.authoring import BaseNode
from headrace.authoring.light import authoring
from headrace.orchestration.events import Listener
from headrace.run_options import NAMES, FailWord, RunOptions, current_names, takes_options
from headrace.store.results import RunResult
from headrace.ui import partial_runs, run_display

with authoring():
    from tfx.orchestration import pipeline as tfx_pipeline
    from tfx.orchestration import tfx_runner
    from tfx.proto.orchestration import pipeline_pb2

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from headrace.orchestration.engine.start import AnyPipeline
    from headrace.run_options import RunKeywords

_WHERE = "headrace.Runner"


class Runner(tfx_runner.TfxRunner):
    """Runs pipelines by `headrace.run`, with the interface of TFX's runners.

    Args:
        show: Whether to show progress and a table at the end, on standard error; of a dry run the plan, on standard
            output.
        raise_on_failure: Whether a run that did not do its work raises; else the result says how each node ended.
        run_id: The run's id; today's date and a number where it is left out.
        store: Folder of the store; `.headrace` in the working directory where it is left out. Metadata go to
            the pipeline's `metadata_connection_config` instead, where it has one; a warning says so.
        cache: Overrides the pipeline's cache switch. A node's own (`headrace.options`) gives way to `False` only.
        workers: How many nodes may run at once, 1 or more; as many as there are processors, and at least two,
            where it is left out.
        server: Whether the workers' server may be one that stays for the next run, see `headrace server --help`; yes
            where it is left out, but for CI and tests, and unless the variable HEADRACE_SERVER says otherwise.
        fail: `"fast"` stops everything at the first failure of a node that the run needs, `"late"` only what depends
            on it.
        from_nodes: Execute only these nodes and what depends on them.
        to_nodes: Execute only these nodes and what they depend on.
        only: Execute exactly these nodes. Nodes left out give their last good outputs.
        dry_run: Only say what would run and what the cache would serve; nothing is recorded.
        resume_from: An earlier run of this pipeline, or `"latest"`; what it finished is not executed again.
        base_run: The run whose outputs stand for the nodes that a partial run leaves out, or `"latest"`; for each
            its newest where it is left out.
        beam_pipeline_args: Arguments for the Beam pipelines of all components, after the components' own.
        exit_handlers: Components to run when all else has ended, however that was.
        listener: Called with each event of `headrace.orchestration.events`, from several threads, one at a time,
            whatever `show` says. One that raises is told nothing more, and the run goes on.

    Raises:
        OptionError: If there is no such option.
        DefinitionError: If no run can go like this.

    Example:
        >>> headrace.Runner(workers=4).run(pipeline)  # doctest: +SKIP
    """

    @takes_options(_WHERE)
    def __init__(
        self,
        *,
        show: bool = True,
        raise_on_failure: bool = True,
        run_id: str | None = None,
        store: str | os.PathLike[str] | None = None,
        cache: bool | None = None,
        workers: int | None = None,
        server: bool | None = None,
        fail: FailWord = "late",
        from_nodes: Iterable[str] = (),
        to_nodes: Iterable[str] = (),
        only: Iterable[str] = (),
        dry_run: bool = False,
        resume_from: str = "",
        base_run: str = "",
        beam_pipeline_args: Iterable[str] = (),
        exit_handlers: Iterable[BaseNode] = (),
        listener: Listener | None = None,
    ) -> None:
        super().__init__()
        self._options = RunOptions(
            show=show,
            raise_on_failure=raise_on_failure,
            run_id=run_id,
            store=store,
            cache=cache,
            workers=workers,
            server=server,
            fail=fail,
            from_nodes=from_nodes,
            to_nodes=to_nodes,
            only=only,
            dry_run=dry_run,
            resume_from=resume_from,
            base_run=base_run,
            beam_pipeline_args=beam_pipeline_args,
            exit_handlers=exit_handlers,
            listener=listener,
        )

    def set_exit_handler(self, exit_handler: BaseNode | Iterable[BaseNode]) -> None:
        """Name components to run when all else has ended, however that was."""
        handlers = (exit_handler,) if isinstance(exit_handler, BaseNode) else tuple(exit_handler)
        self._options = replace(self._options, exit_handlers=handlers)

    def run(
        self,
        pipeline: tfx_pipeline.Pipeline,
        run_options: tfx_pipeline.RunOptions | None = None,
        **options: Unpack[RunKeywords],
    ) -> RunResult:
        """Run a pipeline.

        Args:
            pipeline: The pipeline.
            run_options: TFX's options of a partial run.
            options: What is different for this run, under the names of `Runner`'s arguments.

        Raises:
            HeadraceError: What made the first failed node fail; see `headrace.run`.
        """
        named = current_names(options, NAMES, _WHERE)
        return self._run(pipeline, {**partial_runs.of_options(run_options), **named})

    def run_with_ir(
        self,
        pipeline: pipeline_pb2.Pipeline,
        run_options: pipeline_pb2.RunOptions | None = None,
        **options: Unpack[RunKeywords],
    ) -> RunResult:
        """Run a compiled pipeline; see `run`."""
        named = current_names(options, NAMES, _WHERE)
        return self._run(pipeline, {**partial_runs.of_compiled_options(run_options), **named})

    def _run(self, pipeline: AnyPipeline, changes: Mapping[str, Any]) -> RunResult:
        return run_display.start(pipeline, replace(self._options, **changes))
