"""What is said of each bound of a threshold, at the bound itself."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tensorflow_model_analysis.metrics import metric_types
from tensorflow_model_analysis.proto import config_pb2

from headrace.components.evaluator import verdict

_LOWER, _HIGHER = config_pb2.MetricDirection.LOWER_IS_BETTER, config_pb2.MetricDirection.HIGHER_IS_BETTER


def results(value: float, base: float, passed: bool, **threshold: Any) -> list[Any]:
    """What is said of a change threshold that TFMA passed or failed as a whole."""
    bounds = config_pb2.GenericChangeThreshold(direction=threshold.pop("direction", _HIGHER))
    for kind, bound in threshold.items():
        getattr(bounds, kind).value = bound
    key = metric_types.MetricKey(name="auc", model_name="candidate", is_diff=True)

    def read(slice_key: Any, metric_key: Any) -> float:
        if metric_key.is_diff:
            return value - base
        return base if metric_key.model_name == "baseline" else value

    metrics: Any = SimpleNamespace(value=read)
    return list(verdict._result(metrics, (), key, bounds, "baseline", passed))


@pytest.mark.parametrize(
    ("value", "bounds", "expected"),
    [
        (0.5, {"absolute": 0.25}, [("absolute change", 0.25, None, 0.25, True)]),
        (0.5, {"absolute": 0.5}, [("absolute change", 0.5, None, 0.25, False)]),
        (0.5, {"relative": 1.0}, [("relative change", 1.0, None, 1.0, True)]),
        (
            0.5,
            {"absolute": 0.5, "relative": 0.5},
            [("absolute change", 0.5, None, 0.25, False), ("relative change", 0.5, None, 1.0, True)],
        ),
        (
            0.5,
            {"absolute": 0.125, "relative": 2.0},
            [("absolute change", 0.125, None, 0.25, True), ("relative change", 2.0, None, 1.0, False)],
        ),
        (
            0.5,
            {"absolute": 0.5, "relative": 0.5, "direction": _LOWER},
            [("absolute change", None, 0.5, 0.25, True), ("relative change", None, 0.5, 1.0, False)],
        ),
        (0.5, {"absolute": 0.25, "direction": _LOWER}, [("absolute change", None, 0.25, 0.25, True)]),
        (0.75, {"absolute": 0.25, "direction": _LOWER}, [("absolute change", None, 0.25, 0.5, False)]),
        (0.75, {"relative": 2.0, "direction": _LOWER}, [("relative change", None, 2.0, 2.0, True)]),
    ],
)
def test_the_bound_that_broke_is_told_from_the_one_that_held(
    value: float, bounds: dict[str, Any], expected: list[tuple[Any, ...]]
):
    """TFMA fails both bounds of a threshold together; relative changes are of the baseline, here 0.25."""
    found = results(value, 0.25, passed=False, **bounds)

    assert [(r.kind, r.lower_bound, r.upper_bound, r.compared, r.passed) for r in found] == expected
    assert [(r.value, r.baseline_value) for r in found] == [(value, 0.25)] * len(found)


def test_what_passed_as_a_whole_passed_in_each_bound():
    """Rounding must not make a bound fail that TFMA let pass."""
    assert [r.passed for r in results(0.5, 0.25, passed=True, absolute=0.5, relative=9.0)] == [True, True]


@pytest.mark.parametrize(
    ("passed", "lower", "upper"), [(True, 0.1, None), (False, None, 0.4), (True, 0.1, 0.9)]
)
def test_value_thresholds_keep_their_bounds(passed: bool, lower: float | None, upper: float | None):
    """TFMA's word counts; a bound that is not there is not told."""
    threshold = config_pb2.GenericValueThreshold()
    for name, bound in (("lower_bound", lower), ("upper_bound", upper)):
        if bound is not None:
            getattr(threshold, name).value = bound
    metrics: Any = SimpleNamespace(value=lambda *_: 0.5)

    [result] = verdict._result(metrics, (), metric_types.MetricKey(name="auc"), threshold, None, passed)

    assert (result.kind, result.lower_bound, result.upper_bound, result.passed) == (
        "value",
        lower,
        upper,
        passed,
    )
