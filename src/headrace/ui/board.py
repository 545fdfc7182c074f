"""What is known of a run while it goes on: one line per node, kept from the engine's events."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from headrace.artifact_types import registry
from headrace.orchestration.events import (
    Event,
    NodeFinished,
    NodeProgress,
    NodeResult,
    NodeStarted,
    NodeState,
    RunStarted,
)
from headrace.ui.units import plural

# So many artifacts of one output key are told one by one.
_MOST_TOLD = 4
ENDED = frozenset(NodeState) - {NodeState.WAITING, NodeState.RUNNING}


@dataclass(frozen=True)
class NodeLine:
    """One node as a line.

    Attributes:
        node_id: Node id.
        state: Its state now.
        since: When it started, on the board's clock; 0 where it has not.
        seconds: How long it took; only where it ended.
        text: What it does, made, or why it did not run.
    """

    node_id: str
    state: NodeState = NodeState.WAITING
    since: float = 0.0
    seconds: float = 0.0
    text: str = ""

    def elapsed(self, now: float) -> float | None:
        """Return its seconds so far, or in all; `None` where nothing ran."""
        if self.state is NodeState.RUNNING:
            return now - self.since
        return None if self.state in (NodeState.CACHED, NodeState.NOT_SELECTED) else self.seconds or None


class Board:
    """Collects events; safe to be told and asked from different threads.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.started = clock()
        self.pipeline_name = ""
        self.run_id = ""
        self._lines: dict[str, NodeLine] = {}
        self._lock = threading.Lock()

    def apply(self, event: Event) -> None:
        """Take in one event."""
        with self._lock:
            if isinstance(event, RunStarted):
                self.pipeline_name, self.run_id = event.pipeline_name, event.run_id
                self._lines = {
                    node_id: self._lines.get(node_id, NodeLine(node_id)) for node_id in event.node_ids
                }
            elif isinstance(event, NodeStarted):
                self._set(event.node_id, state=NodeState.RUNNING, since=self.clock(), text="starting")
            elif isinstance(event, NodeProgress):
                rows = f", {plural(event.rows, 'row')}" if event.rows is not None else ""
                self._set(event.node_id, text=f"{event.doing}{rows}")
            elif isinstance(event, NodeFinished):
                node = event.result
                self._set(node.node_id, state=node.state, seconds=node.seconds, text=describe(node))

    def lines(self) -> list[NodeLine]:
        """Return one line per node, in the pipeline's order."""
        with self._lock:
            return list(self._lines.values())

    def _set(self, node_id: str, **changes: object) -> None:
        line = self._lines.get(node_id, NodeLine(node_id))
        self._lines[node_id] = replace(line, **changes)  # type: ignore[arg-type]


def describe(node: NodeResult) -> str:
    """Return one line on how a node ended: the error, what it made, or why it did not run."""
    if node.state is NodeState.FAILED:
        problem = node.error.problem if node.error is not None else node.reason
        return problem.splitlines()[0] if problem else "no reason was recorded; see its log"
    if node.state in (NodeState.DONE, NodeState.CACHED):
        return "; ".join(made(node))
    return node.reason


def made(node: NodeResult) -> list[str]:
    """Return what a node made, one line per output that has a summary; the output keys where none has.

    Of many artifacts of one key it is said how many they are.
    """
    summarized = [output for output in node.outputs if output.summary]
    # A verdict is shown on a line of its own; here it would push the metrics aside.
    summarized = [output for output in summarized if not _stands_alone(output.type_name)] or summarized
    if len(summarized) == 1:
        return [summarized[0].summary]
    if summarized:
        counts = Counter(output.key for output in summarized)
        told = (
            f"{output.key}: {output.summary}"
            if counts[output.key] <= _MOST_TOLD
            else f"{output.key}: {counts[output.key]:,} {output.type_name} artifacts"
            for output in summarized
        )
        return list(dict.fromkeys(told))
    keys = dict.fromkeys(output.key for output in node.outputs)
    return [", ".join(keys)] if keys else []


def _stands_alone(type_name: str) -> bool:
    headline = registry.find(type_name).artifact_type.headline
    return headline is not None and headline.is_alone


def select(lines: list[NodeLine], room: int) -> tuple[list[NodeLine], int]:
    """Choose the lines to show where not all fit.

    Args:
        lines: All lines.
        room: How many fit; at least 1.

    Returns:
        The chosen lines, in their order, and how many were left out.
    """
    if len(lines) <= room:
        return lines, 0

    busy = [i for i, line in enumerate(lines) if line.state in (NodeState.RUNNING, NodeState.FAILED)]
    waiting = [i for i, line in enumerate(lines) if line.state is NodeState.WAITING]
    ended = sorted(set(range(len(lines))) - set(busy) - set(waiting), reverse=True)
    # After those that run: one that ended last, one that starts next, and so on in turn.
    others = [i for pair in itertools.zip_longest(ended, waiting) for i in pair if i is not None]
    chosen = sorted([*busy, *others][:room])
    return [lines[i] for i in chosen], len(lines) - len(chosen)
