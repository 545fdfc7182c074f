"""What of an object can be kept without knowing it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from headrace.training import plain_state


class Thing:
    """With plain values, and others."""

    def __init__(self) -> None:
        self.count, self.best, self.name = 3, float("inf"), "a"
        self.weights = [np.arange(4.0).reshape(2, 2), np.float32(2)]
        self.seen = {1: (2, None), "x": [True]}
        self.function, self.model, self.mixed = print, "a model", [1, print]


def test_plain_values_are_kept_and_come_back_as_they_were():
    arrays: dict[str, object] = {}
    state = plain_state.of(Thing())
    assert sorted(state) == ["best", "count", "name", "seen", "weights"]
    text = json.dumps(plain_state.dumped(state, "a", arrays))
    found = plain_state.loaded(json.loads(text), arrays.__getitem__)
    assert found["seen"] == {1: (2, None), "x": [True]}
    assert (found["count"], found["best"], found["name"]) == (3, float("inf"), "a")
    np.testing.assert_array_equal(found["weights"][0], [[0, 1], [2, 3]])
    assert found["weights"][1] == pytest.approx(2.0)


def test_only_what_changed_is_kept():
    """A path that an object was made with is another one in the next process."""
    thing = Thing()
    before = plain_state.of(thing)
    thing.count += 1
    assert sorted(plain_state.changed(before, plain_state.of(thing))) == ["count", "seen", "weights"]
    other = Thing()
    other.name = "b"
    plain_state.give(other, plain_state.changed(before, plain_state.of(thing)))
    assert (other.count, other.name) == (4, "b")
