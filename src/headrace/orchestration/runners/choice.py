"""Which runner a run gets that was given none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from headrace.orchestration.runners.base import NodeRunner
from headrace.orchestration.runners.local.workers import Workers


def make_runner(modules: Callable[[], Sequence[str]] = tuple) -> NodeRunner:
    """Return a runner on worker processes of this machine, to be closed by whoever asked for it.

    Args:
        modules: Asked when the runner starts: what it loads ahead of need, in the order of need.
    """
    return Workers(modules)
