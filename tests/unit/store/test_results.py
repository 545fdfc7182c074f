"""What a finished run tells its caller."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headrace.errors import ExecutorError, RunError, TrainingError, UnknownNodeError
from headrace.store.results import NodeResult, NodeState, RunResult


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


def test_every_node_that_failed_is_named():
    """The first failure is raised; the others are not lost."""
    error = TrainingError("Trainer: NaN.", "lower the rate.")
    first = NodeResult("Trainer", NodeState.FAILED, error=error)
    second = NodeResult("Tuner", NodeState.FAILED)

    with pytest.raises(TrainingError) as raised:
        result_of(first, second).raise_for_failure()

    assert str(raised.value) == "Trainer: NaN.\n  Fix: lower the rate.\n  Also failed: Tuner"


def test_a_cancelled_run_says_how_to_resume():
    """Where nothing is known to type, nothing is suggested."""
    cancelled = result_of(NodeResult("Trainer", NodeState.CANCELLED))
    with pytest.raises(RunError, match=r"^run 2026-11-21-1 was cancelled.\n  Fix: start it again.$"):
        cancelled.raise_for_failure()
    with pytest.raises(RunError, match=r"Fix: run: headrace resume 2026-11-21-1 --store s$"):
        replace(cancelled, resume_command="headrace resume 2026-11-21-1 --store s").raise_for_failure()


@pytest.mark.parametrize(
    ("state", "is_success", "is_planned_well"),
    [
        (NodeState.DONE, True, True),
        (NodeState.CACHED, True, True),
        (NodeState.SKIPPED, True, True),
        (NodeState.NOT_SELECTED, True, True),
        (NodeState.FAILED, False, False),
        (NodeState.CANCELLED, False, False),
        (NodeState.WAITING, False, True),
        (NodeState.RUNNING, False, True),
    ],
)
def test_only_a_run_whose_nodes_ended_well_is_a_success(
    state: NodeState, is_success: bool, is_planned_well: bool
):
    """A run that broke off before its end has nodes that wait: it did not do its work. A plan has them too."""
    result = result_of(NodeResult("A", NodeState.DONE), NodeResult("B", state))

    assert result.is_success is is_success
    assert replace(result, is_plan=True).is_success is is_planned_well
    if not is_success:
        with pytest.raises(RunError):
            result.raise_for_failure()


def test_a_failure_that_the_run_does_not_need_is_none():
    """A node that was cancelled is another matter: the run did not come to its end."""
    failed = result_of(NodeResult("B", NodeState.FAILED, is_optional=True))
    cancelled = result_of(NodeResult("B", NodeState.CANCELLED, is_optional=True))

    assert (failed.is_success, failed.failed) == (True, ())
    assert not cancelled.is_success


def test_an_unknown_node_is_answered_with_those_there_are():
    """Not by the end of an iteration, which would end a loop around it in silence."""
    with pytest.raises(UnknownNodeError) as raised:
        result_of(NodeResult("Trainer", NodeState.DONE)).node("Trianer")

    assert str(raised.value) == (
        "run 2026-11-21-1 has no node 'Trianer'. It has 'Trainer'.\n"
        "  Fix: did you mean 'Trainer'? Correct the name."
    )
