"""What the store tells of runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import stored
from small_stores import SmallStore, node_record

from headrace.authoring.light import authoring
from headrace.errors import DataError, StoreError, UnknownNodeError
from headrace.store.open.store import Store
from headrace.store.read import run_records
from headrace.store.read.executions import INNER_RUN_PROPERTY
from headrace.store.records import RECORD_PROPERTY
from headrace.store.results import NodeState

with authoring():
    from ml_metadata.proto import metadata_store_pb2 as pb


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallStore]:
    with Store(str(tmp_path / "store")).open() as opened:
        yield SmallStore(opened)


def test_what_a_dead_run_left_running_is_told_and_the_run_called_crashed(small: SmallStore):
    """Executions that were registered and never begun are among them."""
    small.record("run-1", "running")
    for state in (pb.Execution.COMPLETE, pb.Execution.RUNNING, pb.Execution.FAILED, pb.Execution.NEW):
        small.execution(state=state)
    small.execution(state=pb.Execution.RUNNING, run_id="run-2")

    assert sorted(run_records.mark_crashed(small.store, "run-1")) == [2, 4]
    assert stored.read_run(small.store.path, "run-1").run_id == "run-1"
    assert [run.state for run in stored.list_runs(small.store.path)] == ["unknown", "crashed"]
    assert run_records.mark_crashed(small.store, "run-3") == []


def test_the_newest_runs_are_listed_without_the_removed_and_the_inner_ones(small: SmallStore):
    """As many as were asked for, though hidden ones lie between."""
    for number in range(1, 7):
        small.record(f"run-{number}", nodes=[node_record("A", "cached"), node_record("B", "failed")])
    small.set_property("run-6", run_records.REMOVED_PROPERTY, 1)
    small.set_property("run-4", INNER_RUN_PROPERTY, "run-5")

    listed = stored.list_runs(small.store.path, limit=3)

    assert [run.run_id for run in listed] == ["run-5", "run-3", "run-2"]
    assert (listed[0].num_nodes, listed[0].num_cached, listed[0].num_failed) == (2, 1, 1)


def test_secrets_in_a_record_are_not_shown(small: SmallStore):
    """An earlier version recorded them; a message of a library may hold an address with a password."""
    details = {
        "command": "headrace run p --set db_password=hunter2",
        "configuration": {"parameters": {"api_key": "hunter2", "steps": 3}},
    }
    error = ["DataError", "no answer from db://me:hunter2@host/x", "check password=hunter2"]
    small.record("run-1", "failed", [node_record("A", "failed", error=error)], details=details)

    run = stored.read_run(small.store.path, "run-1")

    [node] = run.nodes
    assert "hunter2" not in f"{run.details} {node.error}"
    assert run.details["configuration"] == {"parameters": {"api_key": "***", "steps": 3}}
    assert isinstance(node.error, DataError)
    with small.store.handle() as handle:
        assert run_records.read_command(handle, "run-1") == "headrace run p --set db_password=***"


@pytest.mark.parametrize(
    "text", ["", "nonsense", "[]", "{}", '{"nodes": 5}', '{"nodes": [{}]}', "[" * 100_000]
)
def test_a_damaged_record_counts_as_none_and_the_others_are_listed(small: SmallStore, text: str):
    """What ML Metadata itself knows of the run is shown."""
    small.record("run-1")
    small.record("run-2")
    small.set_property("run-2", RECORD_PROPERTY, text)

    assert [run.state for run in stored.list_runs(small.store.path)] == ["unknown", "succeeded"]
    assert stored.read_run(small.store.path, "run-2").nodes == ()


def test_the_id_of_a_removed_run_stays_taken(small: SmallStore):
    small.record("run-1")
    small.set_property("run-1", run_records.REMOVED_PROPERTY, 1)

    assert run_records.is_known(small.store, "run-1")
    assert not run_records.is_known(small.store, "run-2")
    with pytest.raises(StoreError, match="'run-1' was removed"):
        stored.read_run(small.store.path, "run-1")


def test_a_run_is_read_back_as_it_ended(small: SmallStore):
    """States, outputs and errors with their kinds."""
    output = {"key": "model", "type_name": "Model", "artifact_id": 7, "uri": "/a", "summary": "small"}
    nodes = [
        node_record("A", outputs=[output], execution_id=3),
        node_record("B", "failed", error=["DataError", "too few rows.", "add some"], is_optional=True),
        node_record("C", "failed", error=["NoSuchError", "it was so", ""]),
    ]
    small.record("run-1", "failed", nodes, details={"command": "headrace run taxi"})

    result = stored.read_run(small.store.path, "run-1")

    assert [node.state for node in result.nodes] == [NodeState.DONE, NodeState.FAILED, NodeState.FAILED]
    assert (result.nodes[0].outputs[0].uri, result.nodes[0].execution_id) == ("/a", 3)
    assert type(result.nodes[1].error) is DataError
    assert [node.node_id for node in result.failed] == ["C"]
    assert result.node("B").is_optional
    with pytest.raises(UnknownNodeError, match=r"run run-1 has no node 'D'\. It has 'A', 'B', 'C'"):
        result.node("D")
    with small.store.handle() as handle:
        assert run_records.read_command(handle, "run-1") == "headrace run taxi"
