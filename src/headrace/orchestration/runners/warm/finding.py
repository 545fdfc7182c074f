"""How a run finds the warm server that fits it, or starts one: of runs that begin at once, one starts it for all."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TextIO

from headrace import secrets
from headrace.errors import SetupError
from headrace.orchestration.runners.warm import folder, identity, messages
from headrace.orchestration.runners.warm.link import ANSWER_SECONDS, WarmLink
from headrace.orchestration.runners.warm.surroundings import Surroundings
from headrace.runtime.processes.process_groups import NO_MARK, SERVER_MARK

_ATTEMPTS = 2
# A server listens half a second after its start, on a machine with much to do after some. One that takes longer, or was
# stopped, is not waited for: two servers are no harm.
_SECONDS_TO_LISTEN = 5.0
_PAUSE_SECONDS = 0.02
# The environment of a server holds no more of its first run than its libraries read; no project's folder is searched.
# Headrace is that of the run, which need not be the installed one.
_START = """
import os, sys
if os.fork():
    os._exit(0)
sys.path[:1] = [{root!r}]
import headrace
sys.path[:1] = []
sys.path.append({root!r})
from headrace.orchestration.runners.warm.load_record import LoadRecord
record = LoadRecord()
from headrace.orchestration.runners.warm import server
server.main({first}, {path!r}, {installed!r}, record, {right})
"""


@dataclass(frozen=True)
class Hello:
    """What a run says to the server that fits it.

    Attributes:
        path: Of the server's socket.
        mark: Of what it starts for this run.
        surroundings: Of the run.
        modules: What its nodes need.
        most_idle_seconds: How long the server is to wait for the next run.
    """

    path: str
    mark: str
    surroundings: Surroundings
    modules: list[str]
    most_idle_seconds: float

    def message(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "kind": "run",
            "surroundings": asdict(self.surroundings),
            "modules": self.modules,
            "pid": os.getpid(),
            "most_idle_seconds": self.most_idle_seconds,
        }

    def fits(self, later: Hello) -> bool:
        """Whether a later one says the same, but for its mark."""
        environment = {**later.surroundings.environment, SERVER_MARK: self.mark}
        return self == replace(
            later, mark=self.mark, surroundings=replace(later.surroundings, environment=environment)
        )


def find_or_start(hello: Hello) -> WarmLink:
    """Return the part of the server that is there, that another run is starting just then, or that is started here."""
    deadline = time.monotonic() + _SECONDS_TO_LISTEN
    while True:
        link = find(hello)
        if link is not None:
            return link
        try:
            right = folder.right_to_start(hello.path)
        except OSError:
            # The place is full, or has no locks.
            return _start(hello, None)
        if right is not None:
            # Another run's may have come between.
            link = find(hello)
            if link is not None:
                folder.give_back_right(hello.path, right)
                return link
            with right:
                return _start(hello, right)
        if time.monotonic() >= deadline:
            return _start(hello, None)
        time.sleep(_PAUSE_SECONDS)


def find(hello: Hello) -> WarmLink | None:
    for _ in range(_ATTEMPTS):
        # A server may leave, or lose its patience, just then.
        with contextlib.suppress(ConnectionError):
            return _connect(hello)
    return None


def _connect(hello: Hello) -> WarmLink | None:
    """Return the part of a server that lives; `None` where there is none, or it hangs.

    Raises:
        SetupError: If it says that it does not fit.
        ConnectionError: If it goes away, or would not wait.
    """
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.settimeout(ANSWER_SECONDS)
    look = folder.look_at(hello.path)
    try:
        line.connect(hello.path)
    except OSError:
        line.close()
        return None
    link: WarmLink | None = None
    is_taken = False
    pid = 0
    try:
        pid, _ = folder.peer(line)
        link = _ask(line, hello, None)
        is_taken = link.wait()
    except ConnectionError:
        raise
    except OSError:
        # It hangs: nobody is to wait for it again, and its memory is of no use. Runs that it serves go on without it.
        # Another run may have waited too, and started the next one there already.
        folder.remove(hello.path, look)
        if pid:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
    finally:
        if not is_taken:
            line.close()
            if link is not None:
                link.control.close()
    return link if is_taken else None


def _ask(line: socket.socket, hello: Hello, starting: subprocess.Popen[bytes] | None) -> WarmLink:
    control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with theirs:
        messages.send(line, hello.message(), [theirs.fileno()])
    return WarmLink(line, control, hello.mark, starting)


def _start(hello: Hello, right: TextIO | None) -> WarmLink:
    """Start a server, whose first run this is; it need not wait for an answer.

    Args:
        right: What the server gives back once others find it; `None` where others may start one meanwhile.
    """
    line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    text = _START.format(
        root=identity.package_root(),
        first=theirs.fileno(),
        path=hello.path,
        installed=identity.installed(),
        right=-1 if right is None else right.fileno(),
    )
    handed_over = [theirs.fileno(), *([] if right is None else [right.fileno()])]
    with theirs:
        try:
            process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", text],
                pass_fds=handed_over,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=_server_environment(hello.surroundings.environment),
                start_new_session=True,
                umask=0o077,
            )
            return _ask(line, hello, process)
        except OSError as error:
            line.close()
            raise SetupError(f"a warm server cannot be started: {error}") from error


def _server_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """A run's environment without what is its own: secrets, and the folders of its modules."""
    kept = {
        key: value
        for key, value in variables.items()
        if not secrets.is_secret_name(key) and secrets.mask_text(value) == value and key != "PYTHONPATH"
    }
    return {**kept, SERVER_MARK: NO_MARK}
