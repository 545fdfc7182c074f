"""What caused a miss, as it is printed."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from headrace.runtime.implementation import Implementation
from headrace.store.read.differences import Difference, FileChange
from headrace.store.read.explanation import Explanation
from headrace.store.results import NodeState
from headrace.ui.differences import explanation_data, print_differences, print_explanation
from headrace.ui.screen import Screen
from headrace.ui.symbols import UNICODE

LINES = ("--- a", "+++ a", "@@ -1 +1 @@", "-one", "+two")


@pytest.mark.parametrize(
    ("difference", "expected"),
    [
        (Difference("version", "keras", "3.4", "3.5"), ["  keras 3.4 -> 3.5"]),
        (Difference("version", "keras", None, "3.5"), ["  keras changed", "    - (nothing)", "    + 3.5"]),
        (
            Difference("file", "schema_file", files=(FileChange("a", "changed", LINES),)),
            ["  files of schema_file changed", "    a", "      @@ -1 +1 @@", "      -one", "      +two"],
        ),
        (Difference("parameter", "steps", 1, 2), ["  parameter steps changed", "    - 1", "    + 2"]),
    ],
)
def test_each_kind_of_difference_says_what_changed(difference: Difference, expected: list[str]):
    text = io.StringIO()
    console = Console(file=text, width=100)

    print_differences(Screen(console, UNICODE, False), [difference])

    assert text.getvalue().splitlines() == expected


@pytest.mark.parametrize(("reason", "expected"), [("a payload", 2), ("", 1)])
def test_an_explanation_says_where_the_work_was_slower(reason: str, expected: int):
    """A line of its own, and none where there is nothing to say."""
    text = io.StringIO()
    ran = Implementation("own", reason)
    explanation = Explanation(
        "run-1", "Transform", NodeState.DONE, "first", "it never ran.", implementation=ran
    )

    print_explanation(Screen(Console(file=text, width=100), UNICODE, False), explanation)

    lines = text.getvalue().splitlines()
    assert len(lines) == expected
    assert not reason or lines[1] == "  Transform a payload; slower."
    assert explanation_data(explanation)["implementation"] == {"name": "own", "reason": reason}
