"""What is done to a command at a random moment, and with which exit codes it may answer."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import process_tree
from arena import Arena, Running

_INT, _TERM, _HUP, _KILL = signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL
_DISK_BYTES = 64 << 20
_BALLAST_BYTES = 4096


@dataclass(frozen=True)
class Hit:
    """What was disturbed.

    Attributes:
        arena: Where the command runs.
        running: The command.
        store: Its store.
        chance: Chooses.
        is_quick: Whether nothing may take long.
    """

    arena: Arena
    running: Running
    store: Path
    chance: random.Random
    is_quick: bool

    def generation(self, number: int) -> list[int]:
        """The processes so many births below the command; empty where there are none."""
        generations = process_tree.descendants(self.running.pid)
        return generations[number - 1] if len(generations) >= number else []


@dataclass(frozen=True)
class Kind:
    """One way to disturb.

    Attributes:
        name: What the table calls it.
        strike: Does it; says what it hit, empty where nothing was there any more.
        exit_codes: What the command may end with, beside 0 where it did all its work.
        ends_in_order: Whether the command itself must leave a clean store; else the next start does.
        victim: What is disturbed: `run`, `gc`, `listener` or `fail fast`.
        needs: `disk` where a small disk must be mounted, `limit` for a limit on files; else empty.
        must_succeed: Whether the command must do its work all the same.
    """

    name: str
    strike: Callable[[Hit], str]
    exit_codes: frozenset[int]
    ends_in_order: bool = False
    victim: str = "run"
    needs: str = ""
    must_succeed: bool = False


def _signal_once(number: signal.Signals, is_group: bool) -> Callable[[Hit], str]:
    def strike(hit: Hit) -> str:
        pid = hit.running.pid
        is_sent = process_tree.send_to_group(pid, number) if is_group else process_tree.send([pid], number)
        return number.name if is_sent else ""

    return strike


def _interrupt_twice(hit: Hit) -> str:
    first = process_tree.send_to_group(hit.running.pid, _INT)
    hit.arena.has_ended(hit.chance.uniform(0.0, 1.0))
    second = process_tree.send_to_group(hit.running.pid, _INT)
    return "twice" if second else "once" if first else ""


def _kill_generation(number: int) -> Callable[[Hit], str]:
    def strike(hit: Hit) -> str:
        there = hit.generation(number)
        victim = hit.chance.choice(there) if there else hit.running.pid
        name = process_tree.name_of(victim) if there else "the command itself"
        return name if process_tree.send([victim], _KILL) else ""

    return strike


def _kill_command(hit: Hit) -> str:
    return "the command" if process_tree.send([hit.running.pid], _KILL) else ""


def _kill_all(hit: Hit) -> str:
    below = [pid for generation in process_tree.descendants(hit.running.pid) for pid in generation]
    return f"{len(below) + 1} processes" if process_tree.send([hit.running.pid, *below], _KILL) else ""


def _kill_command_and_child(hit: Hit) -> str:
    victims = [hit.running.pid, *hit.generation(1)[:1]]
    return f"{len(victims)} processes" if process_tree.send(victims, _KILL) else ""


def _pause(hit: Hit) -> str:
    below = [pid for generation in process_tree.descendants(hit.running.pid) for pid in generation]
    victims = hit.chance.choice([[hit.running.pid], below[:1], below[-1:], [hit.running.pid, *below]])
    is_sent = process_tree.send(victims, signal.SIGSTOP)
    time.sleep(hit.chance.uniform(0.2, 1.0 if hit.is_quick else 4.0))
    process_tree.send(victims, signal.SIGCONT)
    return f"{len(victims)} processes" if is_sent else ""


def _hold_database(hit: Hit) -> str:
    """Be the one who writes to the database, as another program may be, for seconds."""
    path = hit.store / "metadata.db"
    while not path.exists() or not path.stat().st_size:
        if hit.arena.has_ended(0.01):
            return ""
    seconds = hit.chance.uniform(0.5, 4.0 if hit.is_quick else 20.0)
    with contextlib.closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as connection:
        with contextlib.suppress(sqlite3.OperationalError):
            connection.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        with contextlib.suppress(sqlite3.OperationalError):
            connection.execute("ROLLBACK")
    return f"held for {seconds:.1f} s"


def _fill_disk(hit: Hit) -> str:
    disk = hit.store.parent
    room = os.statvfs(disk)
    left = int(10 ** hit.chance.uniform(0, 5.5))
    # The command may take the last bytes first: then the disk is as full as it gets.
    with contextlib.suppress(OSError), (disk / "ballast").open("wb", buffering=0) as file:
        for _ in range(max(room.f_bavail * room.f_bsize - left, 0) // _BALLAST_BYTES):
            file.write(bytes(_BALLAST_BYTES))
    return f"{left:,} bytes left"


def _nothing(hit: Hit) -> str:
    """The command carries its trouble with it."""
    return "by itself"


_RUN_SIGNALLED = frozenset({130, -_INT})
_KILLED = frozenset({-_KILL})
_FAILED = frozenset({1})

KINDS = (
    Kind("Ctrl-C", _signal_once(_INT, True), _RUN_SIGNALLED, ends_in_order=True),
    Kind("SIGINT to the command", _signal_once(_INT, False), _RUN_SIGNALLED, ends_in_order=True),
    Kind("Ctrl-C twice", _interrupt_twice, _RUN_SIGNALLED),
    Kind("SIGTERM", _signal_once(_TERM, False), frozenset({143, -_TERM}), ends_in_order=True),
    Kind("SIGHUP", _signal_once(_HUP, True), frozenset({129, -_HUP})),
    Kind("kill command", _kill_command, _KILLED),
    Kind("kill server", _kill_generation(1), _KILLED | _FAILED),
    Kind("kill worker", _kill_generation(2), _KILLED | _FAILED),
    Kind("kill worker of a fork", _kill_generation(3), _KILLED | _FAILED),
    Kind("kill command and server", _kill_command_and_child, _KILLED),
    Kind("kill all", _kill_all, _KILLED),
    Kind("kill gc", _kill_command, _KILLED, victim="gc"),
    Kind("pause", _pause, frozenset(), ends_in_order=True, must_succeed=True),
    Kind("busy database", _hold_database, frozenset(), ends_in_order=True, must_succeed=True),
    Kind("full disk", _fill_disk, _FAILED, needs="disk"),
    Kind("file limit", _nothing, _FAILED, needs="limit"),
    Kind("bad listener", _nothing, _FAILED, ends_in_order=True, victim="listener"),
    Kind("fail fast", _nothing, _FAILED, ends_in_order=True, victim="fail fast"),
)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """Mount a small disk at a folder.

    Raises:
        OSError: If this user may not.
    """
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        problem = done.stderr.strip() if done.returncode else ""
    except FileNotFoundError as error:
        problem = str(error)
    if problem:
        raise OSError(problem)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)
