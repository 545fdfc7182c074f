"""Evaluator's verdict: what passed, what failed, and what was not checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from conftest_serving import taxi_examples, taxi_models
from evaluation import binary_config, evaluate

_ = (taxi_examples, taxi_models)  # fixtures


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
        "format": 1,
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
