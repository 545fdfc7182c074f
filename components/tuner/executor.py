"""Executor of Tuner: searches the space given for `build_model`, or runs the user's tuner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tfx.proto import tuner_pb2

from headrace.components.tuner import recording, search_space
from headrace.components.tuner.pruning import Pruning
from headrace.components.tuner.search import Search
from headrace.components.tuner.searching import Searching, Train
from headrace.components.tuner.trials import COMPLETE, FAILED, KeptTrials, Trial
from headrace.errors import DefinitionError, UnsupportedFeatureError
from headrace.runtime.context import ExecutionContext
from headrace.runtime.executor import Executor as BaseExecutor
from headrace.training import plans, short_form, user_function
from headrace.training.fn_arguments import fn_arguments
from headrace.training.objectives import direction

DEFAULT_MAX_TRIALS = 10
DEFAULT_OBJECTIVE = "val_loss"
_MAX_PARALLEL = 4


class Executor(BaseExecutor):
    """Searches hyperparameters; see `headrace.components.tuner.component.Tuner`."""

    USES_SIDE_PROCESSES = True

    def execute(self, context: ExecutionContext) -> None:
        """Fill `best_hyperparameters`, `tuner_results` and `trials`."""
        names = ("build_model",) if context.parameter("search_space") else ("tuner_fn", "build_model")
        name, function = user_function.load(context, *names)
        if name == "build_model":
            _search(context)
        else:
            _run(context, function)


def _run(context: ExecutionContext, tuner_fn: Callable[[Any], Any]) -> None:
    if _num_parallel(context, 1) > 1:
        raise UnsupportedFeatureError(
            f"{context.node_id}: tune_args asks for parallel trials; a tuner_fn runs them one by one, as under "
            "TFX's own Tuner.",
            "leave tune_args out, or give build_model and search_space.",
        )
    result = tuner_fn(fn_arguments(context, working_path=context.tmp_path))
    if not hasattr(result, "tuner") or not hasattr(result, "fit_kwargs"):
        raise DefinitionError(
            f"{context.node_id}: tuner_fn returned a {type(result).__name__}, not a TunerFnResult.",
            "return tfx.components.TunerFnResult(tuner=..., fit_kwargs={...}).",
        )
    context.progress.report("tuner_fn")
    result.tuner.search(**result.fit_kwargs)
    oracle = result.tuner.oracle
    objective = oracle.objective
    # KerasTuner sorts by its objective, which may be of several metrics.
    ordered = oracle.get_best_trials(len(oracle.trials) or 1)
    known = [one for one in ordered if one.status == "COMPLETED"]
    config = known[0].hyperparameters.get_config() if known else {}
    name = getattr(objective, "name", DEFAULT_OBJECTIVE)
    trials = [_of_keras_tuner(number, one) for number, one in enumerate(oracle.trials.values())]
    way = "max" if getattr(objective, "direction", "min") == "max" else "min"
    recording.write(context, trials, config, name, way)


def _of_keras_tuner(number: int, trial: Any) -> Trial:
    history = {
        name: [float(value) for one in metric.get_history() for value in one.value]
        for name, metric in trial.metrics.metrics.items()
    }
    message = (trial.message or "").strip().splitlines()
    return Trial(
        number,
        dict(trial.hyperparameters.values),
        COMPLETE if trial.status == "COMPLETED" else FAILED,
        trial.score,
        {name: values[-1] for name, values in history.items() if values},
        history,
        message=message[-1] if message else "",
    )


def _search(context: ExecutionContext) -> None:
    space = context.json_parameter("search_space")
    if not space:
        raise DefinitionError(
            f"{context.node_id}: build_model is given without search_space.",
            "name the values to try: search_space={'units': [16, 32]}.",
        )
    settings = short_form.Settings.read(context)
    objective = context.parameter("objective", DEFAULT_OBJECTIVE)
    method = context.parameter("search", search_space.AUTO)
    searched = Search(space, method, _max_trials(context, method), direction(objective), settings.seed)
    pruning = None
    if method == search_space.HYPERBAND or context.parameter("prune"):
        epochs = settings.epochs or plans.DEFAULT_EPOCHS
        pruning = Pruning(context.tmp_path, method, objective, direction(objective), epochs)
    kept = KeptTrials(context)
    minutes = context.parameter("max_minutes")
    num_processes = min(len(context.side_processes) or 1, _MAX_PARALLEL)
    searching = Searching(
        context,
        searched,
        _runner,
        kept,
        num_parallel=_num_parallel(context, num_processes),
        pruning=pruning,
        max_seconds=None if minutes is None else 60 * float(minutes),
    )
    trials = searching.run()
    recording.write(context, trials, recording.keras_tuner_config(space), objective, direction(objective))
    kept.remove()


def _max_trials(context: ExecutionContext, method: str) -> int | None:
    """How many are tried at most: as many as there are combinations, or as there is time for, where only that is said."""
    given = context.parameter("max_trials")
    if given is None and (method == search_space.GRID or context.parameter("max_minutes") is not None):
        return None
    return int(given or DEFAULT_MAX_TRIALS)


def _num_parallel(context: ExecutionContext, otherwise: int) -> int:
    return context.proto_parameter("tune_args", tuner_pb2.TuneArgs).num_parallel_trials or otherwise


def _runner(context: ExecutionContext, num_processors: int | None) -> Train:
    from headrace.components.tuner.trial_runner import TrialRunner

    max_trials = _max_trials(context, context.parameter("search", search_space.AUTO))
    return TrialRunner(context, context.parameter("objective", DEFAULT_OBJECTIVE), max_trials, num_processors)
