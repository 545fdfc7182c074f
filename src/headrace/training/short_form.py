"""The short form: what a model is trained on, and how it is built and compiled.

Trainer trains one model of it, Tuner one for each trial.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
from tensorflow.core.example import example_pb2
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.proto import trainer_pb2
from tfx.utils import json_utils

from headrace import augment
from headrace.augment import Augmentation
from headrace.errors import DefinitionError, InputResolutionError, MissingFileError, TrainingError
from headrace.formats import artifacts, protos
from headrace.formats import hyperparameters as hyperparameter_files
from headrace.formats.examples import examples as examples_io
from headrace.models import readers
from headrace.models.exporters import frameworks
from headrace.models.features import (
    Features,
    find_label,
    from_schema,
    read_transformed,
)
from headrace.models.keras_models import last_activation
from headrace.runtime.context import ExecutionContext
from headrace.training import datasets, losses, named_splits
from headrace.training.parsing import LabelRange

DEFAULT_BATCH_SIZE = 128
DEFAULT_PATIENCE = 5
DEFAULT_SEED = 1
DEFAULT_LEARNING_RATE = 0.001
DEFAULT_MONITOR = "val_loss"


@dataclass(frozen=True)
class Settings:
    """The parameters of the short form, with their defaults filled in."""

    node_id: str
    train_splits: tuple[str, ...]
    eval_splits: tuple[str, ...]
    train_steps: int | None
    eval_steps: int | None
    batch_size: int
    epochs: int | None
    patience: int
    seed: int
    augment: tuple[Augmentation, ...] = ()
    class_balance: str | dict[str, float] | None = None
    features: tuple[str, ...] = ()
    callbacks: str | None = None
    monitor: str = DEFAULT_MONITOR
    min_delta: float = 0.0
    keep: str = "best"
    tensorboard: dict[str, Any] = field(default_factory=dict)
    # What was given, and not a default that something else of the user's may stand for.
    given: frozenset[str] = frozenset()

    @classmethod
    def read(cls, context: ExecutionContext) -> Settings:
        """Read them from a node's parameters.

        Raises:
            DefinitionError: If a number of steps is negative.
            UnknownSplitError: If the examples lack a split.
        """
        train = context.proto_parameter("train_args", trainer_pb2.TrainArgs)
        evaluate = context.proto_parameter("eval_args", trainer_pb2.EvalArgs)
        for key, given in (("train_args", train), ("eval_args", evaluate)):
            if given.num_steps < 0:
                raise DefinitionError(
                    f"{context.node_id}: num_steps of {key} is {given.num_steps}.",
                    "give the number of batches, or leave it out for no bound.",
                )
        train_splits, eval_splits = named_splits.read(context)
        return cls(
            node_id=context.node_id,
            train_splits=train_splits,
            eval_splits=eval_splits,
            train_steps=train.num_steps or None,
            eval_steps=evaluate.num_steps or None,
            batch_size=context.parameter("batch_size", DEFAULT_BATCH_SIZE),
            epochs=context.parameter("epochs"),
            patience=context.parameter("patience", DEFAULT_PATIENCE),
            seed=context.parameter("seed", DEFAULT_SEED),
            augment=augment.read(context.json_parameter("augment") or (), f"{context.node_id}: augment"),
            class_balance=context.json_parameter("class_balance"),
            features=tuple(context.json_parameter("features") or ()),
            callbacks=context.parameter("callbacks"),
            monitor=context.parameter("monitor", DEFAULT_MONITOR),
            min_delta=context.parameter("min_delta", 0.0),
            keep=context.parameter("keep", "best"),
            tensorboard=dict(context.json_parameter("tensorboard") or {}),
            given=frozenset(
                name
                for name in ("batch_size", "epochs", "patience", "monitor", "min_delta", "keep")
                if context.parameter(name) is not None
            ),
        )


@dataclass(frozen=True)
class Source:
    """Where the short form's rows come from.

    Attributes:
        reader: Parses the records.
        features: The model's inputs to choose from: all but the label.
        label: Name of the label.
        transform_graph_path: Folder of the transform graph, where there is one.
        schema: Of the raw examples, where there is no transform graph.
    """

    reader: Any
    features: Features
    label: str
    transform_graph_path: str | None
    schema: schema_pb2.Schema | None


def open_source(context: ExecutionContext) -> Source:
    """Look at transform graph or schema, and find the label.

    Raises:
        DefinitionError: If there is neither transform graph nor schema.
        TrainingError: If there is no label.
    """
    graph, schema_artifact = context.optional_input("transform_graph"), context.optional_input("schema")
    schema = None
    reader: Any
    if graph is not None:
        features = read_transformed(graph.uri)
        is_raw = _holds_raw_rows(context, features)
        reader = readers.TransformReader(graph.uri) if is_raw else readers.ExampleReader(features)
    elif schema_artifact is not None:
        schema = protos.read_schema(schema_artifact)
        features = from_schema(schema)
        reader = readers.ExampleReader(features)
    else:
        raise DefinitionError(
            f"{context.node_id}: build_model needs to know the features, and neither transform_graph nor schema "
            "is connected.",
            "add transform_graph=transform.outputs['transform_graph'], or schema=schema_gen.outputs['schema'].",
        )
    label = find_label(features, context.parameter("label"), context.node_id)
    chosen = _chosen(features, label, Settings.read(context))
    return Source(reader, chosen, label, graph.uri if graph is not None else None, schema)


def _chosen(features: Features, label: str, settings: Settings) -> Features:
    """The features that a model may take: all but the label, or those that the user named, in their order."""
    if not settings.features:
        return features.without(label)
    chosen = features.choose(settings.features, settings.node_id)
    if label in chosen:
        raise TrainingError(
            f"{settings.node_id}: features names '{label}', which is the label.",
            "leave it out of features: a model that is given the label learns nothing else.",
        )
    return chosen


def _holds_raw_rows(context: ExecutionContext, features: Features) -> bool:
    """Whether the examples are those before Transform (`materialize=False`), by the names in a record."""
    settings = Settings.read(context)
    artifact = context.inputs["examples"][0]
    artifacts.check_splits(artifact, settings.train_splits, context.node_id)
    for records in examples_io.read_records(artifact, settings.train_splits[0], 1):
        found = example_pb2.Example.FromString(records[0]).features.feature
        return not any(name in found for name in features)
    return False


def hyperparameter_values(context: ExecutionContext) -> dict[str, Any]:
    """Return what `build_model` gets: the hyperparameters artifact's values over those of `custom_config`.

    Raises:
        InputResolutionError: If the artifact holds no file.
    """
    values = dict(json_utils.loads(context.parameter("custom_config", "null")) or {})
    artifact = context.optional_input("hyperparameters")
    if artifact is not None:
        try:
            values.update(hyperparameter_files.read_best(artifact.uri).values)
        except MissingFileError as error:
            raise InputResolutionError(
                f"{context.node_id}: the hyperparameters in {artifact.uri} have no file.",
                "run the Tuner that makes them again.",
            ) from error
    return values


def build(
    build_model: Callable[..., Any], source: Source, hyperparameters: dict[str, Any], settings: Settings
) -> Any:
    """Call the user's function, from the same random state each time.

    Raises:
        TrainingError: If it returns what is no model. What it raises itself passes through.
    """
    # Keras counts: the second AUC of a process would be called auc_1, and no monitor would find it.
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(settings.seed)
    model = build_model(source.features, dict(hyperparameters))
    if not frameworks.is_known(model):
        kind = frameworks.class_path(model)
        fix = frameworks.advice(model, "return the model from build_model.")
        raise TrainingError(
            f"{settings.node_id}: build_model returned {kind}, not a keras.Model, nor an estimator of scikit-learn, "
            "XGBoost or LightGBM.",
            fix,
        )
    return model


def read_rows(
    context: ExecutionContext, settings: Settings, source: Source, names: Sequence[str]
) -> tuple[datasets.Rows, datasets.Rows]:
    """Read the rows for training and for evaluation, with the features `names`."""
    rows = []
    for splits in (settings.train_splits, settings.eval_splits):
        context.progress.report(f"reading {', '.join(splits)}")
        rows.append(
            datasets.read(
                context.inputs["examples"],
                splits,
                source.reader,
                names,
                source.label,
                settings.node_id,
                context.progress,
            )
        )
    return rows[0], rows[1]


def compile_if_needed(
    model: keras.Model, label: LabelRange, hyperparameters: dict[str, Any], node_id: str
) -> bool:
    """Compile a model that is not, with Adam and the loss that its output and the label call for; see `losses`.

    The hyperparameter `learning_rate` is used, default 0.001.

    Returns:
        Whether it was compiled here: then loss and metrics are means over rows, however these are batched.

    Raises:
        TrainingError: If no loss fits.
    """
    if model.compiled:
        return False
    if label.dtype == "string":
        raise TrainingError(
            f"{node_id}: the label holds strings, for which there is no loss.",
            "map them to numbers from 0 in preprocessing_fn: tft.compute_and_apply_vocabulary.",
        )
    outputs = model.outputs if getattr(model, "outputs", None) else []
    if len(outputs) != 1:
        raise TrainingError(
            f"{node_id}: build_model returned a model with {len(outputs) or 'unknown'} outputs and no loss.",
            "call model.compile(loss=...) in build_model.",
        )
    loss, metrics = losses.choose(outputs[0].shape[-1], last_activation(model), label, node_id)
    rate = float(hyperparameters.get("learning_rate", DEFAULT_LEARNING_RATE))
    model.compile(optimizer=keras.optimizers.Adam(rate), loss=loss, metrics=metrics)
    return True
