"""What a finished run tells its caller."""

from __future__ import annotations

import pytest

from headrace.errors import ExecutorError, RunError
from headrace.metadata.results import NodeResult, NodeState, RunResult


def result_of(*nodes: NodeResult) -> RunResult:
    return RunResult("2026-11-21-1", "taxi", nodes, 3.0, "store")


def test_what_is_raised_for_a_failed_node_names_its_log():
    error = ExecutorError("Trainer failed after 1 s:\n    ValueError: x", "correct build_model")
    node = NodeResult("Trainer", NodeState.FAILED, error=error, log_path="logs/Trainer.log")

    with pytest.raises(ExecutorError) as raised:
        result_of(node).raise_for_failure()

    assert str(raised.value) == (
        "Trainer failed after 1 s:\n    ValueError: x\n  Fix: correct build_model\n  Log: logs/Trainer.log"
    )
    assert "Log" not in str(error), "the run's summary prints the log itself"


def test_a_message_that_names_the_log_is_raised_as_it_is():
    error = ExecutorError("Trainer was killed.", "read logs/Trainer.log")
    node = NodeResult("Trainer", NodeState.FAILED, error=error, log_path="logs/Trainer.log")

    with pytest.raises(ExecutorError) as raised:
        result_of(node).raise_for_failure()

    assert raised.value is error


def test_a_cancelled_run_says_how_to_resume():
    with pytest.raises(RunError, match="headrace resume 2026-11-21-1"):
        result_of(NodeResult("Trainer", NodeState.CANCELLED)).raise_for_failure()
