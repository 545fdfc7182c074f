"""How good a fitted estimator is, under the names that the training of a Keras model has: `loss`, `accuracy`, `auc`, ..."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

Scores = dict[str, float]


def of_estimator(model: Any, features: Any, label: Any) -> Scores:
    """Return loss and metrics of a fitted estimator on some rows.

    A classifier has `loss`, the log loss (scikit-learn's `log_loss`) of `predict_proba`, or without that, of its decision
    function through the sigmoid or softmax, as exported; `accuracy`; and `auc` for two classes. A regressor has `loss`, the
    mean squared error, `mean_absolute_error` and `r2`. What predicts neither has the mean of its scores as `loss`.
    """
    import sklearn.base

    if sklearn.base.is_classifier(model):
        classes = getattr(model, "classes_", None)
        if isinstance(classes, list) or np.ndim(label) > 1 or classes is None:
            wrong = float(np.mean(np.asarray(model.predict(features)) != label))
            return {"loss": wrong, "accuracy": 1 - wrong}
        return of_probabilities(probabilities(model, features), np.asarray(classes), label)
    if sklearn.base.is_regressor(model):
        return of_predictions(model.predict(features), label)
    scored = getattr(model, "score_samples", None)
    return {"loss": -float(np.mean(scored(features))) if scored is not None else 0.0}


def probabilities(model: Any, features: Any) -> Any:
    """Return the probabilities of `classes_`, `(rows, classes)`; see `of_estimator`."""
    if hasattr(model, "predict_proba"):
        return np.asarray(model.predict_proba(features), np.float64)
    if hasattr(model, "decision_function"):
        scores = np.asarray(model.decision_function(features), np.float64)
        if scores.ndim == 1 or scores.shape[1] == 1:
            scores = np.stack([np.zeros(len(scores)), scores.reshape(-1)], axis=1)
        scores -= scores.max(axis=1, keepdims=True)
        return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return (np.asarray(model.predict(features))[:, None] == np.asarray(model.classes_)[None, :]).astype(float)


def of_probabilities(found: Any, classes: Any, label: Any) -> Scores:
    """Return `loss`, `accuracy` and for two classes `auc`; a class that was not learned has probability 0."""
    places = np.clip(np.searchsorted(classes, label), 0, len(classes) - 1)
    is_known = classes[places] == label
    eps = float(np.finfo(np.float64).eps)
    right = np.where(is_known, found[np.arange(len(label)), places], 0.0)
    scores = {
        "loss": float(-np.log(np.clip(right, eps, 1 - eps)).mean()),
        "accuracy": float((is_known & (found.argmax(axis=1) == places)).mean()),
    }
    if len(classes) == 2 and 0 < int((label == classes[1]).sum()) < len(label):
        from sklearn.metrics import roc_auc_score

        scores["auc"] = float(roc_auc_score(label == classes[1], found[:, 1]))
    return scores


def of_predictions(found: Any, label: Any) -> Scores:
    """Return `loss` (the mean squared error), `mean_absolute_error` and `r2`, which needs two different labels."""
    target = np.asarray(label, np.float64)
    off = np.asarray(found, np.float64).reshape(target.shape) - target
    scores = {"loss": float((off**2).mean()), "mean_absolute_error": float(np.abs(off).mean())}
    spread = ((target - target.mean(axis=0)) ** 2).sum(axis=0)
    if np.all(spread > 0):
        scores["r2"] = float(np.mean(1 - (off**2).sum(axis=0) / spread))
    return scores


def in_evaluation(scores: Mapping[str, Any]) -> dict[str, Any]:
    """Return scores under the names that those in evaluation have."""
    return {f"val_{name}": value for name, value in scores.items()}
