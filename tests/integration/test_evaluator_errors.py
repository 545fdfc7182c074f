"""What Evaluator refuses, and what it says then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conftest_serving import model_artifact, taxi_examples, taxi_models
from evaluation import SPEC, binary_config, fails

from headrace.errors import DefinitionError, ModelError, SchemaMismatchError, UnknownSplitError

_ = (taxi_examples, taxi_models)  # fixtures


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
        tmp_path,
        {},
        {"examples": [taxi_examples], "model": [taxi_models["binary"]]},
        eval_config=None,
        feature_slicing_spec='{"specs": [{"column_for_slicing": ["company"]}]}',
    )

    assert error.fix == "give eval_config with model_specs, metrics_specs and slicing_specs, or slices=[...]."


def test_too_many_models_are_refused(tmp_path: Path, taxi_examples: Any, taxi_models: dict[str, Any]) -> None:
    """Candidate and baseline is all that TFX evaluates."""
    config = binary_config()
    config["model_specs"] = [{**SPEC, "name": name} for name in ("a", "b", "c")]
    inputs = {"examples": [taxi_examples], "model": [taxi_models["binary"]]}

    assert isinstance(fails(tmp_path, config, inputs), DefinitionError)
