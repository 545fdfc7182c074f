"""Declaration of Tuner."""

from __future__ import annotations

import json
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
    NamedExecutorSpec,
    OutputOf,
    Outputs,
    RuntimeParameter,
    standard_artifacts,
)
from headrace.authoring.light import authoring
from headrace.authoring.plain_values import ProtoLike, to_proto
from headrace.components.tuner.search_space import check_method, check_space, checked_minutes
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
    from tfx.proto import trainer_pb2, tuner_pb2


class TunerSpec(ComponentSpec):
    """TFX's `TunerSpec`, and the parameters of the short form."""

    PARAMETERS = {  # noqa: RUF012 - TFX's form
        "module_file": ExecutionParameter(type=str, optional=True),
        "tuner_fn": ExecutionParameter(type=str, optional=True),
        "train_args": ExecutionParameter(type=trainer_pb2.TrainArgs),
        "eval_args": ExecutionParameter(type=trainer_pb2.EvalArgs),
        "tune_args": ExecutionParameter(type=tuner_pb2.TuneArgs, optional=True),
        "custom_config": ExecutionParameter(type=str, optional=True),
        "build_model": ExecutionParameter(type=str, optional=True),
        "search_space": ExecutionParameter(type=str, optional=True),
        "max_trials": ExecutionParameter(type=int, optional=True),
        "objective": ExecutionParameter(type=str, optional=True),
        "label": ExecutionParameter(type=str, optional=True),
        "batch_size": ExecutionParameter(type=int, optional=True),
        "epochs": ExecutionParameter(type=int, optional=True),
        "patience": ExecutionParameter(type=int, optional=True),
        "seed": ExecutionParameter(type=int, optional=True),
        "augment": ExecutionParameter(type=str, optional=True),
        "class_balance": ExecutionParameter(type=str, optional=True),
        **fit_arguments.PARAMETERS,
        "search": ExecutionParameter(type=str, optional=True),
        "max_minutes": ExecutionParameter(type=float, optional=True),
        "prune": ExecutionParameter(type=int, optional=True),
    }
    INPUTS = {  # noqa: RUF012
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "schema": ChannelParameter(type=standard_artifacts.Schema, optional=True),
        "transform_graph": ChannelParameter(type=standard_artifacts.TransformGraph, optional=True),
        "base_model": ChannelParameter(type=standard_artifacts.Model, optional=True),
    }
    OUTPUTS = {  # noqa: RUF012
        "best_hyperparameters": ChannelParameter(type=standard_artifacts.HyperParameters),
        "tuner_results": ChannelParameter(type=standard_artifacts.TunerResults),
        "trials": ChannelParameter(type=standard_artifacts.ModelRun, optional=True),
    }


class TunerOutputs(Outputs):
    """What `Tuner` makes."""

    best_hyperparameters: OutputOf[standard_artifacts.HyperParameters]
    tuner_results: OutputOf[standard_artifacts.TunerResults]
    trials: OutputOf[standard_artifacts.ModelRun]


class Tuner(Component[TunerOutputs]):
    """Tries hyperparameters and keeps the best, for Trainer's `hyperparameters` input.

    As in Trainer, there are two forms:

    - `tuner_fn(fn_args) -> TunerFnResult`, TFX's form, with any tuner of KerasTuner.
    - `build_model(features, hyperparameters)` with a `search_space`: the same function that Trainer takes.
      Trials run side by side, each in a process that has one of the processors. One that ended is kept at once: a
      search that was stopped goes on with the trials that it lacks. Values with which `build_model` raises, the loss is
      NaN, or the process is killed fail their trial alone; three that raise before any ends well end the search.

    Inputs:
        examples: As for Trainer.
        schema: As for Trainer.
        transform_graph: As for Trainer.
        base_model: For `tuner_fn`.

    Outputs:
        best_hyperparameters: `HyperParameters`, KerasTuner's configuration with `space` and `values`::

            best_hyperparameters.txt
        tuner_results: `TunerResults`, a JSON list with id, score and hyperparameters of each trial, best
            first::

            tuner_results.json
        trials: A `ModelRun` for each trial, the best first, with the custom properties `trial_state` (`complete`,
            `pruned` or `failed`), `score`, `hyperparameters` (JSON), and `message`, why it failed::

            history.json                 loss and metrics of each epoch
            train/, validation/, *       TensorBoard's event files; its HParams page compares the trials

    Args:
        examples: See above.
        schema: See above.
        transform_graph: See above.
        base_model: See above.
        module_file: A Python file that defines `tuner_fn`; or `build_model` and no `tuner_fn`.
        tuner_fn: The function, as an object or as `'module:function'`.
        train_args: As for Trainer, for each trial.
        eval_args: As for Trainer, for each trial.
        tune_args: A mapping or `tuner_pb2.TuneArgs`: `num_parallel_trials`, how many trials run side by side; by default
            one for each processor, four at most. With `tuner_fn` more than one is refused, as by TFX's own Tuner.
        custom_config: Values for the user's function.
        build_model: The function of the short form.
        search_space: For each hyperparameter a list of values, or a range
            `{"min": 1e-4, "max": 1e-2, "sampling": "log"}`: of whole numbers if both ends are, with an
            optional `step`. `learning_rate`, `batch_size` and `epochs` mean the same as in Trainer.
        max_trials: Models to train at most. Default 10; no bound where `max_minutes` is given, or `search="grid"`.
        objective: What is best: `val_loss` (default), or a metric such as `val_binary_accuracy`. The smallest is
            the best of what is an error by its name (`val_mae`, `val_binary_crossentropy`), else the largest.
        label: As for Trainer, as are all below.
        batch_size: See `label`.
        epochs: See `label`.
        patience: See `label`.
        seed: See `label`; of the choice of trials too.
        train_split: As for Trainer, as is `eval_split`.
        eval_split: See `train_split`.
        augment: See `label`.
        class_balance: See `label`.
        class_weight: See `label`.
        features: See `label`.
        callbacks: See `label`; made anew for each trial, with its hyperparameters.
        monitor: See `label`. What is best among trials says `objective`.
        min_delta: See `label`.
        keep: See `label`: whether a trial's metrics are those of its best or of its last epoch.
        search: How values are found. `"grid"`: all combinations. `"random"`: drawn evenly from the space.
            `"bayesian"`: where the trials so far let expect the best, by Optuna's tree-structured Parzen estimator.
            `"hyperband"`: at random, and most trials get a part of the epochs (see `prune`). Where not given: all
            combinations if they are no more than `max_trials`, else at random. No combination is tried twice.
        max_minutes: After that no trial is begun; those that run end. It is counted over all tries of the node.
        prune: Whether a trial is stopped whose objective is worse after as many epochs than the median of the others'.
            With `search="hyperband"` trials are stopped by successive halving, whatever is given here.

    Raises:
        DefinitionError: If not exactly one function is given, or the search space is not as above.
        UserFunctionError: If the function does not exist.

    Example:
        >>> tuner = Tuner(
        ...     examples=transform.outputs["transformed_examples"],
        ...     transform_graph=transform.outputs["transform_graph"],
        ...     build_model="taxi.model:build_model",
        ...     label="tips",
        ...     search_space={"units": [16, 32], "learning_rate": {"min": 1e-4, "max": 1e-2, "sampling": "log"}},
        ...     max_trials=5,
        ... )  # doctest: +SKIP
    """

    SPEC_CLASS = TunerSpec
    EXECUTOR_SPEC = NamedExecutorSpec("headrace.components.tuner.executor.Executor")
    TFX_TYPE = "tfx.components.tuner.component.Tuner"
    INPUT_FILES = ("custom_config",)

    def __init__(
        self,
        examples: BaseChannel,
        schema: BaseChannel | None = None,
        transform_graph: BaseChannel | None = None,
        base_model: BaseChannel | None = None,
        module_file: str | None = None,
        tuner_fn: Function | None = None,
        train_args: ProtoLike | None = None,
        eval_args: ProtoLike | None = None,
        tune_args: ProtoLike | None = None,
        custom_config: dict[str, Any] | None = None,
        *,
        build_model: Function | None = None,
        search_space: Mapping[str, Any] | None = None,
        max_trials: int | RuntimeParameter | None = None,
        objective: str | None = None,
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
        search: str | None = None,
        max_minutes: float | RuntimeParameter | None = None,
        prune: bool | None = None,
    ) -> None:
        check_one_given("Tuner", module_file=module_file, tuner_fn=tuner_fn, build_model=build_model)
        short_form = {
            "label": label,
            "batch_size": batch_size,
            "epochs": epochs,
            "patience": patience,
            "seed": seed,
            "augment": augment_text("Tuner", augment),
            "class_balance": fit_arguments.weights_text("Tuner", class_balance, class_weight),
            "features": fit_arguments.features_text("Tuner", features),
            "callbacks": fit_arguments.callbacks_text("Tuner", callbacks),
            **fit_arguments.keeping("Tuner", monitor, min_delta, keep),
            "max_trials": max_trials,
            "objective": objective,
            "search": search,
            "max_minutes": None if max_minutes is None else checked_minutes(max_minutes),
            "prune": None if prune is None else int(prune),
        }
        if tuner_fn is not None:
            check_unused_with("Tuner", "tuner_fn", {**short_form, "search_space": search_space})
        if build_model is not None and not search_space:
            raise DefinitionError(
                "Tuner: build_model is given without search_space.",
                "name the values to try: search_space={'units': [16, 32]}.",
            )
        if search_space is not None:
            check_space(search_space)
            check_method(search, search_space)
        if isinstance(module_file, str):
            check_module(
                "Tuner",
                module_file,
                ("build_model",) if search_space is not None else ("tuner_fn", "build_model"),
            )
        train_args = args_with_split("Tuner", "train", train_args, train_split)
        eval_args = args_with_split("Tuner", "eval", eval_args, eval_split)
        super().__init__(
            spec=TunerSpec(
                examples=examples,
                schema=schema,
                transform_graph=transform_graph,
                base_model=base_model,
                module_file=module_file,
                tuner_fn=function_text("Tuner: tuner_fn", tuner_fn),
                train_args=to_proto(train_args, trainer_pb2.TrainArgs, "Tuner: train_args", {}),
                eval_args=to_proto(eval_args, trainer_pb2.EvalArgs, "Tuner: eval_args", {}),
                tune_args=to_proto(tune_args, tuner_pb2.TuneArgs, "Tuner: tune_args"),
                custom_config=custom_config_text(custom_config),
                build_model=function_text("Tuner: build_model", build_model),
                search_space=None if search_space is None else json.dumps(search_space, sort_keys=True),
                best_hyperparameters=Channel(type=standard_artifacts.HyperParameters),
                tuner_results=Channel(type=standard_artifacts.TunerResults),
                trials=Channel(type=standard_artifacts.ModelRun),
                **checked_numbers("Tuner", short_form, zero_is_fine=("patience", "seed", "prune")),
            )
        )
