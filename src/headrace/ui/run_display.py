"""`headrace.run`: the engine with its progress and result on the screen."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING

from headrace.authoring import BaseNode
from headrace.errors import HeadraceError
from headrace.orchestration import process_role
from headrace.orchestration.engine import interrupts
from headrace.orchestration.engine import start as engine
from headrace.orchestration.events import Listener, RunResult
from headrace.run_options import FailWord, RunOptions, takes_options

if TYPE_CHECKING:
    from headrace.orchestration.engine.start import AnyPipeline


@takes_options("headrace.run")
def run(
    pipeline: AnyPipeline,
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
) -> RunResult:
    """Run a TFX pipeline and show how it goes on standard error.

    Nodes run in worker processes, as many at once as there are processors. A node whose code, parameters and
    input contents are those of an earlier execution reuses its outputs. A failed node stops only what depends
    on it.

    Args:
        pipeline: A pipeline of TFX or Headrace components, or both; or one that is compiled already. It is not
            changed.
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

    Returns:
        How each node ended.

    Raises:
        HeadraceError: What stopped the first failed node, with the command that resumes the run where there is one;
            or what is wrong with the pipeline, an option or the store.
        KeyboardInterrupt: After Ctrl-C, once everything has stopped. A script that does not catch it exits with 130.
        SystemExit: After SIGTERM, likewise, with 143; after SIGHUP with 129.

    Example:
        >>> result = run(pipeline, workers=4, fail="fast")  # doctest: +SKIP
        >>> result.node("Trainer").outputs  # doctest: +SKIP
    """
    options = RunOptions(
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
    return start(pipeline, options)


def start(pipeline: AnyPipeline, options: RunOptions) -> RunResult:
    """Run a pipeline as `run` does. The command line puts another function in its place while a script runs."""
    if not options.show or process_role.is_worker():
        result = engine.run(pipeline, options)
    elif options.dry_run:
        result = _show_plan(pipeline, options)
    else:
        result = _show_run(pipeline, options)
    interrupts.raise_again(result.stopped_by)
    if options.raise_on_failure:
        raise_for_failure(result)
    return result


def raise_for_failure(result: RunResult) -> None:
    """Raise what stopped a run, without the frames of the engine: its message says all.

    Raises:
        HeadraceError: See `RunResult.raise_for_failure`.
    """
    try:
        result.raise_for_failure()
    except HeadraceError as error:
        cause = error.__cause__
        link: BaseException | None = cause
        while link is not None and os.environ.get("HEADRACE_DEBUG", "0") in ("", "0"):
            link.__traceback__ = None
            link = link.__cause__ or link.__context__
        raise error.with_traceback(None) from cause


def _show_plan(pipeline: AnyPipeline, options: RunOptions) -> RunResult:
    from headrace.ui.screen import open_screen
    from headrace.ui.summary import print_plan

    result = engine.run(pipeline, options)
    print_plan(open_screen(), result)
    return result


def _show_run(pipeline: AnyPipeline, options: RunOptions) -> RunResult:
    from headrace.ui.live import LiveDisplay
    from headrace.ui.plain import PlainDisplay
    from headrace.ui.screen import open_error_screen
    from headrace.ui.summary import print_summary

    screen = open_error_screen()
    title = f"{getattr(pipeline, 'id', 'pipeline')}: planning"
    display = LiveDisplay(screen, title) if screen.is_live else PlainDisplay(screen, title)
    with display:
        result = engine.run(pipeline, options, display=display.listen)
    wanted = [result.resume_command] if result.resume_command and not result.is_success else []
    store = f" --store {shlex.quote(str(options.store))}" if options.store else ""
    print_summary(screen, result, next_commands=[*wanted, f"headrace show {result.run_id}{store}"])
    return result
