"""Which records of how a run was started count: those that this user wrote in this store."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from small_stores import SmallStore

from headrace.store.open.store import Store
from headrace.store.read.run_records import record_of
from headrace.store.read.starts import START_PROPERTY
from headrace.store.record.publications import publish_run
from headrace.store.records import RECORD_PROPERTY
from headrace.store.results import RunResult
from headrace.store.session import Start, open_store

NOW = datetime(2026, 11, 30, tzinfo=timezone.utc)
CONFIGURATION = {"pipeline": "pipeline.py", "parameters": {"steps": 7}}


@pytest.fixture(autouse=True)
def key(tmp_path: Path, monkeypatch) -> Path:
    """This user's folder of keys."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose run was started in a folder of it."""
    folder = tmp_path / "project"
    details = {"configuration": CONFIGURATION, "script": "", "folder": str(folder / "work")}
    with Store(str(folder / ".headrace")).open() as store:
        publish_run(store, RunResult("run-1", "demo", (), 1.0, ""), "failed", NOW, details)
    return folder


def start_in(folder: Path, run_id: str = "run-1") -> Start:
    with open_store(folder / ".headrace") as store:
        return store.start(run_id)


def change(folder: Path, how: Callable[[dict[str, Any]], Any]) -> None:
    """Change what is recorded of the run."""
    with Store(str(folder / ".headrace")).open() as store:
        with store.handle() as handle:
            record = record_of(handle, "run-1")
        how(record)
        SmallStore(store).set_property("run-1", RECORD_PROPERTY, json.dumps(record))


def test_what_this_user_recorded_counts_where_it_was_recorded(project: Path):
    """Also in a project that was moved since."""
    wanted = Start(str(project / "work"), CONFIGURATION, "", is_trusted=True)

    assert (start_in(project), wanted.pipeline) == (wanted, "pipeline.py")
    moved = project.rename(project.parent / "moved")
    assert start_in(moved) == Start(str(moved / "work"), CONFIGURATION, "", is_trusted=True)


def forge(record: dict[str, Any]) -> None:
    """As who knows the form and has another key would write it."""
    signed = base64.b64decode(record[START_PROPERTY])
    record[START_PROPERTY] = base64.b64encode(signed.replace(b"pipeline.py", b"otherline.py")).decode()


@pytest.mark.parametrize(
    "how",
    [
        forge,
        lambda record: record.pop(START_PROPERTY),
        lambda record: record.update({START_PROPERTY: "nonsense"}),
        lambda record: record.update({START_PROPERTY: {"store": 1}}),
    ],
)
def test_what_was_changed_does_not_count(project: Path, how: Callable[[dict[str, Any]], Any]):
    """What it says is told all the same."""
    change(project, how)

    assert start_in(project) == Start(str(project / "work"), CONFIGURATION, "")


def test_the_details_beside_it_say_nothing(project: Path):
    """Who may write the database may write them."""
    change(project, lambda record: record["details"].update(configuration={"pipeline": "other.py"}))

    assert start_in(project).configuration == CONFIGURATION


def test_a_copy_counts_for_nothing(project: Path):
    """Beside it may lie other code than in the original."""
    shutil.copytree(project, project.parent / "copy")

    assert not start_in(project.parent / "copy").is_trusted
    assert start_in(project).is_trusted


def test_another_run_cannot_take_it_over(project: Path):
    with Store(str(project / ".headrace")).open() as store:
        with store.handle() as handle:
            record = record_of(handle, "run-1")
        small = SmallStore(store)
        small.record("run-2")
        small.set_property("run-2", RECORD_PROPERTY, json.dumps(record))

    assert not start_in(project, "run-2").is_trusted


def test_another_users_record_does_not_count(project: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "other"))

    assert not start_in(project).is_trusted


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "5", '"' + "x" * 9, "[" * 100_000, '{"details": []}'])
def test_a_damaged_record_says_nothing(project: Path, text: str):
    with Store(str(project / ".headrace")).open() as store:
        SmallStore(store).set_property("run-1", RECORD_PROPERTY, text)

    assert start_in(project) == Start()
