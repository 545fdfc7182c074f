"""What is evaluated, read and checked before it starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import tensorflow_model_analysis as tfma
from tensorflow_metadata.proto.v0 import schema_pb2

# TFMA 0.52 leaves these classes out of its own namespace; importing a part of TFX puts them there.
from tensorflow_model_analysis.proto import config_pb2
from tfx.utils import path_utils

from headrace.authoring import Artifact
from headrace.components.evaluator import checks, metric_names
from headrace.components.evaluator.tfma_internals import constants, metric_specs
from headrace.errors import DefinitionError, InputResolutionError
from headrace.formats import artifacts, protos, tensorflow_paths
from headrace.models import saved_model
from headrace.models.saved_model import SavedModel
from headrace.runtime.context import ExecutionContext
from headrace.usercode import functions

tensorflow_paths.accept_any_folder()

_DEFAULT_SPLITS = ("eval",)


@dataclass(frozen=True)
class Evaluation:
    """What is evaluated: everything is checked by the time it exists.

    Attributes:
        given: The `EvalConfig` as the user wrote it.
        config: The same with TFMA's defaults, without a baseline where none is given.
        models: TFMA's `EvalSharedModel`, empty where predictions come with the data.
        saved_models: Their SavedModels, in order.
        has_own_loader: Whether the user's function says how models are loaded.
        examples: Artifact and split of all that is read.
        schema: Of the examples, where one is given.
        extractors: The user's function of this name.
        class_names: Of the classes 0, 1, 2 ..., where they are known before the rows are read.
        asked: What asks the models, where it has been made already: it has loaded them.
    """

    given: Any
    config: Any
    models: tuple[Any, ...]
    saved_models: tuple[SavedModel, ...]
    has_own_loader: bool
    examples: tuple[tuple[Artifact, str], ...]
    schema: schema_pb2.Schema | None
    extractors: Callable[..., Any] | None
    class_names: tuple[str, ...] = ()
    asked: Any = None

    @property
    def is_validated(self) -> bool:
        """Whether any threshold can be checked."""
        return bool(
            metric_specs.metric_thresholds_from_metrics_specs(
                self.config.metrics_specs, eval_config=self.config
            )
        )


def prepare(context: ExecutionContext, given: Any) -> Evaluation:
    """Read models and inputs, and check that they and a configuration fit together.

    Args:
        context: The execution.
        given: The `EvalConfig` as the user wrote it.

    Raises:
        HeadraceError: What is wrong, before anything is evaluated.
    """
    metric_names.resolve(given)
    where = f"{context.node_id}: eval_config"
    has_baseline = bool(context.inputs.get("baseline_model"))
    config = with_defaults(given, has_baseline, where)
    splits = context.json_parameter("example_splits") or list(_DEFAULT_SPLITS)
    examples = []
    for artifact in context.inputs.get("examples") or []:
        artifacts.check_splits(artifact, splits, context.node_id, "example_splits")
        examples += [(artifact, split) for split in splits]
    if not examples:
        raise InputResolutionError(
            f"{context.node_id}: input 'examples' has no artifact.", "run the ExampleGen that makes it."
        )
    schema_artifact = context.optional_input("schema")
    schema = protos.read_schema(schema_artifact) if schema_artifact is not None else None
    models, saved_models = _models(context, config)
    extractors = _function(context, "custom_extractors")
    if extractors is None:
        metric_names.check_attributions(config, where)
    if len(saved_models) == len(models) and extractors is None:
        transformed = [
            checks.transformed_names(files, spec) for files, spec in zip(saved_models, config.model_specs)
        ]
        checks.check_features(config, examples, transformed, schema, context.node_id)
    has_own_loader = _function(context, "custom_eval_shared_model") is not None
    return Evaluation(
        given, config, models, saved_models, has_own_loader, tuple(examples), schema, extractors
    )


def with_defaults(given: Any, has_baseline: bool, where: str) -> Any:
    """Return an `EvalConfig` with TFMA's defaults filled in, checked.

    Raises:
        DefinitionError: If it asks for what there is not.
    """
    try:
        # Change thresholds without a baseline are dropped, as in TFX; the verdict says so.
        config = tfma.utils.update_eval_config_with_defaults(
            given, has_baseline=has_baseline, rubber_stamp=True
        )
        tfma.utils.verify_eval_config(config)
    except ValueError as error:
        raise DefinitionError(f"{where} is not valid: {error}.", "correct eval_config.") from error
    if len(config.model_specs) > 2:
        raise DefinitionError(
            f"{where} has {len(config.model_specs)} model_specs where at most 2 are used: candidate and baseline.",
            "keep one model_spec, and one more with is_baseline where its settings differ.",
        )
    metric_names.check(config, where)
    return config


def _models(context: ExecutionContext, config: Any) -> tuple[tuple[Any, ...], tuple[SavedModel, ...]]:
    own = _function(context, "custom_eval_shared_model")
    make = own or tfma.default_eval_shared_model
    # The user's own functions may load a model of any kind, from any file.
    is_any_model = own is not None or _function(context, "custom_extractors") is not None
    # A given type keeps TFMA from trying Keras first, which takes seconds and fails for Keras 3.
    typed = config_pb2.EvalConfig.FromString(config.SerializeToString())
    for spec in typed.model_specs:
        spec.model_type = spec.model_type or constants.TF_GENERIC
    shared: list[Any] = []
    saved: list[SavedModel] = []
    for spec in typed.model_specs:
        if not context.inputs.get("model"):
            if not spec.prediction_key and not spec.prediction_keys:
                raise DefinitionError(
                    f"{context.node_id}: there is no model, and eval_config's model_spec has no prediction_key.",
                    "connect 'model', or name the feature that holds predictions in prediction_key.",
                )
            continue
        artifact = context.input("baseline_model" if spec.is_baseline else "model")
        path = path_utils.serving_model_path(artifact.uri, path_utils.is_old_model_artifact(artifact))
        is_saved_model = spec.model_type in (constants.TF_GENERIC, constants.TF_ESTIMATOR)
        if is_saved_model and (not is_any_model or saved_model.exists(path)):
            role = "baseline model" if spec.is_baseline else "model"
            saved.append(SavedModel(path, f"{context.node_id}: {role}"))
            checks.check_signatures(saved[-1], spec, f"{context.node_id}: the {role}")
        shared.append(
            make(
                eval_saved_model_path=path,
                model_name=spec.name,
                eval_config=typed if own is None else config,
                add_metrics_callbacks=None,
            )
        )
    return tuple(shared), tuple(saved)


def _function(context: ExecutionContext, name: str) -> Callable[..., Any] | None:
    """The user's function of a fixed name in the module file, which need not have it."""
    # TFX appends the wheel it built: module@/path/of/wheel.
    place = context.parameter("module_file") or str(context.parameter("module_path", "")).partition("@")[0]
    if not place:
        return None
    functions.source_path(functions.FunctionReference(place, name), context.node_id)
    return getattr(functions.load_module(place), name, None)
