"""What an execution says of the implementation that does its work."""

from __future__ import annotations

import logging

import pytest

from headrace.authoring.light import authoring
from headrace.runtime import implementation
from headrace.runtime.context import ExecutionContext
from headrace.runtime.implementation import NOT_RECORDED, Implementation

with authoring():
    from ml_metadata.proto import metadata_store_pb2


def context() -> ExecutionContext:
    return ExecutionContext("Transform", {}, {}, {}, "")


def test_the_work_is_headraces_own_unless_the_executor_says_otherwise() -> None:
    """Then there is nothing to note."""
    ran = context().implementation

    assert ran == Implementation("own")
    assert ran.note == ""
    assert ran.as_properties() == {"headrace_implementation": "own"}


@pytest.mark.parametrize(
    ("method", "name", "note"),
    [
        ("ran_stock", "stock", "ran TFX's own implementation: a payload; slower"),
        ("ran_own", "own", "a payload; slower"),
    ],
)
def test_what_is_slower_is_recorded_with_its_reason_and_logged(
    method: str, name: str, note: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A warning, so that the node's log has it."""
    asked = context()
    with caplog.at_level(logging.WARNING):
        getattr(asked, method)("a payload")

    assert asked.implementation == Implementation(name, "a payload")
    assert asked.implementation.note == note
    assert caplog.messages == [f"Transform: {note}."]


@pytest.mark.parametrize("ran", [Implementation("stock", "why"), Implementation("own"), NOT_RECORDED])
def test_what_is_recorded_is_read_again(ran: Implementation) -> None:
    """Of an execution that recorded nothing, nothing is known."""
    execution = metadata_store_pb2.Execution()
    for key, text in ran.as_properties().items():
        execution.custom_properties[key].string_value = text

    assert implementation.of_properties(execution.custom_properties) == ran
    assert set(execution.custom_properties) == set(ran.as_properties())
