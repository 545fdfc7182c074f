"""Side processes: results, errors and progress come back; in a process of their own, for they are forked."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from headrace.errors import DataError, ExecutorError
from headrace.runtime.processes import side_processes
from headrace.runtime.processes.process_groups import children_of
from headrace.runtime.processes.side_processes import SideProcesses
from headrace.runtime.progress import Progress


def _load(pickled: bytes) -> Any:
    return pickle.loads(pickled)


def _call(beside: SideProcesses, function: Any, *arguments: Any) -> Any:
    return beside.call(function.__name__, pickle.dumps(function), _load, arguments)


def _own_pid() -> int:
    return os.getpid()


def _slow_pid() -> int:
    time.sleep(0.3)
    return os.getpid()


def _refuse(what: str) -> None:
    raise DataError(f"no {what}", "give some")


class _Unpicklable(Exception):
    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} and {other}")


def _raise_unpicklable() -> None:
    raise _Unpicklable(1, 2)


def _count(progress: Progress, rows: int) -> None:
    progress.report("counting")
    time.sleep(0.25)
    progress.add_rows(rows)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _check() -> None:
    reported: list[Any] = []
    progress = Progress(lambda doing, rows: reported.append((doing, rows)))
    beside = SideProcesses(2, progress)
    assert len(beside) == 2
    assert pickle.loads(pickle.dumps(beside)) is beside
    assert _call(beside, _own_pid) != os.getpid()

    with pytest.raises(DataError) as refused:
        _call(beside, _refuse, "bread")
    assert str(refused.value) == "no bread\n  Fix: give some"
    assert "_refuse" in str(refused.value.__cause__)
    with pytest.raises(RuntimeError, match=r"^_Unpicklable: 1 and 2$"):
        _call(beside, _raise_unpicklable)

    _call(beside, _count, progress, 7)
    assert reported == [("counting", None), ("counting", 7)]

    # Another takes the place of one that was killed, however many are.
    for _ in range(5):
        with pytest.raises(ExecutorError, match=r"^a process that worked beside the node's own was killed"):
            _call(beside, _die)
        assert beside.num_alive == 2
    with ThreadPoolExecutor(2) as pool:
        pids = list(pool.map(lambda _: _call(beside, _slow_pid), range(2)))
    assert len({*pids, os.getpid()}) == 3
    _call(beside, _count, progress, 7)
    assert reported[-1] == ("counting", 14)

    # With what forks them dead too, nobody waits for one.
    for pid in children_of(os.getpid()) or ():
        os.kill(pid, signal.SIGKILL)
    # A killed process may still answer for a moment.
    deadline = time.monotonic() + 20
    while beside.num_alive and time.monotonic() < deadline:
        with contextlib.suppress(ExecutorError):
            _call(beside, _own_pid)
    assert beside.num_alive < 1
    for _ in range(3):
        with pytest.raises(ExecutorError):
            _call(beside, _own_pid)


def test_results_errors_progress_and_death() -> None:
    """Forked from a process without threads, so from none of pytest's."""
    done = subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_without_side_processes_there_is_no_count() -> None:
    assert len(SideProcesses()) == 0
    assert side_processes.num_processors() >= 1


if __name__ == "__main__":
    _check()
    os._exit(0)
