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


_FRAMEWORKS = (
    _Framework("keras", "a model of Keras 3 (keras.Model)", "headrace.models.exporters.keras_exporter"),
)


def find(model: Any, where: str) -> Exporter:
    """Return the exporter of a trained object.

    Raises:
        ModelError: If there is none, naming what can be exported.
    """
    packages = {kind.__module__.partition(".")[0] for kind in type(model).__mro__}
    for framework in _FRAMEWORKS:
        if framework.package in packages:
            exporter = cast("Exporter", importlib.import_module(framework.exporter))
            if exporter.accepts(model):
                return exporter
    raise ModelError(
        f"{where}: a {class_path(model)} cannot be exported. What can be: "
        f"{', '.join(framework.told for framework in _FRAMEWORKS)}.",
        advice(
            model,
            "give such a model, or save yours as a SavedModel: tf.saved_model.save(..., signatures=...).",
        ),
    )


def class_path(model: Any) -> str:
    """Return where the class of an object is defined."""
    return f"{type(model).__module__}.{type(model).__qualname__}"


def advice(model: Any, otherwise: str) -> str:
    """Return what to do about an object that is no model of a known framework."""
    if class_path(model).startswith(("tf_keras", "keras.src.engine")):
        return "this is a model of Keras 2 (tf.keras); build it with Keras 3: import keras."
    return otherwise
