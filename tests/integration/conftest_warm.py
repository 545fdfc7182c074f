"""A server that stays, for tests that ask for one: a node that looks around, and the processes of a server."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest_runs import states

import headrace
from headrace.authoring import Pipeline
from headrace.orchestration.engine import start as engine
from headrace.orchestration.runners import servers
from headrace.orchestration.runners.warm import folder
from headrace.run_options import RunOptions
from headrace.runtime.processes.process_groups import below
from headrace.store.results import RunResult
from headrace.usercode import functions

SECONDS = 30.0
CODE = """
import json, os, random, signal, sys, tempfile, time
{head}
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import String

MARK = "{mark}"


def facts():
    umask = os.umask(0)
    os.umask(umask)
    return {{
        "mark": MARK,
        "pid": os.getpid(),
        "folder": os.getcwd(),
        "umask": umask,
        "tmp": tempfile.gettempdir(),
        "path": sys.path,
        "environment": dict(os.environ),
        "ignores_hangup": signal.getsignal(signal.SIGHUP) is signal.SIG_IGN,
        "random": [random.random(), sys.modules["numpy"].random.random() if "numpy" in sys.modules else 0.0],
        "open": sorted(os.listdir("/proc/self/fd")),
        "had": "seen_before" in vars(sys),
    }}


@component
def Look(out: OutputArtifact[String], seconds: Parameter[float] = 0.0):
    found = facts()
    sys.seen_before = True
    print("looked")
    time.sleep(seconds)
    out.value = json.dumps(found)
"""


@pytest.fixture(scope="module")
def runtime() -> Iterator[Path]:
    """One folder of sockets for these tests, and no server when they have ended."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", name)
        yield Path(name)
        stopped = servers.stop_servers()
        assert not [one.pid for one in stopped if not ends(one.pid)]


@pytest.fixture(scope="module")
def hangup() -> Iterator[None]:
    """A closed terminal is heard, also where the tests themselves are started so that they do not."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture
def own_search_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])


def run_code(
    tmp_path: Path, head: str = "import numpy", mark: str = "", seconds: float = 0.0, timeout_seconds: int = 0
) -> RunResult:
    path = tmp_path / "looking.py"
    path.write_text(CODE.format(head=head, mark=mark))
    node = functions.load_module(str(path)).Look(seconds=seconds)
    if timeout_seconds:
        headrace.options(node, timeout_seconds=timeout_seconds)
    options = RunOptions(store=str(tmp_path / "store"), cache=False, server=True)
    return engine.run(Pipeline("look", components=[node]), options)


def facts_of(result: RunResult) -> dict[str, Any]:
    assert states(result) == {"Look": "done"}, result.node("Look").error
    return json.loads(Path(result.node("Look").outputs[0].uri).read_text())


def told(result: RunResult) -> dict[str, Any]:
    return dict(result.details["server"])  # type: ignore[call-overload]


def warm_pid(tmp_path: Path) -> int:
    """The server's process, which is there."""
    result = run_code(tmp_path)
    assert states(result) == {"Look": "done"}
    return int(told(result)["pid"])


def ends(pid: int) -> bool:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state in "ZX":
            return True
        time.sleep(0.05)
    return False


def lender_of(pid: int) -> int:
    """The process with the libraries."""
    return next(one for one in below(pid) if not is_of_a_run(one))


def is_of_a_run(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return os.getsid(pid) == pid
    return False


def pid_at(path: str) -> int:
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(path)
        return folder.peer(line)[0]
