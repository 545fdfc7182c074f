"""What is to be evaluated, as a look at its first rows shows: which kind of problem it is, and how large its numbers are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.components.evaluator import classes, ragged
from headrace.components.evaluator.known_metrics import BINARY, CLASSES, LABELS, REGRESSION
from headrace.errors import DefinitionError, EmptyDataError

# Of a model's output, as the exporter and Estimators name it.
_LOGITS = ("logits", "scores", "decision_function")
_PROBABILITIES = "probabilities"
_MANY_VALUES = 100


@dataclass(frozen=True)
class Looked:
    """What the first rows show.

    Attributes:
        kind: One of `known_metrics.KINDS`.
        num_classes: Of several classes or labels; 2 of two.
        has_scores: Whether predictions are scores, not classes.
        are_probabilities: Whether they lie between 0 and 1.
        extent: Least and largest of labels and predictions of a regression.
        has_zero: Whether a label is 0.
        num_outputs: Values of a prediction.
        text_labels: Those that labels are, where they are text, in order.
    """

    kind: str
    num_classes: int = 0
    has_scores: bool = True
    are_probabilities: bool = True
    extent: tuple[float, float] = (0.0, 1.0)
    has_zero: bool = False
    num_outputs: int = 1
    text_labels: tuple[str, ...] = ()


def look(found: Sequence[tuple[Any, Any]], output: str, are_regression: bool, where: str) -> Looked:
    """Return what batches of labels and predictions show.

    Args:
        found: Labels and predictions of each batch, as extracts hold them.
        output: The model's output that holds predictions; empty where they come with the data.
        are_regression: Whether all metrics that the user names are of regression.
        where: The node, for messages.

    Raises:
        DefinitionError: If they have no form that is known.
        EmptyDataError: If there is no row.
    """
    texts = [set().union(*(classes.names_in(pair[at]) for pair in found)) for at in (0, 1)]
    names = tuple(sorted(one.decode("utf-8", "replace") for one in texts[0] | texts[1]))
    if texts[1]:
        return Looked(CLASSES, len(names), has_scores=False, text_labels=names)
    predictions = _matrix([pair[1] for pair in found], "the prediction", where)
    if texts[0]:
        return _of_text(predictions, names)
    labels = _matrix([pair[0] for pair in found], "the label", where)
    if not len(labels):
        raise EmptyDataError(f"{where}: there is no row to evaluate.", "check the output of ExampleGen.")
    kind = _kind(labels, predictions, output, are_regression, where)
    outputs = predictions.shape[1]
    has_scores = kind != CLASSES or outputs > 1
    num_classes = {BINARY: 2, REGRESSION: 0}.get(kind, outputs)
    if not has_scores:
        num_classes = int(max(labels.max(), predictions.max())) + 1
    return Looked(
        kind,
        num_classes,
        (has_scores and predictions.dtype.kind == "f") or kind == REGRESSION,
        bool(((predictions >= 0) & (predictions <= 1)).all()) and output not in _LOGITS,
        _extent(labels, predictions),
        bool((labels == 0).any()),
        outputs,
    )


def _of_text(predictions: NDArray[Any], names: tuple[str, ...]) -> Looked:
    outputs = predictions.shape[1]
    are_shares = bool(((predictions >= 0) & (predictions <= 1)).all())
    return Looked(
        BINARY if outputs == 1 else CLASSES,
        2 if outputs == 1 else outputs,
        are_probabilities=are_shares,
        num_outputs=outputs,
        text_labels=names,
    )


def _matrix(values: Iterable[Any], what: str, where: str) -> NDArray[Any]:
    parts = []
    for value in values:
        array = ragged.dense(value)
        if isinstance(array, Mapping):
            raise DefinitionError(
                f"{where}: the model gives {', '.join(sorted(map(str, array)))}, and none of them is called "
                "'probabilities' or 'predictions'.",
                "give eval_config, with prediction_key in model_specs.",
            )
        if array is None:
            continue
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf" or array.ndim > 2:
            raise DefinitionError(
                f"{where}: {what} has not one number, or one list of numbers of one length, in each row.",
                "give eval_config, or leave out rows without a value.",
            )
        parts.append(array.reshape(len(array), -1) if len(array) else np.zeros((0, 1)))
    if len({part.shape[1] for part in parts}) > 1:
        raise DefinitionError(f"{where}: {what} has rows of several lengths.", "give eval_config.")
    return np.concatenate(parts) if parts else np.zeros((0, 1))


def _kind(
    labels: NDArray[Any], predictions: NDArray[Any], output: str, are_regression: bool, where: str
) -> str:
    width, outputs = labels.shape[1], predictions.shape[1]
    are_flags = bool(np.isin(labels, (0, 1)).all())
    are_whole = bool((labels == np.floor(labels)).all()) and bool((labels >= -1).all())
    if are_regression and width == outputs:
        return REGRESSION
    if outputs > 1:
        if width == 1 and are_whole:
            return CLASSES
        if width != outputs:
            raise DefinitionError(
                f"{where}: the label has {width} values in a row, and the prediction {outputs}.",
                "give one label in a row, the number of its class, or one for each output of the model.",
            )
        if not are_flags:
            return REGRESSION
        is_one = all(np.abs(values.sum(axis=1) - 1).max(initial=0) < 1e-3 for values in (labels, predictions))
        return CLASSES if is_one else LABELS
    are_shares = bool(((predictions >= 0) & (predictions <= 1)).all())
    if width == 1 and are_flags and (are_shares or output in (_PROBABILITIES, *_LOGITS)):
        return BINARY
    are_numbers = (
        predictions.dtype.kind in "iub" and labels.dtype.kind in "iub" and bool((predictions >= 0).all())
    )
    if are_numbers and are_whole and len(np.unique(labels)) <= _MANY_VALUES:
        return CLASSES
    return REGRESSION


def _extent(labels: NDArray[Any], predictions: NDArray[Any]) -> tuple[float, float]:
    values = [one[np.isfinite(one)] for one in (labels, predictions)]
    known = np.concatenate([one.astype(np.float64).reshape(-1) for one in values])
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    return (low, high) if high > low else (low - 0.5, low + 0.5)
