"""Which exporter a trained object has, by the package that its class comes from. No framework is imported for others."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from headrace.errors import ModelError

if TYPE_CHECKING:
    from headrace.models.exporters.servable import Exporter


@dataclass(frozen=True)
class _Framework:
    """A framework whose models can be exported.

    Attributes:
        package: The package that its classes come from.
        told: What can be exported of it, for messages.
        exporter: The module that is an `Exporter`.
    """

    package: str
    told: str
    exporter: str


_ESTIMATORS = "headrace.models.exporters.estimator_exporter"

# Boosting before scikit-learn, whose base classes its own have.
_FRAMEWORKS = (
    _Framework("keras", "a model of Keras 3 (keras.Model)", "headrace.models.exporters.keras_exporter"),
    _Framework("xgboost", "XGBoost's and LightGBM's classes for scikit-learn", _ESTIMATORS),
    _Framework("lightgbm", "", _ESTIMATORS),
    _Framework("sklearn", "an estimator or a Pipeline of scikit-learn", _ESTIMATORS),
)


def find(model: Any, where: str) -> Exporter:
    """Return the exporter of a trained object.

    Raises:
        ModelError: If there is none, naming what can be exported.
    """
    found = _find(model)
    if found is not None:
        return found[1]
    raise ModelError(
        f"{where}: a {class_path(model)} cannot be exported. What can be: "
        f"{', '.join(framework.told for framework in _FRAMEWORKS if framework.told)}.",
        advice(
            model,
            "give such a model, or save yours as a SavedModel: tf.saved_model.save(..., signatures=...).",
        ),
    )


def is_known(model: Any) -> bool:
    """Whether an object is a model of a known framework."""
    return _find(model) is not None


def name(model: Any) -> str:
    """Return the package of a model that `is_known`."""
    found = _find(model)
    if found is None:
        raise ValueError(f"{class_path(model)} is of no known framework.")
    return found[0]


def _find(model: Any) -> tuple[str, Exporter] | None:
    packages = {kind.__module__.partition(".")[0] for kind in type(model).__mro__}
    for framework in _FRAMEWORKS:
        if framework.package in packages:
            exporter = cast("Exporter", importlib.import_module(framework.exporter))
            if exporter.accepts(model):
                return framework.package, exporter
    return None


def class_path(model: Any) -> str:
    """Return where the class of an object is defined."""
    return f"{type(model).__module__}.{type(model).__qualname__}"


def advice(model: Any, otherwise: str) -> str:
    """Return what to do about an object that is no model of a known framework."""
    if class_path(model).startswith(("tf_keras", "keras.src.engine")):
        return "this is a model of Keras 2 (tf.keras); build it with Keras 3: import keras."
    if class_path(model).startswith(("xgboost", "lightgbm")):
        return "return the class for scikit-learn, such as XGBClassifier or LGBMRegressor, and leave fitting to Headrace."
    if isinstance(model, type):
        return f"{model.__name__} is a class: return an object of it, {model.__name__}()."
    return otherwise
