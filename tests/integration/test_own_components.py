"""What `headrace.sdk` gives, in components of one's own that run; and what is said where they do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import own_components as own
import pytest

import headrace
from headrace import sdk, testing
from headrace.errors import UserFunctionError

ROWS = {"train": [{"n": 1}, {"n": 2}, {"n": 3}], "eval": [{"n": 4}]}


def test_functions_and_a_class_make_a_pipeline(tmp_path: Path) -> None:
    """Values go from one to the other, a union brings artifacts of two components together, an own type has properties."""
    rows = testing.channel(testing.make_examples(tmp_path / "rows", ROWS))
    counted = own.Count(examples=rows, split="eval")
    written = own.Write(number=counted.outputs.num_rows)
    table = own.Table(rows)
    added = own.Add(reports=sdk.union([written.outputs["report"], table.outputs["report"]]))

    result = testing.run_component(added, tmp_path / "store")

    total = result.output("total")
    total.read()
    assert total.value == 4
    report = headrace.load("latest/Table.report", store=result.store)
    assert report.properties["num_rows"] == 3
    assert Path(report.path, "rows.json").read_text() == "3"


@pytest.mark.parametrize(
    ("component", "problem"),
    [
        (lambda: own.Forgets(split="nothing"), "returned nothing, and its annotation names 'num_rows'."),
        (lambda: own.Forgets(split="word"), "returned no 'num_rows', which its annotation names. It returned 'num_row'."),
        (lambda: own.Forgets(split="type"), "returned 'one' for 'num_rows', of type str, and its annotation says int."),
        (lambda: own.Forgets(split="list"), "returned [1], of type list, and its annotation names 'num_rows'."),
        (lambda: own.LeavesEmpty(), "wrote nothing to its output 'report', a folder: "),
    ],
)  # fmt: skip
def test_a_function_that_does_not_keep_its_word_is_told(component: Any, problem: str, tmp_path: Path) -> None:
    with pytest.raises(UserFunctionError) as caught:
        testing.run_component(component(), tmp_path / "store")

    assert problem in caught.value.problem
    assert "(own_components.py:" in caught.value.problem
