"""Scores of predictions, in plain numpy, as scikit-learn defines them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

# As scikit-learn clips probabilities in float64.
_LEAST = 2.220446049250313e-16


@dataclass(frozen=True)
class Score:
    """A way to score predictions.

    Attributes:
        is_lower_better: Whether a small value is good.
        compute: From labels and predictions. Of classes: whole numbers of shape (rows,) and probabilities of shape
            (rows, classes); of several labels: zeros and ones of the shape of the probabilities; of numbers: both
            (rows, targets).
        is_of_classes: Whether it scores probabilities.
    """

    is_lower_better: bool
    compute: Callable[[NDArray[Any], NDArray[Any]], float]
    is_of_classes: bool


def _log_loss(labels: NDArray[Any], probabilities: NDArray[Any]) -> float:
    import numpy as np

    clipped = np.clip(probabilities, _LEAST, 1 - _LEAST)
    if labels.ndim == 2:
        return float(-np.mean(labels * np.log(clipped) + (1 - labels) * np.log(1 - clipped)))
    clipped = clipped / clipped.sum(axis=1, keepdims=True)
    return float(-np.mean(np.log(clipped[np.arange(len(labels)), labels])))


def _accuracy(labels: NDArray[Any], probabilities: NDArray[Any]) -> float:
    if labels.ndim == 2:
        return float(((probabilities >= 0.5) == (labels == 1)).mean())
    # Of two classes the second from one half on, as a threshold has it.
    found = probabilities[:, 1] >= 0.5 if probabilities.shape[1] == 2 else probabilities.argmax(axis=1)
    return float((found == labels).mean())


def _auc(labels: NDArray[Any], probabilities: NDArray[Any]) -> float:
    """The share of pairs of a positive and a negative in the right order, a tie counting one half."""
    from scipy.stats import rankdata

    positives = labels == 1
    num_positives, num_negatives = int(positives.sum()), int((~positives).sum())
    if not num_positives or not num_negatives:
        return float("nan")
    ranks = rankdata(probabilities[:, 1])
    excess = ranks[positives].sum() - num_positives * (num_positives + 1) / 2
    return float(excess / (num_positives * num_negatives))


def _mse(labels: NDArray[Any], predictions: NDArray[Any]) -> float:
    return float(((labels - predictions) ** 2).mean())


def _mae(labels: NDArray[Any], predictions: NDArray[Any]) -> float:
    return float(abs(labels - predictions).mean())


def _rmse(labels: NDArray[Any], predictions: NDArray[Any]) -> float:
    return float(_mse(labels, predictions) ** 0.5)


def _r2(labels: NDArray[Any], predictions: NDArray[Any]) -> float:
    """The mean over the targets of 1 less the share of the variance that is left."""
    left = ((labels - predictions) ** 2).sum(axis=0)
    whole = ((labels - labels.mean(axis=0)) ** 2).sum(axis=0)
    if not whole.all():
        return float("nan")
    return float((1 - left / whole).mean())


METRICS: Mapping[str, Score] = {
    "log_loss": Score(True, _log_loss, True),
    "accuracy": Score(False, _accuracy, True),
    "auc": Score(False, _auc, True),
    "mse": Score(True, _mse, False),
    "mae": Score(True, _mae, False),
    "rmse": Score(True, _rmse, False),
    "r2": Score(False, _r2, False),
}
