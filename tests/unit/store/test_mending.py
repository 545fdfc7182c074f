"""What the next start does about runs whose process is gone."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import pytest
from store.store_records import CACHED, COMPLETE, FAILED, RUNNING, add_execution, die, state_of
from stored import list_runs

from headrace.authoring.light import authoring
from headrace.runtime.processes import process_groups
from headrace.store import locks
from headrace.store.open.store import Store
from headrace.store.record import unpublished
from headrace.store.record.publications import publish_run
from headrace.store.record.unpublished import Unpublished
from headrace.store.results import RunResult

with authoring():
    from ml_metadata.proto import metadata_store_pb2 as proto

pytestmark = pytest.mark.usefixtures("temporary")


def test_a_run_that_ends_by_an_exception_is_mended_by_the_next_start(store: Store, temporary: Path):
    """Its last record could not be written: it says running, and so do its executions."""
    execution = add_execution(store, RUNNING, "dead")
    publish_run(store, RunResult("dead", "p", (), 1.0, store.path), "running", datetime.now(timezone.utc), {})
    die(store)
    assert locks.living_runs(store) == []
    assert [run.state for run in list_runs(store.path)] == ["crashed"]

    assert locks.mend(store) == ["dead"]

    assert state_of(store, execution) == proto.Execution.CANCELED
    assert [run.state for run in list_runs(store.path)] == ["crashed"]
    assert os.listdir(os.path.join(store.path, "running")) == []
    assert os.listdir(temporary) == []


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
def test_a_run_that_was_killed_after_its_end_stays_as_it_ended(store: Store, state: str):
    """It was recorded to its end, and killed while it removed its temporary files."""
    publish_run(store, RunResult("dead", "p", (), 1.0, store.path), state, datetime.now(timezone.utc), {})
    die(store)

    assert locks.mend(store) == ["dead"]

    assert [run.state for run in list_runs(store.path)] == [state]


@pytest.mark.parametrize(
    ("state", "is_kept"), [(COMPLETE, True), (CACHED, False), (FAILED, False), (RUNNING, False)]
)
def test_outputs_of_the_dead_go_unless_they_are_on_record(store: Store, state: int, is_kept: bool):
    """Killed after the record and before the mark of what is not published was gone: they stay."""
    execution = add_execution(store, state, "dead")
    [path] = (
        Unpublished(store, execution)
        .make_outputs([f"{store.artifacts_path}/p/Make/out/{execution}"])
        .values()
    )
    die(store)

    locks.mend(store)

    assert os.path.exists(path) is is_kept
    assert not os.path.exists(os.path.join(store.path, unpublished.FOLDER))
    assert len(list(Path(store.artifacts_path).rglob(".*"))) == 0


def test_outputs_of_the_living_stay(store: Store):
    execution = add_execution(store, RUNNING, "alive")
    [path] = (
        Unpublished(store, execution)
        .make_outputs([f"{store.artifacts_path}/p/Make/out/{execution}"])
        .values()
    )

    with locks.living_run(store, "alive", store.artifacts_path):
        locks.mend(store)

    assert os.path.exists(path)


def test_what_the_first_version_wrote_aside_goes_with_its_execution(store: Store, tmp_path: Path):
    """Of an execution that lives, or that this database does not know, it stays; and so does what a link leads to."""
    ended, running = add_execution(store, FAILED), add_execution(store, RUNNING)
    aside = Path(store.artifacts_path, "p", ".unfinished")
    huge = str(10**30)
    for name in (str(ended), str(running), "900", "mine", huge):
        (aside / name / "out").mkdir(parents=True)
    alone = Path(store.artifacts_path, "q", ".unfinished", str(ended))
    alone.mkdir(parents=True)
    mine = tmp_path / "mine" / ".unfinished" / str(ended)
    mine.mkdir(parents=True)
    Path(store.artifacts_path, "linked").symlink_to(tmp_path / "mine")

    locks.mend(store)

    assert sorted(path.name for path in aside.iterdir()) == sorted([str(running), "900", "mine", huge])
    assert not alone.parent.exists()
    assert mine.exists()


def test_files_that_a_kill_left_go_with_the_next_start(store: Store):
    """The lock of a key whose node was being made, and a text that was being kept; what lives is left."""
    for name in ("keys/dead", "starting/half"):
        Path(store.path, name).parent.mkdir(exist_ok=True)
        Path(store.path, name).touch()

    with locks.making(store, "alive", lambda: None):
        locks.mend(store)
        assert os.listdir(os.path.join(store.path, "keys")) == ["alive"]

    assert os.listdir(os.path.join(store.path, "keys")) == []
    assert os.listdir(os.path.join(store.path, "starting")) == []


def test_a_temporary_folder_without_its_word_yet_goes_if_it_is_empty(store: Store, temporary: Path):
    """Killed between the folder and the word in it."""
    text = json.loads(die(store))
    for end in ("empty000", "filled00"):
        (temporary / f"headrace-{text['token']}-{end}").mkdir()
    (temporary / f"headrace-{text['token']}-filled00" / "file").touch()

    locks.mend(store)

    assert os.listdir(temporary) == [f"headrace-{text['token']}-filled00"]


def start_marked(mark: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, process_groups.SERVER_MARK: mark}
    return subprocess.Popen(["sleep", "600"], env=environment, start_new_session=True)


@pytest.mark.parametrize(("process", "is_ended"), [("999999999 1 boot", True), ("", True), ("living", False)])
def test_what_a_dead_process_started_ends_before_its_files_go(store: Store, process: str, is_ended: bool):
    """In a session of its own; of a process that lives on, what it started may be another run's."""
    text = json.loads(die(store))
    text["process"] = process_groups.identity(os.getpid()) if process == "living" else process
    Path(store.path, "running", "dead").write_text(json.dumps(text))
    started, another = start_marked(f"{text['family']}.1."), start_marked(f"{text['family']}0.1.")

    locks.mend(store)

    try:
        assert another.poll() is None
        if is_ended:
            # Killed, its memory given back; whether it is a zombie by now is the system's to say.
            started.wait(10)
        else:
            assert started.poll() is None
    finally:
        for process_started in (started, another):
            process_started.kill()
            process_started.wait()
