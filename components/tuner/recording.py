"""What a search leaves: the best values and all scores in TFX's formats, and an artifact for each trial."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import keras_tuner
import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from headrace.components.tuner.search_space import is_whole
from headrace.components.tuner.trials import COMPLETE, FAILED, PRUNED, Trial
from headrace.errors import TrainingError
from headrace.formats import hyperparameters, training_histories
from headrace.runtime.context import SUMMARY_PROPERTY, ExecutionContext

_VALIDATION = "val_"
_STATES = (COMPLETE, PRUNED, FAILED)


def write(
    context: ExecutionContext,
    trials: Sequence[Trial],
    config: Mapping[str, Any],
    objective: str,
    direction: str,
) -> None:
    """Fill the outputs of Tuner.

    Args:
        context: Of the execution.
        trials: In the order of their numbers.
        config: Those of KerasTuner, for the values that are chosen: `space`, and `values`, which are replaced.
        objective: What the scores are of.
        direction: `"min"` or `"max"`.

    Raises:
        TrainingError: If no trial gave a model.
    """
    ended = [one for one in trials if one.state == COMPLETE and one.score is not None]
    if not ended:
        last = next((one.message for one in reversed(trials) if one.message), "nothing")
        raise TrainingError(
            f"{context.node_id}: none of {len(trials)} trials gave a usable model. The last said: {last}",
            "correct build_model, or narrow search_space: a lower learning rate is the usual remedy.",
        )
    sign = 1 if direction == "min" else -1
    ended.sort(key=lambda one: _rank(one, sign))
    width = max(2, len(str(len(trials) - 1)))
    names = {one.number: f"{one.number:0{width}d}" for one in trials}
    best = ended[0]
    hyperparameters.write_best(
        context.output("best_hyperparameters").uri, {**config, "values": dict(best.values)}
    )
    hyperparameters.write_trials(
        context.output("tuner_results").uri,
        [hyperparameters.Trial(names[one.number], one.score, one.values) for one in ended if one.values],
    )
    _write_trials(context, sorted(trials, key=lambda one: _rank(one, sign)), names, objective)
    values = ", ".join(f"{name}={value}" for name, value in sorted(best.values.items()))
    context.summarize("best_hyperparameters", values or "no hyperparameters")
    counts = {state: sum(one.state == state for one in trials) for state in (PRUNED, FAILED)}
    told = [f"{number} {state}" for state, number in counts.items() if number]
    context.summarize("tuner_results", ", ".join([f"{len(trials)} trials", *told]))


def _rank(trial: Trial, sign: int) -> tuple[int, bool, float, int]:
    """What sorts trials: the best first, then those that were stopped, then those that failed."""
    score = math.nan if trial.score is None else trial.score
    is_unknown = math.isnan(score)
    return _STATES.index(trial.state), is_unknown, 0.0 if is_unknown else sign * score, trial.number


def _write_trials(
    context: ExecutionContext, trials: Sequence[Trial], names: Mapping[int, str], objective: str
) -> None:
    """Make an artifact of each trial, with what TensorBoard's HParams reads."""
    given = context.optional_output("trials")
    if given is None:
        return
    made = []
    for one in trials:
        artifact = type(given)()
        artifact.uri = os.path.join(given.uri, names[one.number])
        os.makedirs(artifact.uri, exist_ok=True)
        training_histories.write(artifact.uri, one.history)
        _write_events(artifact.uri, names[one.number], one, objective)
        artifact.set_string_custom_property(hyperparameters.TRIAL_STATE, one.state)
        artifact.set_string_custom_property(
            hyperparameters.TRIAL_VALUES, json.dumps(dict(one.values), sort_keys=True)
        )
        if one.score is not None:
            artifact.set_float_custom_property(hyperparameters.TRIAL_SCORE, float(one.score))
        values = ", ".join(f"{name}={value}" for name, value in sorted(one.values.items()))
        if one.message:
            artifact.set_string_custom_property(hyperparameters.TRIAL_MESSAGE, one.message)
        told = [one.state] if one.state != COMPLETE else []
        told += [f"{objective} {one.score:.4g}"] if one.score is not None else []
        artifact.set_string_custom_property(SUMMARY_PROPERTY, f"{', '.join(told)}; {values}")
        made.append(artifact)
    # The list is TFX's own of the execution: what is in it is published.
    outputs = context.outputs["trials"]
    assert isinstance(outputs, list)
    outputs[:] = made


def _write_events(folder: str, name: str, trial: Trial, objective: str) -> None:
    """Write curves as Keras' TensorBoard callback does, and the hyperparameters with the score."""
    with tf.summary.create_file_writer(folder).as_default():
        hparams.hparams(dict(trial.values), trial_id=name)
        if trial.score is not None:
            tf.summary.scalar(objective, trial.score, step=len(next(iter(trial.history.values()), ())))
    for part, prefix in (("train", ""), ("validation", _VALIDATION)):
        curves = {
            metric.removeprefix(prefix): values
            for metric, values in trial.history.items()
            if metric.startswith(_VALIDATION) == bool(prefix)
        }
        if not curves:
            continue
        with tf.summary.create_file_writer(os.path.join(folder, part)).as_default():
            for metric, values in curves.items():
                for epoch, value in enumerate(values):
                    tf.summary.scalar(f"epoch_{metric}", value, step=epoch)


def keras_tuner_config(space: Mapping[str, Any]) -> dict[str, Any]:
    """Return a search space as KerasTuner describes it."""
    result = keras_tuner.HyperParameters()
    for name, values in sorted(space.items()):
        if isinstance(values, list):
            # KerasTuner takes values of one type alone.
            are_floats = any(isinstance(value, float) for value in values)
            result.Choice(name, [float(value) for value in values] if are_floats else values)
            continue
        ends = {"min_value": values["min"], "max_value": values["max"]}
        options = {key: values[key] for key in ("step", "sampling") if key in values}
        (result.Int if is_whole(values) else result.Float)(name, **ends, **options)
    config: dict[str, Any] = result.get_config()
    return config
