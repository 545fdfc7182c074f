"""What TFX gives to `run_fn` and `tuner_fn`: `FnArgs`, made of a node's artifacts and parameters."""

from __future__ import annotations

import glob
import os

from tfx.components.trainer import fn_args_utils
from tfx.utils import path_utils

from headrace.errors import DefinitionError
from headrace.formats import artifacts, protos
from headrace.formats import hyperparameters as hyperparameter_files
from headrace.runtime.context import ExecutionContext
from headrace.training import named_splits


def fn_arguments(context: ExecutionContext, working_path: str | None = None) -> fn_args_utils.FnArgs:
    """Return the `FnArgs` that TFX's own Trainer gives to `run_fn`.

    Raises:
        DefinitionError: If `custom_config` is not a dict.
        UnknownSplitError: If the examples lack a split to train or evaluate on.
    """
    named_splits.read(context)
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
        arguments.hyperparameters = hyperparameter_files.read_best(hyperparameters.uri).content
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
