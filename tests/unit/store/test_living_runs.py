"""Which runs live, and what they hold; which ids they may have."""

from __future__ import annotations

import json
import os
import threading
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path

import pytest
from store.store_records import RUNNING, add_execution, die, state_of
from stored import list_runs

from headrace.authoring.light import authoring
from headrace.errors import DefinitionError
from headrace.store import locks
from headrace.store.open.store import Store
from headrace.store.read import markers
from headrace.store.read.markers import RunMarker
from headrace.store.record.publications import publish_run
from headrace.store.results import RunResult

with authoring():
    from ml_metadata.proto import metadata_store_pb2 as proto

pytestmark = pytest.mark.usefixtures("temporary")


def test_a_run_that_ends_in_order_leaves_nothing(store: Store, temporary: Path):
    with locks.living_run(store, "run", store.artifacts_path) as tmp_path:
        assert locks.living_runs(store) == ["run"]
        assert os.stat(tmp_path).st_mode & 0o777 == 0o700
        assert locks.mend(store) == []

    assert locks.living_runs(store) == []
    assert os.listdir(os.path.join(store.path, "running")) == []
    assert os.listdir(temporary) == []


def test_a_living_run_is_shown_as_running(store: Store):
    publish_run(
        store, RunResult("alive", "p", (), 1.0, store.path), "running", datetime.now(timezone.utc), {}
    )

    with locks.living_run(store, "alive", store.artifacts_path):
        assert [run.state for run in list_runs(store.path)] == ["running"]


def test_a_session_keeps_the_runs_that_it_needs(store: Store):
    """Until its process ends."""
    session = locks.SessionMarker(store)
    for component_id, run_id in [("Rows", "first"), ("Trainer", "second"), ("Rows", "third")]:
        session.add(component_id, run_id)
    assert locks.living_runs(store) == ["second", "third"]
    assert locks.mend(store) == []

    del session

    assert locks.living_runs(store) == []
    locks.mend(store)
    assert os.listdir(os.path.join(store.path, markers.SESSIONS)) == []


def test_garbage_is_not_marked_while_a_node_chooses(store: Store):
    """And nodes choose side by side."""
    entered = threading.Event()

    def discard() -> None:
        with locks.discarding(store):
            entered.set()

    with locks.choosing(store), locks.choosing(store):
        thread = threading.Thread(target=discard)
        thread.start()
        assert not entered.wait(0.1)
    thread.join(timeout=30)

    assert entered.is_set()


@pytest.mark.parametrize("name", ["key-nightly", "x.tmp"])
def test_no_name_of_a_run_is_special(store: Store, name: str):
    execution = add_execution(store, RUNNING, name)
    with locks.living_run(store, name, store.artifacts_path):
        assert locks.living_runs(store) == [name]
    die(store, name)

    assert locks.mend(store) == [name]
    assert state_of(store, execution) == proto.Execution.CANCELED


@pytest.mark.parametrize("name", ["latest", "dry-run", "5", "../x", "a/b", "", "a\nb", "a\0b", "x" * 250])
def test_run_ids_that_lead_elsewhere_or_mean_something_else_are_refused(store: Store, name: str):
    with pytest.raises(DefinitionError, match="cannot be a run id"):
        locks.new_run_id(store, name)
    assert not os.path.exists(os.path.join(store.path, "logs"))


def test_what_a_later_version_adds_to_a_runs_file_is_passed_over():
    """It may have started the run in the same store; who cleans up knows what is needed all the same."""
    marker = RunMarker("0" * 16, "store", "/tmp", "12 34", "1" * 16)

    assert RunMarker.parse(json.dumps({**asdict(marker), "new": 1})) == marker
    assert RunMarker.parse(json.dumps({"token": "0" * 16})) is None
    assert RunMarker.parse("[]") is None
