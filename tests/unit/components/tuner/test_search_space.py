"""The bounds of search spaces."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.components.tuner.search_space import check_space
from headrace.errors import DefinitionError


@pytest.mark.parametrize(
    ("values", "is_good"),
    [
        ([1], True),
        ([], False),
        ("ab", False),
        ([True, False], True),
        ([1, "a"], False),
        ({"min": 1, "max": 2}, True),
        ({"min": 1, "max": 1}, False),
        ({"min": 2, "max": 1}, False),
        ({"min": 1, "max": 8, "step": 2, "sampling": "log"}, True),
        ({"min": 1, "max": 8, "step": 1, "sampling": "log"}, False),
        ({"min": 1, "max": 8, "step": 1}, True),
        ({"min": -1, "max": 8, "step": -1}, False),
        ({"min": -1, "max": 8, "sampling": "reverse_log"}, False),
        ({"min": 1, "max": 8, "other": 1}, False),
        ({"min": True, "max": 8}, False),
    ],
)
def test_a_space_is_one_that_can_be_searched(values: Any, is_good: bool):
    """A factor of 1, a range of one value or a logarithm of nothing would search for ever, or nothing."""
    if is_good:
        check_space({"units": values})
        return
    with pytest.raises(DefinitionError, match=r"search_space\['units'\]"):
        check_space({"units": values})
