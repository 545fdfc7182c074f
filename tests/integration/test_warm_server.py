"""A server that stays: the next run finds it, and what a run finds there is its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from conftest_runs import states
from conftest_warm import (
    CODE,
    SECONDS,
    ends,
    facts_of,
    is_of_a_run,
    pid_at,
    run_code,
    told,
    warm_pid,
)

from headrace.authoring import Pipeline
from headrace.orchestration.engine import start as engine
from headrace.orchestration.runners import servers
from headrace.orchestration.runners.warm import client, folder, messages
from headrace.run_options import RunOptions
from headrace.runtime.processes.process_groups import below
from headrace.store.results import RunResult
from headrace.usercode import functions

pytest_plugins = ("conftest_warm",)
pytestmark = pytest.mark.usefixtures("runtime", "hangup", "own_search_path")


def test_the_next_run_finds_the_server_of_the_one_before(tmp_path: Path):
    first = warm_pid(tmp_path)
    result = run_code(tmp_path, mark="changed")

    assert (told(result)["kind"], told(result)["pid"]) == ("warm", first)
    assert facts_of(result)["mark"] == "changed"
    (status,) = servers.servers()
    assert (status.pid, status.num_running, status.prefix) == (first, 0, sys.prefix)
    assert status.num_runs >= 2
    # Nothing of a run is left.
    assert not [pid for pid in below(first) if len(below(pid)) or is_of_a_run(pid)]


@pytest.mark.parametrize("head", ["import numpy", ""], ids=["libraries", "light"])
def test_nothing_of_a_run_is_found_by_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: str):
    """The folder, variables, umask, search path and what it left in memory are the run's own."""
    one, two = tmp_path / "one", tmp_path / "two"
    # The first starts the server.
    servers.stop_servers()
    one.mkdir()
    two.mkdir()
    with monkeypatch.context() as first:
        first.chdir(one)
        first.setenv("ONLY_THE_FIRST", "1")
        first.setenv("TMPDIR", str(one))
        first.setattr(sys, "path", [str(one), *sys.path])
        umask = os.umask(0o077)
        hangup = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            before = run_code(one, head, mark="one")
        finally:
            os.umask(umask)
            signal.signal(signal.SIGHUP, hangup)
    monkeypatch.chdir(two)
    after = run_code(two, head, mark="two")

    assert told(after)["pid"] == told(before)["pid"], (told(before), told(after))
    old, new = facts_of(before), facts_of(after)
    assert (old["folder"], old["umask"], old["mark"], old["ignores_hangup"]) == (str(one), 0o077, "one", True)
    assert (new["folder"], new["umask"], new["mark"], new["ignores_hangup"]) == (
        str(two),
        umask,
        "two",
        False,
    )
    assert old["environment"]["ONLY_THE_FIRST"] == "1"
    assert "ONLY_THE_FIRST" not in new["environment"]
    assert str(one) in old["path"]
    assert str(one) not in new["path"]
    assert not new["tmp"].startswith(str(one))
    assert not new["had"]
    assert old["random"][0] != new["random"][0]
    if head:
        assert old["random"][1] != new["random"][1]


def test_a_variable_that_libraries_read_is_another_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    one = warm_pid(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    two = warm_pid(tmp_path)

    assert one != two
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert warm_pid(tmp_path) == one


def test_two_runs_at_once_share_a_server_and_nothing_else(tmp_path: Path):
    pid = warm_pid(tmp_path)
    found: dict[str, dict[str, Any]] = {}
    folders = [tmp_path / name for name in ("left", "right")]
    for one in folders:
        one.mkdir()

    def run(one: Path) -> None:
        result = run_code(one, mark=one.name, seconds=0.5)
        assert told(result)["pid"] == pid
        found[one.name] = facts_of(result)

    threads = [threading.Thread(target=run, args=(one,)) for one in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [found[name]["mark"] for name in ("left", "right")] == ["left", "right"]


def test_runs_that_begin_at_once_start_one_server(tmp_path: Path):
    """Each needs its libraries in memory; that each had them alone would fill a machine."""
    servers.stop_servers()
    found: list[dict[str, Any]] = []

    def run(number: int) -> None:
        (tmp_path / str(number)).mkdir()
        found.append(told(run_code(tmp_path / str(number))))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(one["kind"] for one in found) == ["started", "warm", "warm", "warm"]
    assert len({one["pid"] for one in found}) == 1
    assert [one.pid for one in servers.servers()] == [found[0]["pid"]]


@pytest.mark.parametrize("changes", [False, True])
def test_what_is_asked_for_before_the_plan_is_used_unless_the_run_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: bool
):
    """A listener may set a variable after the run has begun: its workers have it."""
    warm_pid(tmp_path)
    opened = client.WarmServers(60.0)
    opened.expect(list)
    assert opened._expecting is not None
    opened._expecting.join()
    assert opened._expected is not None
    expected, _ = opened._expected
    if changes:
        monkeypatch.setenv("SET_LATER", "1")
    link = opened([])
    try:
        assert (link is expected) is not changes
        assert (expected.control.fileno() < 0) is changes
        assert link.told()["server"]["kind"] == "warm"
    finally:
        link.close()


def test_a_run_that_needs_no_process_leaves_none_behind(tmp_path: Path):
    """Nor does it wait for, or tell of, what it was ready to use."""
    pid = warm_pid(tmp_path)
    path = tmp_path / "looking.py"

    def run() -> RunResult:
        node = functions.load_module(str(path)).Look()
        options = RunOptions(store=str(tmp_path / "store"), server=True)
        return engine.run(Pipeline("look", components=[node]), options)

    run()
    result = run()
    assert states(result) == {"Look": "cached"}
    assert "server" not in result.details
    deadline = time.monotonic() + SECONDS
    while [one for one in below(pid) if is_of_a_run(one)]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert warm_pid(tmp_path) == pid


def test_a_run_with_other_variables_than_the_first_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Also once a library is loaded that looks through all of them: tqdm, of TensorFlow Model Analysis."""
    with monkeypatch.context() as first:
        first.setenv("PARAMETER_OF_A_RUN", "1")
        pid = told(run_code(tmp_path, head="import tqdm"))["pid"]
    result = run_code(tmp_path, head="import tqdm")
    assert "PARAMETER_OF_A_RUN" not in facts_of(result)["environment"]
    assert told(result) | {"age_seconds": 0} == {"kind": "warm", "pid": pid, "age_seconds": 0}


def test_a_run_with_many_variables_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As where a shell hands down its functions: more than a packet of a socket holds."""
    pid = warm_pid(tmp_path)
    for number in range(4):
        monkeypatch.setenv(f"FUNCTION_{number}", "x" * 100_000)
    result = run_code(tmp_path)
    assert len(facts_of(result)["environment"]["FUNCTION_3"]) == 100_000
    assert told(result) | {"age_seconds": 0} == {"kind": "warm", "pid": pid, "age_seconds": 0}


def test_a_project_that_hides_a_library_gets_a_server_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A process that began with its search path would have loaded the project's module."""
    warm_pid(tmp_path)
    (tmp_path / "numpy.py").write_text("class random:\n    random = lambda: 4711\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    result = run_code(tmp_path, head="import numpy; HIDDEN = numpy.__file__", mark="hidden")

    assert f"{tmp_path / 'numpy.py'} has the name of a library" in told(result)["reason"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_is_not_heard(tmp_path: Path, runtime: Path):
    """Not even where somebody opened the folder."""
    pid = warm_pid(tmp_path)
    place = Path(folder.socket_folder())
    (path,) = [path for path in folder.socket_paths(str(place)) if pid_at(path) == pid]
    for opened in (runtime, place, Path(path)):
        opened.chmod(0o777)
    try:
        stranger = os.fork()
        if not stranger:
            os.setresuid(12345, 12345, 12345)
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
                line.connect(path)
                messages.send(line, {"kind": "stop"})
                line.settimeout(5.0)
                os._exit(0 if line.recv(1) == b"" else 1)
            os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(stranger, 0)[1]) in (0, 2)
    finally:
        for opened in (runtime, place):
            opened.chmod(0o700)
    assert warm_pid(tmp_path) == pid


def test_commands_tell_of_it(tmp_path: Path):
    """The run in its result, and the server itself until it is stopped."""
    (tmp_path / "looking.py").write_text(
        CODE.format(head="from headrace.authoring import Pipeline", mark="")
        + "\n\ndef create_pipeline():\n    return Pipeline('look', components=[Look()])\n"
    )

    def headrace_says(*words: str) -> str:
        command = [sys.executable, "-m", "headrace", *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    headrace_says("run", "looking.py", "--server", "--plain")
    told_of = json.loads(headrace_says("run", "looking.py", "--server", "--no-cache", "--json"))
    server = told_of["parameters"]["server"]
    assert server["kind"] == "warm"
    status = json.loads(headrace_says("server", "status", "--json"))
    assert server["pid"] in [one["pid"] for one in status]
    shown = json.loads(headrace_says("show", "latest", "--json"))
    assert shown["parameters"]["server"]["pid"] == server["pid"]
    assert f"Server {server['pid']} ends." in headrace_says("server", "stop")
    assert ends(server["pid"])
    told_of = json.loads(headrace_says("run", "looking.py", "--no-server", "--no-cache", "--json"))
    assert "server" not in told_of["parameters"]
