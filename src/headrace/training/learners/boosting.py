"""Fits an estimator with what it offers: weights of rows, early stopping, the loss after each round of boosting."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from headrace.training.learners import scores
from headrace.training.short_form import Settings

_LOG_LOSSES = {"logloss", "mlogloss", "binary_logloss", "multi_logloss"}
# Those of a mean squared error, and whether its root.
_SQUARED = {"rmse": True, "l2": False, "mse": False}
# Staged predictions of all rows after each round; where these are more numbers, the last round is enough.
_MAX_STAGED = 50_000_000
_SECONDS_ROUNDS = 10

Rows = tuple[Any, Any]
History = dict[str, list[float]]


def last_step(model: Any) -> Any:
    """Return the estimator at the end of Pipelines; the model itself where it is none."""
    while hasattr(model, "steps") and not hasattr(model, "estimators_"):
        model = model.steps[-1][1]
    return model


def weight_argument(model: Any) -> str | None:
    """Return the name of `fit`'s argument for the weights of rows; `None` where there is none."""
    prefix = ""
    while hasattr(model, "steps"):
        name, model = model.steps[-1]
        prefix += f"{name}__"
    inner = model
    # A search hands on what its estimator takes.
    while hasattr(inner, "param_grid") or hasattr(inner, "param_distributions"):
        inner = inner.estimator
        if hasattr(inner, "steps"):
            own = weight_argument(inner)
            return None if own is None else f"{prefix}{own}"
    return f"{prefix}sample_weight" if "sample_weight" in inspect.signature(inner.fit).parameters else None


def can_stop(model: Any) -> bool:
    """Whether it watches the loss on other rows than it is fitted on."""
    last = last_step(model)
    return _package(last) in ("xgboost", "lightgbm") and "RF" not in type(last).__name__


def fit(
    model: Any,
    train: Rows,
    evaluate: Rows,
    arguments: dict[str, Any],
    settings: Settings,
    report: Callable[[str], None],
) -> History:
    """Fit a model.

    Args:
        model: Is fitted.
        train: Features and label.
        evaluate: Those that boosting looks at after each round.
        arguments: Of the model's `fit`, beside.
        settings: With the seed and the patience.
        report: Gets what is to be added to what is told of the progress.

    Returns:
        The loss after each round under `loss` and `val_loss`; empty where there are no rounds.
    """
    if not can_stop(model):
        model.fit(*train, **arguments)
        return _staged(model, train, evaluate)
    for name, first in _steps_before(model):
        report(f": {name}")
        # In its place, so that the fitted one is what the Pipeline holds.
        train = (first.fit_transform(*train), train[1])
        evaluate = (first.transform(evaluate[0]), evaluate[1])
    last = last_step(model)
    own = {name.rpartition("__")[2]: value for name, value in arguments.items()}
    if _package(last) == "xgboost":
        return _fit_xgboost(last, train, evaluate, own, settings, report)
    return _fit_lightgbm(last, train, evaluate, own, settings, report)


def _steps_before(model: Any) -> Iterator[tuple[str, Any]]:
    while hasattr(model, "steps"):
        for name, step in model.steps[:-1]:
            if step is not None and step != "passthrough":
                yield name, step
        model = model.steps[-1][1]


def _fit_xgboost(
    model: Any, train: Rows, evaluate: Rows, arguments: Any, settings: Settings, report: Callable[[str], None]
) -> History:
    import xgboost

    class Rounds(xgboost.callback.TrainingCallback):
        """Tells of rounds."""

        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            """Go on."""
            del model, evals_log
            if epoch % _SECONDS_ROUNDS == 0:
                report(f": round {epoch + 1}")
            return False

    given = {name: getattr(model, name) for name in ("early_stopping_rounds", "callbacks")}
    patience = given["early_stopping_rounds"]
    if patience is None and settings.patience and model.get_params().get("booster") != "dart":
        patience = settings.patience
    callbacks = [*(given["callbacks"] or ()), Rounds()]
    model.set_params(early_stopping_rounds=patience or None, callbacks=callbacks)
    try:
        model.fit(*train, eval_set=[train, evaluate], verbose=False, **arguments)
    finally:
        model.set_params(**given)
    found = model.evals_result()
    return _history(*(found[name] for name in ("validation_0", "validation_1")))


def _fit_lightgbm(
    model: Any, train: Rows, evaluate: Rows, arguments: Any, settings: Settings, report: Callable[[str], None]
) -> History:
    import lightgbm

    def rounds(state: Any) -> None:
        if state.iteration % _SECONDS_ROUNDS == 0:
            report(f": round {state.iteration + 1}")

    callbacks: list[Any] = [rounds]
    params = model.get_params()
    names = ("early_stopping_round", "early_stopping_rounds", "early_stopping", "n_iter_no_change")
    own = next((params[name] for name in names if params.get(name) is not None), None)
    if own is None and settings.patience and params.get("boosting_type") != "dart":
        callbacks.append(lightgbm.early_stopping(settings.patience, verbose=False))
    sets = {"eval_names": ["train", "eval"], "callbacks": callbacks, **arguments}
    if "eval_X" in inspect.signature(model.fit).parameters:
        sets.update(eval_X=(train[0], evaluate[0]), eval_y=(train[1], evaluate[1]))
    else:
        sets["eval_set"] = [train, evaluate]
    model.fit(*train, **sets)
    found = model.evals_result_
    return _history(*(dict(found.get(name, {})) for name in ("train", "eval")))


def _history(train: dict[str, Sequence[float]], evaluate: dict[str, Sequence[float]]) -> History:
    """The metrics of each round; empty where none of them is a loss that others have."""
    history: History = {}
    for prefix, metrics in (("", train), ("val_", evaluate)):
        for name, values in metrics.items():
            if name in _LOG_LOSSES:
                history[f"{prefix}loss"] = list(map(float, values))
            elif name in _SQUARED:
                history[f"{prefix}loss"] = [float(one) ** (2 if _SQUARED[name] else 1) for one in values]
            else:
                history[f"{prefix}{name}"] = list(map(float, values))
    return history if {"loss", "val_loss"} <= set(history) else {}


def _staged(model: Any, train: Rows, evaluate: Rows) -> History:
    """The loss after each round of scikit-learn's own boosting."""
    last = last_step(model)
    is_classifier = hasattr(last, "staged_predict_proba")
    stages = getattr(last, "staged_predict_proba", None) or getattr(last, "staged_predict", None)
    count = getattr(last, "n_iter_", None) or len(getattr(last, "estimators_", ()))
    classes = getattr(last, "classes_", (0,))
    if stages is None or count * len(train[1]) * len(classes) > _MAX_STAGED or np.ndim(train[1]) > 1:
        return {}
    history: History = {"loss": [], "val_loss": []}
    for name, (features, label) in (("loss", train), ("val_loss", evaluate)):
        with contextlib.suppress(AttributeError):
            features = (
                model[:-1].transform(features)
                if hasattr(model, "steps") and len(model.steps) > 1
                else features
            )
        for found in stages(features):
            if is_classifier:
                history[name].append(scores.of_probabilities(found, np.asarray(classes), label)["loss"])
            else:
                history[name].append(scores.of_predictions(found, label)["loss"])
    return history


def _package(model: Any) -> str:
    packages = [kind.__module__.partition(".")[0] for kind in type(model).__mro__]
    return next((one for one in packages if one in ("xgboost", "lightgbm")), "")
