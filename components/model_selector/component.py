"""Declaration of ModelSelector."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

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
from headrace.authoring.own_artifacts import ModelSelection
from headrace.errors import DefinitionError, did_you_mean, listed

MODEL, EVALUATION, BLESSING = "model", "evaluation", "blessing"
LARGEST, SMALLEST = "largest", "smallest"
FIRST = "first"
_BETTER = (LARGEST, SMALLEST)
_TIES = (SMALLEST, FIRST)
_NAME = re.compile(r"\w[\w.-]*")
_TYPES = {
    MODEL: standard_artifacts.Model,
    EVALUATION: standard_artifacts.ModelEvaluation,
    BLESSING: standard_artifacts.ModelBlessing,
}


def key_of(kind: str, name: str) -> str:
    """Return the input key of what a candidate has."""
    return f"{kind}_{name}"


class ModelSelectorSpec(ComponentSpec):
    """Keys and types of `ModelSelector`; each has inputs of its own, named after its candidates."""

    PARAMETERS = {  # noqa: RUF012 - TFX's form
        "candidates": ExecutionParameter(type=str),
        "by": ExecutionParameter(type=str),
        "slice": ExecutionParameter(type=str, optional=True),
        "better": ExecutionParameter(type=str, optional=True),
        "tie": ExecutionParameter(type=str, optional=True),
    }
    INPUTS: dict[str, ChannelParameter] = {}  # noqa: RUF012
    OUTPUTS = {  # noqa: RUF012
        "model": ChannelParameter(type=standard_artifacts.Model),
        "selection": ChannelParameter(type=ModelSelection),
        "blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
    }


class ModelSelectorOutputs(Outputs):
    """What `ModelSelector` makes."""

    model: OutputOf[standard_artifacts.Model]
    selection: OutputOf[ModelSelection]
    blessing: OutputOf[standard_artifacts.ModelBlessing]


class ModelSelector(Component[ModelSelectorOutputs]):
    """Hands on the best of several models, by a metric of their evaluations.

    The models may be of any framework, each with an Evaluator that looked at it on the same rows.

    Outputs:
        model: `Model`, a copy of the files of the one that is chosen.
        selection: `ModelSelection`: `selection.json` lists all candidates with their metrics, the best first, what was
            chosen and why.
        blessing: `ModelBlessing`: that of the model chosen, where `blessings` are given; nothing is written otherwise.

    Args:
        models: Channels of `Model`, by a name for each candidate: letters, digits, `_`, `-` and `.`.
        evaluations: Channels of `ModelEvaluation`, by the same names.
        by: The metric to compare, as the evaluations or TFMA's configuration call it: `"auc"` or `"AUC"`.
        slice: The slice to compare in, as the evaluations call it, such as `"sex:female"`; all rows by default.
        better: `"largest"` or `"smallest"`; by default the smallest of what is an error by its name, such as
            `mean_absolute_error`, else the largest.
        tie: Which of several with the same value: `"smallest"`, of those with the fewest bytes (default), or `"first"`,
            in the order of `models`.
        blessings: Channels of `ModelBlessing`, by the same names. A model that was not blessed is then chosen only if
            none was.

    Raises:
        DefinitionError: If there are fewer than two candidates, names that differ, or a word that is not known.

    Example:
        >>> selector = ModelSelector(
        ...     models={"forest": forest.outputs.model, "network": network.outputs.model},
        ...     evaluations={"forest": judged_forest.outputs.evaluation, "network": judged_network.outputs.evaluation},
        ...     by="auc",
        ... )  # doctest: +SKIP
    """

    SPEC_CLASS = ModelSelectorSpec
    EXECUTOR_SPEC = NamedExecutorSpec("headrace.components.model_selector.executor.Executor")
    INPUT_FILES = ()

    def __init__(
        self,
        models: Mapping[str, BaseChannel],
        evaluations: Mapping[str, BaseChannel],
        by: str | RuntimeParameter,
        *,
        slice: str | RuntimeParameter | None = None,
        better: str | None = None,
        tie: str | None = None,
        blessings: Mapping[str, BaseChannel] | None = None,
    ) -> None:
        _check_names(models, evaluations, blessings)
        _check_word("better", better, _BETTER)
        _check_word("tie", tie, _TIES)
        if isinstance(by, str) and not by:
            raise DefinitionError("ModelSelector: by is empty.", "name a metric, such as by='auc'.")
        given = {MODEL: models, EVALUATION: evaluations, BLESSING: blessings or {}}
        channels = {
            key_of(kind, name): channel
            for kind, several in given.items()
            for name, channel in several.items()
        }
        inputs = {
            key_of(kind, name): ChannelParameter(type=_TYPES[kind])
            for kind, several in given.items()
            for name in several
        }
        spec_class: Any = type("ModelSelectorSpec", (ModelSelectorSpec,), {"INPUTS": inputs})
        super().__init__(
            spec=spec_class(
                **channels,
                candidates=json.dumps(list(models)),
                by=by,
                slice=slice,
                better=better,
                tie=tie,
                model=Channel(type=standard_artifacts.Model),
                selection=Channel(type=ModelSelection),
                blessing=Channel(type=standard_artifacts.ModelBlessing),
            )
        )


def _check_names(
    models: Mapping[str, Any], evaluations: Mapping[str, Any], blessings: Mapping[str, Any] | None
) -> None:
    for what, given in (("models", models), ("evaluations", evaluations), ("blessings", blessings)):
        if given is not None and not isinstance(given, Mapping):
            raise DefinitionError(
                f"ModelSelector: {what} is a {type(given).__name__}, not a mapping.",
                f"give each candidate a name: {what}={{'forest': ..., 'network': ...}}.",
            )
    if len(models) < 2:
        raise DefinitionError(
            f"ModelSelector: models has {listed(list(models)) if models else 'no candidate'}: there is nothing to "
            "choose from.",
            "give two models or more.",
        )
    for name in models:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise DefinitionError(
                f"ModelSelector: a candidate is called {name!r}.",
                "call it by letters, digits, '_', '-' and '.', beginning with a letter or digit.",
            )
    for what, given in (("evaluations", evaluations), ("blessings", blessings)):
        if given is not None and set(given) != set(models):
            missing = [name for name in models if name not in given]
            more = [name for name in given if name not in models]
            said = [f"lacks {listed(missing)}"] * bool(missing) + [f"has {listed(more)} too"] * bool(more)
            raise DefinitionError(
                f"ModelSelector: {what} {' and '.join(said)}. The models are {listed(list(models))}.",
                f"give one of {what} for each model, by the same names.",
            )


def _check_word(name: str, given: str | None, known: tuple[str, ...]) -> None:
    if given is not None and given not in known:
        raise DefinitionError(
            f"ModelSelector: {name} is {given!r}. There are {listed(known)}.",
            f"{did_you_mean(str(given), known)}Correct it.",
        )
