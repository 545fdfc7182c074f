"""When training ends and with which weights: the user's callbacks, early stopping, and the best epoch."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import keras

from headrace.errors import TrainingError
from headrace.formats import training_histories
from headrace.training import objectives, user_callbacks
from headrace.training.best_weights import LAST, BestWeights
from headrace.training.short_form import Settings


@dataclass(frozen=True)
class Ending:
    """What decides about a training's end.

    Attributes:
        callbacks: All of it, in the order in which they are called.
        best: Which knows the best epoch.
        restoring: The user's early stopping that gives the model the weights of its own best epoch, where there is one.
        keep: Whether the model ends with the best or the last weights.
        where: The node, for messages.
    """

    callbacks: tuple[keras.callbacks.Callback, ...]
    best: BestWeights
    restoring: keras.callbacks.EarlyStopping | None
    keep: str
    where: str

    def epoch(self, num_epochs: int) -> int:
        """Return the epoch, from 0, whose weights the model has after training.

        Raises:
            TrainingError: If the metric that decides was no number in any epoch.
        """
        if self.restoring is not None:
            return int(self.restoring.best_epoch)
        if self.best.epoch is None:
            monitor = self.best.monitor
            told = "the loss in evaluation" if monitor == "val_loss" else f"'{monitor}'"
            raise TrainingError(
                f"{self.where}: {told} is NaN in each of {num_epochs} epochs.",
                "look for NaN, infinite or very large inputs in the statistics of the evaluation's splits.",
            )
        return num_epochs - 1 if self.keep == LAST else self.best.epoch

    def check_monitors(self, known: Iterable[str]) -> None:
        """Check that the metrics exist that callbacks look at, as far as it is known before the first step.

        Raises:
            TrainingError: If one does not.
        """
        names = [*known]
        if not names:
            return
        recorded = [*names, *(f"val_{name}" for name in names), "learning_rate"]
        for monitor in self.best.monitors:
            objectives.check_exists(monitor, recorded, self.where)


def make(settings: Settings, given: Mapping[str, Any], run_path: str) -> Ending:
    """Return what decides about the end.

    A user's `EarlyStopping` among the callbacks stands for `patience`, unless that is given too. Where it restores its
    best weights, these are what the model ends with, unless `keep` or `monitor` is given.

    Args:
        settings: Of the node.
        given: What the function `callbacks` may ask for.
        run_path: Folder of the ModelRun; empty for none.
    """
    own = user_callbacks.make(settings.callbacks, given, settings.node_id)
    users = user_callbacks.early_stopping(own)
    monitors = [str(one.monitor) for one in own if getattr(one, "monitor", None)]
    if users is not None and settings.given.isdisjoint({"patience", "min_delta"}):
        settings = dataclasses.replace(settings, patience=0)
    is_theirs = (
        users is not None and users.restore_best_weights and settings.given.isdisjoint({"keep", "monitor"})
    )
    path = os.path.join(run_path, training_histories.WEIGHTS_FILE) if run_path else ""
    best = BestWeights(
        settings.monitor, settings.node_id, LAST if is_theirs else settings.keep, path, also=monitors
    )
    return Ending(
        callbacks=(*own, *_stopping(settings), best),
        best=best,
        restoring=users if is_theirs else None,
        keep=settings.keep,
        where=settings.node_id,
    )


def _stopping(settings: Settings) -> list[keras.callbacks.Callback]:
    if not settings.patience:
        return []
    return [
        keras.callbacks.EarlyStopping(
            monitor=settings.monitor,
            min_delta=settings.min_delta,
            patience=settings.patience,
            mode=objectives.direction(settings.monitor),
        )
    ]
