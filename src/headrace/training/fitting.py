"""The training of the short form's models."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from headrace.errors import TrainingError
from headrace.models.keras_models import arrange
from headrace.runtime.progress import Progress
from headrace.training import balance as balancing
from headrace.training import datasets
from headrace.training.augmentation import Augmenter
from headrace.training.callbacks import Watch
from headrace.training.short_form import Settings

DEFAULT_EPOCHS = 10
_MANY = 1 << 30
_EVAL_BATCH_BYTES = 1 << 20


@dataclass(frozen=True)
class Outcome:
    """What training came to.

    Attributes:
        history: Values of loss and metrics, one for each epoch.
        steps: Steps taken.
        best: The metrics of the epoch whose weights the model has.
    """

    history: dict[str, list[float]]
    steps: int
    best: dict[str, float]


def fit(
    model: keras.Model,
    rows: tuple[datasets.Rows, datasets.Rows],
    settings: Settings,
    hyperparameters: dict[str, Any],
    callbacks: Sequence[Any],
    *,
    progress: Progress,
    is_row_wise: bool,
    prefix: str = "",
) -> Outcome:
    """Train a compiled model until its steps or epochs are done, or it stops getting better.

    Args:
        model: From `short_form.build`, compiled.
        rows: For training and for evaluation.
        settings: Of the node.
        hyperparameters: `batch_size` and `epochs` go before those of the settings.
        callbacks: Of Keras, beside the one that reports progress.
        progress: Gets epochs, steps and loss.
        is_row_wise: What `short_form.compile_if_needed` returned.
        prefix: Said before the epoch in progress.

    Raises:
        TrainingError: If the loss is NaN or infinite, that in evaluation is always NaN, or a hyperparameter that
            is a size is below one.
    """
    train, evaluate = rows
    batch_size = _size(hyperparameters, "batch_size", settings) or settings.batch_size
    steps_per_epoch = train.steps(batch_size)
    epochs = _size(hyperparameters, "epochs", settings) or settings.epochs
    if settings.train_steps is not None:
        steps_per_epoch = min(steps_per_epoch, settings.train_steps)
        epochs = min(epochs or _MANY, -(-settings.train_steps // steps_per_epoch))
    epochs = epochs or DEFAULT_EPOCHS
    watch = Watch(settings.node_id, settings.train_steps, steps_per_epoch, epochs, progress, prefix)
    place = functools.partial(arrange, model)
    eval_size, eval_steps = _eval_batches(evaluate, batch_size, settings.eval_steps, is_row_wise)
    batches = training_batches(model, train, settings, batch_size, place)
    _create_variables(model, batches)
    result = model.fit(
        batches,
        epochs=epochs,
        steps_per_epoch=steps_per_epoch,
        # The batches are shuffled already.
        shuffle=False,
        validation_data=evaluate.batches_once(eval_size, place).take(eval_steps),
        callbacks=[*callbacks, watch],
        verbose=0,
    )
    history = result.history
    best = _best_epoch(history["val_loss"], settings.node_id)
    return Outcome(history, watch.steps_done, {name: values[best] for name, values in history.items()})


def training_batches(
    model: keras.Model,
    rows: datasets.Rows,
    settings: Settings,
    batch_size: int,
    place: Callable[[Any], Any],
) -> tf.data.Dataset:
    """Return endless batches to train on, balanced and changed as the settings say; evaluation never is.

    Raises:
        TrainingError: If the label has no classes to balance, or a change fits no feature.
    """
    label = rows.label_range
    balance = augmenter = None
    if settings.class_balance is not None:
        _check_classes(rows, settings.node_id)
        counts = rows.class_counts()
        balance = balancing.make(settings.class_balance, counts, _output_width(model), settings.node_id)
    if settings.augment:
        signature = {name: spec for name, spec in rows.signature.items() if name != rows.label}
        is_mixed = label.dtype == "float32" and not label.is_whole
        augmenter = Augmenter(
            settings.augment, signature, settings.seed, is_label_mixed=is_mixed, where=settings.node_id
        )
    return rows.batches(batch_size, place, settings.seed, balance, augmenter)


def _check_classes(rows: datasets.Rows, node_id: str) -> None:
    """Check that the label is one number in each row, before the rows of each value are counted."""
    label = rows.label_range
    shape = rows.signature[rows.label].shape[1:]
    if label.dtype == "string" or any(size != 1 for size in shape):
        held = "text" if label.dtype == "string" else "several values in a row"
        raise TrainingError(
            f"{node_id}: class_balance needs the number of a class in each row, and the label '{rows.label}' holds "
            f"{held}.",
            "number the classes in preprocessing_fn: headrace.features.label.",
        )
    if not label.is_whole:
        raise balancing.regression(node_id, f"the label '{rows.label}' has fractions")


def _output_width(model: keras.Model) -> int | None:
    outputs = getattr(model, "outputs", None) or []
    width = outputs[0].shape[-1] if len(outputs) == 1 else None
    return int(width) if width is not None else None


def _create_variables(model: keras.Model, batches: tf.data.Dataset) -> None:
    """Create the variables of optimizer and metrics, which Keras would create in the first step.

    TensorFlow traces a function twice that creates variables, and most of the time until the first step is done is
    that of tracing. Models with a step or metrics of their own are left alone.
    """
    kind = type(model)
    if (
        kind.train_step is not keras.Model.train_step
        or kind.compute_metrics is not keras.Model.compute_metrics
    ):
        return
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    output = getattr(model, "output", None)
    if isinstance(output, keras.KerasTensor):
        label = batches.element_spec[1]
        # What does not like a row of zeros creates its variables in the first step.
        with contextlib.suppress(Exception):
            row = [tf.zeros([size or 1 for size in one.shape], one.dtype) for one in (label, output)]
            model.compute_metrics(None, *row)
        model.reset_metrics()


def _eval_batches(
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


def _best_epoch(losses: Sequence[float], node_id: str) -> int:
    """Return the epoch with the smallest loss, which is the one whose weights early stopping keeps."""
    known = [(loss, epoch) for epoch, loss in enumerate(losses) if not math.isnan(loss)]
    if not known:
        raise TrainingError(
            f"{node_id}: the loss in evaluation is NaN in each of {len(losses)} epochs.",
            "look for NaN, infinite or very large inputs in the statistics of the evaluation's splits.",
        )
    return min(known)[1]
