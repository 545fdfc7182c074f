"""A folder in which commands are started one after the other, each forked from one process that has its imports."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import process_tree

_TORTURE_PATH = Path(__file__).parent
_SECONDS_TO_START = 120.0


class Stuck(Exception):
    """A command did not end."""


@dataclass(frozen=True)
class Job:
    """One command.

    Attributes:
        arguments: Those of `headrace`, or of `call`.
        call: A function of `tortured`; empty for `headrace`.
        file_limit: The size in bytes that no file may exceed; 0 for none.
    """

    arguments: Sequence[str]
    call: str = ""
    file_limit: int = 0

    def __str__(self) -> str:
        return " ".join([self.call or "headrace", *self.arguments])


@dataclass
class Running:
    """A command that was started.

    Attributes:
        pid: Its process, which leads a group.
        mark: What stands in the environment of all that it starts.
        output_path: What it printed.
        started: When, by the monotonic clock.
    """

    pid: int
    mark: str
    output_path: Path
    started: float = field(default_factory=time.monotonic)

    @property
    def output(self) -> str:
        """All that it printed."""
        return self.output_path.read_text(errors="replace") if self.output_path.exists() else ""


class Arena:
    """One folder, one forking process; used by one thread.

    Args:
        folder: An empty folder.
        name: Says in the environments of what it starts that they are this arena's.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self._name = name
        self._number = 0
        paths = [str(_TORTURE_PATH), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
        environment = {
            # Without a server that stays, unless it is asked for: what is left of one looks like what is left over.
            "HEADRACE_SERVER": "0",
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(os.path.abspath, paths)),
        }
        self._starter = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(_TORTURE_PATH / "starter.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(folder / "starter.log").open("wb"),
            env=environment,
        )
        self._buffer = b""
        self._line(_SECONDS_TO_START)

    def start(self, job: Job, folder: Path) -> Running:
        """Start a command in a folder; its temporary files go to `tmp` beside it."""
        self._number += 1
        mark = f"HEADRACE_TORTURE={self._name}-{self._number}"
        temporary = folder / "tmp"
        temporary.mkdir(exist_ok=True)
        output = self.folder / f"output-{self._number}.txt"
        request = {
            "arguments": list(job.arguments),
            "call": job.call,
            "folder": str(folder),
            "environment": {"TMPDIR": str(temporary), "HEADRACE_TORTURE": mark.partition("=")[2]},
            "output": str(output),
            "file_limit": job.file_limit,
        }
        assert self._starter.stdin is not None
        self._starter.stdin.write(json.dumps(request).encode() + b"\n")
        self._starter.stdin.flush()
        return Running(int(self._line(_SECONDS_TO_START)), mark, output)

    def wait(self, running: Running, seconds: float) -> int:
        """Wait for a command and return its exit code.

        Raises:
            Stuck: If it has not ended after so many seconds; it is killed then.
        """
        try:
            return int(self._line(seconds))
        except Stuck:
            stacks = process_tree.name_of(running.pid)
            process_tree.send_to_group(running.pid, signal.SIGKILL)
            process_tree.send(process_tree.marked(running.mark), signal.SIGKILL)
            self._line(_SECONDS_TO_START)
            raise Stuck(f"did not end within {seconds:.0f} s: {stacks}") from None

    def has_ended(self, seconds: float) -> bool:
        """Wait so many seconds; say whether the command ended meanwhile."""
        assert self._starter.stdout is not None
        return b"\n" in self._buffer or bool(
            select.select([self._starter.stdout], [], [], max(seconds, 0.0))[0]
        )

    def _line(self, seconds: float) -> str:
        assert self._starter.stdout is not None
        deadline = time.monotonic() + seconds
        while b"\n" not in self._buffer:
            if not select.select([self._starter.stdout], [], [], max(deadline - time.monotonic(), 0.0))[0]:
                raise Stuck("the forking process does not answer")
            piece = os.read(self._starter.stdout.fileno(), 4096)
            if not piece:
                raise RuntimeError((self.folder / "starter.log").read_text())
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode()

    def close(self, is_kept: bool) -> None:
        """End the forking process; remove the folder unless it is to be looked at."""
        assert self._starter.stdin is not None
        self._starter.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._starter.wait(timeout=5)
        self._starter.kill()
        self._starter.wait()
        if not is_kept:
            shutil.rmtree(self.folder, ignore_errors=True)
