"""A run's side of a warm server: it is found or started, or one of the run's own does the work."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, TextIO

from headrace import secrets
from headrace.errors import HeadraceError, SetupError
from headrace.orchestration.runners.local import links
from headrace.orchestration.runners.local.links import OwnServer, ServerLink
from headrace.orchestration.runners.warm import folder, identity, messages
from headrace.orchestration.runners.warm.surroundings import Surroundings
from headrace.runtime.processes.process_groups import NO_MARK, SERVER_MARK, kill_marked

# A server answers within milliseconds, on a machine with much to do within a second, or hangs.
ANSWER_SECONDS = 3.0
_SECONDS_TO_END = 10.0
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


class WarmServers:
    """Opens servers for one run; see `links.OpenServer`.

    Args:
        most_idle_seconds: How long a server is to wait for the next run.
    """

    def __init__(self, most_idle_seconds: float) -> None:
        self._most_idle_seconds = most_idle_seconds
        self._opened: WarmLink | None = None
        self._is_lost = False

    def __call__(self, modules: Sequence[str]) -> ServerLink:
        """Return the warm server's part in this run; where there can be none, a server of its own that says why."""
        if self._is_lost:
            reason = "" if self._opened is None else self._opened.reason
            return OwnServer(modules, _told("own", reason=reason or "the warm server was lost"))
        self._is_lost = True
        try:
            self._opened = self._warm(list(dict.fromkeys(modules)))
            return self._opened
        except HeadraceError as error:
            return OwnServer(modules, _told("own", reason=error.problem.rstrip(".")))

    def _warm(self, modules: list[str]) -> WarmLink:
        mark = links.next_mark()
        try:
            surroundings = Surroundings.of_this_process(mark)
        except OSError as error:
            raise SetupError(f"this process's surroundings cannot be handed over: {error}") from error
        path = folder.socket_path(folder.socket_folder(), identity.name(os.environ))
        hello = {
            "kind": "run",
            "surroundings": asdict(surroundings),
            "modules": modules,
            "pid": os.getpid(),
            "most_idle_seconds": self._most_idle_seconds,
        }
        return _find_or_start(path, hello, mark)


class WarmLink:
    """A warm server's part in this run; see `ServerLink`.

    Args:
        line: Where the server says what becomes of it; it ends with the last process of this run.
        control: Where that process is asked to fork.
        mark: Of what it starts.
        starting: The process that starts the server; `None` where it was there.

    Attributes:
        reason: Why the server did less than was asked of it; empty where it did all, or did not say.
    """

    def __init__(
        self, line: socket.socket, control: socket.socket, mark: str, starting: subprocess.Popen[bytes] | None
    ) -> None:
        self.control = control
        self.mark = mark
        self._line = line
        self._starting = starting
        self._answer: dict[str, Any] = {}
        self.reason = ""

    def wait(self) -> bool:
        """Wait for the server's answer; return whether it takes this run, and does not make room for another server.

        Raises:
            SetupError: If it refuses.
            OSError: If it does not answer in time.
        """
        message, _ = messages.receive(self._line, ANSWER_SECONDS)
        self._take(message)
        if not self._answer and not message.get("leaves"):
            raise SetupError(f"the warm server does not fit: {self.reason}")
        return bool(self._answer)

    def _take(self, message: Mapping[str, Any]) -> None:
        if "pid" in message:
            self._answer = dict(message)
        self.reason = str(message.get("refused") or message.get("loads_itself") or self.reason)

    @property
    def is_gone(self) -> bool:
        """Whether the process that stands for this run has ended."""
        try:
            return not self.control.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def told(self) -> Mapping[str, Any]:
        """Return how it came to this run, which process it is, and how long it lived."""
        self._read_line(0.0)
        found: dict[str, Any] = {"reason": self.reason} if self.reason else {}
        if self._answer:
            found |= {"pid": self._answer["server"], "age_seconds": time.time() - self._answer["started"]}
        stays = self._answer.get("stays", True)
        return _told("warm" if self._starting is None else "started" if stays else "own", **found)

    def _read_line(self, seconds: float) -> bool:
        """Take what was said; return whether it ended within some seconds."""
        deadline = time.monotonic() + seconds
        while True:
            self._line.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                if not self._line.recv(1, socket.MSG_PEEK):
                    return True
                self._take(messages.receive(self._line, ANSWER_SECONDS)[0])
            except TimeoutError:
                if time.monotonic() >= deadline:
                    return False
            except OSError:
                return True

    def kill(self) -> None:
        """Kill the process that stands for this run, and what it forked."""
        self._read_line(0.0)
        if self._answer:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self._answer["pid"], signal.SIGKILL)
        self.control.close()
        kill_marked(self.mark)

    def close(self) -> None:
        """Let this run's part end with all workers; kill what does not."""
        self.control.close()
        if not self._read_line(_SECONDS_TO_END):
            self.kill()
        if self._starting is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._starting.wait(timeout=_SECONDS_TO_END)
        self._line.close()


def _told(kind: str, **more: Any) -> dict[str, Any]:
    """What a run records: `warm`, a server that was there; `started`, one that stays; `own`, and why."""
    return {"server": {"kind": kind, **more}}


def _find_or_start(path: str, hello: Mapping[str, Any], mark: str) -> WarmLink:
    """Return the part of the server that is there, that another run is starting just then, or that is started here."""
    deadline = time.monotonic() + _SECONDS_TO_LISTEN
    while True:
        link = _find(path, hello, mark)
        if link is not None:
            return link
        try:
            right = folder.right_to_start(path)
        except OSError:
            # The place is full, or has no locks.
            return _start(path, hello, mark, None)
        if right is not None:
            # Another run's may have come between.
            link = _find(path, hello, mark)
            if link is not None:
                folder.give_back_right(path, right)
                return link
            with right:
                return _start(path, hello, mark, right)
        if time.monotonic() >= deadline:
            return _start(path, hello, mark, None)
        time.sleep(_PAUSE_SECONDS)


def _find(path: str, hello: Mapping[str, Any], mark: str) -> WarmLink | None:
    for _ in range(_ATTEMPTS):
        # A server may leave, or lose its patience, just then.
        with contextlib.suppress(ConnectionError):
            return _connect(path, hello, mark)
    return None


def _connect(path: str, hello: Mapping[str, Any], mark: str) -> WarmLink | None:
    """Return the part of a server that lives; `None` where there is none, or it hangs.

    Raises:
        SetupError: If it says that it does not fit.
        ConnectionError: If it goes away, or would not wait.
    """
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.settimeout(ANSWER_SECONDS)
    look = folder.look_at(path)
    try:
        line.connect(path)
    except OSError:
        line.close()
        return None
    link: WarmLink | None = None
    is_taken = False
    pid = 0
    try:
        pid, _ = folder.peer(line)
        link = _ask(line, hello, mark, None)
        is_taken = link.wait()
    except ConnectionError:
        raise
    except OSError:
        # It hangs: nobody is to wait for it again, and its memory is of no use. Runs that it serves go on without it.
        # Another run may have waited too, and started the next one there already.
        folder.remove(path, look)
        if pid:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
    finally:
        if not is_taken:
            line.close()
            if link is not None:
                link.control.close()
    return link if is_taken else None


def _ask(
    line: socket.socket, hello: Mapping[str, Any], mark: str, starting: subprocess.Popen[bytes] | None
) -> WarmLink:
    control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with theirs:
        messages.send(line, hello, [theirs.fileno()])
    return WarmLink(line, control, mark, starting)


def _start(path: str, hello: Mapping[str, Any], mark: str, right: TextIO | None) -> WarmLink:
    """Start a server, whose first run this is; it need not wait for an answer.

    Args:
        right: What the server gives back once others find it; `None` where others may start one meanwhile.
    """
    line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    text = _START.format(
        root=identity.package_root(),
        first=theirs.fileno(),
        path=path,
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
                env=_server_environment(hello["surroundings"]["environment"]),
                start_new_session=True,
                umask=0o077,
            )
            return _ask(line, hello, mark, process)
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
