"""Rows that are read a second time are those of the first."""

from __future__ import annotations

import numpy as np
import pytest
from divided_rows import rows_of

from headrace.errors import DataError
from headrace.sources.division.value_digest import ValueDigest
from headrace.sources.splits import PlannedChooser


def _digest(*batches):
    found = ValueDigest("g")
    for values in batches:
        found.add(rows_of({"g": values, "x": list(range(len(values)))}))
    return found.value()


def test_it_hangs_on_values_and_order_and_not_on_batches():
    """A batch without the feature is one in which it is missing."""
    whole = _digest(["a", "b", None, "a"])
    assert whole == _digest(["a"], ["b", None], ["a"])
    others = [["b", "a", None, "a"], ["a", "b", "a", None], ["a", "b", None, "b"], ["a", "b", None]]
    assert len({whole, *(_digest(other) for other in others)}) == 5
    without = ValueDigest("g")
    without.add(rows_of({"g": ["a"]}))
    without.add(rows_of({"x": [1]}))
    assert without.value() == _digest(["a", None])


def test_rows_in_another_order_are_refused():
    """As many as before, so that their number says nothing: groups would lie on both sides."""
    chosen = np.array([0, 0, 1], np.int16)
    for values, is_same in ((["a", "a", "b"], True), (["a", "b", "a"], False)):
        chooser = PlannedChooser(chosen, "g", _digest(["a", "a", "b"]))
        rows = rows_of({"g": values})
        chooser.look(rows)
        assert chooser.choose(rows).tolist() == [0, 0, 1]
        if is_same:
            chooser.check_end()
        else:
            with pytest.raises(DataError, match="other values of 'g', or in another order") as caught:
                chooser.check_end()
            assert "give a seed to what it draws" in caught.value.fix
