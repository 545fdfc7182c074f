"""What a run tells whoever watches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from headrace.store.results import NodeResult, NodeState, OutputRecord, RunResult

__all__ = [
    "Event",
    "Listener",
    "NodeFinished",
    "NodeProgress",
    "NodeResult",
    "NodeStarted",
    "NodeState",
    "OutputRecord",
    "RunFinished",
    "RunResult",
    "RunStarted",
]


@dataclass(frozen=True)
class RunStarted:
    """The plan is known and nodes begin to start."""

    run_id: str
    pipeline_name: str
    node_ids: tuple[str, ...]
    log_path: str


@dataclass(frozen=True)
class NodeStarted:
    """A node left the queue."""

    node_id: str


@dataclass(frozen=True)
class NodeProgress:
    """A running node says what it does; `rows` counts rows since `doing` last changed, where it knows."""

    node_id: str
    doing: str
    rows: int | None = None


@dataclass(frozen=True)
class NodeFinished:
    """A node ended, was served from the cache, or will not run."""

    result: NodeResult


@dataclass(frozen=True)
class RunFinished:
    """The run ended; the last event."""

    result: RunResult


Event = RunStarted | NodeStarted | NodeProgress | NodeFinished | RunFinished
Listener = Callable[[Event], None]
