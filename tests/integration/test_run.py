"""The engine on real Beam, real ML Metadata and real worker processes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nodes
import pytest
from conftest_runs import Run, chain, open_store, run, states, store, text_of
from ml_metadata.proto import metadata_store_pb2

import headrace
from headrace.errors import ExecutorError, StoreError

_ = (run, store)  # fixtures


@pytest.fixture
def workers() -> None:
    """Each run here starts and ends a server of its own."""


def test_a_pipeline_runs_and_its_second_run_comes_from_the_cache(run: Run, tmp_path: Path):
    first, second = run(*chain("hello")), run(*chain("hello"))

    assert states(first) == {"Make": "done", "Use": "done"}
    assert text_of(first, "Use") == "used hello"
    assert states(second) == {"Make": "cached", "Use": "cached"}
    assert second.node("Use").reason == f"same code, parameters and inputs as in run {first.run_id}"
    assert second.node("Use").outputs == first.node("Use").outputs
    assert not list((tmp_path / "store" / "running").iterdir())
    assert not (tmp_path / "store" / "artifacts" / "test" / ".unfinished").exists()


def test_the_store_reads_as_tfx_writes_it(run: Run, store: str):
    """Plain ML Metadata finds TFX's contexts, executions, events and types."""
    result = run(*chain())

    database = open_store(store)
    contexts = {(c.type, c.name) for c in database.get_contexts()}
    assert {
        ("pipeline", "test"),
        ("pipeline_run", result.run_id),
        ("node", "test.Make"),
        ("node", "test.Use"),
    } <= contexts
    executions = {e.type: e for e in database.get_executions()}
    use = executions["nodes.Use"]
    assert use.last_known_state == metadata_store_pb2.Execution.COMPLETE
    events = database.get_events_by_execution_ids([use.id])
    assert [(e.type, e.path.steps[0].key) for e in events] == [
        (metadata_store_pb2.Event.INPUT, "given"),
        (metadata_store_pb2.Event.OUTPUT, "out"),
    ]
    artifacts = database.get_artifacts_by_id([e.artifact_id for e in events])
    assert {a.type for a in artifacts} == {"Schema"}
    assert {a.state for a in artifacts} == {metadata_store_pb2.Artifact.LIVE}


def test_changed_parameters_run_and_equal_content_lets_successors_hit(run: Run):
    """A node that runs again and makes the same content does not make its successors run."""

    def build(text: str) -> list[Any]:
        make = nodes.Make(text=text)
        constant = nodes.Constant(given=make.outputs["out"])
        return [make, constant, nodes.Use(given=constant.outputs["out"])]

    run(*build("one"))
    second = run(*build("two"))

    assert states(second) == {"Make": "done", "Constant": "done", "Use": "cached"}


def test_independent_nodes_overlap(run: Run, tmp_path: Path):
    """A then B run beside C: A ends only when C has begun, and C only when B has."""
    begun = {name: str(tmp_path / f"{name} has begun") for name in "ABC"}
    a = nodes.Meet(mine=begun["A"], other=begun["C"]).with_id("A")
    b = nodes.Meet(given=a.outputs["out"], mine=begun["B"], other=begun["A"]).with_id("B")
    c = nodes.Meet(mine=begun["C"], other=begun["B"]).with_id("C")

    result = run(a, b, c, workers=2)

    assert states(result) == {"A": "done", "B": "done", "C": "done"}


def test_a_failure_stops_what_depends_on_it_and_leaves_nothing_half_written(
    run: Run, store: str, tmp_path: Path
):
    make = nodes.Make()
    fail = nodes.Fail(given=make.outputs["out"])
    after = nodes.Use(given=fail.outputs["out"])
    beside = nodes.Constant(given=make.outputs["out"])

    result = run(make, fail, after, beside)

    assert not result.is_success
    assert states(result) == {"Make": "done", "Fail": "failed", "Constant": "done", "Use": "skipped"}
    assert result.node("Use").reason == "upstream Fail failed"
    error = result.node("Fail").error
    assert isinstance(error, ExecutorError)
    assert "nodes.py:" in error.problem
    assert "ValueError: nothing good comes of this" in error.problem
    with open(result.node("Fail").log_path, encoding="utf-8") as log:
        assert "Traceback" in log.read()
    assert not (tmp_path / "store" / "artifacts" / "test" / "Fail").exists()
    [failed] = [e for e in open_store(store).get_executions() if e.type == "nodes.Fail"]
    assert failed.last_known_state == metadata_store_pb2.Execution.FAILED


def _options(**values: int) -> Any:
    from tfx.dsl.experimental.node_execution_options import utils

    return utils.NodeExecutionOptions(**values)


def test_retries_keep_only_the_good_attempt(run: Run, store: str, tmp_path: Path):
    flaky = nodes.FailTimes(counter=str(tmp_path / "counter"), times=2)
    flaky.with_node_execution_options(_options(max_execution_retries=2))

    result = run(flaky)

    assert states(result) == {"FailTimes": "done"}
    found = [e.last_known_state for e in open_store(store).get_executions()]
    assert found == [
        metadata_store_pb2.Execution.FAILED,
        metadata_store_pb2.Execution.FAILED,
        metadata_store_pb2.Execution.COMPLETE,
    ]
    assert len(open_store(store).get_artifacts()) == 1


def test_a_timeout_stops_the_work(run: Run):
    slow = headrace.options(nodes.Make(seconds=600.0), timeout_seconds=1)

    result = run(slow)

    assert str(result.node("Make").error) == (
        "Make was stopped after its limit of 1 s.\n"
        "  Fix: raise its limit, headrace.options(node, timeout_seconds=...), or give the node less work."
    )


def test_a_killed_worker_is_named_with_its_signal(run: Run):
    error = run(nodes.KillItself()).node("KillItself").error

    assert error is not None
    assert error.problem == (
        "KillItself: its process was killed by signal SIGKILL. "
        "The system kills a process so when memory runs out."
    )


def test_the_cache_key_ingredients_are_recorded(run: Run, store: str):
    run(nodes.Make(text="hello"))

    [execution] = open_store(store).get_executions()
    recorded = json.loads(execution.custom_properties["headrace_cache_ingredients"].string_value)

    assert recorded["executor"] == "Make_Executor"
    assert recorded["parameters"]["text"] == "hello"


def test_a_read_only_store_is_refused(run: Run, tmp_path: Path):
    if os.geteuid() == 0:
        (tmp_path / "store").write_text("a file where the folder should be")
    else:
        (tmp_path / "store").mkdir(mode=0o500)

    with pytest.raises(StoreError, match=r"the store .* cannot be written"):
        run(nodes.Make())
