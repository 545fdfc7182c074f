"""The training of the short form's models."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from headrace.errors import TrainingError
from headrace.models.features import Features
from headrace.models.keras_inputs import ModelInputs
from headrace.runtime.progress import Progress
from headrace.training import balance as balancing
from headrace.training import checkpoints, datasets, endings, normalization, plans
from headrace.training.augmentation import Augmenter
from headrace.training.callbacks import StopWhen, Watch, recording
from headrace.training.outcome import IsHopeless
from headrace.training.outcome import Outcome as Outcome
from headrace.training.short_form import Settings

_log = logging.getLogger(__name__)


def fit(
    model: keras.Model,
    rows: tuple[datasets.Rows, datasets.Rows],
    settings: Settings,
    hyperparameters: dict[str, Any],
    inputs: ModelInputs | None = None,
    *,
    features: Features | None = None,
    progress: Progress,
    is_row_wise: bool,
    prefix: str = "",
    run_path: str = "",
    checkpoint_path: str = "",
    is_hopeless: IsHopeless | None = None,
) -> Outcome:
    """Train a compiled model until its steps or epochs are done, or it stops getting better.

    Args:
        model: From `short_form.build`, compiled.
        rows: For training and for evaluation.
        settings: Of the node.
        hyperparameters: `batch_size` and `epochs` go before those of the settings.
        inputs: How the model is fed; by default with the dict of all columns.
        features: What the user's function `callbacks` gets of this name.
        progress: Gets epochs, steps and loss.
        is_row_wise: What `short_form.compile_if_needed` returned.
        prefix: Said before the epoch in progress.
        run_path: Folder of a ModelRun, for TensorBoard's files, the log and the best weights; empty for none.
        checkpoint_path: From where training goes on if it was killed, see `checkpoints.place`; empty for nowhere.
        is_hopeless: Whether to stop, asked after each epoch.

    Raises:
        TrainingError: If the loss is NaN or infinite, that in evaluation is always NaN, there is no metric of the name
            of `monitor`, or a hyperparameter that is a size is below one.
    """
    train, evaluate = rows
    place = inputs.arrange if inputs is not None else dict
    plan = plans.make(train, settings, hyperparameters)
    normalization.adapt(model, train, place, progress)
    given = {
        "features": features,
        "hyperparameters": dict(hyperparameters),
        "model": model,
        "log_dir": run_path,
    }
    ending = endings.make(settings, given, run_path)

    def begun(after: checkpoints.Checkpoint | None) -> tuple[tf.data.Dataset, list[Any]]:
        first = after.epochs * plan.steps_per_epoch if after is not None else 0
        written = recording(run_path, settings.tensorboard, is_continued=after is not None)
        batches = training_batches(model, train, settings, plan.batch_size, place, first)
        return batches, [*ending.callbacks, *written]

    found = checkpoints.read(checkpoint_path)
    batches, others = begun(found)
    ending.check_monitors(_create_variables(model, batches))
    if found is not None and not _fits(found, model, batches, others):
        found = None
        batches, others = begun(None)
    epochs_done = found.epochs if found is not None else 0
    if found is not None:
        progress.report(f"{prefix}goes on after epoch {epochs_done}")
        _log.info("%s: goes on from the checkpoint after epoch %d.", settings.node_id, epochs_done)
        found.put_files(run_path)
    keeper = checkpoints.Keeper(checkpoint_path, others, run_path, found)
    watch = Watch(settings.node_id, plan, settings.train_steps, progress, prefix, epochs_done)
    eval_size, eval_steps = plans.eval_batches(evaluate, plan.batch_size, settings.eval_steps, is_row_wise)
    model.fit(
        batches,
        epochs=plan.epochs,
        initial_epoch=epochs_done,
        steps_per_epoch=plan.steps_per_epoch,
        # The batches are shuffled already.
        shuffle=False,
        validation_data=evaluate.batches_once(eval_size, place).take(eval_steps),
        callbacks=[*others, keeper, watch, *([StopWhen(is_hopeless)] if is_hopeless is not None else [])],
        verbose=0,
    )
    history = keeper.history
    kept = ending.epoch(len(history["loss"]))
    return Outcome(history, watch.steps_done, {name: values[kept] for name, values in history.items()})


def training_batches(
    model: keras.Model,
    rows: datasets.Rows,
    settings: Settings,
    batch_size: int,
    place: Callable[[Any], Any],
    first: int = 0,
) -> tf.data.Dataset:
    """Return endless batches to train on, balanced and changed as the settings say; evaluation never is.

    They begin with the batch of the number `first`.

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
    return rows.batches(batch_size, place, settings.seed, balance, augmenter, first)


def _check_classes(rows: datasets.Rows, node_id: str) -> None:
    """Check that the label is one number in each row, before the rows of each value are counted."""
    label = rows.label_range
    shape = rows.signature[rows.label].shape[1:]
    if label.is_multi_label:
        raise TrainingError(
            f"{node_id}: class_balance and class_weight weigh a row by its class, and a row of the label '{rows.label}' "
            f"has {label.width} labels of 0 and 1, of which several may be true.",
            "leave it out; to count rare labels more, compile the model with such a loss in build_model: "
            "model.compile(loss=keras.losses.BinaryFocalCrossentropy()).",
        )
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


def _fits(
    found: checkpoints.Checkpoint, model: keras.Model, batches: tf.data.Dataset, callbacks: Sequence[Any]
) -> bool:
    """Whether a checkpoint is of this model, all of whose variables are created for it."""
    if not model.built:
        for inputs, *_ in batches.take(1):
            model(inputs, training=False)
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return found.fits(model, callbacks)


def _create_variables(model: keras.Model, batches: tf.data.Dataset) -> list[str]:
    """Create the variables of optimizer and metrics, which Keras would create in the first step.

    TensorFlow traces a function twice that creates variables, and most of the time until the first step is done is
    that of tracing. Models with a step or metrics of their own are left alone.

    Returns:
        The names of loss and metrics, as far as they are known then.
    """
    kind = type(model)
    if (
        kind.train_step is not keras.Model.train_step
        or kind.compute_metrics is not keras.Model.compute_metrics
    ):
        return []
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    names: list[str] = []
    # A Sequential has `output` only once it was called.
    output = model.outputs[0] if isinstance(model, keras.Sequential) else getattr(model, "output", None)
    if isinstance(output, keras.KerasTensor):
        label = batches.element_spec[1]
        # What does not like a row of zeros creates its variables in the first step.
        with contextlib.suppress(Exception):
            row = [tf.zeros([size or 1 for size in one.shape], one.dtype) for one in (label, output)]
            names = list(model.compute_metrics(None, *row))
        model.reset_metrics()
    return names
