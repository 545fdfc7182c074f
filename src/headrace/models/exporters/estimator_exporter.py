"""The exporter of fitted estimators of scikit-learn, XGBoost and LightGBM; see `servable.Exporter`.

The signature returns one output. Of a classifier it is `probabilities`: of labels 0 and 1 the probability of 1, of shape
`(rows, 1)`; of other whole numbers a column for each from 0 to the greatest; of texts a column for each in alphabetical
order, with an output `all_classes` beside. A classifier that knows no probabilities, such as `LinearSVC`, gives what the
sigmoid, or the softmax of several classes, makes of its decision function: its predictions are those of a threshold of
0.5 and its order is the same, but it is not calibrated. Of a regressor it is `predictions`, of other estimators `scores`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from headrace.errors import ModelError, TrainingError, did_you_mean, listed
from headrace.models import features as features_module
from headrace.models.exporters.estimators import classes as classes_module
from headrace.models.exporters.estimators import registry
from headrace.models.exporters.estimators.registry import Prediction, Store
from headrace.models.exporters.estimators.table import column_names, from_columns
from headrace.models.exporters.servable import Servable
from headrace.models.features import Feature, Features


def accepts(model: Any) -> bool:
    """Whether it is an estimator, and not a class, a booster or a data set."""
    return not isinstance(model, type) and hasattr(model, "fit") and hasattr(model, "get_params")


def check(model: Any, where: str) -> None:
    """Check that a converter covers each part; see `Exporter`."""
    reason = registry.check(model)
    if reason is None and not registry.can_predict(model):
        reason = f"{registry.describe(model)} predicts nothing"
    if reason is not None:
        raise ModelError(
            f"{where}: {registry.describe(model)} cannot be exported: {reason}. Covered are "
            f"{', '.join(registry.covered())}.",
            "take one of these; or train with run_fn, and save a SavedModel of your own there: tf.saved_model.save(..., "
            "signatures=...).",
        )


def servable(model: Any, features: Features, where: str, num_classes: int | None = None) -> Servable:
    """Return a fitted estimator as it serves; see `Exporter`.

    Args:
        model: Fitted.
        features: What it may take, in their order.
        where: For messages.
        num_classes: How many classes the label has, where training rows may not have had all.
    """
    check(model, where)
    names = feature_names(model, features, where)
    store = Store()

    @tf.autograph.experimental.do_not_convert
    def call(columns: dict[str, Any]) -> Mapping[str, Any]:
        return outputs(registry.predict(model, from_columns(columns, names), store), num_classes, where)

    call({name: _zeros(features[name]) for name in names})
    store.again()
    matrix = [(name, features_module.size(features[name]) or 1) for name in names]
    return Servable(names, call, {"estimator": store.kept}, matrix, keeps_missing=True)


def told(model: Any) -> str:
    """Return its size in words; see `Exporter`."""
    return registry.told(model)


def _zeros(feature: Feature) -> tf.Tensor:
    """A row of a feature, with which converters are called to make what they keep."""
    shape = (1, *(size or 1 for size in feature.shape))
    return tf.fill(shape, "") if feature.dtype == "string" else tf.zeros(shape, feature.dtype)


def start_from(model: Any, path: str, where: str) -> None:
    """An estimator is fitted anew; see `Exporter`."""
    raise TrainingError(
        f"{where}: base_model is given, and a {registry.describe(model)} is fitted in one go: it starts from nothing.",
        "leave base_model out; or train a Keras model, which goes on from the weights of another.",
    )


def feature_names(model: Any, features: Features, where: str) -> list[str]:
    """Return the features that a fitted estimator takes, in its order.

    Raises:
        TrainingError: If it was fitted on other columns than the features give.
    """
    names = known_width(features)
    columns = {name: column_names(name, features_module.size(features[name]) or 1) for name in names}
    fitted = getattr(model, "feature_names_in_", None)
    if fitted is None:
        total = sum(map(len, columns.values()))
        wanted = getattr(model, "n_features_in_", total)
        if wanted != total:
            raise TrainingError(
                f"{where}: the estimator was fitted on {wanted} columns, and the features give {total}: {listed(names)}.",
                "fit it on a DataFrame with the features as its columns, or choose them: features=[...].",
            )
        return names
    owners = {column: name for name in names for column in columns[name]}
    found: list[str] = []
    for column in map(str, fitted):
        if column not in owners:
            raise TrainingError(
                f"{where}: the estimator was fitted on a column '{column}', and no feature gives it. There are "
                f"{listed(owners)}.",
                f"{did_you_mean(column, owners)}Fit it on a DataFrame with the features as its columns.",
            )
        if owners[column] not in found:
            found.append(owners[column])
    if [column for name in found for column in columns[name]] != list(map(str, fitted)):
        raise TrainingError(
            f"{where}: the estimator was fitted on columns in another order than the features give: {listed(fitted)}.",
            "keep the columns of a feature with several values side by side, in their order.",
        )
    return found


def known_width(features: Features) -> list[str]:
    """Return the features with as many values in each row, in their order."""
    return [name for name in features.order if features_module.size(features[name]) is not None]


def outputs(prediction: Prediction, num_classes: int | None, where: str) -> dict[str, tf.Tensor]:
    """Return what a signature returns of a prediction; see above."""
    values, classes = prediction.values, prediction.classes
    if prediction.kind == registry.SCORES and classes is not None:
        values = tf.nn.softmax(values) if values.shape[1] > 1 else tf.sigmoid(values)
        values = values if values.shape[1] > 1 else tf.concat([1 - values, values], axis=1)
    elif prediction.kind != registry.PROBABILITIES or classes is None:
        return {prediction.kind: tf.cast(values, tf.float32)}
    values = tf.cast(values, tf.float32)
    found = np.asarray(classes)
    if found.dtype.kind in "OUS":
        texts = [str(one).encode("utf-8", "surrogateescape") for one in found]
        rows = tf.shape(values)[0]
        return {
            registry.PROBABILITIES: values,
            "all_classes": tf.tile(tf.constant(texts)[None, :], [rows, 1]),
        }
    return {registry.PROBABILITIES: _numbered(values, found, num_classes, where)}


def _numbered(values: tf.Tensor, classes: Any, num_classes: int | None, where: str) -> tf.Tensor:
    """Put the column of each class at its number; a label of 0 and 1 has one column."""
    classes_module.check_numbers(classes, where)
    numbers = classes.astype(np.int64)
    width = max(int(numbers.max()) + 1, min(num_classes or 0, classes_module.MAX_CLASSES), 2)
    places: Sequence[int] = [int(np.searchsorted(numbers, one)) for one in range(width)]
    absent = len(numbers)
    columns = [
        place if place < absent and numbers[place] == one else absent for one, place in enumerate(places)
    ]
    padded = tf.pad(values, [[0, 0], [0, 1]])
    if width == 2:
        return tf.gather(padded, columns[1:], axis=1)
    return values if columns == list(range(absent)) else tf.gather(padded, columns, axis=1)
