"""Changes of a batch of training rows, in TensorFlow's stateless random numbers: see `headrace.augment`.

Each change of each batch has a seed of its own, made of the node's seed and the batch's number, so that the same rows
are changed in the same way however many threads do it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from headrace.augment import Augmentation
from headrace.errors import TrainingError, did_you_mean, listed
from headrace.training.parsing import Columns

_PICTURE_RANK = 4


@dataclass(frozen=True)
class Batch:
    """Rows on their way to the model.

    Attributes:
        columns: The features by name.
        label: Their label.
        weights: What each row's loss counts, or `None` where all count the same.
    """

    columns: Columns
    label: tf.Tensor
    weights: tf.Tensor | None = None


class Augmenter:
    """Changes batches.

    Args:
        changes: In their order.
        signature: Shape and type of the features by name, with the rows as first dimension.
        seed: Of the node.
        is_label_mixed: Whether a label between two of the data has a meaning, as it has not for classes.
        where: The node, for messages.

    Raises:
        TrainingError: If a change fits no feature, or names one that is not there or that it does not fit.
    """

    def __init__(
        self,
        changes: Sequence[Augmentation],
        signature: Mapping[str, tf.TensorSpec],
        seed: int,
        *,
        is_label_mixed: bool,
        where: str,
    ) -> None:
        self._changes = [(change, _names(change, signature, where)) for change in changes]
        self._seed = seed
        self._is_label_mixed = is_label_mixed

    def apply(self, batch: Batch, number: tf.Tensor) -> Batch:
        """Return a changed batch.

        Args:
            batch: Of 1 or more rows.
            number: Of the batch, counted from the beginning of training.
        """
        for place, (change, names) in enumerate(self._changes):
            seed = tf.stack([tf.constant(self._seed * 1009 + place, tf.int64), tf.cast(number, tf.int64)])
            if change.kind == "mixup":
                batch = self._mixed(batch, names, change.options["alpha"], seed)
                continue
            columns = dict(batch.columns)
            for other, name in enumerate(names):
                own = tf.random.experimental.stateless_fold_in(seed, other)
                columns[name] = _change(columns[name], change, own)
            batch = Batch(columns, batch.label, batch.weights)
        return batch

    def _mixed(self, batch: Batch, names: Sequence[str], alpha: float, seed: tf.Tensor) -> Batch:
        rows = tf.shape(batch.label)[0]
        first, second = (
            tf.random.stateless_gamma([rows], tf.random.experimental.stateless_fold_in(seed, number), alpha)
            for number in (1, 2)
        )
        # Both may be 0 in float32 where alpha is small; then the row stays as it is.
        share = tf.where(first + second > 0, first / (first + second), tf.ones_like(first))
        partner = tf.random.experimental.stateless_shuffle(tf.range(rows), seed)
        columns = dict(batch.columns)
        for name in names:
            own = columns[name]
            part = tf.reshape(share, [-1] + [1] * (own.shape.rank - 1))
            columns[name] = part * own + (1 - part) * tf.gather(own, partner)
        weights = tf.ones_like(share) if batch.weights is None else batch.weights
        if self._is_label_mixed:
            part = tf.cast(tf.reshape(share, [-1] + [1] * (batch.label.shape.rank - 1)), batch.label.dtype)
            label = part * batch.label + (1 - part) * tf.gather(batch.label, partner)
            mixed = share * weights + (1 - share) * tf.gather(weights, partner)
            return Batch(columns, label, None if batch.weights is None else mixed)
        twice = {name: tf.concat([column, column], 0) for name, column in columns.items()}
        label = tf.concat([batch.label, tf.gather(batch.label, partner)], 0)
        # Twice the share: Keras divides by the number of rows, of which there are twice as many.
        both = [2 * share * weights, 2 * (1 - share) * tf.gather(weights, partner)]
        return Batch(twice, label, tf.concat(both, 0))


def _names(change: Augmentation, signature: Mapping[str, tf.TensorSpec], where: str) -> list[str]:
    """The features that a change is made to."""
    floats = [name for name, spec in signature.items() if spec.dtype.is_floating]
    pictures = [name for name in floats if signature[name].shape.rank == _PICTURE_RANK]
    fitting = floats if change.kind in ("noise", "mixup") else pictures
    kind = "floats" if fitting is floats else "pictures, floats of shape (height, width, channels)"
    if change.feature is None:
        if not fitting:
            raise TrainingError(
                f"{where}: augment.{change.kind} changes {kind}, and none of the model's features is one: "
                f"{listed(signature)}.",
                "make pictures in preprocessing_fn with headrace.features.image, or leave it out.",
            )
        return sorted(fitting)
    if change.feature in fitting:
        return [change.feature]
    is_there = change.feature in signature
    raise TrainingError(
        f"{where}: augment.{change.kind} is to change '{change.feature}', which "
        f"{f'does not hold {kind}' if is_there else 'the model does not take'}. "
        f"Of the model's features these do: {listed(sorted(fitting))}.",
        f"{did_you_mean(change.feature, fitting)}Correct feature.",
    )


def _change(x: tf.Tensor, change: Augmentation, seed: tf.Tensor) -> tf.Tensor:
    options = change.options
    changed = _CHANGES[change.kind](x, options, seed)
    return tf.ensure_shape(changed, x.shape)


def _flipped(x: tf.Tensor, options: Mapping[str, Any], seed: tf.Tensor) -> tf.Tensor:
    for axis, name in ((2, "horizontal"), (1, "vertical")):
        if options[name]:
            own = tf.random.experimental.stateless_fold_in(seed, axis)
            is_flipped = tf.random.stateless_uniform([tf.shape(x)[0], 1, 1, 1], own) < 0.5
            x = tf.where(is_flipped, tf.reverse(x, [axis]), x)
    return x


def _rotated(x: tf.Tensor, options: Mapping[str, Any], seed: tf.Tensor) -> tf.Tensor:
    most = math.radians(options["degrees"])
    angle = tf.random.stateless_uniform([tf.shape(x)[0]], seed, -most, most)
    cos, sin = tf.cos(angle), tf.sin(angle)
    return _placed(x, (cos, -sin, sin, cos), None, options["fill"])


def _shifted(x: tf.Tensor, options: Mapping[str, Any], seed: tf.Tensor) -> tf.Tensor:
    most = options["fraction"]
    moved = tf.random.stateless_uniform([tf.shape(x)[0], 2], seed, -most, most)
    size = tf.cast(tf.shape(x)[1:3], tf.float32)
    one, zero = tf.ones_like(moved[:, 0]), tf.zeros_like(moved[:, 0])
    return _placed(x, (one, zero, zero, one), (moved[:, 1] * size[1], moved[:, 0] * size[0]), options["fill"])


def _zoomed(x: tf.Tensor, options: Mapping[str, Any], seed: tf.Tensor) -> tf.Tensor:
    most = options["fraction"]
    scale = 1 / tf.random.stateless_uniform([tf.shape(x)[0]], seed, 1 - most, 1 + most)
    zero = tf.zeros_like(scale)
    return _placed(x, (scale, zero, zero, scale), None, options["fill"])


def _placed(x: tf.Tensor, matrix: Sequence[tf.Tensor], moved: Any, fill: str) -> tf.Tensor:
    """Pictures of which each pixel comes from another place: the matrix about the middle, then a movement."""
    height, width = (tf.cast(size, tf.float32) for size in tf.unstack(tf.shape(x)[1:3]))
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    a, b, c, d = matrix
    move_x, move_y = moved or (tf.zeros_like(a), tf.zeros_like(a))
    to_x = middle_x - a * middle_x - b * middle_y + move_x
    to_y = middle_y - c * middle_x - d * middle_y + move_y
    zero = tf.zeros_like(a)
    transforms = tf.stack([a, b, to_x, c, d, to_y, zero, zero], axis=1)
    found = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(x, tf.float32),
        transforms=transforms,
        output_shape=tf.shape(x)[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode=fill.upper(),
    )
    return tf.cast(found, x.dtype)


def _contrasted(x: tf.Tensor, options: Mapping[str, Any], seed: tf.Tensor) -> tf.Tensor:
    most = options["fraction"]
    factor = tf.random.stateless_uniform([tf.shape(x)[0], 1, 1, 1], seed, 1 - most, 1 + most, x.dtype)
    mean = tf.reduce_mean(x, axis=[1, 2], keepdims=True)
    return mean + (x - mean) * factor


def _noisy(x: tf.Tensor, options: Mapping[str, Any], seed: tf.Tensor) -> tf.Tensor:
    return x + tf.random.stateless_normal(tf.shape(x), seed, 0.0, options["deviation"], x.dtype)


_CHANGES: dict[str, Callable[[tf.Tensor, Mapping[str, Any], tf.Tensor], tf.Tensor]] = {
    "flip": _flipped,
    "rotate": _rotated,
    "shift": _shifted,
    "zoom": _zoomed,
    "contrast": _contrasted,
    "noise": _noisy,
}
