"""What happens beside the training steps: progress, the stop at the right step, a NaN that is not passed over."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping
from typing import Any

import keras

from headrace.errors import TrainingError
from headrace.formats import training_histories
from headrace.runtime.progress import Progress
from headrace.training.keras_internals import TensorBoard
from headrace.training.outcome import IsHopeless
from headrace.training.plans import Plan

_SECONDS_BETWEEN_REPORTS = 0.3


class StopWhen(keras.callbacks.Callback):
    """Ends a training that is of no use, such as one that is worse than others.

    Args:
        is_hopeless: Asked after each epoch.
    """

    def __init__(self, is_hopeless: IsHopeless) -> None:
        super().__init__()
        self._is_hopeless = is_hopeless

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Ask whether to stop."""
        if self._is_hopeless(epoch, dict(logs or {})):
            self.model.stop_training = True


class Watch(keras.callbacks.Callback):
    """Reports progress, stops after a number of steps, and stops at once at a NaN loss.

    Args:
        node_id: The node, for the message.
        plan: Steps of a whole epoch, and epochs.
        num_steps: Steps after which training stops; `None` for no bound.
        progress: Where it reports.
        prefix: Said before the epoch, such as `"trial 2/10 "`.
        epochs_done: Epochs that were trained before, by a process that is gone.

    Attributes:
        steps_done: Steps taken so far, those of earlier epochs among them.
    """

    def __init__(
        self,
        node_id: str,
        plan: Plan,
        num_steps: int | None,
        progress: Progress,
        prefix: str = "",
        epochs_done: int = 0,
    ) -> None:
        super().__init__()
        self._progress = progress
        self.steps_done = epochs_done * plan.steps_per_epoch
        self._node_id = node_id
        self._num_steps = num_steps
        self._steps_per_epoch = plan.steps_per_epoch
        self._num_epochs = plan.epochs
        self._prefix = prefix
        self._epoch = 0
        self._reported = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Remember the epoch."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Look at the loss of the step."""
        # With steps_per_execution above 1, Keras calls once for several steps.
        step = batch + 1
        self.steps_done = self._epoch * self._steps_per_epoch + step
        loss = float((logs or {}).get("loss", 0.0))
        if math.isnan(loss) or math.isinf(loss):
            raise TrainingError(
                f"{self._node_id}: the loss is {'NaN' if math.isnan(loss) else 'infinite'} at step "
                f"{self.steps_done:,} (epoch {self._epoch + 1}, step {step:,}).",
                "look for NaN, infinite or very large inputs in the statistics, scale them in preprocessing_fn, or "
                "lower the learning rate.",
            )
        now = time.monotonic()
        if now - self._reported >= _SECONDS_BETWEEN_REPORTS:
            self._reported = now
            steps = min(self._steps_per_epoch, self._steps_left_at_epoch())
            self._progress.report(
                f"{self._prefix}epoch {self._epoch + 1}/{self._num_epochs} step {step}/{steps} loss {loss:.4g}"
            )
        if self._num_steps is not None and self.steps_done >= self._num_steps:
            self.model.stop_training = True

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Say that the evaluation runs."""
        self._reported = time.monotonic()
        self._progress.report(f"{self._prefix}epoch {self._epoch + 1}/{self._num_epochs} evaluating")

    def _steps_left_at_epoch(self) -> int:
        if self._num_steps is None:
            return self._steps_per_epoch
        return self._num_steps - self._epoch * self._steps_per_epoch


def recording(run_path: str, tensorboard: Mapping[str, Any], *, is_continued: bool) -> list[Any]:
    """Return the callbacks that write into `model_run`.

    Args:
        run_path: Folder of the ModelRun artifact; nothing is written where it is empty.
        tensorboard: Arguments of Keras' TensorBoard beside the folder.
        is_continued: Whether the files of earlier epochs are there, and go on.
    """
    if not run_path:
        return []
    os.makedirs(run_path, exist_ok=True)
    return [
        TensorBoard(log_dir=run_path, **{"write_graph": False, **tensorboard}),
        keras.callbacks.CSVLogger(os.path.join(run_path, training_histories.LOG_FILE), append=is_continued),
    ]
