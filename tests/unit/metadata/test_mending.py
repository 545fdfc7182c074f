"""What the next start does about runs whose process is gone, and about whatever else it finds."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
from metadata.store_records import CACHED, COMPLETE, FAILED, RUNNING, add_execution, files_of, state_of

from headrace.errors import DefinitionError, StoreError
from headrace.metadata import locks, markers, unpublished
from headrace.metadata.publications import publish_run
from headrace.metadata.results import RunResult
from headrace.metadata.runs import list_runs
from headrace.metadata.store import Store
from headrace.metadata.unpublished import Unpublished
from headrace.sdk import process_groups
from headrace.sdk.light import authoring

with authoring():
    from ml_metadata.proto import metadata_store_pb2 as proto

NOW = datetime(2026, 11, 30, tzinfo=timezone.utc)
ODD = {
    "empty": "",
    "nonsense": "nonsense",
    "list": "[]",
    "number": "5",
    "null": "null",
    "numbers": '{"token": 1, "store_id": 2, "tmp_parent": 3, "process": 4, "family": 5}',
    "half": '{"token": "0123',
    "latest": "{}",
    "deep": "[" * 100_000,
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(str(tmp_path / "store")).open() as opened:
        yield opened


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch) -> Path:
    """The temporary folder of these tests."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def die(store: Store, run_id: str = "dead", root: str = "") -> str:
    """Leave the marker of a run that did not end in order; return its text."""
    with pytest.raises(KeyboardInterrupt), locks.living_run(store, run_id, root or store.artifacts_path):
        raise KeyboardInterrupt
    return Path(store.path, "running", run_id).read_text()


def test_a_run_that_ends_in_order_leaves_nothing(store: Store, temporary: Path):
    with locks.living_run(store, "run", store.artifacts_path) as tmp_path:
        assert locks.living_runs(store) == ["run"]
        assert os.stat(tmp_path).st_mode & 0o777 == 0o700
        assert locks.mend(store) == []

    assert locks.living_runs(store) == []
    assert os.listdir(os.path.join(store.path, "running")) == []
    assert os.listdir(temporary) == []


def test_a_run_that_ends_by_an_exception_is_mended_by_the_next_start(store: Store, temporary: Path):
    """Its last record could not be written: it says running, and so do its executions."""
    execution = add_execution(store, RUNNING, "dead")
    publish_run(store, RunResult("dead", "p", (), 1.0, store.path), "running", NOW, {})
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
    publish_run(store, RunResult("dead", "p", (), 1.0, store.path), state, NOW, {})
    die(store)

    assert locks.mend(store) == ["dead"]

    assert [run.state for run in list_runs(store.path)] == [state]


def test_a_living_run_is_shown_as_running(store: Store):
    publish_run(store, RunResult("alive", "p", (), 1.0, store.path), "running", NOW, {})

    with locks.living_run(store, "alive", store.artifacts_path):
        assert [run.state for run in list_runs(store.path)] == ["running"]


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


@pytest.mark.parametrize("name", list(ODD))
def test_odd_files_among_the_runs_do_no_harm(store: Store, name: str):
    """They are of no living run, and go."""
    Path(store.path, "running", name).write_text(ODD[name])

    assert locks.living_runs(store) == []
    locks.mend(store)

    assert os.listdir(os.path.join(store.path, "running")) == []


def test_another_users_file_ends_no_process_and_removes_no_folder(store: Store, temporary: Path, monkeypatch):
    """In a store that several share, anybody may write a file that names the processes of somebody else."""
    ended: list[str] = []
    monkeypatch.setattr(process_groups, "kill_marked", ended.append)
    text = die(store)
    folder = temporary / f"headrace-{json.loads(text)['token']}-x"
    folder.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)

    assert locks.mend(store) == ["dead"]

    assert ended == []
    assert folder.is_dir()


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


def test_what_is_no_file_among_the_runs_is_left_alone(store: Store, tmp_path: Path):
    """A folder, a link, and a pipe, whose opening would wait for ever."""
    running = Path(store.path, "running")
    (running / "folder").mkdir()
    (tmp_path / "mine").write_text("mine")
    (running / "link").symlink_to(tmp_path / "mine")
    os.mkfifo(running / "pipe")

    assert locks.mend(store) == []
    with locks.living_run(store, "run", store.artifacts_path):
        assert locks.living_runs(store) == ["run"]

    assert sorted(os.listdir(running)) == ["folder", "link", "pipe"]
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_folder_of_runs_that_is_a_link_is_not_followed(store: Store, tmp_path: Path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis").write_text("years of work")
    os.rmdir(os.path.join(store.path, "running"))
    os.symlink(mine, os.path.join(store.path, "running"))

    assert locks.mend(store) == []

    assert (mine / "thesis").read_text() == "years of work"


@pytest.mark.parametrize(
    "name",
    [
        "open.lock",
        "write.lock",
        "choice.lock",
        "identity.new",
        "place.json.new",
        "metadata_at",
        "stamp",
        "running",
        "keys",
    ],
)
def test_links_in_the_place_of_a_stores_files_lead_nowhere(tmp_path: Path, name: str):
    """What they name is neither emptied nor filled: the link is replaced, or the store is refused."""
    mine = tmp_path / "mine"
    mine.write_text("years of work")
    folder = tmp_path / "store"
    folder.mkdir()
    (folder / name).symlink_to(mine)

    with contextlib.suppress(StoreError), Store(str(folder)).open() as store:
        with locks.living_run(store, "run", store.artifacts_path), locks.choosing(store):
            add_execution(store, COMPLETE)
        locks.mend(store)

    assert mine.read_text() == "years of work"


def test_a_note_of_a_database_counts_in_the_store_that_wrote_it(tmp_path: Path):
    """A copy, or a store from elsewhere, must not write to the database of another."""
    config = proto.ConnectionConfig(
        sqlite=proto.SqliteMetadataSourceConfig(filename_uri=str(tmp_path / "mine.db"))
    )
    with Store(str(tmp_path / "store"), config).open():
        pass
    shutil.copytree(tmp_path / "store", tmp_path / "copy")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "metadata_at").write_text(str(tmp_path / "mine.db"))

    assert Store(str(tmp_path / "store")).database_path == str(tmp_path / "mine.db")
    for name in ("copy", "foreign"):
        assert Store(str(tmp_path / name)).database_path == str(tmp_path / name / "metadata.db")


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


def test_markers_from_elsewhere_remove_nothing(store: Store, tmp_path: Path, temporary: Path):
    """They name folders of this user's: directly, as an earlier version did, and by every part of today's form."""
    token = "0123456789abcdef"
    mine = tmp_path / "mine"
    owned = mine / f"headrace-{token}-abcdefgh"
    linked = temporary / f"headrace-{token}-linkedxx"
    owned.mkdir(parents=True)
    (owned / "owner").write_text("fedcba9876543210")
    (owned / "thesis").write_text("years of work")
    (mine / ".unfinished" / "1").mkdir(parents=True)
    linked.symlink_to(mine)
    form = {"token": token, "store_id": store.store_id, "process": "1 1 1", "family": token}
    texts = [
        {"pid": 1, "root": str(mine), "tmp": str(mine)},
        {**form, "tmp_parent": str(mine)},
        {**form, "tmp_parent": str(temporary)},
        {**form, "tmp_parent": str(mine), "token": "../../mine"},
        {**form, "tmp_parent": str(mine), "store_id": "fedcba9876543210"},
    ]
    for number, text in enumerate(texts):
        Path(store.path, "running", f"run-{number}").write_text(json.dumps(text))
    before = files_of(mine)

    assert len(locks.mend(store)) == len(texts)

    assert files_of(mine) == before
    assert linked.is_symlink()


def test_a_temporary_folder_without_its_word_yet_goes_if_it_is_empty(store: Store, temporary: Path):
    """Killed between the folder and the word in it."""
    text = json.loads(die(store))
    for end in ("empty000", "filled00"):
        (temporary / f"headrace-{text['token']}-{end}").mkdir()
    (temporary / f"headrace-{text['token']}-filled00" / "file").touch()

    locks.mend(store)

    assert os.listdir(temporary) == [f"headrace-{text['token']}-filled00"]


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
        assert (started.poll() is not None) is is_ended
    finally:
        for process_started in (started, another):
            process_started.kill()
            process_started.wait()


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
