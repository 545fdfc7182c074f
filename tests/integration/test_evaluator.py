"""Evaluator against TFX's own, on the same models and rows."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma
from conftest_serving import (
    executor_context,
    model_artifact,
    schema_artifact,
    taxi_examples,
    taxi_models,
    taxi_records,
    write_examples,
)
from google.protobuf import json_format
from tensorflow_model_analysis.proto import metrics_for_slice_pb2
from tfx.components.evaluator.executor import Executor as StockExecutor
from tfx.types import standard_artifacts

from headrace.components.evaluator.executor import Executor
from headrace.errors import DefinitionError, HeadraceError, ModelError, SchemaMismatchError, UnknownSplitError
from headrace.io import tfrecord

_ = (taxi_examples, taxi_models)  # fixtures
SPEC = {"preprocessing_function_names": ["transform_features"], "label_key": "big_tip"}


def evaluate(
    path: Path,
    config: dict[str, Any],
    inputs: dict[str, list[Any]],
    executor: Any = Executor,
    **parameters: Any,
) -> tuple[Any, Any]:
    """Run an executor; returns its evaluation and blessing."""
    evaluation, blessing = standard_artifacts.ModelEvaluation(), standard_artifacts.ModelBlessing()
    evaluation.uri, blessing.uri = str(path / "evaluation"), str(path / "blessing")
    properties = {"eval_config": json.dumps(config), "example_splits": "null", **parameters}
    executor(executor_context(path)).Do(
        inputs, {"evaluation": [evaluation], "blessing": [blessing]}, properties
    )
    return evaluation, blessing


def binary_config(*thresholds: dict[str, Any], **more: Any) -> dict[str, Any]:
    """BinaryAccuracy of the binary model, with its thresholds."""
    metric = {"class_name": "BinaryAccuracy", **({"threshold": thresholds[0]} if thresholds else {})}
    return {
        "model_specs": [SPEC],
        "metrics_specs": [{"metrics": [{"class_name": "ExampleCount"}, metric]}],
        "slicing_specs": [{}],
        **more,
    }


def tables(evaluation: Any) -> dict[str, dict[str, Any]]:
    """Metrics and plots by slice, as plain values."""
    protos = {
        "metrics": metrics_for_slice_pb2.MetricsForSlice,
        "plots": metrics_for_slice_pb2.PlotsForSlice,
        "attributions": metrics_for_slice_pb2.AttributionsForSlice,
    }
    found: dict[str, dict[str, Any]] = {}
    for name, proto_class in protos.items():
        found[name] = {}
        for batch in tfrecord.read_batches(f"{evaluation.uri}/{name}-00000-of-00001.tfrecord", 1_000):
            for record in batch:
                content = json_format.MessageToDict(proto_class.FromString(record))
                slice_key = json.dumps(content.pop("sliceKey", {}), sort_keys=True)
                values = [item for value in content.values() for item in value]
                values.sort(key=lambda item: json.dumps(item.get("key", {}), sort_keys=True))
                found[name][slice_key] = values
    return found


def assert_close(ours: Any, stock: Any, where: str = "") -> None:
    """Equal but for the rounding of sums."""
    if isinstance(stock, dict):
        assert ours.keys() == stock.keys(), where
        for key in stock:
            assert_close(ours[key], stock[key], f"{where}/{key}")
    elif isinstance(stock, list):
        assert len(ours) == len(stock), where
        for number, (one, other) in enumerate(zip(ours, stock)):
            assert_close(one, other, f"{where}/{number}")
    elif isinstance(stock, float):
        assert (math.isnan(ours) and math.isnan(stock)) or ours == pytest.approx(stock, rel=1e-5, abs=1e-6), (
            where
        )
    else:
        assert ours == stock, where


def assert_same_evaluation(path: Path, config: dict[str, Any], inputs: dict[str, list[Any]]) -> Any:
    """Both executors give the same numbers, verdict, files and properties; returns our evaluation."""
    stock, stock_blessing = evaluate(path / "stock", config, inputs, StockExecutor)
    ours, blessing = evaluate(path / "ours", config, inputs)
    assert_close(tables(ours), tables(stock))
    assert tfma.load_eval_result(ours.uri).config == tfma.load_eval_result(stock.uri).config
    read = {name: tfma.load_validation_result(item.uri) for name, item in (("ours", ours), ("stock", stock))}
    assert read["ours"].validation_ok == read["stock"].validation_ok
    failed = [
        sorted(str(part.slice_key) for part in result.metric_validations_per_slice)
        for result in read.values()
    ]
    assert failed[0] == failed[1]
    names = [
        {item.name for item in Path(uri).iterdir()} if Path(uri).exists() else set()
        for uri in (blessing.uri, stock_blessing.uri)
    ]
    assert names[0] == names[1]
    for name in ("current_model", "baseline_model"):
        assert blessing.get_string_custom_property(name) == stock_blessing.get_string_custom_property(name)
    for name in ("blessed", "current_model_id", "baseline_model_id"):
        assert blessing.get_int_custom_property(name) == stock_blessing.get_int_custom_property(name)
    return ours


def test_binary_model_with_baseline_slices_and_thresholds_equals_tfx(
    tmp_path: Path, taxi_models: dict[str, Any]
) -> None:
    """5,000 rows, two models, slices by one feature, by two, by a value, and thresholds on some."""
    records = taxi_records()
    examples = write_examples(tmp_path / "examples", {"eval": (records * 2)[:5000]})
    config = {
        "model_specs": [{"name": "candidate", **SPEC}, {"name": "baseline", "is_baseline": True, **SPEC}],
        "slicing_specs": [
            {},
            {"feature_keys": ["trip_start_day"]},
            {"feature_keys": ["trip_start_day", "payment_type"]},
            {"feature_values": {"payment_type": "Cash"}},
            {"feature_keys": ["company"], "feature_values": {"trip_start_month": "5"}},
        ],
        "metrics_specs": [
            {
                "metrics": [
                    {"class_name": "ExampleCount"},
                    {"class_name": "AUC"},
                    {"class_name": "CalibrationPlot"},
                    {"class_name": "MeanPrediction"},
                    {"class_name": "BinaryCrossEntropy"},
                    {"class_name": "ConfusionMatrixPlot", "config": '"num_thresholds": 20'},
                    {
                        "class_name": "BinaryAccuracy",
                        "threshold": {
                            "value_threshold": {"lower_bound": 0.3},
                            "change_threshold": {"direction": "HIGHER_IS_BETTER", "absolute": -0.02},
                        },
                        "per_slice_thresholds": [
                            {
                                "slicing_specs": [{"feature_keys": ["trip_start_day"]}],
                                "threshold": {"value_threshold": {"lower_bound": 0.4}},
                            }
                        ],
                    },
                ]
            }
        ],
    }
    inputs = {
        "examples": [examples],
        "model": [taxi_models["binary"]],
        "baseline_model": [taxi_models["baseline"]],
    }

    ours = assert_same_evaluation(tmp_path, config, inputs)

    judged = json.loads(Path(ours.uri, "verdict.json").read_text())
    assert judged["blessed"] is False
    assert {item["kind"] for item in judged["thresholds"]} == {"value", "absolute change"}
    failing = next(item for item in judged["thresholds"] if item["passed"] is False)
    assert failing["metric"] == "binary_accuracy"
    assert failing["compared"] < failing["lower_bound"]


def test_multi_class_model_equals_tfx(
    tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]
) -> None:
    """Keras metrics, class by class, micro averages, and metrics that only TFMA computes, row by row."""
    config = {
        "model_specs": [{**SPEC, "label_key": "class"}],
        "slicing_specs": [{}, {"feature_keys": ["hour"]}],
        "metrics_specs": [
            {
                "metrics": [
                    {"class_name": "SparseCategoricalAccuracy"},
                    {"class_name": "SparseCategoricalCrossentropy"},
                    {"class_name": "MultiClassConfusionMatrixPlot"},
                    {"class_name": "SparseTopKCategoricalAccuracy", "config": '"k": 2'},
                ]
            },
            {
                "binarize": {"class_ids": {"values": [0, 2]}},
                "metrics": [{"class_name": "AUC"}, {"class_name": "Precision"}],
            },
            {
                "binarize": {"top_k_list": {"values": [2]}},
                "metrics": [{"class_name": "Recall"}],
            },
            {
                "aggregate": {"micro_average": True, "class_weights": {"0": 1.0, "1": 0.5, "2": 1.0}},
                "metrics": [{"class_name": "AUC"}],
            },
        ],
    }
    assert_same_evaluation(tmp_path, config, {"examples": [taxi_examples], "model": [taxi_models["classes"]]})


def test_weighted_regression_with_a_schema_equals_tfx(
    tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]
) -> None:
    """Label and weight are raw features, shaped by the schema; a slice feature is missing in some rows."""
    config = {
        "model_specs": [{"label_key": "fare", "example_weight_key": "trip_start_day"}],
        "slicing_specs": [{}, {"feature_keys": ["pickup_census_tract"]}, {"feature_keys": ["company"]}],
        "metrics_specs": [
            {
                "metrics": [
                    {"class_name": "ExampleCount"},
                    {"class_name": "MeanSquaredError"},
                    {"class_name": "MeanAbsoluteError"},
                    {"class_name": "RootMeanSquaredError"},
                    {"class_name": "SquaredPearsonCorrelation"},
                    {"class_name": "MeanLabel"},
                ]
            }
        ],
    }
    inputs = {
        "examples": [taxi_examples],
        "model": [taxi_models["regression"]],
        "schema": [schema_artifact()],
    }
    assert_same_evaluation(tmp_path, config, inputs)


def test_keras_3_model_is_evaluated_through_its_signature(tmp_path: Path, taxi_examples: Any) -> None:
    """A Keras 3 export has no Keras object to load, and needs none."""
    import keras

    inner = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1, activation="sigmoid")])

    def serve(examples: Any) -> Any:
        parsed = tf.io.parse_example(examples, {"fare": tf.io.FixedLenFeature([1], tf.float32, [0.0])})
        return inner(parsed["fare"])

    archive = keras.export.ExportArchive()
    archive.track(inner)
    archive.add_endpoint("serving_default", serve, [tf.TensorSpec([None], tf.string, name="examples")])
    archive.write_out(str(tmp_path / "model" / "Format-Serving"), verbose=False)
    config = {
        "model_specs": [{"label_key": "trip_start_hour"}],
        "metrics_specs": [{"metrics": [{"class_name": "ExampleCount"}, {"class_name": "MeanSquaredError"}]}],
    }

    evaluation, blessing = evaluate(
        tmp_path, config, {"examples": [taxi_examples], "model": [model_artifact(tmp_path / "model")]}
    )

    metrics = tfma.load_eval_result(evaluation.uri).get_metrics_for_all_slices()[()]
    assert metrics["example_count"]["doubleValue"] == 2000
    assert not Path(blessing.uri).exists()


def test_verdict_says_metric_bound_value_and_what_was_not_checked(
    tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]
) -> None:
    """A change threshold without a baseline is not passed off as passed."""
    config = binary_config(
        {
            "value_threshold": {"lower_bound": 0.1, "upper_bound": 0.9},
            "change_threshold": {"direction": "HIGHER_IS_BETTER", "absolute": -0.01},
        }
    )

    evaluation, blessing = evaluate(
        tmp_path, config, {"examples": [taxi_examples], "model": [taxi_models["binary"]]}
    )

    verdict = json.loads(Path(evaluation.uri, "verdict.json").read_text())
    value = verdict["thresholds"][0].pop("value")
    assert verdict == {
        "blessed": True,
        "thresholds": [
            {
                "metric": "binary_accuracy",
                "slice": "Overall",
                "kind": "value",
                "lower_bound": 0.1,
                "upper_bound": 0.9,
                "baseline_value": None,
                "compared": value,
                "passed": True,
                "note": "",
            },
            {
                "metric": "binary_accuracy",
                "slice": "Overall",
                "kind": "absolute change",
                "lower_bound": -0.01,
                "upper_bound": None,
                "value": None,
                "baseline_value": None,
                "compared": None,
                "passed": None,
                "note": "not checked: there is no baseline model yet",
            },
        ],
    }
    summaries = [item.get_string_custom_property("headrace_summary") for item in (evaluation, blessing)]
    assert summaries == [
        f"binary_accuracy {value:.4g} (2,000 examples, 1 slice)",
        "BLESSED: binary_accuracy change >= -0.01 not checked: there is no baseline model yet; "
        f"binary_accuracy {value:.4g} within 0.1 to 0.9",
    ]
    assert blessing.get_int_custom_property("blessed") == 1


def test_failed_threshold_and_missing_slice_are_named(
    tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]
) -> None:
    """The model is not blessed, and the line says why."""
    config = binary_config({"value_threshold": {"lower_bound": 0.99}})
    config["slicing_specs"] = [{}, {"feature_values": {"trip_start_hour": "77"}}]
    config["metrics_specs"][0]["metrics"][1]["per_slice_thresholds"] = [
        {
            "slicing_specs": [{"feature_values": {"trip_start_hour": "77"}}],
            "threshold": {"value_threshold": {"lower_bound": 0.2}},
        }
    ]

    evaluation, blessing = evaluate(
        tmp_path, config, {"examples": [taxi_examples], "model": [taxi_models["binary"]]}
    )

    value = json.loads(Path(evaluation.uri, "verdict.json").read_text())["thresholds"][0]["value"]
    assert blessing.get_string_custom_property("headrace_summary") == (
        f"NOT BLESSED: binary_accuracy {value:.4g} not >= 0.99; "
        "slice trip_start_hour:77 has a threshold, but no row"
    )
    assert [item.name for item in Path(blessing.uri).iterdir()] == ["NOT_BLESSED"]
    assert blessing.get_int_custom_property("blessed") == 0


def test_no_threshold_is_no_pass(tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]) -> None:
    """As in TFX, nothing is written; unlike there, it is said."""
    _, blessing = evaluate(
        tmp_path, binary_config(), {"examples": [taxi_examples], "model": [taxi_models["binary"]]}
    )

    assert blessing.get_string_custom_property("headrace_summary") == "NOT VALIDATED: no threshold was given"
    assert not Path(blessing.uri).exists()
    assert not blessing.has_custom_property("blessed")


def test_relative_change_against_a_baseline(
    tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]
) -> None:
    """The same model twice changes by nothing."""
    config = binary_config({"change_threshold": {"direction": "LOWER_IS_BETTER", "relative": 0.1}})
    model = taxi_models["binary"]

    evaluation, blessing = evaluate(
        tmp_path, config, {"examples": [taxi_examples], "model": [model], "baseline_model": [model]}
    )

    (threshold,) = json.loads(Path(evaluation.uri, "verdict.json").read_text())["thresholds"]
    assert (threshold["kind"], threshold["compared"], threshold["passed"]) == ("relative change", 0.0, True)
    assert blessing.get_string_custom_property("headrace_summary") == (
        f"BLESSED: binary_accuracy relative change +0 <= 0.1 (baseline {threshold['baseline_value']:.4g})"
    )


def test_equal_inputs_give_equal_bytes(
    tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]
) -> None:
    """The cache compares contents."""
    config = binary_config({"value_threshold": {"lower_bound": 0.1}})
    config["slicing_specs"] = [{}, {"feature_keys": ["hour"]}, {"feature_keys": ["company"]}]
    inputs = {"examples": [taxi_examples], "model": [taxi_models["binary"]]}

    first, _ = evaluate(tmp_path / "first", config, inputs)
    second, _ = evaluate(tmp_path / "second", config, inputs)

    names = sorted(path.name for path in Path(first.uri).iterdir())
    assert names == [
        "attributions-00000-of-00001.tfrecord",
        "eval_config.json",
        "metrics-00000-of-00001.tfrecord",
        "plots-00000-of-00001.tfrecord",
        "validations.tfrecord",
        "verdict.json",
    ]
    for name in names:
        assert Path(first.uri, name).read_bytes() == Path(second.uri, name).read_bytes(), name


def test_what_batches_cannot_express_goes_through_tfma(
    tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]
) -> None:
    """Two splits and a smallest slice: TFMA's own pipeline, the same files."""
    config = binary_config()
    config["metrics_specs"][0]["metrics"][1]["per_slice_thresholds"] = [
        {"slicing_specs": [{}], "threshold": {"value_threshold": {"lower_bound": 0.1}}}
    ]
    config["slicing_specs"] = [{}, {"feature_keys": ["company"]}]
    config["options"] = {"min_slice_size": 20}

    evaluation, blessing = evaluate(
        tmp_path,
        config,
        {"examples": [taxi_examples], "model": [taxi_models["binary"]]},
        example_splits='["train", "eval"]',
    )

    # TFMA fails a threshold in each slice that lacks the metric, be it too small or not meant.
    assert blessing.get_string_custom_property("headrace_summary").startswith(
        "NOT BLESSED: binary_accuracy in company:"
    )
    assert "(2,500 examples, " in evaluation.get_string_custom_property("headrace_summary")


def test_module_functions_are_used(tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]) -> None:
    """TFX's `custom_eval_shared_model` and `custom_extractors`, from a file."""
    module = tmp_path / "evaluation_functions.py"
    module.write_text(
        "import tensorflow_model_analysis as tfma\n"
        "CALLS = []\n"
        "def custom_eval_shared_model(eval_saved_model_path, model_name, eval_config, **kwargs):\n"
        "    CALLS.append('model')\n"
        "    return tfma.default_eval_shared_model(eval_saved_model_path=eval_saved_model_path,\n"
        "        model_name=model_name, eval_config=eval_config)\n"
        "def custom_extractors(eval_shared_model, eval_config, tensor_adapter_config):\n"
        "    CALLS.append('extractors')\n"
        "    return tfma.default_extractors(eval_shared_model=eval_shared_model, eval_config=eval_config)\n"
    )
    from headrace.sdk import functions

    evaluate(
        tmp_path,
        binary_config(),
        {"examples": [taxi_examples], "model": [taxi_models["binary"]]},
        module_file=str(module),
        example_splits='["train"]',
    )

    assert functions.load_module(str(module)).CALLS == ["model", "extractors"]


def fails(
    path: Path, config: dict[str, Any], inputs: dict[str, list[Any]], **parameters: Any
) -> HeadraceError:
    """Run, and return what it raises."""
    with pytest.raises(HeadraceError) as caught:
        evaluate(path, config, inputs, **parameters)
    return caught.value


def test_missing_signature_lists_those_there_are(
    tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]
) -> None:
    """The name asked for, the names there are, the likely typo."""
    config = binary_config()
    config["model_specs"] = [{**SPEC, "signature_name": "serving_defualt"}]

    error = fails(tmp_path, config, {"examples": [taxi_examples], "model": [taxi_models["binary"]]})

    assert isinstance(error, ModelError)
    assert str(error) == (
        "evaluator: the model has no signature 'serving_defualt'. It has 'serving_default', "
        "'transform_features'.\n"
        "  Fix: did you mean 'serving_default'? Correct signature_name in eval_config, or save the model with "
        "this signature."
    )


def test_missing_model_files_are_said(tmp_path: Path, taxi_examples: Any) -> None:
    """A folder without a SavedModel."""
    model = model_artifact(tmp_path / "nothing")

    error = fails(tmp_path, binary_config(), {"examples": [taxi_examples], "model": [model]})

    assert isinstance(error, ModelError)
    assert str(error).startswith(
        f"evaluator: model: there is no SavedModel in {tmp_path}/nothing/Format-Serving"
    )


def test_unknown_split_lists_those_there_are(
    tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]
) -> None:
    """Before anything is read."""
    error = fails(
        tmp_path,
        binary_config(),
        {"examples": [taxi_examples], "model": [taxi_models["binary"]]},
        example_splits='["evl"]',
    )

    assert isinstance(error, UnknownSplitError)
    assert error.problem == (
        "evaluator: there is no split 'evl'. Examples artifact 0 has splits 'eval', 'train'."
    )
    assert error.fix.startswith("did you mean 'eval'? ")


def test_unknown_slice_feature_is_an_error_not_an_empty_result(
    tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]
) -> None:
    """TFMA would silently have no such slice."""
    config = binary_config()
    config["slicing_specs"] = [{}, {"feature_keys": ["trip_start_houer"]}]

    error = fails(tmp_path, config, {"examples": [taxi_examples], "model": [taxi_models["binary"]]})

    assert isinstance(error, SchemaMismatchError)
    assert error.problem.startswith(
        "evaluator: the slice feature 'trip_start_houer' is no feature of the data. It has 'company', "
    )
    assert error.problem.endswith("Preprocessing makes 'big_tip', 'class', 'hour'.")
    assert error.fix.startswith("did you mean 'trip_start_hour'? Correct eval_config")


def test_missing_label_feature_is_named(
    tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]
) -> None:
    """Neither in the data nor made by preprocessing."""
    config = binary_config()
    config["model_specs"] = [{"label_key": "big_tipp"}]

    error = fails(tmp_path, config, {"examples": [taxi_examples], "model": [taxi_models["binary"]]})

    assert isinstance(error, SchemaMismatchError)
    assert error.problem.startswith("evaluator: label_key 'big_tipp' is no feature of the data. It has ")


def test_unknown_metric_is_named(tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]) -> None:
    """With the nearest that exists."""
    config = binary_config()
    config["metrics_specs"][0]["metrics"][1]["class_name"] = "BinaryAcuracy"

    error = fails(tmp_path, config, {"examples": [taxi_examples], "model": [taxi_models["binary"]]})

    assert isinstance(error, DefinitionError)
    assert str(error) == (
        "evaluator: eval_config: there is no metric 'BinaryAcuracy' in TensorFlow Model Analysis or Keras.\n"
        "  Fix: did you mean 'BinaryAccuracy'? Correct class_name in eval_config's metrics_specs, or name the "
        "module of your own metric in 'module'."
    )


def test_no_eval_config_is_refused(tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]) -> None:
    """What TFX takes for an Estimator's EvalSavedModel."""
    error = fails(
        tmp_path, {}, {"examples": [taxi_examples], "model": [taxi_models["binary"]]}, eval_config=None
    )

    assert error.fix == "give eval_config with model_specs, metrics_specs and slicing_specs."


def test_too_many_models_are_refused(tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]) -> None:
    """Candidate and baseline is all that TFX evaluates."""
    config = binary_config()
    config["model_specs"] = [{**SPEC, "name": name} for name in ("a", "b", "c")]
    inputs = {"examples": [taxi_examples], "model": [taxi_models["binary"]]}

    assert isinstance(fails(tmp_path, config, inputs), DefinitionError)
