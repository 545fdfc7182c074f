"""Executor of Trainer: runs the user's `run_fn`, or trains what `build_model` returns."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from tfx.utils import path_utils

from headrace.errors import TrainingError
from headrace.formats import tensorflow_paths, training_histories
from headrace.models import exporters, weights
from headrace.runtime.context import ExecutionContext
from headrace.runtime.executor import Executor as BaseExecutor
from headrace.training import checkpoints, learners, short_form, user_function
from headrace.training.datasets import Rows
from headrace.training.fn_arguments import fn_arguments

tensorflow_paths.accept_any_folder()


class Executor(BaseExecutor):
    """Trains and exports; see `headrace.components.trainer.component.Trainer`."""

    def execute(self, context: ExecutionContext) -> None:
        """Fill `model` and `model_run`."""
        name, function = user_function.load(context, "run_fn", "build_model")
        os.makedirs(context.output("model_run").uri, exist_ok=True)
        if name == "run_fn":
            _run(context, function)
        else:
            _train(context, function)


def _run(context: ExecutionContext, run_fn: Callable[[Any], None]) -> None:
    arguments = fn_arguments(context)
    context.progress.report("run_fn")
    run_fn(arguments)
    path = arguments.serving_model_dir
    if not os.path.isdir(path):
        raise TrainingError(
            f"{context.node_id}: run_fn returned and left no model at {path}.",
            "save it there: tf.saved_model.save(model, fn_args.serving_model_dir, signatures=...), or "
            "headrace.models.exporters.export_model.",
        )
    check_weights(path, context.node_id)
    steps = arguments.train_steps
    context.summarize("model", f"run_fn, {steps:,} steps" if steps else "run_fn")


def check_weights(path: str, node_id: str) -> None:
    """Check that no weight of a SavedModel is NaN: training that met a NaN loss leaves nothing else.

    Raises:
        TrainingError: If one is, naming it.
    """
    name = weights.first_nan(path)
    if name is not None:
        raise TrainingError(
            f"{node_id}: the trained model has NaN in its weights ({name}).",
            "look for NaN, infinite or very large inputs in the statistics, scale them in preprocessing_fn, or "
            "lower the learning rate; keras.callbacks.TerminateOnNaN shows the step.",
        )


def _train(context: ExecutionContext, build_model: Callable[..., Any]) -> None:
    settings = short_form.Settings.read(context)
    source = short_form.open_source(context)
    hyperparameters = short_form.hyperparameter_values(context)
    context.progress.report("building the model")
    model = short_form.build(build_model, source, hyperparameters, settings)
    learner = learners.make(model, source, settings)
    rows = short_form.read_rows(context, settings, learner.source, learner.names)
    base_model = context.optional_input("base_model")
    start = path_utils.serving_model_path(base_model.uri) if base_model is not None else None
    learner.prepare(rows, hyperparameters, start)

    run_path = context.output("model_run").uri
    checkpoint_path = checkpoints.place(context)
    outcome = learner.fit(
        rows,
        hyperparameters,
        progress=context.progress,
        run_path=run_path,
        checkpoint_path=checkpoint_path,
    )
    training_histories.write(run_path, outcome.history)

    context.progress.report("exporting")
    path = path_utils.serving_model_dir(context.output("model").uri)
    exporters.export_model(
        model,
        path,
        transform_graph_path=source.transform_graph_path,
        schema=source.schema,
        label=source.label,
        features=settings.features or None,
        num_classes=_num_classes(rows),
    )
    checkpoints.forget(checkpoint_path)
    measured = (f"{name} {value:.4g}" for name, value in outcome.best.items() if name.startswith("val_"))
    context.summarize("model", ", ".join([outcome.told or f"{outcome.steps:,} steps", *measured]))


def _num_classes(rows: tuple[Rows, Rows]) -> int | None:
    """How many classes a label of whole numbers has in all rows: the rows to train on may lack some."""
    ranges = [one.label_range for one in rows]
    if not all(one.is_whole and one.least >= 0 for one in ranges):
        return None
    return int(max(one.greatest for one in ranges)) + 1
