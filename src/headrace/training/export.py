"""Export a trained Keras 3 model as the SavedModel that Evaluator, InfraValidator and servers expect."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import keras
import tensorflow as tf
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.formats import protos
from headrace.training import readers
from headrace.training.features import arrange, input_names

SERVING_SIGNATURE = "serving_default"
TRANSFORM_SIGNATURE = "transform_features"
_EXAMPLES = [tf.TensorSpec(shape=[None], dtype=tf.string, name="examples")]


def export_model(
    model: keras.Model,
    path: str,
    *,
    transform_graph_path: str | None = None,
    schema: schema_pb2.Schema | None = None,
    schema_path: str | None = None,
    label: str | None = None,
) -> None:
    """Save a model with the signatures `serving_default` and `transform_features`.

    Both take one tensor `examples` of serialized raw tf.Examples. `serving_default` reads what the model's
    inputs are made of and nothing else, so requests need no label. `transform_features` returns all
    transformed features, the label among them, in the shapes in which Transform makes them; without a
    transform graph, the raw features as the model gets them.

    Args:
        model: Its inputs are named after (transformed) features. A subclassed model takes a dict of all.
        path: The folder to write, such as `fn_args.serving_model_dir`.
        transform_graph_path: Such as `fn_args.transform_graph_path`. It becomes a part of the model.
        schema: Of raw examples, where there is no transform graph.
        schema_path: The schema's file instead of the schema, such as `fn_args.schema_path`.
        label: Kept from a subclassed model, which is given all other features.

    Example:
        >>> def run_fn(fn_args):
        ...     model = train(fn_args)
        ...     export_model(
        ...         model, fn_args.serving_model_dir, transform_graph_path=fn_args.transform_graph_path
        ...     )
    """
    if schema is None and schema_path and not transform_graph_path:
        schema = protos.read_text(schema_path, schema_pb2.Schema)
    reader = readers.make(transform_graph_path, schema)
    module = tf.Module(name="serving")
    # What a signature uses is saved only if an attribute of the saved object leads to it. Not the model itself:
    # Keras 3 (3.12) then saves each variable twice, and TensorFlow Serving and TensorFlow 1 sessions restore
    # the one that the signature does not read.
    module.weights = weights(model)
    module.resources = _resources(model)
    module.reader = reader
    names = input_names(model, reader.features.without(*([label] if label else [])), "export_model")
    signatures = {
        SERVING_SIGNATURE: _serve(model, reader, names),
        TRANSFORM_SIGNATURE: _transform(reader, list(reader.features)),
    }
    tf.saved_model.save(module, path, signatures=signatures)


def weights(model: Any) -> list[tf.Variable]:
    """Return the TensorFlow variables of a Keras model, in the model's order, in which they are saved."""
    return [variable.value for variable in model.variables]


def weight_key(number: int | None) -> str:
    """Return the name of a weight in the SavedModel's checkpoint, by its number in `weights`; `None`: of any."""
    return "weights/" if number is None else f"weights/{number}/.ATTRIBUTES/VARIABLE_VALUE"


def _resources(model: Any) -> list[Any]:
    """Lookup tables of layers such as `StringLookup`."""
    return [
        item
        for item in tf.train.TrackableView(model).descendants()
        if isinstance(item, tf.saved_model.experimental.TrackableResource)
    ]


def _serve(model: Any, reader: Any, names: Iterable[str]) -> Callable[..., Any]:
    # With AutoGraph, which a user's own layers may need; the rest does without, being slower to rewrite.
    @tf.function(input_signature=_EXAMPLES)
    def serve(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return name_outputs(model(read(examples), training=False))

    @tf.autograph.experimental.do_not_convert
    def read(examples: tf.Tensor) -> Any:
        return arrange(model, reader.read(examples, names))

    @tf.autograph.experimental.do_not_convert
    def name_outputs(outputs: Any) -> dict[str, Any]:
        return named_outputs(model, outputs)

    return serve


def _transform(reader: Any, names: Iterable[str]) -> Callable[..., Any]:
    @tf.function(input_signature=_EXAMPLES, autograph=False)
    def transform(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = reader.parse(examples, names)
        dense = readers.densified(parsed, reader.features)
        return {
            name: value if isinstance(value, tf.Tensor) else dense[name] for name, value in parsed.items()
        }

    return transform


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


def last_activation(model: Any) -> str | None:
    """Return the name of the activation with which a model ends; `None` where it is not known."""
    for layer in reversed(getattr(model, "layers", None) or []):
        activation = getattr(layer, "activation", None)
        if activation is not None:
            return str(getattr(activation, "__name__", type(activation).__name__)).lower()
        if type(layer).__name__ in ("Softmax", "Sigmoid"):
            return type(layer).__name__.lower()
        if type(layer).__name__ not in ("Reshape", "Flatten"):
            return None
    return None
