"""TFMA's private parts that the Evaluator builds on, looked up once, in the form in which they are known.

The functions in `adders` and `combiners` read fields of TFMA's combiners. A version that renames, adds or drops a field
may compute something else with it, so a combiner counts as known only where it has exactly the fields below; any other
goes row by row through TFMA. Where a part that the batch-wise evaluation cannot do without is absent or has another
form, `MISSING` says so, and the whole evaluation is TFMA's. Where an internal module is gone, importing this one fails,
and TFX's own executor does the work. TFMA 0.47 and 0.52 have all of them.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from headrace.internals import Library, fields_of, takes

_TFMA = Library("TFMA", "tensorflow-model-analysis")

with _TFMA.importing():
    from tensorflow_model_analysis import constants, version
    from tensorflow_model_analysis.evaluators import (
        confidence_intervals_util,
        jackknife,
        metrics_validator,
        poisson_bootstrap,
    )
    from tensorflow_model_analysis.evaluators import metrics_plots_and_validations_evaluator as evaluator
    from tensorflow_model_analysis.extractors import extractor, unbatch_extractor
    from tensorflow_model_analysis.metrics import (
        binary_confusion_matrices,
        calibration,
        calibration_histogram,
        cross_entropy_metrics,
        example_count,
        mean_regression_error,
        metric_specs,
        metric_types,
        metric_util,
        multi_class_confusion_matrix_metrics,
        tf_metric_accumulators,
        tf_metric_wrapper,
    )
    from tensorflow_model_analysis.slicer import slicer_lib
    from tensorflow_model_analysis.utils import model_util, util
    from tensorflow_model_analysis.utils.keras_lib import tf_keras
    from tensorflow_model_analysis.writers import metrics_plots_and_validations_writer as writer

__all__ = [
    "binary_confusion_matrices",
    "calibration_histogram",
    "confidence_intervals_util",
    "constants",
    "extractor",
    "metric_specs",
    "metric_types",
    "metric_util",
    "metrics_validator",
    "model_util",
    "multi_class_confusion_matrix_metrics",
    "slicer_lib",
    "tf_keras",
    "unbatch_extractor",
    "util",
    "version",
    "writer",
]

_KEYED_FIELDS = frozenset(
    {"_key", "_eval_config", "_aggregation_type", "_class_weights", "_example_weighted"}
)
_MEAN_ERROR_FIELDS = (_KEYED_FIELDS - {"_key"}) | {"_model_name", "_output_name", "_metric_key"}
_ERROR_SUMS = frozenset({"total_regression_error", "total_example_weights"})
_LOSS_SUMS = frozenset({"total_cross_entropy", "total_example_weights"})


class _Absent:
    """Stands for a class that this version of TFMA does not have; nothing is an instance of it."""


def _combiner(module: Any, name: str) -> Any:
    return getattr(module, name, None) or type(name, (_Absent,), {})


ExampleCount = _combiner(example_count, "_ExampleCountCombiner")
KerasMetrics = _combiner(tf_metric_wrapper, "_CompilableMetricsCombiner")
CalibrationHistogram = _combiner(calibration_histogram, "_CalibrationHistogramCombiner")
BinaryMatrices = _combiner(binary_confusion_matrices, "_BinaryConfusionMatrixCombiner")
WeightedSums = _combiner(calibration, "_WeightedLabelsPredictionsExamplesCombiner")
MeanAbsoluteError = _combiner(mean_regression_error, "_MeanAbsoluteErrorCombiner")
MeanSquaredError = _combiner(mean_regression_error, "_MeanSquaredErrorCombiner")
MeanAbsolutePercentageError = _combiner(mean_regression_error, "_MeanAbsolutePercentageErrorCombiner")
MeanSquaredLogarithmicError = _combiner(mean_regression_error, "_MeanSquaredLogarithmicErrorCombiner")
BinaryCrossEntropy = _combiner(cross_entropy_metrics, "_BinaryCrossEntropyCombiner")
CategoricalCrossEntropy = _combiner(cross_entropy_metrics, "_CategoricalCrossEntropyCombiner")
ClassMatrix = _combiner(multi_class_confusion_matrix_metrics, "_MultiClassConfusionMatrixCombiner")
LossMetric = _combiner(tf_metric_wrapper, "_LossMetric")

# All fields of each combiner whose rows are added a batch at a time.
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
    CategoricalCrossEntropy: _MEAN_ERROR_FIELDS | {"_from_logits", "_label_smoothing"},
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
# All fields of the accumulators that are added to.
SUMS: dict[type, frozenset[str]] = {
    WeightedSums: frozenset(
        {"total_weighted_labels", "total_weighted_predictions", "total_weighted_examples"}
    ),
    MeanAbsoluteError: _ERROR_SUMS,
    MeanSquaredError: _ERROR_SUMS,
    MeanAbsolutePercentageError: _ERROR_SUMS,
    MeanSquaredLogarithmicError: _ERROR_SUMS,
    BinaryCrossEntropy: _LOSS_SUMS,
    CategoricalCrossEntropy: _LOSS_SUMS,
}


def is_known(combiner: Any) -> bool:
    """Whether a combiner of TFMA, and its accumulator, have exactly the fields that this module knows."""
    kind = type(combiner)
    if fields_of(combiner) != FIELDS.get(kind):
        return False
    if kind in SUMS and fields_of(combiner.create_accumulator()) != SUMS[kind]:
        return False
    if kind is not BinaryMatrices:
        return True
    matrices = _matrices(combiner)
    return fields_of(matrices) == _MATRICES_FIELDS and takes(
        matrices.add_input, "accumulator labels predictions example_weights example_id"
    )


def settings(combiner: Any) -> SimpleNamespace:
    """Return the fields of a combiner that `is_known`, under their names without the underscore."""
    return SimpleNamespace(**{name.removeprefix("_"): value for name, value in vars(combiner).items()})


def _matrices(combiner: Any) -> Any:
    return combiner._binary_confusion_matrices


def setting_of_matrices(combiner: Any) -> SimpleNamespace:
    """Return the fields of what a known `BinaryMatrices` adds its rows to."""
    return settings(_matrices(combiner))


def combiners_of(computations: Any) -> list[Any] | None:
    """Return the combiners of a `ComputationsCombineFn`; `None` where Beam keeps them in another form."""
    found = vars(computations).get("_combiners")
    return list(found) if isinstance(found, list | tuple) else None


PreprocessorDoFn: Any = _TFMA.part(evaluator, "_PreprocessorDoFn", "computations")
ComputationsCombineFn: Any = _TFMA.part(evaluator, "_ComputationsCombineFn", "computations")
COMBINER_INPUTS_KEY: Any = _TFMA.part(evaluator, "_COMBINER_INPUTS_KEY")
DEFAULT_COMBINER_INPUT_KEY: Any = _TFMA.part(evaluator, "_DEFAULT_COMBINER_INPUT_KEY")
confidence_interval_params: Any = _TFMA.part(
    evaluator, "_get_confidence_interval_params", "eval_config metrics_specs"
)
JackknifeSampleCombineFn: Any = _TFMA.part(
    jackknife, "_JackknifeSampleCombineFn", "num_jackknife_samples skip_ci_metric_keys"
)
BootstrapSampleCombineFn: Any = _TFMA.part(
    poisson_bootstrap, "_BootstrapSampleCombineFn", "num_bootstrap_samples skip_ci_metric_keys"
)
_TFMA.part(
    evaluator, "_ConfidenceIntervalParams", "num_jackknife_samples num_bootstrap_samples skip_ci_metric_keys"
)
_TFMA.parts(
    metric_types,
    {
        "MetricKey": "name model_name output_name sub_key aggregation_type example_weighted is_diff",
        "SubKey": "class_id k top_k",
        "AggregationType": "micro_average macro_average weighted_macro_average",
        "MetricComputation": "keys preprocessors combiner",
        "StandardMetricInputsPreprocessor": (
            "include_filter include_default_inputs model_names output_names name"
        ),
    },
)
_TFMA.part(
    calibration_histogram, "Bucket", "bucket_id weighted_labels weighted_predictions weighted_examples"
)
_TFMA.part(multi_class_confusion_matrix_metrics, "MatrixEntryKey", "actual_class_id predicted_class_id")
_TFMA.part(confidence_intervals_util, "SampleMetrics", "metrics sample_id")
_TFMA.part(
    metric_util,
    "to_label_prediction_example_weight",
    "inputs eval_config model_name output_name sub_key aggregation_type class_weights example_weighted "
    "fractional_labels flatten squeeze allow_none require_single_example_weight",
)
_TFMA.part(
    metric_util, "prepare_labels_and_predictions", "labels predictions prediction_key label_vocabulary"
)
_TFMA.part(
    getattr(tf_metric_accumulators, "TFMetricsAccumulator", None),
    "add_weights",
    "self output_index metric_index weights",
)
_TFMA.part(
    model_util,
    "ModelSignaturesDoFn",
    "model_specs eval_shared_models output_keypath signature_names default_signature_names prefer_dict_outputs",
)
# Why batches are not added up here, as a sentence; empty where they are.
MISSING = _TFMA.reason

# Arithmetic on histograms: where a part of it has another form, TFMA's own is used, which is slower.
_HISTOGRAMS = Library("TFMA", "tensorflow-model-analysis")
MATRICES_NAME = "_histogram_to_binary_confusion_matrices"
MATRICES_EPSILON: Any = _HISTOGRAMS.part(binary_confusion_matrices, "_EPSILON")
_HISTOGRAMS.part(binary_confusion_matrices, MATRICES_NAME, "thresholds histogram")
_HISTOGRAMS.part(binary_confusion_matrices, "Matrices", "thresholds tp tn fp fn")
_HISTOGRAMS.part(calibration_histogram, "rebin", "thresholds histogram num_buckets left right")
UNKNOWN_HISTOGRAMS = _HISTOGRAMS.reason


def set_computations(combine_fn: Any) -> None:
    """Let TFMA merge all metrics of a slice with a `ComputationsCombineFn` from here on."""
    evaluator._ComputationsCombineFn = combine_fn
