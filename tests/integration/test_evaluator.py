"""Evaluator's metrics against TFX's own, on the same models and rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_model_analysis as tfma
from conftest_serving import (
    model_artifact,
    schema_artifact,
    taxi_examples,
    taxi_models,
    taxi_records,
)
from evaluation import SPEC, assert_same_evaluation, binary_config, evaluate

from headrace.formats.evaluations.metrics import read_errors, read_metrics
from headrace.testing import make_examples

_ = (taxi_examples, taxi_models)  # fixtures


def test_binary_model_with_baseline_slices_and_thresholds_equals_tfx(
    tmp_path: Path, taxi_models: dict[str, Any]
) -> None:
    """2,500 rows, two models, slices by one feature, by two, by a value, and thresholds on some."""
    records = taxi_records()
    examples = make_examples(tmp_path / "examples", {"eval": records[:2_500]})
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
    """Two splits, and slices against each other: TFMA's own pipeline, the same files."""
    config = binary_config({"value_threshold": {"lower_bound": 0.1}})
    config["slicing_specs"] = [{}, {"feature_keys": ["payment_type"]}]
    config["cross_slicing_specs"] = [
        {"baseline_spec": {}, "slicing_specs": [{"feature_keys": ["payment_type"]}]}
    ]

    evaluation, _ = evaluate(
        tmp_path,
        config,
        {"examples": [taxi_examples], "model": [taxi_models["binary"]]},
        example_splits='["train", "eval"]',
    )

    assert "(2,500 examples, " in evaluation.get_string_custom_property("headrace_summary")
    assert any(metric.slice_name.endswith(" against Overall") for metric in read_metrics(evaluation.uri))


def test_slices_that_are_too_small_are_left_out_as_by_tfx(
    tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]
) -> None:
    """They stay in the files, with TFMA's reason in the place of metrics, and fail a threshold that is for all."""
    config = binary_config({"value_threshold": {"lower_bound": 0.1}})
    config["metrics_specs"][0]["metrics"][1]["per_slice_thresholds"] = [
        {"slicing_specs": [{}], "threshold": {"value_threshold": {"lower_bound": 0.1}}}
    ]
    config["slicing_specs"] = [{}, {"feature_keys": ["company"]}]
    config["options"] = {"min_slice_size": 20}

    ours = assert_same_evaluation(
        tmp_path, config, {"examples": [taxi_examples], "model": [taxi_models["binary"]]}
    )

    failed = [one["slice"] for one in json.loads(Path(ours.uri, "verdict.json").read_text())["thresholds"]]
    errors = read_errors(ours.uri)
    assert len(errors) > 5
    assert {name for name, _ in errors} <= set(failed)
    assert {text for _, text in errors} == {
        "Example count for this slice key is lower than the minimum required value: 20. No data is aggregated for "
        "this slice."
    }


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
    from headrace.usercode import functions

    evaluate(
        tmp_path,
        binary_config(),
        {"examples": [taxi_examples], "model": [taxi_models["binary"]]},
        module_file=str(module),
        example_splits='["train"]',
    )

    assert functions.load_module(str(module)).CALLS == ["model", "extractors"]
