"""What a model is asked to tell, and how well it does: labels, outputs and a score that fits them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headrace.components.feature_importance.metrics import METRICS
from headrace.errors import DefinitionError, did_you_mean, listed
from headrace.formats.examples import arrow_features
from headrace.models.model import Model
from headrace.models.signatures import TRANSFORM

_OUTPUTS = ("probabilities", "logits", "predictions")
_DEFAULT_LABEL = "label"


@dataclass(frozen=True)
class Scoring:
    """A score of the outputs of one model on one set of labels.

    Attributes:
        name: The metric's.
        labels: In the shape that the metric takes.
        output: The model's output that is scored.
        is_logits: Whether it holds logits.
    """

    name: str
    labels: NDArray[Any]
    output: str
    is_logits: bool

    @property
    def is_lower_better(self) -> bool:
        """Whether a small score is good."""
        return METRICS[self.name].is_lower_better

    def of(self, outputs: Mapping[str, NDArray[Any]]) -> float:
        """Return the score of what the model gave."""
        found = _rows(outputs[self.output])
        if METRICS[self.name].is_of_classes:
            found = _probabilities(found, is_logits=self.is_logits, has_several=self.labels.ndim == 2)
        return METRICS[self.name].compute(self.labels, found)

    def loss(self, base: float, score: float) -> float:
        """Return how much worse a score is."""
        return score - base if self.is_lower_better else base - score


def read_labels(
    model: Model, rows: pa.RecordBatch, label: str | None, node_id: str
) -> tuple[NDArray[Any], str]:
    """Return the label of each row, as the model was trained with it, and the raw feature that must not be mixed.

    A model of the short form makes its label with `transform_features`, as Evaluator reads it; else it is the raw one.

    Raises:
        DefinitionError: If there is none, or not in each row.
    """
    wanted = label or _DEFAULT_LABEL
    names = [wanted, f"{wanted}_xf"]
    if TRANSFORM in model.signatures:
        made = next((name for name in names if name in model.signatures[TRANSFORM].outputs), None)
        if made is not None:
            parts = [
                np.asarray(model.call(rows.slice(first, 2000), TRANSFORM)[made])
                for first in range(0, rows.num_rows, 2000)
            ]
            found = np.concatenate(parts)
            return _checked(_rows(found), made, node_id), wanted.removesuffix("_xf")
    known = list(rows.schema.names)
    made_too = list(model.signatures[TRANSFORM].outputs) if TRANSFORM in model.signatures else []
    if wanted not in known:
        raise DefinitionError(
            f"{node_id}: there is no label '{wanted}'. The examples have {listed(known)}"
            f"{f', the model makes {listed(made_too)}' if made_too else ''}.",
            f"{did_you_mean(wanted, [*known, *made_too])}Name it: label=...",
        )
    return _checked(_column(rows, wanted, node_id), wanted, node_id), wanted


def _column(rows: pa.RecordBatch, name: str, node_id: str) -> NDArray[Any]:
    """The values of a raw feature, as many in each row."""
    column = rows.column(rows.schema.names.index(name))
    values, lengths = column, {1}
    if arrow_features.is_list(column.type):
        values, lengths = column.flatten(), set(pc.list_value_length(column).to_pylist())
    if len(lengths) != 1 or not lengths.isdisjoint({None, 0}) or values.null_count:
        raise DefinitionError(
            f"{node_id}: the label '{name}' has no value, or not as many, in some rows.", "leave these out."
        )
    return _rows(np.asarray(values.to_numpy(zero_copy_only=False))).reshape(rows.num_rows, -1)


def _checked(labels: NDArray[Any], name: str, node_id: str) -> NDArray[Any]:
    if labels.dtype.kind in "OSU":
        raise DefinitionError(
            f"{node_id}: the label '{name}' is text.",
            "number the classes in preprocessing_fn: headrace.features.label.",
        )
    if not np.isfinite(labels).all():
        raise DefinitionError(
            f"{node_id}: the label '{name}' is NaN or infinite in some rows.", "leave these out."
        )
    return labels


def choose(
    metric: str | None, labels: NDArray[Any], outputs: Mapping[str, NDArray[Any]], node_id: str
) -> Scoring:
    """Return the score that is asked for, or the one that fits labels and outputs.

    Raises:
        DefinitionError: If the metric does not fit.
    """
    output = _output(outputs, node_id)
    found = _rows(outputs[output])
    is_whole = bool((labels == np.floor(labels)).all())
    num_classes = max(found.shape[1], 2)
    are_classes = is_whole and labels.min() >= 0 and output != "predictions"
    has_several = are_classes and labels.shape[1] > 1 and labels.shape == found.shape and labels.max() <= 1
    are_classes = has_several or (are_classes and labels.shape[1] == 1 and labels.max() < num_classes)
    if not are_classes and output != "predictions" and metric is None:
        raise DefinitionError(
            f"{node_id}: the model gives {output} of {found.shape[1]} classes, and the label goes from "
            f"{labels.min():g} to {labels.max():g}.",
            "name the label that the model was trained with: label=...",
        )
    name = metric or ("log_loss" if are_classes else "mse")
    score = METRICS[name]
    if score.is_of_classes and not are_classes:
        raise DefinitionError(
            f"{node_id}: metric is '{name}', which is of classes, and the model predicts numbers.",
            f"give one of {listed([one for one, other in METRICS.items() if not other.is_of_classes])}.",
        )
    if name == "auc" and (num_classes > 2 or has_several):
        raise DefinitionError(
            f"{node_id}: metric is 'auc', which is of two classes, and the model has {found.shape[1]}.",
            "give 'log_loss' or 'accuracy'.",
        )
    if score.is_of_classes:
        shaped = labels.astype(np.int64) if has_several else labels[:, 0].astype(np.int64)
    else:
        if labels.shape != found.shape:
            raise DefinitionError(
                f"{node_id}: the label has {labels.shape[1]} values in a row, and the model's output '{output}' "
                f"{found.shape[1]}.",
                "give a metric of classes, or the label that the model was trained with.",
            )
        shaped = labels.astype(np.float64)
    scoring = Scoring(name, shaped, output, output == "logits")
    if math.isnan(scoring.of(outputs)):
        raise DefinitionError(
            f"{node_id}: {name} has no value on these rows: the label is the same in all of them, or a prediction "
            "is NaN.",
            "look at more rows (max_rows), or at another metric.",
        )
    return scoring


def _output(outputs: Mapping[str, NDArray[Any]], node_id: str) -> str:
    known = [name for name in _OUTPUTS if name in outputs]
    if known:
        return known[0]
    if len(outputs) == 1:
        return next(iter(outputs))
    raise DefinitionError(
        f"{node_id}: the model has the outputs {listed(list(outputs))}, and none is called "
        f"{listed(list(_OUTPUTS))}.",
        "export a model with one output.",
    )


def _rows(values: NDArray[Any]) -> NDArray[Any]:
    """Each row's values side by side."""
    return values.reshape(len(values), -1)


def _probabilities(values: NDArray[Any], *, is_logits: bool, has_several: bool) -> NDArray[Any]:
    """Probabilities of each class; of two classes both."""
    values = values.astype(np.float64)
    if values.shape[1] == 1 or has_several:
        if is_logits:
            values = 1 / (1 + np.exp(-values))
        return values if has_several else np.concatenate([1 - values, values], axis=1)
    if is_logits:
        values = np.exp(values - values.max(axis=1, keepdims=True))
        values /= values.sum(axis=1, keepdims=True)
    return values
