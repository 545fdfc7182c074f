"""Declaration of Trainer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.augment import Given as Augmentations
from headrace.authoring import (
    BaseChannel,
    Channel,
    ChannelParameter,
    Component,
    ComponentSpec,
    ExecutionParameter,
    ExecutorSpec,
    NamedExecutorSpec,
    OutputOf,
    Outputs,
    RuntimeParameter,
    standard_artifacts,
    system_executions,
)
from headrace.authoring.light import authoring
from headrace.authoring.plain_values import ProtoLike, to_proto
from headrace.errors import DefinitionError
from headrace.training import fit_arguments
from headrace.training.arguments import (
    Function,
    Splits,
    args_with_split,
    augment_text,
    check_module,
    check_one_given,
    check_unused_with,
    checked_numbers,
    custom_config_text,
    function_text,
)

with authoring():
    from tfx.proto import trainer_pb2


class TrainerSpec(ComponentSpec):
    """TFX's `TrainerSpec`, and the parameters of the short form."""

    PARAMETERS = {  # noqa: RUF012 - TFX's form
        "train_args": ExecutionParameter(type=trainer_pb2.TrainArgs),
        "eval_args": ExecutionParameter(type=trainer_pb2.EvalArgs),
        "module_file": ExecutionParameter(type=str, optional=True),
        "module_path": ExecutionParameter(type=str, optional=True),
        "run_fn": ExecutionParameter(type=str, optional=True),
        "custom_config": ExecutionParameter(type=str, optional=True),
        "build_model": ExecutionParameter(type=str, optional=True),
        "label": ExecutionParameter(type=str, optional=True),
        "batch_size": ExecutionParameter(type=int, optional=True),
        "epochs": ExecutionParameter(type=int, optional=True),
        "patience": ExecutionParameter(type=int, optional=True),
        "seed": ExecutionParameter(type=int, optional=True),
        "augment": ExecutionParameter(type=str, optional=True),
        "class_balance": ExecutionParameter(type=str, optional=True),
        **fit_arguments.PARAMETERS,
        "tensorboard": ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {  # noqa: RUF012
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "transform_graph": ChannelParameter(type=standard_artifacts.TransformGraph, optional=True),
        "schema": ChannelParameter(type=standard_artifacts.Schema, optional=True),
        "base_model": ChannelParameter(type=standard_artifacts.Model, optional=True),
        "hyperparameters": ChannelParameter(type=standard_artifacts.HyperParameters, optional=True),
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics, optional=True),
    }
    OUTPUTS = {  # noqa: RUF012
        "model": ChannelParameter(type=standard_artifacts.Model),
        "model_run": ChannelParameter(type=standard_artifacts.ModelRun),
    }
    TYPE_ANNOTATION = system_executions.Train


class TrainerOutputs(Outputs):
    """What `Trainer` makes."""

    model: OutputOf[standard_artifacts.Model]
    model_run: OutputOf[standard_artifacts.ModelRun]


class Trainer(Component[TrainerOutputs]):
    """Trains a model and exports it with signatures for serving and evaluation.

    What is trained comes in one of two forms:

    - `run_fn(fn_args)`, TFX's form: the function reads the data, trains, and saves a SavedModel to
      `fn_args.serving_model_dir`. It gets the same `FnArgs` as under TFX. For the export it may call
      `headrace.models.exporters.export_model`.
    - `build_model(features, hyperparameters) -> keras.Model`, the short form (Keras 3: `import keras`).
      `features` maps the name of each model input to its dtype, shape and number of categories, and makes
      its `keras.Input`; see `headrace.models.features`. `hyperparameters` is a dict: the values
      of the `hyperparameters` artifact over those of `custom_config`. Headrace makes the datasets, compiles
      the model where `build_model` did not, trains with early stopping and exports.

    Inputs:
        examples: Transformed examples, or raw ones, of payload tf.Example or (short form) Parquet.
        transform_graph: What Transform made; the exported model then takes raw examples.
        schema: Needed by the short form where there is no `transform_graph`.
        base_model: A model to start from. The short form takes over the weights of a model that it exported.
        hyperparameters: A Tuner's `best_hyperparameters`.
        statistics: For `run_fn`: the rows of each split, by name, are its `fn_args.num_examples`.

    Outputs:
        model: `Model`, the SavedModel::

            Format-Serving/
                saved_model.pb, variables/, assets/

            The short form's has two signatures. Both take `examples`, serialized tf.Examples.
            `serving_default` needs no label and returns `probabilities`, `logits` or `predictions`, or the
            names of a model with several outputs. `transform_features` returns the transformed features.
        model_run: `ModelRun`: what training left behind. Short form::

            train/, validation/          TensorBoard's event files
            best.weights.h5              the weights of the epoch with the lowest loss in evaluation
            history.csv, history.json    loss and metrics of each epoch

    Args:
        examples: See above. Required, unless `transformed_examples` is given, its deprecated name.
        transformed_examples: Deprecated.
        transform_graph: See above.
        schema: See above.
        base_model: See above.
        hyperparameters: See above.
        module_file: A Python file that defines `run_fn`; or `build_model` and no `run_fn`.
        run_fn: The function, as an object or as `'module:function'`.
        train_args: A mapping or `trainer_pb2.TrainArgs`: `splits` to train on (default `train`); `num_steps`, the
            batches to train on in all, default no bound.
        eval_args: Likewise: `splits` to evaluate on (default `eval`); `num_steps`, the batches of an evaluation,
            default the whole split.
        custom_config: Values for the user's function, as JSON can hold them.
        custom_executor_spec: Another executor. Deprecated in TFX.
        statistics: See above. By name only: TFX 1.21 has it before `examples`, and 1.16 not at all.
        build_model: The function of the short form, as an object or as `'module:function'`.
        label: Short form: the feature to predict. `'tips'` also finds `'tips_xf'`. Default: the feature
            named `label` or `label_xf`.
        batch_size: Short form: examples in a batch, default 128. The last batch of an epoch holds what is left, so
            every example is trained on in each epoch. A hyperparameter of this name goes first.
        epochs: Short form: passes over the data, default 10, or without bound where `num_steps` is given.
            With both, training ends at whichever comes first. A hyperparameter of this name goes first.
        patience: Short form: epochs without a lower loss in evaluation after which training stops, default 5;
            0 for never. The weights of the best epoch are kept either way.
        seed: Short form: of initial weights, dropout, the order of examples and their changes, default 1.
        train_split: The split to train on, or several: short for `splits` of `train_args`.
        eval_split: The split that is looked at after each epoch, such as `"valid"`: short for `splits` of `eval_args`.
        augment: Short form: what changes training examples each time they are seen: one of `headrace.augment` or a
            list of some, such as `[augment.flip(), augment.rotate(10)]`; or mappings such as `{"kind": "flip"}`.
        class_balance: Short form: `"weights"` lets the examples of each class count as much together as those of
            another (scikit-learn's `class_weight="balanced"`); `"resample"` draws as many of each class in an epoch of
            as many as there are; `{0: 1.0, 1: 6.0}` are weights of your own. Neither this nor `augment` touches what
            the model is evaluated on.

    Raises:
        DefinitionError: If not exactly one function and one set of examples is given.
        UserFunctionError: If the function does not exist.

    Example:
        >>> trainer = Trainer(
        ...     examples=transform.outputs["transformed_examples"],
        ...     transform_graph=transform.outputs["transform_graph"],
        ...     build_model="taxi.model:build_model",
        ...     label="tips",
        ...     train_args={"num_steps": 1000},
        ... )  # doctest: +SKIP
    """

    SPEC_CLASS = TrainerSpec
    EXECUTOR_SPEC = NamedExecutorSpec("headrace.components.trainer.executor.Executor")
    TFX_TYPE = "tfx.components.trainer.component.Trainer"
    INPUT_FILES = ("custom_config",)

    def __init__(
        self,
        examples: BaseChannel | None = None,
        transformed_examples: BaseChannel | None = None,
        transform_graph: BaseChannel | None = None,
        schema: BaseChannel | None = None,
        base_model: BaseChannel | None = None,
        hyperparameters: BaseChannel | None = None,
        module_file: str | RuntimeParameter | None = None,
        run_fn: Function | None = None,
        train_args: ProtoLike | None = None,
        eval_args: ProtoLike | None = None,
        custom_config: dict[str, Any] | RuntimeParameter | None = None,
        custom_executor_spec: ExecutorSpec | None = None,
        *,
        statistics: BaseChannel | None = None,
        build_model: Function | None = None,
        label: str | RuntimeParameter | None = None,
        batch_size: int | RuntimeParameter | None = None,
        epochs: int | RuntimeParameter | None = None,
        patience: int | RuntimeParameter | None = None,
        seed: int | RuntimeParameter | None = None,
        train_split: Splits | None = None,
        eval_split: Splits | None = None,
        augment: Augmentations | None = None,
        class_balance: fit_arguments.Weights | None = None,
        class_weight: fit_arguments.Weights | None = None,
        features: Sequence[str] | RuntimeParameter | None = None,
        callbacks: fit_arguments.Callbacks | None = None,
        monitor: str | RuntimeParameter | None = None,
        min_delta: float | RuntimeParameter | None = None,
        keep: str | RuntimeParameter | None = None,
        tensorboard: Mapping[str, Any] | RuntimeParameter | None = None,
    ) -> None:
        check_one_given("Trainer", module_file=module_file, run_fn=run_fn, build_model=build_model)
        _check_examples(examples, transformed_examples, transform_graph)
        short_form = {
            "label": label,
            "batch_size": batch_size,
            "epochs": epochs,
            "patience": patience,
            "seed": seed,
            "augment": augment_text("Trainer", augment),
            "class_balance": fit_arguments.weights_text("Trainer", class_balance, class_weight),
            "features": fit_arguments.features_text("Trainer", features),
            "callbacks": fit_arguments.callbacks_text("Trainer", callbacks),
            **fit_arguments.keeping("Trainer", monitor, min_delta, keep),
            "tensorboard": fit_arguments.tensorboard_text("Trainer", tensorboard),
        }
        if run_fn is not None:
            check_unused_with("Trainer", "run_fn", short_form)
        if isinstance(module_file, str):
            check_module("Trainer", module_file, ("run_fn", "build_model"))
        train_args = args_with_split("Trainer", "train", train_args, train_split)
        eval_args = args_with_split("Trainer", "eval", eval_args, eval_split)
        super().__init__(
            spec=TrainerSpec(
                examples=examples or transformed_examples,
                transform_graph=transform_graph,
                schema=schema,
                base_model=base_model,
                hyperparameters=hyperparameters,
                statistics=statistics,
                train_args=to_proto(train_args, trainer_pb2.TrainArgs, "Trainer: train_args", {}),
                eval_args=to_proto(eval_args, trainer_pb2.EvalArgs, "Trainer: eval_args", {}),
                module_file=module_file,
                run_fn=function_text("Trainer: run_fn", run_fn),
                custom_config=custom_config_text(custom_config),
                build_model=function_text("Trainer: build_model", build_model),
                model=Channel(type=standard_artifacts.Model),
                model_run=Channel(type=standard_artifacts.ModelRun),
                **checked_numbers("Trainer", short_form, zero_is_fine=("patience", "seed")),
            ),
            custom_executor_spec=custom_executor_spec,
        )


def _check_examples(examples: Any, transformed_examples: Any, transform_graph: Any) -> None:
    if bool(examples) == bool(transformed_examples):
        raise DefinitionError(
            f"Trainer: {'both' if examples else 'neither'} of examples and transformed_examples given. "
            "It needs exactly one.",
            "give examples=...; transformed_examples is its deprecated name.",
        )
    if transformed_examples and not transform_graph:
        raise DefinitionError(
            "Trainer: transformed_examples is given without transform_graph.",
            "add transform_graph=transform.outputs['transform_graph'].",
        )
