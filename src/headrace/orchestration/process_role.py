"""Which part this process plays: one that runs pipelines, or a worker that does a node of such a run.

A worker reads the user's script for its definitions, and meets the calls there that start runs.
"""

from __future__ import annotations

_is_worker = False


def become_worker() -> None:
    """Say that this process is a worker, for good."""
    global _is_worker
    _is_worker = True


def is_worker() -> bool:
    """Whether this process is a worker."""
    return _is_worker
