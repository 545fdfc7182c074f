"""What happens beside the training steps: progress, the stop at the right step, a NaN that is not passed over."""

from __future__ import annotations

import math
import os
import time
from typing import Any

import keras

# Keras's TensorBoard imports it in the first step, 0.1 s; here it is of what workers find loaded.
import tensorboard.summary  # noqa: F401

from headrace.errors import TrainingError
from headrace.formats import training_histories
from headrace.runtime.progress import Progress

_SECONDS_BETWEEN_REPORTS = 0.3


class Watch(keras.callbacks.Callback):
    """Reports progress, stops after a number of steps, and stops at once at a NaN loss.

    Args:
        node_id: The node, for the message.
        num_steps: Steps after which training stops; `None` for no bound.
        steps_per_epoch: Steps of a whole epoch.
        num_epochs: Epochs planned.
        progress: Where it reports.
        prefix: Said before the epoch, such as `"trial 2/10 "`.

    Attributes:
        steps_done: Steps taken so far.
    """

    def __init__(
        self,
        node_id: str,
        num_steps: int | None,
        steps_per_epoch: int,
        num_epochs: int,
        progress: Progress,
        prefix: str = "",
    ) -> None:
        super().__init__()
        self._progress = progress
        self.steps_done = 0
        self._node_id = node_id
        self._num_steps = num_steps
        self._steps_per_epoch = steps_per_epoch
        self._num_epochs = num_epochs
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


def standard_callbacks(model_run_path: str, patience: int) -> list[keras.callbacks.Callback]:
    """Return the callbacks that write into `model_run` and keep the best weights.

    Args:
        model_run_path: Folder of the ModelRun artifact.
        patience: Epochs without a lower `val_loss` until training stops; 0 for never.
    """
    os.makedirs(model_run_path, exist_ok=True)
    return [
        keep_best(patience),
        keras.callbacks.ModelCheckpoint(
            os.path.join(model_run_path, training_histories.WEIGHTS_FILE),
            save_best_only=True,
            save_weights_only=True,
        ),
        keras.callbacks.TensorBoard(log_dir=model_run_path, write_graph=False),
        keras.callbacks.CSVLogger(os.path.join(model_run_path, training_histories.LOG_FILE)),
    ]


def keep_best(patience: int) -> keras.callbacks.Callback:
    """Return early stopping that ends with the weights of the epoch with the lowest `val_loss`."""
    return keras.callbacks.EarlyStopping(
        monitor="val_loss", patience=patience or 1 << 30, restore_best_weights=True
    )
