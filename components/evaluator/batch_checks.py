"""What can be wrong with labels and predictions, seen on a batch before a metric is asked.

TFMA says of most of this either nothing (a row without a label counts as label 0 in AUC; a row whose prediction is
NaN is left out of a mean error) or something that names neither feature nor cure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow_model_analysis as tfma
from numpy.typing import NDArray

from headrace.errors import DataError, DefinitionError, ModelError, SchemaMismatchError

# Metrics that read no label; some read no prediction either.
_WITHOUT_PREDICTIONS = frozenset({"ExampleCount", "WeightedExampleCount", "Mean", "QueryStatistics"})
_WITHOUT_LABELS = _WITHOUT_PREDICTIONS | {
    "MeanPrediction",
    "NDCG",
    "ScoreDistributionPlot",
    "ModelCosineSimilarity",
    "SymmetricPredictionDifference",
}
_WITH_OWN_LABELS = frozenset({"MinLabelPosition"})
_WITHOUT_LABELS_PARTS = ("FlipRate", "Attributions")
# Metrics of text, of sets of classes, and of images, with labels and predictions of forms of their own.
_OF_OTHER_FORM = (
    "Bleu",
    "Rouge",
    "ExactMatch",
    "SetMatch",
    "COCO",
    "ObjectDetection",
    "SemanticSegmentation",
)
_ESTIMATORS_SCORES = ("predictions", "logistic", "probabilities", "logits", "scores")
_VOCABULARY_KEYS = ("all_classes", "classes")
_FRACTION_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Readers:
    """The metrics of an evaluation, by what they read.

    Attributes:
        labels: Class name of a metric that reads labels; empty where none does.
        predictions: The same for predictions.
        numbers: The same for one that reads both as numbers.
    """

    labels: str
    predictions: str
    numbers: str

    @classmethod
    def of(cls, metrics_specs: Sequence[Any]) -> Readers:
        """Find the first of each in the `MetricsSpec` protos of a configuration."""
        metrics = [metric for spec in metrics_specs for metric in spec.metrics]
        names = [metric.class_name for metric in metrics]
        labels = [metric.class_name for metric in metrics if _reads_label(metric)]
        predictions = [name for name in names if name not in _WITHOUT_PREDICTIONS]
        is_plain = not any(name.startswith(_OF_OTHER_FORM) for name in names)
        plain = [name for name in labels if is_plain]
        return cls(*(found[0] if found else "" for found in (labels, predictions, plain)))


def _reads_label(metric: Any) -> bool:
    """Whether a `MetricConfig` reads what label_key names: some take a feature of their own instead."""
    name = metric.class_name
    has_own = name in _WITH_OWN_LABELS and "label_key" in metric.config
    return (
        name not in _WITHOUT_LABELS
        and not has_own
        and not any(part in name for part in _WITHOUT_LABELS_PARTS)
    )


def check(extracts: Mapping[str, Any], specs: Sequence[Any], readers: Readers, num_rows: int) -> None:
    """Check labels and predictions of a batch.

    Args:
        extracts: With TFMA's keys for labels and predictions.
        specs: The `ModelSpec` protos.
        readers: What the metrics read.
        num_rows: Rows of the batch.

    Raises:
        HeadraceError: What is wrong, with how many rows, and the cure.
    """
    for spec in specs:
        name = spec.name if len(specs) > 1 else ""
        predictions = _of_model(extracts.get("predictions"), name)
        labels = _of_model(extracts.get("labels"), name)
        if readers.labels and labels is None and not spec.label_keys:
            if not spec.label_key:
                raise DefinitionError(
                    f"model_spec has no label_key, and {readers.labels} needs labels.",
                    "name the feature that holds the label in eval_config's model_specs.",
                )
            raise _missing(f"label_key '{spec.label_key}'", num_rows, num_rows, "a label")
        if not readers.predictions:
            continue
        if predictions is None:
            raise _missing(f"prediction_key '{spec.prediction_key}'", num_rows, num_rows, "a prediction")
        for output, values in _read_outputs(predictions, spec):
            _check_predictions(spec, name, output, values, readers, num_rows)
        if not readers.numbers or _has_vocabulary(predictions):
            continue
        for output, values in _outputs(labels):
            field = _label_field(spec, output)
            _check_labels(field, values, readers.numbers, num_rows)
            beside = predictions.get(output) if isinstance(predictions, Mapping) else predictions
            _check_pair(field, values, beside)


def _missing(field: str, count: int, num_rows: int, what: str) -> DataError:
    return DataError(
        f"{field} has no value in {count} of {num_rows} rows.",
        f"leave out rows without {what}, or give them one.",
    )


def _of_model(values: Any, name: str) -> Any:
    return values[name] if name and isinstance(values, Mapping) and name in values else values


def _outputs(values: Any) -> Iterator[tuple[str, Any]]:
    yield from values.items() if isinstance(values, Mapping) else [("", values)]


def _read_outputs(predictions: Any, spec: Any) -> list[tuple[str, Any]]:
    """The outputs that metrics read: a model may give more, such as the key of a row."""
    if not isinstance(predictions, Mapping):
        return [("", predictions)]
    named = [spec.prediction_key, *spec.prediction_keys, *spec.label_keys]
    names = [name for name in named if name in predictions] or [
        name for name in predictions if len(predictions) == 1 or name in _ESTIMATORS_SCORES
    ]
    return [(name, predictions[name]) for name in dict.fromkeys(names)]


def _has_vocabulary(predictions: Any) -> bool:
    """Whether predictions name the classes that labels are looked up in, as Estimators' do."""
    return isinstance(predictions, Mapping) and any(key in predictions for key in _VOCABULARY_KEYS)


def _label_field(spec: Any, output: str) -> str:
    if output and output in spec.label_keys:
        return f"label_keys' '{spec.label_keys[output]}'"
    return f"label_key '{spec.label_key}'"


def _text_of(values: Any) -> str | None:
    """An example of the text that is there; `None` where there are numbers."""
    flat = values.values if isinstance(values, tfma.types.VarLenTensorValue) else values
    if not isinstance(flat, np.ndarray) or flat.dtype.kind not in "OSU":
        return None
    texts = [value for value in flat.reshape(-1)[:100].tolist() if isinstance(value, bytes | str)]
    if not texts:
        return None
    return texts[0].decode("utf-8", "replace") if isinstance(texts[0], bytes) else texts[0]


def _check_predictions(
    spec: Any, model: str, output: str, values: Any, readers: Readers, num_rows: int
) -> None:
    if spec.prediction_key and not output:
        whose = f"prediction_key '{spec.prediction_key}'"
    else:
        whose = f"the model's output{f' {output!r}' if output else ''}"
    whose += f" (model '{model}')" if model else ""
    text = _text_of(values)
    if text is not None and readers.numbers and output not in _VOCABULARY_KEYS:
        raise ModelError(
            f"{whose} is text such as '{text[:60]}', and {readers.numbers} needs numbers.",
            "evaluate a signature that gives scores or probabilities (signature_name in model_specs), or use metrics "
            "of classes, such as MultiClassConfusionMatrixPlot and SparseCategoricalAccuracy, alone.",
        )
    if isinstance(values, tfma.types.VarLenTensorValue) and (missing := _num_empty(values, num_rows)):
        raise _missing(whose, missing, num_rows, "a prediction")
    bad = _not_finite(values, num_rows)
    if bad is None:
        return
    word, count = bad
    raise ModelError(
        f"{whose} is {word} for {count} of {num_rows} rows, and no metric is computed of such predictions.",
        "look for a division by zero or a logarithm of zero in the model, for values without a bound in its inputs, "
        "and for a learning rate that is too high.",
    )


def _not_finite(values: Any, num_rows: int) -> tuple[str, int] | None:
    array = values.values if isinstance(values, tfma.types.VarLenTensorValue) else values
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f" or np.isfinite(array).all():
        return None
    word = "NaN" if np.isnan(array).any() else "infinite"
    if isinstance(values, tfma.types.VarLenTensorValue):
        return word, len(np.unique(values.indices[~np.isfinite(array), 0]))
    rows = ~np.isfinite(array.reshape(num_rows, -1)).all(axis=1)
    return word, int(rows.sum())


def _num_empty(values: Any, num_rows: int) -> int:
    """Rows without a value, where no row has several: a list may be empty."""
    counts = (
        np.bincount(values.indices[:, 0], minlength=num_rows) if values.indices.size else np.zeros(num_rows)
    )
    return int((counts == 0).sum()) if counts.max(initial=0) <= 1 else 0


def _check_labels(field: str, values: Any, reader: str, num_rows: int) -> None:
    text = _text_of(values)
    if text is not None:
        raise SchemaMismatchError(
            f"{field} holds text such as '{text[:60]}', and {reader} needs numbers.",
            "make the label a number in preprocessing_fn, for example tf.cast(inputs['label'] == 'yes', tf.int64) or "
            "tft.compute_and_apply_vocabulary, and name the result in label_key, with "
            "preprocessing_function_names: ['transform_features'].",
        )
    if isinstance(values, tfma.types.VarLenTensorValue) and (missing := _num_empty(values, num_rows)):
        raise _missing(field, missing, num_rows, "a label")
    bad = _not_finite(values, num_rows)
    if bad is not None:
        raise DataError(
            f"{field} is {bad[0]} in {bad[1]} of {num_rows} rows.",
            "leave out rows without a label, or give them one.",
        )


def _check_pair(field: str, labels: Any, predictions: Any) -> None:
    """Check that the numbers of values fit, and that classes exist, where both are arrays."""
    label, prediction = _matrix(labels), _matrix(predictions)
    if label is None or prediction is None:
        return
    num_labels, num_outputs = label.shape[1], prediction.shape[1]
    if num_labels not in (1, num_outputs):
        raise SchemaMismatchError(
            f"{field} has {num_labels} values in a row, and the model's output {num_outputs}.",
            "give one label in a row, the number of its class, or one for each output of the model.",
        )
    if num_labels == 1 and num_outputs > 1:
        # TFMA takes -1 for a row of no class.
        wrong = (label[:, 0] < -1) | (label[:, 0] >= num_outputs) | (label[:, 0] != np.floor(label[:, 0]))
        if wrong.any():
            raise SchemaMismatchError(
                f"{field} is {label[wrong][0, 0]:g} in {int(wrong.sum())} of {len(label)} rows, and the model has "
                f"{num_outputs} outputs, for classes 0 to {num_outputs - 1}.",
                "count classes from 0, as tft.compute_and_apply_vocabulary does, and give the model an output for each.",
            )


def _matrix(values: Any) -> NDArray[Any] | None:
    if isinstance(values, tfma.types.VarLenTensorValue):
        if len(values.values) != values.dense_shape[0]:
            return None
        values = values.values
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "biuf" or values.ndim not in (1, 2):
        return None
    return values.reshape(len(values), -1)


def check_shares(labels: NDArray[Any], spec_label: str, names: str) -> None:
    """Check that labels lie between 0 and 1, as metrics of true and false predictions read them.

    Raises:
        SchemaMismatchError: If one does not.
    """
    wrong = (labels < -_FRACTION_TOLERANCE) | (labels > 1 + _FRACTION_TOLERANCE)
    if wrong.any():
        raise SchemaMismatchError(
            f"label_key '{spec_label}' is {labels[wrong][0]:g} in a row, and {names} reads labels from 0 to 1.",
            "choose metrics of regression, such as MeanAbsoluteError, or give CalibrationPlot the ends of the range "
            'of the label: "config": "\\"left\\": 0.0, \\"right\\": 10.0".',
        )
