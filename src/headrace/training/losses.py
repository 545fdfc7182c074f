"""The loss and the metrics of a model that its author did not compile, by its output and by the label."""

from __future__ import annotations

import keras

from headrace.errors import TrainingError
from headrace.training.parsing import LabelRange


def choose(
    width: int | None, activation: str | None, label: LabelRange, node_id: str
) -> tuple[keras.losses.Loss, list[keras.metrics.Metric]]:
    """Return loss and metrics.

    Several values of 0 and 1 in a row of the label, several labels of which any number may be true: binary
    cross-entropy of each. One output and a label of 0 and 1: binary cross-entropy. Several outputs and whole numbers:
    categorical cross-entropy. Else: the squared error.

    Args:
        width: Of the model's output.
        activation: With which it ends.
        label: What the label is like.
        node_id: The node, for messages.

    Raises:
        TrainingError: If no loss fits.
    """
    if label.width != 1:
        return _of_several(width, activation, label, node_id)
    if width is not None and width > 1:
        _check_classes(width, label, node_id)
        logits = activation != "softmax"
        return keras.losses.SparseCategoricalCrossentropy(from_logits=logits), [
            keras.metrics.SparseCategoricalAccuracy()
        ]
    if label.is_binary and (label.dtype == "int64" or activation == "sigmoid"):
        return _binary(activation)
    return keras.losses.MeanSquaredError(), [keras.metrics.MeanAbsoluteError()]


def _binary(activation: str | None) -> tuple[keras.losses.Loss, list[keras.metrics.Metric]]:
    logits = activation != "sigmoid"
    accuracy = keras.metrics.BinaryAccuracy(threshold=0.0 if logits else 0.5)
    return keras.losses.BinaryCrossentropy(from_logits=logits), [accuracy]


def _of_several(
    width: int | None, activation: str | None, label: LabelRange, node_id: str
) -> tuple[keras.losses.Loss, list[keras.metrics.Metric]]:
    """Loss and metrics for a label with several values in a row."""
    if label.width is None or width != label.width:
        told = "rows of several lengths" if label.width is None else f"{label.width} values in a row"
        raise TrainingError(
            f"{node_id}: the label has {told}, and the model {width} outputs.",
            f"end the model with Dense({label.width}), or call model.compile(loss=...) in build_model."
            if label.width
            else "give the label the same number of values in each row, such as headrace.features.one_hot of it.",
        )
    if not label.is_binary:
        return keras.losses.MeanSquaredError(), [keras.metrics.MeanAbsoluteError()]
    if activation == "softmax":
        # Of the values of a row one is 1: classes, one-hot.
        return keras.losses.CategoricalCrossentropy(), [keras.metrics.CategoricalAccuracy()]
    loss, metrics = _binary(activation)
    auc = keras.metrics.AUC(
        multi_label=True, num_labels=width, from_logits=activation != "sigmoid", name="auc"
    )
    return loss, [*metrics, auc]


def _check_classes(width: int, label: LabelRange, node_id: str) -> None:
    if label.is_whole and label.least >= 0 and label.greatest < width:
        return
    if label.is_whole and label.least == -1 and label.greatest < width:
        raise TrainingError(
            f"{node_id}: the label of some rows is -1, which stands for a class that the split which "
            "preprocessing_fn learned of does not have.",
            "list the classes: headrace.features.label(x, classes=[...]); or drop the rows of a class that is "
            "too rare for both splits.",
        )
    raise TrainingError(
        f"{node_id}: the model has {width} outputs, and the label goes from {label.least:g} to "
        f"{label.greatest:g}{'' if label.is_whole else ' with fractions'}.",
        f"number the classes 0 to {width - 1}, or call model.compile(loss=...) in build_model.",
    )
