"""Declaration of FeatureImportance."""

from __future__ import annotations

import json
from collections.abc import Sequence
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
from headrace.authoring.own_artifacts import FeatureImportances
from headrace.components.feature_importance.metrics import METRICS
from headrace.errors import DefinitionError, did_you_mean, listed

DEFAULT_SPLIT = "eval"
DEFAULT_MAX_ROWS = 5000
DEFAULT_REPEATS = 5
DEFAULT_SEED = 1


class FeatureImportanceSpec(ComponentSpec):
    """Keys and types of `FeatureImportance`. What is left out is not recorded."""

    PARAMETERS = {  # noqa: RUF012 - TFX's form
        "label": ExecutionParameter(type=str, optional=True),
        "metric": ExecutionParameter(type=str, optional=True),
        "features": ExecutionParameter(type=str, optional=True),
        "split": ExecutionParameter(type=str, optional=True),
        "max_rows": ExecutionParameter(type=int, optional=True),
        "repeats": ExecutionParameter(type=int, optional=True),
        "seed": ExecutionParameter(type=int, optional=True),
    }
    INPUTS = {  # noqa: RUF012
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "model": ChannelParameter(type=standard_artifacts.Model),
    }
    OUTPUTS = {"importances": ChannelParameter(type=FeatureImportances)}  # noqa: RUF012


class FeatureImportanceOutputs(Outputs):
    """What `FeatureImportance` makes."""

    importances: OutputOf[FeatureImportances]


class FeatureImportance(Component[FeatureImportanceOutputs]):
    """Measures how much a model's score depends on each raw feature, by permutation.

    The values of a feature are mixed among the rows, and the score is computed again: what it loses is what the model
    made of the feature (Breiman, "Random forests", 2001; scikit-learn's `permutation_importance`). It works for every
    model that can be served, whatever framework it is of, and looks at raw features: before Transform, which is a part
    of the model. Two features that tell the same each look unimportant: mix them together.

    Outputs:
        importances: `FeatureImportances`: `importances.json`, the most important feature first.

    Args:
        examples: Channel of raw `Examples`, as the model is served.
        model: Channel of `Model`.
        label: The feature to predict, raw or as Transform makes it; where left out, the one that Trainer left
            beside the model, else the one that is called `label`.
        metric: The score: `"log_loss"` (default for classes), `"accuracy"`, `"auc"` (two classes), `"mse"` (default for
            numbers), `"mae"`, `"rmse"` or `"r2"`.
        features: Names of features to look at; a list among them is mixed together. All by default.
        split: The rows to look at, default `"eval"`.
        max_rows: How many at most, drawn at random; default 5,000.
        repeats: How often each feature is mixed, default 5.
        seed: Of the mixing, default 1.

    Raises:
        DefinitionError: If a metric is not known, or a number is below 1.

    Example:
        >>> importance = FeatureImportance(
        ...     example_gen.outputs.examples, trainer.outputs.model, label="quality"
        ... )  # doctest: +SKIP
    """

    SPEC_CLASS = FeatureImportanceSpec
    EXECUTOR_SPEC = NamedExecutorSpec("headrace.components.feature_importance.executor.Executor")
    INPUT_FILES = ()

    def __init__(
        self,
        examples: BaseChannel,
        model: BaseChannel,
        label: str | RuntimeParameter | None = None,
        *,
        metric: str | None = None,
        features: Sequence[str | Sequence[str]] | None = None,
        split: str | RuntimeParameter | None = None,
        max_rows: int | RuntimeParameter | None = None,
        repeats: int | RuntimeParameter | None = None,
        seed: int | RuntimeParameter | None = None,
    ) -> None:
        if metric is not None and metric not in METRICS:
            raise DefinitionError(
                f"FeatureImportance: metric is {metric!r}. There are {listed(list(METRICS))}.",
                f"{did_you_mean(str(metric), METRICS)}Correct it.",
            )
        for name, value in (("max_rows", max_rows), ("repeats", repeats)):
            if isinstance(value, int) and value < 1:
                raise DefinitionError(f"FeatureImportance: {name} is {value}.", "give 1 or more.")
        given: dict[str, Any] = {
            "label": label,
            "metric": metric,
            "features": _features_text(features),
            "split": split,
            "max_rows": max_rows,
            "repeats": repeats,
            "seed": seed,
        }
        super().__init__(
            spec=FeatureImportanceSpec(
                examples=examples,
                model=model,
                importances=Channel(type=FeatureImportances),
                **{name: value for name, value in given.items() if value is not None},
            )
        )


def _features_text(features: Any) -> str | None:
    if features is None:
        return None
    are_groups = not isinstance(features, str) and isinstance(features, Sequence) and len(features)
    groups = [[one] if isinstance(one, str) else list(one) for one in features] if are_groups else []
    if not groups or not all(group and all(isinstance(name, str) for name in group) for group in groups):
        raise DefinitionError(
            f"FeatureImportance: features is {features!r}.",
            "give a list of names; features that are to be mixed together as a list in it: ['age', ['lat', 'lon']].",
        )
    return json.dumps(groups)
