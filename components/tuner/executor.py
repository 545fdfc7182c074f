"""Executor of Tuner: runs the user's tuner, or searches the space given for `build_model`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import keras
import keras_tuner
from tfx.proto import tuner_pb2

from headrace.errors import DefinitionError, TrainingError, UnsupportedFeatureError
from headrace.formats import hyperparameters
from headrace.models import keras_inputs
from headrace.runtime.context import ExecutionContext
from headrace.runtime.executor import Executor as BaseExecutor
from headrace.training import fitting, short_form, user_function
from headrace.training.fn_arguments import fn_arguments
from headrace.training.objectives import direction

DEFAULT_MAX_TRIALS = 10
DEFAULT_OBJECTIVE = "val_loss"


class Executor(BaseExecutor):
    """Searches hyperparameters; see `headrace.components.tuner.component.Tuner`."""

    def execute(self, context: ExecutionContext) -> None:
        """Fill `best_hyperparameters` and `tuner_results`."""
        if context.proto_parameter("tune_args", tuner_pb2.TuneArgs).ListFields():
            raise UnsupportedFeatureError(
                f"{context.node_id}: tune_args asks for parallel trials; this Tuner runs them one by one, as "
                "TFX's own does.",
                "leave tune_args out, or use TFX's Tuner for Google Cloud AI Platform.",
            )
        names = ("build_model",) if context.parameter("search_space") else ("tuner_fn", "build_model")
        name, function = user_function.load(context, *names)
        tuner = _search(context, function) if name == "build_model" else _run(context, function)
        _write(context, tuner)


def _run(context: ExecutionContext, tuner_fn: Callable[[Any], Any]) -> Any:
    result = tuner_fn(fn_arguments(context, working_path=context.tmp_path))
    if not hasattr(result, "tuner") or not hasattr(result, "fit_kwargs"):
        raise DefinitionError(
            f"{context.node_id}: tuner_fn returned a {type(result).__name__}, not a TunerFnResult.",
            "return tfx.components.TunerFnResult(tuner=..., fit_kwargs={...}).",
        )
    context.progress.report("tuner_fn")
    result.tuner.search(**result.fit_kwargs)
    return result.tuner


class _ShortForm(keras_tuner.HyperModel):
    """One trial: a model of the user's function, trained as Trainer would."""

    def __init__(self, context: ExecutionContext, build_model: Callable[..., Any]) -> None:
        super().__init__()
        self._function = build_model
        self._progress = context.progress
        self._settings = short_form.Settings.read(context)
        self._source = short_form.open_source(context)
        self._constants = short_form.hyperparameter_values(context)
        self._rows = short_form.read_rows(context, self._settings, self._source, list(self._source.features))
        self._max_trials = int(context.parameter("max_trials", DEFAULT_MAX_TRIALS))
        self._num_built = 0
        self._is_row_wise = False
        self._inputs: keras_inputs.ModelInputs | None = None
        self.error: Exception | None = None

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Build and compile the model of a trial."""
        values = {**self._constants, **hp.values}
        try:
            model = short_form.build(self._function, self._source, values, self._settings)
            self._inputs = keras_inputs.resolve(model, self._source.features, self._settings.node_id)
            label = self._rows[0].label_range
            # Its training follows before the next model is built.
            self._is_row_wise = short_form.compile_if_needed(model, label, values, self._settings.node_id)
        except Exception as error:
            # KerasTuner goes on after an error, and shows its text only.
            self.error = error
            raise keras_tuner.errors.FatalError(str(error)) from error
        return model

    def fit(self, hp: keras_tuner.HyperParameters, model: keras.Model, **unused: Any) -> dict[str, float]:
        """Train it and return the metrics of its best epoch."""
        self._num_built += 1
        prefix = f"trial {self._num_built}/{self._max_trials} "
        values = {**self._constants, **hp.values}
        try:
            return fitting.fit(
                model,
                self._rows,
                self._settings,
                values,
                self._inputs,
                features=self._source.features,
                progress=self._progress,
                is_row_wise=self._is_row_wise,
                prefix=prefix,
            ).best
        except TrainingError as error:
            # A NaN loss ends one trial, not the search.
            raise keras_tuner.errors.FailedTrialError(str(error)) from error
        except Exception as error:
            self.error = error
            raise keras_tuner.errors.FatalError(str(error)) from error


def _search(context: ExecutionContext, build_model: Callable[..., Any]) -> Any:
    space = context.json_parameter("search_space")
    if not space:
        raise DefinitionError(
            f"{context.node_id}: build_model is given without search_space.",
            "name the values to try: search_space={'units': [16, 32]}.",
        )
    max_trials = int(context.parameter("max_trials", DEFAULT_MAX_TRIALS))
    sizes = [len(values) if isinstance(values, list) else max_trials + 1 for values in space.values()]
    kind = keras_tuner.GridSearch if math.prod(sizes) <= max_trials else keras_tuner.RandomSearch
    objective = context.parameter("objective", DEFAULT_OBJECTIVE)
    hypermodel = _ShortForm(context, build_model)
    try:
        tuner = kind(  # builds a first model to see which hyperparameters it asks for
            hypermodel,
            objective=keras_tuner.Objective(objective, direction(objective)),
            max_trials=max_trials,
            hyperparameters=_hyperparameters(space),
            allow_new_entries=False,
            tune_new_entries=False,
            seed=context.parameter("seed", short_form.DEFAULT_SEED),
            max_consecutive_failed_trials=max_trials + 1,  # whether all failed is looked at when it has ended
            directory=context.tmp_path,
            project_name="search",
            overwrite=True,
        )
        tuner.search(verbose=0)
    except keras_tuner.errors.FatalError:
        if hypermodel.error is None:
            raise
        raise hypermodel.error from None
    return tuner


def _hyperparameters(space: Mapping[str, Any]) -> keras_tuner.HyperParameters:
    result = keras_tuner.HyperParameters()
    for name, values in sorted(space.items()):
        if isinstance(values, list):
            # KerasTuner takes values of one type alone.
            are_floats = any(isinstance(value, float) for value in values)
            result.Choice(name, [float(value) for value in values] if are_floats else values)
            continue
        ends = {"min_value": values["min"], "max_value": values["max"]}
        options = {key: values[key] for key in ("step", "sampling") if key in values}
        is_whole = all(isinstance(values.get(key, 0), int) for key in ("min", "max", "step"))
        (result.Int if is_whole else result.Float)(name, **ends, **options)
    return result


def _all_failed(context: ExecutionContext, tuner: Any) -> TrainingError:
    messages = [
        trial.message.strip().splitlines()[-1] for trial in tuner.oracle.trials.values() if trial.message
    ]
    return TrainingError(
        f"{context.node_id}: none of {len(tuner.oracle.trials)} trials gave a usable model. The last said: "
        f"{messages[-1] if messages else 'nothing'}",
        "correct build_model, or narrow search_space: a lower learning rate is the usual remedy.",
    )


def _write(context: ExecutionContext, tuner: Any) -> None:
    """Write best hyperparameters and all trials in TFX's formats."""
    # KerasTuner counts failed trials among the best where too few were completed.
    trials = [
        trial
        for trial in tuner.oracle.get_best_trials(len(tuner.oracle.trials) or 1)
        if trial.status == "COMPLETED"
    ]
    if not trials:
        raise _all_failed(context, tuner)
    best = trials[0].hyperparameters
    rows = [
        hyperparameters.Trial(one.trial_id, one.score, one.hyperparameters.values)
        for one in trials
        if one.hyperparameters.values
    ]
    hyperparameters.write_best(context.output("best_hyperparameters").uri, best.get_config())
    hyperparameters.write_trials(context.output("tuner_results").uri, rows)
    values = ", ".join(f"{name}={value}" for name, value in sorted(best.values.items()))
    context.summarize("best_hyperparameters", values or "no hyperparameters")
    context.summarize("tuner_results", f"{len(rows)} trials")
