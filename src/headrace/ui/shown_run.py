"""`headrace.run`: the engine with its progress and result on the screen."""

from __future__ import annotations

import sys
from typing import Any

from headrace.orchestration import run as engine
from headrace.orchestration import worker
from headrace.orchestration.events import RunResult


def run(pipeline: Any, *, show: bool = True, **options: Any) -> RunResult:
    """Run a TFX pipeline and show how it goes on standard error.

    Takes all that `headrace.orchestration.run.run` takes.

    Args:
        pipeline: A pipeline of TFX or Headrace components, or both.
        show: Whether to show progress and a table at the end. A `listener` of your own is called instead.
        options: `run_id`, `store`, `from_nodes`, `to_nodes`, `only`, `enable_cache`, `max_workers`, `fail_fast`,
            `dry_run`, `resume_from`, `listener`: see `headrace.orchestration.run.run`.

    Returns:
        How each node ended. A failed node does not raise: call `raise_for_failure()` on the result.

    Raises:
        HeadraceError: If the pipeline cannot run as it is written, or the store cannot be used.

    Example:
        >>> result = run(pipeline)  # doctest: +SKIP
        >>> result.raise_for_failure()  # doctest: +SKIP
    """
    if not show or options.get("listener") or options.get("dry_run") or worker.is_worker_process:
        return engine.run(pipeline, **options)
    from headrace.ui.live import LiveDisplay
    from headrace.ui.plain import PlainDisplay
    from headrace.ui.screen import open_screen
    from headrace.ui.summary import print_summary

    screen = open_screen(sys.stderr)
    title = f"{getattr(pipeline, 'id', 'pipeline')}: planning"
    display = LiveDisplay(screen, title) if screen.is_live else PlainDisplay(screen, title)
    with display:
        result = engine.run(pipeline, **{**options, "listener": display.listen})
    print_summary(screen, result, next_commands=[f"headrace show {result.run_id}"])
    return result
