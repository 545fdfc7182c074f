"""`headrace.run`: the engine with its progress and result on the screen."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from headrace.authoring import BaseNode
from headrace.errors import HeadraceError
from headrace.orchestration import process_role
from headrace.orchestration.engine import interrupts
from headrace.orchestration.engine import run as engine
from headrace.orchestration.events import Listener, RunResult


def run(
    pipeline: Any,
    *,
    show: bool = True,
    raise_on_failure: bool = True,
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
) -> RunResult:
    """Run a TFX pipeline and show how it goes on standard error.

    Args:
        pipeline: A pipeline of TFX or Headrace components, or both; or one that is compiled already. It is not
            changed.
        show: Whether to show progress and a table at the end, and of a dry run the plan, on standard output. A
            `listener` of your own is called instead of progress and table.
        raise_on_failure: Whether a run that did not do its work raises; else the result says how each node ended.
        run_id: The run's id; today's date and a number where it is left out.
        store: Folder of the store; `.headrace` in the working directory where it is left out. Metadata go to
            the pipeline's `metadata_connection_config` instead, where it has one.
        from_nodes: Execute only these nodes and what depends on them.
        to_nodes: Execute only these nodes and what they depend on.
        only: Execute exactly these nodes. Nodes left out give their last good outputs.
        enable_cache: Overrides the pipeline's cache switch.
        max_workers: How many nodes may run at once, 1 or more; as many as there are processors, and at least two,
            where it is left out.
        fail_fast: Stop everything at the first failure of a node that the run needs.
        dry_run: Only say what would run and what the cache would serve; nothing is recorded.
        resume_from: An earlier run of this pipeline; what it finished is not executed again.
        base_run: The run whose outputs stand for the nodes that a partial run leaves out; for each its newest
            where it is left out.
        exit_handlers: Components to run when all else has ended, however that was.
        listener: Called with each event of `headrace.orchestration.events`, from several threads, one at a time.
            One that raises is told nothing more, and the run goes on.

    Returns:
        How each node ended.

    Raises:
        HeadraceError: What stopped the first failed node, with the command that resumes the run where there is one;
            or what is wrong with the pipeline or the store.
        KeyboardInterrupt: After Ctrl-C, once everything has stopped. A script that does not catch it exits with 130.
        SystemExit: After SIGTERM, likewise, with 143; after SIGHUP with 129.

    Example:
        >>> result = run(pipeline)  # doctest: +SKIP
        >>> result.node("Trainer").outputs  # doctest: +SKIP
    """
    options: dict[str, Any] = {
        "run_id": run_id,
        "store": store,
        "from_nodes": from_nodes,
        "to_nodes": to_nodes,
        "only": only,
        "enable_cache": enable_cache,
        "max_workers": max_workers,
        "fail_fast": fail_fast,
        "dry_run": dry_run,
        "resume_from": resume_from,
        "base_run": base_run,
        "exit_handlers": exit_handlers,
        "listener": listener,
    }
    if not show or process_role.is_worker():
        result = engine.run(pipeline, **options)
    elif dry_run:
        result = _show_plan(pipeline, options)
    elif listener is not None:
        result = engine.run(pipeline, **options)
    else:
        result = _show_run(pipeline, options)
    interrupts.raise_again(result.stopped_by)
    if raise_on_failure:
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


def _show_plan(pipeline: Any, options: Mapping[str, Any]) -> RunResult:
    from headrace.ui.screen import open_screen
    from headrace.ui.summary import print_plan

    result = engine.run(pipeline, **options)
    print_plan(open_screen(), result)
    return result


def _show_run(pipeline: Any, options: Mapping[str, Any]) -> RunResult:
    from headrace.ui.live import LiveDisplay
    from headrace.ui.plain import PlainDisplay
    from headrace.ui.screen import open_error_screen
    from headrace.ui.summary import print_summary

    screen = open_error_screen()
    title = f"{getattr(pipeline, 'id', 'pipeline')}: planning"
    display = LiveDisplay(screen, title) if screen.is_live else PlainDisplay(screen, title)
    with display:
        result = engine.run(pipeline, **{**options, "listener": display.listen})
    wanted = [result.resume_command] if result.resume_command and not result.is_success else []
    print_summary(screen, result, next_commands=[*wanted, f"headrace show {result.run_id}"])
    return result
