"""Classes of which some have few rows: rows that count more, or are seen more often, in training alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from headrace.errors import TrainingError, listed

WEIGHTS, RESAMPLE = "weights", "resample"
KINDS = (WEIGHTS, RESAMPLE)
# More classes are a number that is to be predicted.
_MAX_CLASSES = 10_000


@dataclass(frozen=True)
class Balance:
    """How classes are balanced.

    Attributes:
        classes: Their numbers, ascending.
        counts: Rows of each.
        weights: What the loss of a row of each counts.
        is_resampled: Whether rows are drawn instead of weighted.
    """

    classes: np.ndarray[Any, Any]
    counts: np.ndarray[Any, Any]
    weights: np.ndarray[Any, Any]
    is_resampled: bool

    def row_weights(self, label: tf.Tensor) -> tf.Tensor:
        """Return the weight of each row, float32."""
        return tf.gather(tf.constant(self.weights, tf.float32), self.class_places(label))

    def class_places(self, label: tf.Tensor) -> tf.Tensor:
        """Return the place of each row's class in `classes`."""
        flat = tf.cast(tf.reshape(label, [-1]), tf.int64)
        return tf.searchsorted(tf.constant(self.classes, tf.int64), flat)


def make(
    given: str | Mapping[str, float], counts: Mapping[float, int], output_width: int | None, where: str
) -> Balance:
    """Return how the classes of training rows are balanced.

    Args:
        given: `"weights"`: rows of a class count `rows / (classes * rows of the class)`, scikit-learn's
            `compute_class_weight("balanced")`. `"resample"`: each class is drawn as often as the others. Or the weight
            of each class by its number.
        counts: Rows by class.
        output_width: Of the model's output; `None` where it is not known.
        where: The node, for messages.

    Raises:
        TrainingError: If the label is a number to be predicted and no class, there is one class alone, or a class
            has no weight.
    """
    classes = np.array(sorted(counts))
    if (classes != np.floor(classes)).any() or len(classes) > _MAX_CLASSES:
        raise regression(where, f"its label has {len(classes):,} different values, some with fractions")
    if output_width == 1 and len(classes) > 2:
        raise regression(where, f"the model has one output, and its label {len(classes):,} different values")
    if len(classes) < 2:
        raise TrainingError(
            f"{where}: class_balance is given, and all rows to train on are of class {classes[0]:g}.",
            "check the label and the splits; one class alone leaves nothing to learn.",
        )
    numbers = np.array([counts[one] for one in classes])
    weights = numbers.sum() / (len(classes) * numbers)
    if isinstance(given, Mapping):
        own = {float(name): float(value) for name, value in given.items()}
        missing = [f"{one:g}" for one in classes if one not in own]
        if missing:
            raise TrainingError(
                f"{where}: class_balance gives no weight for class {listed(missing)}, which training rows have.",
                "give one for each class.",
            )
        weights = np.array([own[one] for one in classes])
    return Balance(classes.astype(np.int64), numbers, weights, given == RESAMPLE)


def regression(where: str, why: str) -> TrainingError:
    """Return what is said where there are no classes to balance."""
    return TrainingError(
        f"{where}: class_balance needs classes, and this is a regression: {why}.",
        "leave class_balance out; or make classes in preprocessing_fn, such as headrace.features.label(x, classes=True), "
        "and give the model an output for each.",
    )


def resampled_order(places: tf.Tensor, balance: Balance, num_rows: int, key: tf.Tensor) -> tf.Tensor:
    """Return the rows of one pass: as many as there are, as many of each class, in random order.

    Of a class with more rows than that another part is taken in each pass, those of one with fewer come several times.

    Args:
        places: The place of each row's class.
        balance: The classes.
        num_rows: Of the data.
        key: Seed of the pass.
    """
    parts = []
    for place in range(len(balance.classes)):
        wanted = num_rows // len(balance.classes) + (place < num_rows % len(balance.classes))
        rows = tf.reshape(tf.where(tf.equal(places, place)), [-1])
        own = tf.random.experimental.stateless_fold_in(key, place)
        shuffled = tf.random.experimental.stateless_shuffle(rows, own)
        parts.append(tf.tile(shuffled, [-(-wanted // int(balance.counts[place]))])[:wanted])
    return tf.random.experimental.stateless_shuffle(tf.concat(parts, 0), key)


def copies(places: tf.Tensor, balance: Balance, key: tf.Tensor) -> tf.Tensor:
    """Return the rows of a block, each as often as balances classes over the whole data, on average."""
    wanted = balance.counts.sum() / len(balance.classes) / balance.counts
    often = tf.gather(tf.constant(wanted, tf.float32), places)
    count = tf.cast(tf.floor(often + tf.random.stateless_uniform(tf.shape(often), key)), tf.int32)
    return tf.repeat(tf.range(tf.shape(places)[0]), count)
