"""The arguments that say how a network is fitted: what is recorded, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from headrace.errors import DefinitionError, UserFunctionError
from headrace.training import fit_arguments


def callbacks():
    """A function at the top level of a module."""


class _Made:
    """Stands for an object of Keras."""


_Made.__module__ = "keras.src.callbacks.terminate_on_nan"


def test_features_are_recorded_in_their_order():
    assert fit_arguments.features_text("Trainer", ["pH", "alcohol"]) == '["pH", "alcohol"]'
    assert fit_arguments.features_text("Trainer", ("pH",)) == '["pH"]'
    assert fit_arguments.features_text("Trainer", None) is None


@pytest.mark.parametrize("given", ["alcohol", [], [1], {"a", "b"}, ["a", "b", "a"], [""]])
def test_features_that_have_no_order_or_come_twice_are_refused(given):
    with pytest.raises(DefinitionError, match="Trainer: features"):
        fit_arguments.features_text("Trainer", given)


def test_a_function_is_recorded_as_one_and_names_as_a_list(tmp_path):
    """What the cache takes for code, and what it takes for a value."""
    path = tmp_path / "mine.py"
    path.write_text("def callbacks():\n    return []\n")
    text = fit_arguments.callbacks_text("Trainer", f"{path}:callbacks")
    assert text == f"{path}:callbacks"
    given = ["TerminateOnNaN", {"keras.callbacks.ReduceLROnPlateau": {"factor": 0.5}}]
    assert json.loads(fit_arguments.callbacks_text("Trainer", given)) == [
        "TerminateOnNaN",
        {"ReduceLROnPlateau": {"factor": 0.5}},
    ]
    assert fit_arguments.callbacks_text("Trainer", "keras.callbacks.TerminateOnNaN") == '["TerminateOnNaN"]'
    assert fit_arguments.callbacks_text("Trainer", {"EarlyStopping": {"patience": 3}}).startswith("[")


def test_a_callback_that_was_made_already_is_refused_with_the_way_out():
    with pytest.raises(DefinitionError) as caught:
        fit_arguments.callbacks_text("Trainer", [_Made()])
    assert str(caught.value) == (
        "Trainer: callbacks holds an object of _Made, which cannot be recorded.\n"
        "  Fix: return it from a function and give that: def callbacks(): return [keras.callbacks._Made(...)]; or write "
        "{'_Made': {...}} with its arguments."
    )


@pytest.mark.parametrize(
    "given", [3, [3], [{"A": 1}], [{"A": {}, "B": {}}], ["my.Callback"], [{"A": {"f": print}}]]
)
def test_what_is_no_callback_is_refused(given):
    with pytest.raises(DefinitionError, match="Trainer: callbacks"):
        fit_arguments.callbacks_text("Trainer", given)


def test_a_function_that_is_not_there_is_refused():
    with pytest.raises(UserFunctionError, match="Trainer: callbacks"):
        fit_arguments.callbacks_text("Trainer", "no_such_module:callbacks")


def test_class_weight_is_class_balance_by_another_name():
    """Both are recorded alike, so that neither trains anew what the other trained."""
    same = fit_arguments.weights_text("Trainer", "weights", None)
    assert fit_arguments.weights_text("Trainer", None, "balanced") == same == '"weights"'
    weights = fit_arguments.weights_text("Trainer", {0: 1, 1: 6}, None)
    assert fit_arguments.weights_text("Trainer", None, {0: 1, 1: 6}) == weights == '{"0": 1.0, "1": 6.0}'
    assert fit_arguments.weights_text("Trainer", None, None) is None


@pytest.mark.parametrize(
    ("balance", "weight"), [("weights", "balanced"), (None, "balance"), (None, {0: -1}), (None, 3)]
)
def test_class_weight_that_is_given_twice_or_means_nothing_is_refused(balance, weight):
    with pytest.raises(DefinitionError, match="Trainer: class_"):
        fit_arguments.weights_text("Trainer", balance, weight)


def test_weights_are_numbers_of_any_kind_by_the_number_of_a_class():
    """As `dict(enumerate(...))` of scikit-learn's weights gives them, and as JSON does."""
    asked = '{"0": 1.0, "1": 6.5}'
    of_numpy = dict(zip(np.arange(2), np.array([1, 6.5], np.float32)))
    for given in (of_numpy, {"0": 1, "1": 6.5}, {0.0: 1.0, 1.0: 6.5}):
        assert fit_arguments.weights_text("Trainer", None, given) == asked
        assert fit_arguments.weights_text("Trainer", given, None) == asked


@pytest.mark.parametrize(
    "weights",
    [
        {},
        {0: 0, 1: 0.0},
        {0: float("nan")},
        {0: float("inf")},
        {0: True},
        {0: "1"},
        {0: None},
        {"fist": 1},
        {1.5: 1},
        {float("nan"): 1},
        {"inf": 1},
        {True: 1},
        {None: 1},
        {0: 1, "0": 2},
        [1.0, 2.0],
        np.ones(2),
        {0: 10**400},
        {10**400: 1},
        10**400,
    ],
    ids=str,
)
def test_weights_that_are_none_are_refused_where_they_are_written(weights):
    """A class that is none was a traceback of float(), and a weight that is not finite a loss that is none."""
    for given in ((weights, None), (None, weights)):
        with pytest.raises(DefinitionError, match=r"^Trainer: class_"):
            fit_arguments.weights_text("Trainer", *given)


def test_what_is_kept_and_when_training_stops_is_checked():
    found = fit_arguments.keeping("Trainer", "val_auc", 1, "last")
    assert found == {"monitor": "val_auc", "min_delta": 1.0, "keep": "last"}
    assert isinstance(found["min_delta"], float)
    assert set(fit_arguments.keeping("Trainer", None, None, None).values()) == {None}


@pytest.mark.parametrize(
    "given", [("val_loss", -1, "best"), ("val_loss", True, "best"), ("", 0, "best"), ("val_loss", 0, "lst")]
)
def test_nonsense_about_what_is_kept_is_refused(given):
    with pytest.raises(DefinitionError, match=r"Trainer: (min_delta|monitor|keep) is"):
        fit_arguments.keeping("Trainer", *given)


def test_tensorboards_arguments_are_those_of_keras():
    text = fit_arguments.tensorboard_text("Trainer", {"write_graph": True, "histogram_freq": 1})
    assert text == '{"histogram_freq": 1, "write_graph": true}'
    with pytest.raises(DefinitionError) as caught:
        fit_arguments.tensorboard_text("Trainer", {"histogram_frequency": 1})
    assert "did you mean 'histogram_freq'?" in caught.value.fix


@pytest.mark.parametrize(
    "given",
    [
        True,
        {"histogram_freq": True},
        {"histogram_freq": -1},
        {"write_graph": 1},
        {"update_freq": "step"},
        {"update_freq": 0},
    ],
)
def test_other_values_for_tensorboard_are_refused(given):
    with pytest.raises(DefinitionError, match="Trainer: tensorboard"):
        fit_arguments.tensorboard_text("Trainer", given)
