"""HyperParameters and TunerResults: the values chosen, and every trial, as TFX's Tuner and KerasTuner write them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.errors import MissingFileError
from headrace.files import is_folder, names_in
from headrace.formats import json_files

BEST_FILE = "best_hyperparameters.txt"
RESULTS_FILE = "tuner_results.json"
# Custom properties of a trial's ModelRun. `state` would be TFX's own, of the artifact.
TRIAL_STATE, TRIAL_SCORE, TRIAL_VALUES, TRIAL_MESSAGE = "trial_state", "score", "hyperparameters", "message"
# What may become of a trial.
COMPLETE, PRUNED, FAILED = "complete", "pruned", "failed"
_TRIAL_ID, _SCORE = "trial_id", "score"


@dataclass(frozen=True)
class Hyperparameters:
    """The values chosen.

    Attributes:
        values: By name.
        spaces: What each was chosen from, as KerasTuner describes it: `class_name` and `config`. Empty where the file
            holds values alone.
        content: The whole file, as `run_fn` gets it.
    """

    values: Mapping[str, Any]
    spaces: Mapping[str, Mapping[str, Any]]
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Trial:
    """One trial of a search.

    Attributes:
        trial_id: As the tuner calls it.
        score: Of its objective; `None` where it has none.
        values: Its hyperparameters; one that it did not have is left out.
    """

    trial_id: str
    score: float | None
    values: Mapping[str, Any]


@dataclass(frozen=True)
class EndedTrial(Trial):
    """One trial, with what became of it.

    Attributes:
        state: `COMPLETE`, `PRUNED` or `FAILED`.
        message: Why it failed; else empty.
    """

    state: str
    message: str


def trial_of(artifact: Any) -> EndedTrial | None:
    """Return the trial that a ModelRun artifact was made of; `None` where a Trainer made it."""
    text = artifact.get_string_custom_property
    if not text(TRIAL_STATE):
        return None
    return EndedTrial(
        trial_id=os.path.basename(artifact.uri),
        score=artifact.get_float_custom_property(TRIAL_SCORE)
        if artifact.has_custom_property(TRIAL_SCORE)
        else None,
        values=json.loads(text(TRIAL_VALUES) or "{}"),
        state=text(TRIAL_STATE),
        message=text(TRIAL_MESSAGE) or "",
    )


def write_best(folder: str, config: Mapping[str, Any]) -> None:
    """Write the values chosen, as `keras_tuner.HyperParameters.get_config` gives them."""
    json_files.write(os.path.join(folder, BEST_FILE), config)


def read_best(folder: str) -> Hyperparameters:
    """Return the values chosen, from the one file of a HyperParameters artifact, whatever it is called.

    Raises:
        MissingFileError: If there is no file.
        MalformedFileError: If it does not hold values.
    """
    names = [name for name in names_in(folder) if name[0] != "."] if is_folder(folder) else []
    if not names:
        raise MissingFileError(f"there is no file with hyperparameters in {folder}.", json_files.MAKE_AGAIN)
    path = os.path.join(folder, names[0])
    content = json_files.read_object(path, "hyperparameters")
    # KerasTuner writes the space beside the values; Trainer takes values alone as well.
    if not (isinstance(content.get("values"), dict) and "space" in content):
        return Hyperparameters(content, {}, content)
    try:
        spaces = {str(one["config"]["name"]): one for one in content["space"] if one["class_name"]}
    except (LookupError, TypeError) as error:
        raise json_files.damaged(path, "a space of hyperparameters", repr(error)) from error
    return Hyperparameters(content["values"], spaces, content)


def write_trials(folder: str, trials: Sequence[Trial]) -> None:
    """Write the trials, the best first."""
    rows = [{_TRIAL_ID: one.trial_id, _SCORE: one.score, **one.values} for one in trials]
    json_files.write(os.path.join(folder, RESULTS_FILE), rows)


def read_trials(folder: str) -> list[Trial]:
    """Return the trials of a TunerResults artifact, in their order: the best first.

    Raises:
        MissingFileError: If there is no file.
        MalformedFileError: If it does not hold trials.
    """
    path = os.path.join(folder, RESULTS_FILE)
    content = json_files.read(path, "a list of trials")
    try:
        return [
            Trial(
                str(row[_TRIAL_ID]),
                None if row.get(_SCORE) is None else float(row[_SCORE]),
                {name: value for name, value in row.items() if name not in (_TRIAL_ID, _SCORE)},
            )
            for row in content
        ]
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise json_files.damaged(path, "a list of trials", repr(error)) from error
