"""What became of the trials of a search, and where they are kept so that one that was killed goes on from there."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headrace.formats import artifacts, hyperparameters
from headrace.runtime import partial_results
from headrace.runtime.context import ExecutionContext

COMPLETE, PRUNED, FAILED = hyperparameters.COMPLETE, hyperparameters.PRUNED, hyperparameters.FAILED


@dataclass(frozen=True)
class Trial:
    """One trial that ended.

    Attributes:
        number: Its place in the order in which trials began, from 0.
        values: Its hyperparameters.
        state: `COMPLETE`; `PRUNED` where it was stopped early, being worse than others; or `FAILED`.
        score: Of the objective: of its best epoch, or, where it was pruned, of the last one; `None` where it failed.
        metrics: Of the epoch whose weights the model has, by name.
        history: Values of each epoch, by name.
        seconds: How long it took.
        message: Why it failed.
    """

    number: int
    values: Mapping[str, Any]
    state: str
    score: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    history: Mapping[str, Sequence[float]] = field(default_factory=dict)
    seconds: float = 0.0
    message: str = ""


class KeptTrials:
    """The trials of one search in the store, until the search is done.

    They are found by an execution of the same node with the same code, parameters and input content, and by no other.

    Args:
        context: Of the execution.
    """

    def __init__(self, context: ExecutionContext) -> None:
        self._path = context.partial_results.path(_content(context), "trials")

    def read(self) -> list[Trial]:
        """Return those that an execution before this one left when it was stopped."""
        content = partial_results.read(self._path)
        return [] if content is None else [Trial(**one) for one in json.loads(content)]

    def write(self, trials: Sequence[Trial]) -> None:
        """Keep these, in the place of those that were kept."""
        if self._path:
            content = json.dumps([dataclasses.asdict(one) for one in trials])
            partial_results.write(self._path, content.encode())

    def remove(self) -> None:
        """Forget them: the search is done."""
        if self._path:
            partial_results.remove(self._path)


def _content(context: ExecutionContext) -> str:
    """What stands for the content of all inputs; empty where that of one is not known."""
    found = [
        (key, artifacts.content_digest(artifact))
        for key, several in sorted(context.inputs.items())
        for artifact in several
    ]
    if not all(digest for _, digest in found):
        return ""
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()
