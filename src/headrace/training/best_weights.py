"""Which weights a training ends with: those of its best epoch, or the last."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras

from headrace.training import objectives

BEST, LAST = "best", "last"


class BestWeights(keras.callbacks.Callback):
    """Remembers the weights of the epoch whose metric is the best, the earliest of equal ones.

    Args:
        monitor: The metric; `objectives.direction` says whether a small or a large value is good.
        where: The node, for messages.
        keep: `"best"`: the model ends with these weights; `"last"`: with those it has then.
        path: The file to write them to, `.weights.h5`; empty for nowhere.
        also: Further metrics that must exist, as other callbacks look at them.

    Attributes:
        monitor: See above.
        monitors: It and `also`.
        epoch: That epoch, from 0; `None` as long as the metric was no number in any.
    """

    def __init__(
        self, monitor: str, where: str, keep: str = BEST, path: str = "", also: Sequence[str] = ()
    ) -> None:
        super().__init__()
        self.epoch: int | None = None
        self.monitor = monitor
        self.monitors = (monitor, *also)
        self._where = where
        self._keep = keep
        self._path = path
        self._sign = 1.0 if objectives.direction(monitor) == "min" else -1.0
        self._best = math.inf
        self._weights: list[Any] | None = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at the metric.

        Raises:
            TrainingError: If there is no such metric.
        """
        for monitor in self.monitors:
            objectives.check_exists(monitor, logs or {}, self._where)
        value = self._sign * float((logs or {})[self.monitor])
        if not math.isnan(value) and (self.epoch is None or value < self._best):
            self.epoch, self._best, self._weights = epoch, value, self.model.get_weights()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Write the best weights, and give the model those that it is to have."""
        if self._weights is None:
            return
        last = self.model.get_weights() if self._keep == LAST and self._path else None
        if self._keep == BEST or self._path:
            self.model.set_weights(self._weights)
        if self._path:
            self.model.save_weights(self._path)
        if last is not None:
            self.model.set_weights(last)
