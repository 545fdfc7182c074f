"""A database that another process writes to is waited for, in a queue, and who is waited for is said."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from store.store_records import RUNNING, add_execution

from headrace.errors import StoreError
from headrace.store import locks
from headrace.store.garbage import collection
from headrace.store.garbage.policy import Keeping
from headrace.store.open import write_queue
from headrace.store.open.store import Store

HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
connection.rollback()
"""

WRITE = """
import sys
sys.path.insert(0, sys.argv[2])
from store.store_records import RUNNING, add_execution
from headrace.store.open.store import Store
with Store(sys.argv[1]).open() as store:
    for _ in range(20):
        add_execution(store, RUNNING)
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    with Store(str(tmp_path / "store")).open() as opened:
        add_execution(opened, RUNNING)
    return str(tmp_path / "store")


@pytest.fixture
def holder(path: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the database for writing until it is told to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, f"{path}/metadata.db"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(write_queue, "_QUIET_SECONDS", 0.2)


def test_a_busy_database_is_waited_for(path: str, holder: subprocess.Popen[str]):
    """And whom it waits for is said, once."""
    said: list[str] = []

    def speak(text: str) -> None:
        said.append(text)
        assert holder.stdin is not None
        holder.stdin.write("\n")
        holder.stdin.flush()

    store = Store(path)
    store.report = speak
    with store.open():
        add_execution(store, RUNNING)
        holder.wait()
        with store.handle() as handle:
            assert len(handle.store.get_executions()) == 2

    [text] = said
    assert re.fullmatch(
        rf"waiting for the store's database: process {holder.pid} \({re.escape(sys.executable)} -c .*\)", text
    )


def test_reading_waits_for_nobody(path: str, holder: subprocess.Popen[str], monkeypatch):
    monkeypatch.setattr(write_queue, "LIMIT_SECONDS", 0.0)

    with Store(path).open() as store, store.handle() as handle:
        assert len(handle.store.get_executions()) == 1
    assert collection.look(Store(path), Keeping()).artifacts == ()


def test_who_holds_it_too_long_is_named(path: str, holder: subprocess.Popen[str], monkeypatch):
    monkeypatch.setattr(write_queue, "LIMIT_SECONDS", 0.5)
    store = Store(path)
    store.report = lambda text: None

    with store.open(), pytest.raises(StoreError) as caught:
        add_execution(store, RUNNING)

    assert re.fullmatch(
        rf"the store's database {re.escape(path)}/metadata.db was in use by another process for 0 s: process "
        rf"{holder.pid} \(.*\)\.\n  Fix: end that process, or what it does with the database, then start again; what "
        r"was recorded is kept\.",
        str(caught.value),
    )


def test_who_stands_in_the_queue_too_long_gives_up(path: str, monkeypatch):
    """The process before it is stopped; its place in the queue is free again when it goes on."""
    monkeypatch.setattr(write_queue, "LIMIT_SECONDS", 0.5)
    holding = subprocess.Popen(
        ["flock", f"{path}/write.lock", "sh", "-c", "echo held; read line"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holding.stdout is not None
    assert holding.stdout.readline() == "held\n"
    store = Store(path)
    store.report = lambda text: None

    with pytest.raises(StoreError, match="was in use by another process"), store.open():
        pass
    holding.communicate("\n")

    with store.open():
        add_execution(store, RUNNING)
    _until(lambda: not any(t.name == "headrace-write-queue" for t in threading.enumerate()))


def _until(holds) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_many_processes_write_at_once(path: str):
    """Each finds its turn; none is told that another wrote."""
    tests = str(Path(__file__).parent.parent / "unit")
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITE, path, tests], stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    ends = [(writer.communicate()[1], writer.returncode) for writer in writers]

    assert ends == [("", 0)] * 4
    with Store(path).open() as store, store.handle() as handle:
        assert len(handle.store.get_executions()) == 81


def test_a_run_is_locked_from_its_first_moment(path: str):
    """Processes that mend all the time never take a living run for a dead one."""
    script = (
        "import sys\nfrom headrace.store import locks\nfrom headrace.store.open.store import Store\n"
        "store = Store(sys.argv[1])\nwith store.open():\n    print('ready', flush=True)\n"
        "    while True:\n        assert locks.mend(store) == []\n"
    )
    mender = subprocess.Popen(
        [sys.executable, "-c", script, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert mender.stdout is not None
    assert mender.stdout.readline() == b"ready\n"
    try:
        with Store(path).open() as store:
            for number in range(100):
                with locks.living_run(store, f"run-{number}", store.artifacts_path):
                    assert locks.living_runs(store) == [f"run-{number}"]
        assert mender.poll() is None
    finally:
        mender.kill()
        mender.communicate()
