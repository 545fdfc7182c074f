"""Tuner's declaration."""

from __future__ import annotations

import pytest

from headrace.authoring import Channel, standard_artifacts
from headrace.components.tuner.component import Tuner
from headrace.errors import DefinitionError


def tuner_fn(fn_args):
    """A function at the top level of a module."""


def build_model(features, hyperparameters):
    """A function at the top level of a module."""


@pytest.fixture
def examples():
    return Channel(type=standard_artifacts.Examples)


def test_tfx_form(examples):
    """The encodings that TFX's own executor reads."""
    tuner = Tuner(examples, tuner_fn=tuner_fn, custom_config={"a": 1})
    recorded = {key: value for key, value in tuner.exec_properties.items() if value is not None}
    assert recorded == {
        "tuner_fn": f"{tuner_fn.__module__}.tuner_fn",
        "train_args": "{}",
        "eval_args": "{}",
        "custom_config": '{"a": 1}',
    }
    assert Tuner.get_class_type() == "tfx.components.tuner.component.Tuner"
    assert sorted(tuner.outputs) == ["best_hyperparameters", "trials", "tuner_results"]


def test_short_form(examples):
    """The space is recorded as JSON text with sorted names."""
    tuner = Tuner(examples, build_model=build_model, search_space={"b": [1], "a": {"min": 1, "max": 2}})
    assert tuner.exec_properties["search_space"] == '{"a": {"max": 2, "min": 1}, "b": [1]}'


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ([], "is []"),
        ("wide", "is 'wide'"),
        ({"min": 2, "max": 1}, "is a range with [('max', 1), ('min', 2)]"),
        ([[1]], "is a list with something else than numbers, strings and booleans"),
        ([1, "a"], "is a list with values of several kinds"),
        ([True, 1], "is a list with values of several kinds"),
        ({"min": "a", "max": 1}, "is a range with something else than numbers"),
        ({"min": 1, "max": float("inf")}, "is a range with something else than numbers"),
        (
            {"min": 1, "max": 2, "sampling": "exp"},
            "has sampling 'exp', which is none of 'linear', 'log', 'reverse_log'",
        ),
        (
            {"min": 0, "max": 1, "sampling": "log"},
            "has sampling 'log' and min 0, of which there is no logarithm",
        ),
        ({"min": 0, "max": 1, "step": 0}, "has step 0 where more than 0 is needed"),
        (
            {"min": 0.1, "max": 1, "step": 0.2, "sampling": "log"},
            "has step 0.2 where more than 1 is needed",
        ),
    ],
)
def test_space_is_checked(examples, values, problem):
    """The reader sees the hyperparameter and the two forms there are."""
    with pytest.raises(DefinitionError) as caught:
        Tuner(examples, build_model=build_model, search_space={"units": values})
    assert str(caught.value) == (
        f"Tuner: search_space['units'] {problem}.\n"
        "  Fix: give a list of values, or a range {'min': 0.001, 'max': 0.1} with min below max, and 'step' or "
        "'sampling' if wanted."
    )


def test_whole_and_other_numbers_go_together(examples):
    """As in a list of learning rates."""
    Tuner(examples, build_model=build_model, search_space={"rate": [1, 0.1], "steps": {"min": 1, "max": 9}})


def test_space_is_needed(examples):
    """There is nothing to search without one."""
    with pytest.raises(DefinitionError, match="build_model is given without search_space"):
        Tuner(examples, build_model=build_model)


def test_one_function(examples):
    """A ValueError, as in stock TFX."""
    with pytest.raises(ValueError, match="exactly one of 'build_model', 'module_file', 'tuner_fn' is needed"):
        Tuner(examples)
