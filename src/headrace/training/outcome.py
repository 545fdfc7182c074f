"""What a training came to, whatever was trained."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# From an epoch, counted from 0, and its metrics: whether to go on is of no use.
IsHopeless = Callable[[int, dict[str, Any]], bool]


@dataclass(frozen=True)
class Outcome:
    """What training came to.

    Attributes:
        history: Values of loss and metrics, one for each epoch, or for each round of boosting; one alone where a model
            is fitted in one go.
        steps: Steps taken: batches, rounds, or 1.
        best: The metrics of the epoch whose weights the model has.
        told: What the model is, in a few words; empty where its size says nothing.
    """

    history: dict[str, list[float]]
    steps: int
    best: dict[str, float]
    told: str = ""
