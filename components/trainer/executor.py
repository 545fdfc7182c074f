"""Executor of Trainer: runs the user's `run_fn`, or trains what `build_model` returns."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tfx.components.trainer import fn_args_utils
from tfx.utils import io_utils, path_utils

from headrace.components.trainer import callbacks, export, fitting, short_form, user_function
from headrace.errors import DefinitionError, TrainingError
from headrace.io import artifacts, protos
from headrace.sdk import progress
from headrace.sdk.context import ExecutionContext
from headrace.sdk.executor import Executor as BaseExecutor


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
    progress.report("run_fn")
    run_fn(arguments)
    path = arguments.serving_model_dir
    if not os.path.isdir(path):
        raise TrainingError(
            f"{context.node_id}: run_fn returned and left no model at {path}.",
            "save it there: tf.saved_model.save(model, fn_args.serving_model_dir, signatures=...), or "
            "headrace.components.trainer.export.export_model.",
        )
    check_weights(path, context.node_id)
    steps = arguments.train_steps
    context.summarize("model", f"run_fn, {steps:,} steps" if steps else "run_fn")


def fn_arguments(context: ExecutionContext, working_path: str | None = None) -> fn_args_utils.FnArgs:
    """Return the `FnArgs` that TFX's own Trainer gives to `run_fn`.

    Raises:
        DefinitionError: If `custom_config` is not a dict.
    """
    arguments = fn_args_utils.get_common_fn_args(
        {key: list(value) for key, value in context.inputs.items()}, dict(context.parameters), working_path
    )
    for key in ("train_files", "eval_files"):
        setattr(arguments, key, [_escaped(pattern) for pattern in getattr(arguments, key) or []])
    if arguments.custom_config and not isinstance(arguments.custom_config, dict):
        raise DefinitionError(
            f"{context.node_id}: custom_config is a {type(arguments.custom_config).__name__}.",
            "give a dict, such as {'units': 64}.",
        )
    arguments.transform_output = arguments.transform_graph_path
    arguments.schema_file = arguments.schema_path
    hyperparameters = context.optional_input("hyperparameters")
    if hyperparameters is not None:
        path = io_utils.get_only_uri_in_dir(hyperparameters.uri)
        arguments.hyperparameters = short_form.read_json(path)
    statistics = context.optional_input("statistics")
    if statistics is not None:
        arguments.num_examples = {
            split: protos.read_statistics(statistics, split).datasets[0].num_examples
            for split in artifacts.split_names(statistics)
        }
    model = context.optional_output("model")
    if model is not None:
        arguments.serving_model_dir = path_utils.serving_model_dir(model.uri)
        arguments.eval_model_dir = path_utils.eval_model_dir(model.uri)
        arguments.model_run_dir = context.output("model_run").uri
    return arguments


def _escaped(pattern: str) -> str:
    """Return TFX's pattern of the files of a split, `FOLDER/*`, for a folder that may have [ ] * ? in its path."""
    folder, files = os.path.split(pattern)
    return os.path.join(glob.escape(folder), files)


def check_weights(path: str, node_id: str) -> None:
    """Check that no weight of a SavedModel is NaN: training that met a NaN loss leaves nothing else.

    Raises:
        TrainingError: If one is, naming it.
    """
    prefix = os.path.join(path, "variables", "variables")
    if not os.path.exists(f"{prefix}.index"):
        return
    checkpoint = tf.train.load_checkpoint(prefix)
    for name, dtype in sorted(checkpoint.get_variable_to_dtype_map().items()):
        if dtype.is_floating and bool(np.isnan(np.asarray(checkpoint.get_tensor(name), np.float32)).any()):
            raise TrainingError(
                f"{node_id}: the trained model has NaN in its weights ({name.removesuffix('/.ATTRIBUTES/VARIABLE_VALUE')}).",
                "look for NaN, infinite or very large inputs in the statistics, scale them in preprocessing_fn, or "
                "lower the learning rate; keras.callbacks.TerminateOnNaN shows the step.",
            )


def _train(context: ExecutionContext, build_model: Callable[..., Any]) -> None:
    settings = short_form.Settings.read(context)
    source = short_form.open_source(context)
    hyperparameters = short_form.hyperparameter_values(context)
    progress.report("building the model")
    model = short_form.build(build_model, source, hyperparameters, settings)
    names = short_form.input_features(model, source, settings.node_id)
    rows = short_form.read_rows(context, settings, source, names)
    label = rows[0].label_range
    is_row_wise = short_form.compile_if_needed(model, label, hyperparameters, settings.node_id)
    base_model = context.optional_input("base_model")
    if base_model is not None:
        _take_over_weights(model, path_utils.serving_model_path(base_model.uri), settings.node_id)

    run_path = context.output("model_run").uri
    kept = callbacks.standard_callbacks(run_path, settings.patience)
    outcome = fitting.fit(model, rows, settings, hyperparameters, kept, is_row_wise=is_row_wise)
    callbacks.write_history(run_path, outcome.history)

    progress.report("exporting")
    path = path_utils.serving_model_dir(context.output("model").uri)
    export.export_model(
        model,
        path,
        transform_graph_path=source.transform_graph_path,
        schema=source.schema,
        label=source.label,
    )
    measured = (f"{name} {value:.4g}" for name, value in outcome.best.items() if name.startswith("val_"))
    context.summarize("model", ", ".join([f"{outcome.steps:,} steps", *measured]))


def _take_over_weights(model: keras.Model, path: str, node_id: str) -> None:
    """Start from the weights of a model that `export_model` wrote."""
    prefix = os.path.join(path, "variables", "variables")
    found: dict[str, list[int]] = {}
    if os.path.exists(f"{prefix}.index"):
        checkpoint = tf.train.load_checkpoint(prefix)
        found = checkpoint.get_variable_to_shape_map()
    variables = {export.weight_key(number): one for number, one in enumerate(export.weights(model))}
    wanted = {key: variable.shape.as_list() for key, variable in variables.items()}
    kept = {key: shape for key, shape in found.items() if key.startswith(export.weight_key(None))}
    if kept != wanted:
        raise TrainingError(
            f"{node_id}: base_model ({path}) has weights of shapes {list(kept.values()) or 'unknown'}, and what "
            f"build_model returned has {list(wanted.values())}.",
            "give a model of the same layers that the short form or export_model wrote, or load it in run_fn.",
        )
    for key, variable in variables.items():
        variable.assign(checkpoint.get_tensor(key))
