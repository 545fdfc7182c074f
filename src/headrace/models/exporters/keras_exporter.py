"""The exporter of Keras 3 models; see `servable.Exporter`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from headrace.errors import TrainingError
from headrace.models import weights
from headrace.models.exporters.servable import Servable
from headrace.models.features import Features
from headrace.models.keras_inputs import resolve
from headrace.models.keras_models import last_activation

_WEIGHTS = "weights"


def accepts(model: Any) -> bool:
    """Whether it is a `keras.Model`."""
    return isinstance(model, keras.Model)


def check(model: Any, where: str) -> None:
    """All can be."""
    del model, where


def told(model: Any) -> str:
    """Its layers are on its page."""
    del model
    return ""


def servable(model: Any, features: Features, where: str, num_classes: int | None = None) -> Servable:
    """Return the model as it serves; see `Exporter`. A subclassed model takes all features."""
    del num_classes
    inputs = resolve(model, features, where)

    def call(columns: dict[str, Any]) -> Mapping[str, Any]:
        return name_outputs(model(place(columns), training=False))

    @tf.autograph.experimental.do_not_convert
    def place(columns: dict[str, Any]) -> Any:
        return inputs.arrange(columns)

    @tf.autograph.experimental.do_not_convert
    def name_outputs(outputs: Any) -> dict[str, Any]:
        return named_outputs(model, outputs)

    # Not the model itself: Keras 3 (3.12) then saves each variable twice, and TensorFlow Serving and TensorFlow 1
    # sessions restore the one that the signature does not read.
    parts = {_WEIGHTS: _variables(model), "resources": _resources(model)}
    return Servable(inputs.names, call, parts, inputs.matrix)


def start_from(model: Any, path: str, where: str) -> None:
    """Give the model the weights of one that was exported; see `Exporter`."""
    checkpoint = weights.read(path)
    found: dict[str, list[int]] = {} if checkpoint is None else checkpoint.get_variable_to_shape_map()
    variables = {
        f"{_WEIGHTS}/{number}/.ATTRIBUTES/VARIABLE_VALUE": one for number, one in enumerate(_variables(model))
    }
    wanted = {key: variable.shape.as_list() for key, variable in variables.items()}
    kept = {key: shape for key, shape in found.items() if key.startswith(f"{_WEIGHTS}/")}
    if kept != wanted:
        raise TrainingError(
            f"{where}: base_model ({path}) has weights of shapes {list(kept.values()) or 'unknown'}, and what "
            f"build_model returned has {list(wanted.values())}.",
            "give a model of the same layers that the short form or export_model wrote, or load it in run_fn.",
        )
    for key, variable in variables.items():
        variable.assign(checkpoint.get_tensor(key))


def _variables(model: Any) -> list[tf.Variable]:
    """Return the TensorFlow variables of a Keras model, in the model's order, in which they are saved."""
    return [variable.value for variable in model.variables]


def _resources(model: Any) -> list[Any]:
    """Lookup tables of layers such as `StringLookup`."""
    return [
        item
        for item in tf.train.TrackableView(model).descendants()
        if isinstance(item, tf.saved_model.experimental.TrackableResource)
    ]


def named_outputs(model: Any, outputs: Any) -> dict[str, Any]:
    """Return what a model returned as a dict for a signature.

    One output is called `probabilities` after a sigmoid or softmax, `logits` if the loss expects logits,
    else `predictions`. Several outputs keep their own names.
    """
    if isinstance(outputs, dict):
        return outputs
    if isinstance(outputs, (list, tuple)):
        return dict(zip(_output_names(model, len(outputs)), outputs))
    return {_output_kind(model): outputs}


def _output_names(model: Any, count: int) -> list[str]:
    names = getattr(model, "output_names", None) or []
    return list(names) if len(names) == count else [f"output_{number}" for number in range(count)]


def _output_kind(model: Any) -> str:
    if last_activation(model) in ("sigmoid", "softmax"):
        return "probabilities"
    return "logits" if _expects_logits(getattr(model, "loss", None)) else "predictions"


def _expects_logits(loss: Any) -> bool:
    if not isinstance(loss, keras.losses.Loss):
        return bool(getattr(loss, "from_logits", False))
    try:
        # Where a loss of the user's own has settings that it cannot tell, it may have the attribute.
        config = loss.get_config()
    except Exception:
        config = {}
    return bool(config.get("from_logits", getattr(loss, "from_logits", False)))
