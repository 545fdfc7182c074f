"""What a model's inputs look like: read from the transform graph or the schema, given to `build_model`.

A model sees every feature as a dense batch. A feature with one value in each row has shape `(1,)`. A feature
with several is padded with its default (0, or the empty string), to the number of values that the schema
allows, or to the longest row of the batch where the schema sets no bound: then the shape is `(None,)`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_transform.tf_metadata import schema_utils

from headrace.errors import TrainingError, did_you_mean, listed
from headrace.formats import transform_graphs

USUAL_LABELS = ("label", "label_xf")


@dataclass(frozen=True)
class Feature:
    """One feature as the model gets it.

    Attributes:
        name: Its name in the examples.
        dtype: `"int64"`, `"float32"` or `"string"`.
        shape: Without the batch dimension; `None` where rows differ in length.
        num_values: Number of different values: 0 to `num_values - 1` for integers, or the size of
            `vocabulary` for strings. `None` where the schema does not know it.
        vocabulary: The values of a string feature, where the schema lists them.
        spec: How `tf.io.parse_example` reads it.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]
    num_values: int | None
    vocabulary: tuple[str, ...]
    spec: Any

    def input(self) -> Any:
        """Return a new `keras.Input` of this name, shape and type; Keras has `∕` (U+2215) for a slash."""
        import keras

        return keras.Input(shape=self.shape, dtype=self.dtype, name=input_name(self.name))

    @property
    def default(self) -> Any:
        """What stands for a missing value, and pads short rows."""
        return "" if self.dtype == "string" else 0


def input_name(feature_name: str) -> str:
    """Return the name of the `keras.Input` of a feature."""
    # Keras refuses slashes, which names of columns may well have.
    return feature_name.replace("/", "\N{DIVISION SLASH}")


class Features(Mapping[str, Feature]):
    """The features by name, in order of name.

    Args:
        features: The features, in the order in which a model takes them side by side.
        is_chosen: Whether the user named them, and their order.

    Attributes:
        order: Their names in that order: the schema's, the transform graph's, or the one that was chosen.
        is_chosen: See above.
    """

    def __init__(self, features: Iterable[Feature], *, is_chosen: bool = False) -> None:
        stated = list(features)
        self.order = tuple(feature.name for feature in stated)
        self.is_chosen = is_chosen
        self._features = {feature.name: feature for feature in sorted(stated, key=lambda one: one.name)}

    def __getitem__(self, name: str) -> Feature:
        return self._features[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._features)

    def __len__(self) -> int:
        return len(self._features)

    def inputs(self) -> dict[str, Any]:
        """Return one new `keras.Input` for each feature, by name."""
        return {name: feature.input() for name, feature in self.items()}

    def without(self, *names: str) -> Features:
        """Return the features but those named."""
        left = (self[name] for name in self.order if name not in names)
        return Features(left, is_chosen=self.is_chosen)

    def only(self, names: str | Iterable[str]) -> Features:
        """Return the features named: one, or several, whose order becomes that of `order`."""
        return Features(self[name] for name in ([names] if isinstance(names, str) else names))

    def choose(self, names: Iterable[str], where: str) -> Features:
        """Return the features that the user named, in this order; `'tips'` also finds `'tips_xf'`.

        Raises:
            TrainingError: If there is no such feature.
        """
        found = []
        for given in names:
            name = next((one for one in (given, f"{given}_xf") if one in self), None)
            if name is None:
                raise TrainingError(
                    f"{where}: features names '{given}', and there is no such feature. There are {listed(self)}.",
                    f"{did_you_mean(given, self)}Correct it, or make the feature in preprocessing_fn.",
                )
            found.append(self[name])
        return Features(found, is_chosen=True)


def read_transformed(transform_graph_path: str) -> Features:
    """Read the features that a transform graph makes."""
    schema = transform_graphs.read_transformed_schema(transform_graph_path)
    return from_schema(schema, several_by_default=True)


def from_schema(schema: schema_pb2.Schema, *, several_by_default: bool = False) -> Features:
    """Read the features of a schema.

    Args:
        schema: Of raw or transformed examples.
        several_by_default: Whether a feature whose schema has neither shape nor value count may have several
            values in a row, as what tf.Transform makes may; inferred schemas mean at most one.
    """
    specs = schema_utils.schema_as_feature_spec(schema).feature_spec
    protos_by_name = {feature.name: feature for feature in schema.feature}
    domains = {domain.name: tuple(domain.value) for domain in schema.string_domain}
    return Features(
        _feature(name, spec, protos_by_name.get(name), domains, several_by_default)
        for name, spec in specs.items()
    )


def _feature(
    name: str,
    spec: Any,
    proto: schema_pb2.Feature | None,
    domains: Mapping[str, tuple[str, ...]],
    several_by_default: bool,
) -> Feature:
    vocabulary: tuple[str, ...] = ()
    num_values = None
    if proto is not None:
        vocabulary = domains.get(proto.domain, ()) or tuple(proto.string_domain.value)
        if vocabulary:
            num_values = len(vocabulary)
        elif (
            proto.HasField("int_domain") and 0 < proto.int_domain.max < 1 << 62 and proto.int_domain.min >= -1
        ):
            num_values = proto.int_domain.max + 1
    return Feature(
        name=name,
        dtype=tf.as_dtype(spec.dtype).name,
        shape=_shape(spec, proto, several_by_default),
        num_values=num_values,
        vocabulary=vocabulary,
        spec=spec,
    )


def _shape(spec: Any, proto: schema_pb2.Feature | None, several_by_default: bool) -> tuple[int | None, ...]:
    if isinstance(spec, tf.io.FixedLenFeature):
        return tuple(spec.shape) or (1,)
    if isinstance(spec, tf.io.SparseFeature):
        sizes = spec.size if isinstance(spec.size, (list, tuple)) else [spec.size]
        # tf.Transform writes -1 for a size that it does not know.
        return tuple(size if size is not None and size >= 0 else None for size in sizes)
    if isinstance(spec, tf.io.RaggedFeature):
        return (None, *[getattr(partition, "length", None) for partition in spec.partitions])
    if proto is not None and proto.HasField("value_count"):
        return (proto.value_count.max or None,)
    return (None,) if several_by_default else (1,)


def find_label(features: Features, label: str | None, where: str) -> str:
    """Return the name of the label among `features`.

    Args:
        features: All that the data has.
        label: The name given by the user; `x` also finds `x_xf`, the name that transformed features often
            have. `None`: one of `USUAL_LABELS`.
        where: The node, for the message.

    Raises:
        TrainingError: If there is no such feature.
    """
    for name in (label, f"{label}_xf") if label else USUAL_LABELS:
        if name in features:
            return str(name)
    if label:
        raise TrainingError(
            f"{where}: there is no feature '{label}' to use as the label. The data has {listed(features)}.",
            f"{did_you_mean(label, features)}Correct label, or make the feature in preprocessing_fn.",
        )
    raise TrainingError(
        f"{where}: no label is named, and no feature is called {listed(USUAL_LABELS)}. The data has "
        f"{listed(features)}.",
        "name the feature to predict: label='...'.",
    )


def densify(value: Any, feature: Feature) -> tf.Tensor:
    """Return one parsed feature as a dense batch of `feature.shape`."""
    if isinstance(value, tf.SparseTensor):
        if isinstance(feature.spec, tf.io.SparseFeature):
            value = _with_known_sizes(value, feature)
            return tf.ensure_shape(
                tf.sparse.to_dense(value, default_value=feature.default), [None, *feature.shape]
            )
        # As records hold them: the values of a row in their order. What a transform graph returns may have gaps.
        value = tf.RaggedTensor.from_value_rowids(value.values, value.indices[:, 0], value.dense_shape[0])
    if isinstance(value, tf.RaggedTensor):
        value = value.to_tensor(default_value=feature.default, shape=[None, *feature.shape])
    if value.shape.rank == 1:
        value = tf.expand_dims(value, 1)
    return tf.ensure_shape(value, [None, *feature.shape])


def _with_known_sizes(value: tf.SparseTensor, feature: Feature) -> tf.SparseTensor:
    """Replace sizes that no schema knows, which a record's parser gives as -1, by those of the batch."""
    if None not in feature.shape:
        return value
    reached = tf.reduce_max(tf.concat([tf.zeros_like(value.indices[:1]) - 1, value.indices], 0), axis=0) + 1
    shape = tf.concat([value.dense_shape[:1], tf.maximum(reached[1:], 0)], 0)
    return tf.SparseTensor(value.indices, value.values, shape)


def size(feature: Feature) -> int | None:
    """Return the number of values in a row; `None` where rows differ."""
    return None if None in feature.shape else math.prod(dim or 0 for dim in feature.shape)
