"""How long training goes, and in which batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from headrace.errors import TrainingError
from headrace.training import datasets
from headrace.training.short_form import Settings

DEFAULT_EPOCHS = 10
_MANY = 1 << 30
_EVAL_BATCH_BYTES = 1 << 20


@dataclass(frozen=True)
class Plan:
    """How long training goes.

    Attributes:
        batch_size: Rows of a batch.
        steps_per_epoch: Batches of an epoch.
        epochs: At most so many.
    """

    batch_size: int
    steps_per_epoch: int
    epochs: int


def make(rows: datasets.Rows, settings: Settings, hyperparameters: dict[str, Any]) -> Plan:
    """Return how long training goes, by the settings and the hyperparameters before them.

    Raises:
        TrainingError: If a hyperparameter that is a size is below one.
    """
    batch_size = _size(hyperparameters, "batch_size", settings) or settings.batch_size
    steps_per_epoch = rows.steps(batch_size)
    epochs = _size(hyperparameters, "epochs", settings) or settings.epochs
    if settings.train_steps is not None:
        steps_per_epoch = min(steps_per_epoch, settings.train_steps)
        epochs = min(epochs or _MANY, -(-settings.train_steps // steps_per_epoch))
    return Plan(batch_size, steps_per_epoch, epochs or DEFAULT_EPOCHS)


def eval_batches(
    rows: datasets.Rows, batch_size: int, num_steps: int | None, is_row_wise: bool
) -> tuple[int, int]:
    """Return size and number of the batches of an evaluation over `num_steps` batches of `batch_size`.

    A step costs as much as a thousand rows of a small model. So where that changes no number, the same rows
    come in fewer, larger batches.
    """
    all_steps = -(-rows.num_rows // batch_size)
    steps = min(all_steps, num_steps or all_steps)
    most = max(1, min(steps, _EVAL_BATCH_BYTES // (batch_size * rows.bytes_per_row)))
    if not is_row_wise:
        most = 1
    elif steps < all_steps:
        most = max(count for count in range(1, most + 1) if steps % count == 0)
    return most * batch_size, -(-steps // most)


def _size(hyperparameters: dict[str, Any], name: str, settings: Settings) -> int | None:
    """Return a hyperparameter that is a whole number from 1; `None` where it is not given."""
    value = hyperparameters.get(name)
    if value is None:
        return None
    # A Tuner's range gives floats.
    if isinstance(value, (int, float)) and value >= 1 and value == int(value):
        return int(value)
    raise TrainingError(
        f"{settings.node_id}: hyperparameter '{name}' is {value!r}, and a whole number from 1 is needed.",
        "correct it in custom_config, or in the Tuner's search_space.",
    )
