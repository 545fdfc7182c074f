"""TFMA's private names that the Evaluator builds on, looked up once, in the form in which they are known.

The functions in `combiners` read fields of TFMA's combiners. A version that renames, adds or drops a field may
compute something else with it, so a combiner counts as known only where it has exactly the fields below;
any other goes row by row through TFMA. Where a name that the batch-wise evaluation cannot do without is missing,
`MISSING` says so, and the whole evaluation is TFMA's. TFMA 0.47 and 0.52 have all of them.
"""

from __future__ import annotations

import importlib
from typing import Any

_METRICS = "tensorflow_model_analysis.metrics"
_EVALUATORS = "tensorflow_model_analysis.evaluators"
_MEAN_ERROR_FIELDS = frozenset(
    {
        "_eval_config",
        "_model_name",
        "_output_name",
        "_metric_key",
        "_example_weighted",
        "_aggregation_type",
        "_class_weights",
    }
)
_KEYED_FIELDS = frozenset(
    {"_key", "_eval_config", "_aggregation_type", "_class_weights", "_example_weighted"}
)


class _Absent:
    """Stands for a class that this version of TFMA does not have; nothing is an instance of it."""


def _find(module: str, name: str) -> Any:
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        return None


def _combiner(module: str, name: str) -> Any:
    return _find(f"{_METRICS}.{module}", name) or type(name, (_Absent,), {})


ExampleCount = _combiner("example_count", "_ExampleCountCombiner")
KerasMetrics = _combiner("tf_metric_wrapper", "_CompilableMetricsCombiner")
CalibrationHistogram = _combiner("calibration_histogram", "_CalibrationHistogramCombiner")
BinaryMatrices = _combiner("binary_confusion_matrices", "_BinaryConfusionMatrixCombiner")
WeightedSums = _combiner("calibration", "_WeightedLabelsPredictionsExamplesCombiner")
MeanAbsoluteError = _combiner("mean_regression_error", "_MeanAbsoluteErrorCombiner")
MeanSquaredError = _combiner("mean_regression_error", "_MeanSquaredErrorCombiner")
MeanAbsolutePercentageError = _combiner("mean_regression_error", "_MeanAbsolutePercentageErrorCombiner")
MeanSquaredLogarithmicError = _combiner("mean_regression_error", "_MeanSquaredLogarithmicErrorCombiner")
BinaryCrossEntropy = _combiner("cross_entropy_metrics", "_BinaryCrossEntropyCombiner")
ClassMatrix = _combiner("multi_class_confusion_matrix_metrics", "_MultiClassConfusionMatrixCombiner")
LossMetric = _combiner("tf_metric_wrapper", "_LossMetric")

FIELDS: dict[type, frozenset[str]] = {
    ExampleCount: frozenset({"_model_name", "_output_name", "_keys", "_example_weighted"}),
    KerasMetrics: frozenset(
        {
            "_eval_config",
            "_model_name",
            "_output_names",
            "_metric_configs",
            "_loss_configs",
            "_custom_objects",
            "_sub_key",
            "_aggregation_type",
            "_class_weights",
            "_example_weighted",
            "_sub_key_in_config",
            "_metrics",
            "_desired_batch_size",
            "_batch_size_beam_metric",
            "_total_input_byte_size_beam_metric",
            "_num_compacts",
        }
    ),
    CalibrationHistogram: _KEYED_FIELDS
    | {"_num_buckets", "_left", "_range", "_fractional_labels", "_prediction_based_bucketing"},
    BinaryMatrices: _KEYED_FIELDS
    | {
        "_extract_label_prediction_and_weight",
        "_example_id_key",
        "_enable_fractional_labels",
        "_binary_confusion_matrices",
    },
    WeightedSums: _KEYED_FIELDS,
    MeanAbsoluteError: _MEAN_ERROR_FIELDS,
    MeanSquaredError: _MEAN_ERROR_FIELDS,
    MeanAbsolutePercentageError: _MEAN_ERROR_FIELDS,
    MeanSquaredLogarithmicError: _MEAN_ERROR_FIELDS,
    BinaryCrossEntropy: _MEAN_ERROR_FIELDS | {"_from_logits", "_label_smoothing"},
    ClassMatrix: frozenset(
        {
            "_key",
            "_eval_config",
            "_example_weighted",
            "_thresholds",
            "_extract_label_prediction_and_weight",
        }
    ),
}
_MATRICES_FIELDS = frozenset({"_thresholds", "_example_ids_count", "_enable_fractional_labels"})


def is_known(combiner: Any) -> bool:
    """Whether a combiner of TFMA has exactly the fields that this module knows."""
    fields = FIELDS.get(type(combiner))
    if fields is None or vars(combiner).keys() != fields:
        return False
    if type(combiner) is BinaryMatrices:
        return bool(vars(combiner._binary_confusion_matrices).keys() == _MATRICES_FIELDS)
    return True


_EVALUATOR = f"{_EVALUATORS}.metrics_plots_and_validations_evaluator"
ROW_KEYS = ("_COMBINER_INPUTS_KEY", "_DEFAULT_COMBINER_INPUT_KEY")
_NAMES = {
    "PreprocessorDoFn": (_EVALUATOR, "_PreprocessorDoFn"),
    "ComputationsCombineFn": (_EVALUATOR, "_ComputationsCombineFn"),
    "COMBINER_INPUTS_KEY": (_EVALUATOR, ROW_KEYS[0]),
    "DEFAULT_COMBINER_INPUT_KEY": (_EVALUATOR, ROW_KEYS[1]),
    "confidence_interval_params": (_EVALUATOR, "_get_confidence_interval_params"),
    "JackknifeSampleCombineFn": (f"{_EVALUATORS}.jackknife", "_JackknifeSampleCombineFn"),
    "BootstrapSampleCombineFn": (f"{_EVALUATORS}.poisson_bootstrap", "_BootstrapSampleCombineFn"),
}
_FOUND = {name: _find(*place) for name, place in _NAMES.items()}
MISSING = tuple(f"{module}.{private}" for name, (module, private) in _NAMES.items() if _FOUND[name] is None)

PreprocessorDoFn: Any = _FOUND["PreprocessorDoFn"]
COMBINER_INPUTS_KEY: Any = _FOUND["COMBINER_INPUTS_KEY"]
DEFAULT_COMBINER_INPUT_KEY: Any = _FOUND["DEFAULT_COMBINER_INPUT_KEY"]
confidence_interval_params: Any = _FOUND["confidence_interval_params"]
JackknifeSampleCombineFn: Any = _FOUND["JackknifeSampleCombineFn"]
BootstrapSampleCombineFn: Any = _FOUND["BootstrapSampleCombineFn"]
# The place in which TFMA looks up what merges all metrics of a slice.
EVALUATOR_MODULE: Any = importlib.import_module(_EVALUATOR)
ComputationsCombineFn: Any = _FOUND["ComputationsCombineFn"]

# Arithmetic on histograms; without it TFMA's own is used, which is slower.
MATRICES_NAME = "_histogram_to_binary_confusion_matrices"
MATRICES_EPSILON = _find(f"{_METRICS}.binary_confusion_matrices", "_EPSILON")
