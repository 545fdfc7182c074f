"""Whatever lies among a store's files and is not the store's own: it does no harm, and comes to none."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path

import pytest
from store.store_records import COMPLETE, add_execution, die, files_of

from headrace.authoring.light import authoring
from headrace.errors import StoreError
from headrace.runtime.processes import process_groups
from headrace.store import locks
from headrace.store.open.store import Store

with authoring():
    from ml_metadata.proto import metadata_store_pb2 as proto

pytestmark = pytest.mark.usefixtures("temporary")
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


@pytest.mark.parametrize("name", list(ODD))
def test_odd_files_among_the_runs_do_no_harm(store: Store, name: str):
    """They are of no living run, and go."""
    Path(store.path, "running", name).write_text(ODD[name])

    assert locks.living_runs(store) == []
    locks.mend(store)

    assert os.listdir(os.path.join(store.path, "running")) == []


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
