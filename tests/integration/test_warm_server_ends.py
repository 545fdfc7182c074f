"""Whatever happens to a server that stays, or to its place, runs do their work; whatever happens to a run, it stays."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from pathlib import Path

import pytest
from conftest_runs import states
from conftest_warm import (
    SECONDS,
    ends,
    facts_of,
    is_of_a_run,
    lender_of,
    pid_at,
    run_code,
    told,
    warm_pid,
)

from headrace.orchestration.runners import servers
from headrace.orchestration.runners.warm import finding, folder, identity
from headrace.runtime.processes.process_groups import below

pytest_plugins = ("conftest_warm",)
pytestmark = pytest.mark.usefixtures("runtime", "hangup", "own_search_path")


@pytest.mark.parametrize("victim", ["server", "lender"])
def test_a_server_that_is_killed_while_a_run_goes_on_is_not_missed(tmp_path: Path, victim: str):
    """What stands for the run goes on; the next run gets another server."""
    pid = warm_pid(tmp_path)
    lender = lender_of(pid)

    def kill() -> None:
        time.sleep(0.7)
        os.kill(pid if victim == "server" else lender, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    result = run_code(tmp_path, seconds=1.5)
    killer.join()

    assert facts_of(result)
    assert ends(pid)
    assert ends(lender)
    assert warm_pid(tmp_path) != pid


def test_a_server_that_hangs_is_waited_for_a_moment_and_left(tmp_path: Path):
    pid = warm_pid(tmp_path)
    lender = lender_of(pid)
    for one in (pid, lender):
        os.kill(one, signal.SIGSTOP)
    started = time.monotonic()
    result = run_code(tmp_path)
    assert told(result)["kind"] == "started"
    assert time.monotonic() - started < SECONDS
    # Nobody would find it again.
    assert ends(pid)
    assert ends(lender)
    assert told(result)["pid"] in [one.pid for one in servers.servers()]


def test_a_process_with_libraries_that_was_stopped_keeps_no_run_waiting(tmp_path: Path):
    """It neither answers nor ends."""
    pid = warm_pid(tmp_path)
    lender = lender_of(pid)
    os.kill(lender, signal.SIGSTOP)
    result = run_code(tmp_path)

    assert facts_of(result)
    assert ends(lender)
    assert ends(pid)


def test_a_folder_that_others_can_enter_is_not_used(tmp_path: Path, runtime: Path):
    place = Path(folder.socket_folder())
    place.chmod(0o755)
    try:
        result = run_code(tmp_path)
    finally:
        place.chmod(0o700)

    assert facts_of(result)
    assert told(result) == {"kind": "own", "reason": f"{place} is open to other users"}


def test_a_socket_that_nobody_listens_at_is_replaced(tmp_path: Path):
    pid = warm_pid(tmp_path)
    (path,) = [path for path in folder.socket_paths(folder.socket_folder()) if pid_at(path) == pid]
    servers.stop_servers()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    assert warm_pid(tmp_path) != pid


@pytest.mark.parametrize("what", [signal.SIGKILL, signal.SIGSTOP])
def test_who_ends_or_hangs_while_starting_one_keeps_nobody_from_it(
    tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch, what: int
):
    servers.stop_servers()
    monkeypatch.setattr(finding, "_SECONDS_TO_LISTEN", 0.5)
    path = folder.socket_path(folder.socket_folder(), identity.name(os.environ))
    text = (
        "import sys, time; from headrace.orchestration.runners.warm import folder;"
        f"right = folder.right_to_start({path!r}); print('began', flush=True); time.sleep(600)"
    )
    starting = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE)
    try:
        assert starting.stdout is not None
        assert starting.stdout.readline() == b"began\n"
        os.kill(starting.pid, what)
        if what == signal.SIGKILL:
            starting.wait()
        result = run_code(tmp_path)
    finally:
        starting.kill()
        starting.communicate()

    assert facts_of(result)
    assert told(result)["kind"] == "started"


def test_it_ends_when_its_socket_is_gone_and_no_run_goes_on(tmp_path: Path):
    pid = warm_pid(tmp_path)
    for path in folder.socket_paths(folder.socket_folder()):
        os.unlink(path)
    assert ends(pid)


def test_it_ends_by_itself_when_nobody_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    servers.stop_servers()
    monkeypatch.setenv("HEADRACE_SERVER_MINUTES", "0.02")
    pid = warm_pid(tmp_path)
    assert ends(pid)
    assert servers.servers() == []


def test_a_package_that_is_installed_ends_it(tmp_path: Path):
    """The next run does not use it, whether or not it has noticed yet."""
    pid = warm_pid(tmp_path)
    package = Path(sysconfig.get_paths()["purelib"]) / "headrace_probe-1.0.dist-info"
    try:
        package.mkdir()
    except OSError:
        pytest.skip("nothing can be installed here")
    try:
        (package / "METADATA").write_text("Metadata-Version: 2.1\nName: headrace-probe\nVersion: 1.0\n")
        assert warm_pid(tmp_path) != pid
        assert ends(pid)
    finally:
        shutil.rmtree(package)


def test_a_place_that_cannot_be_written_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setenv("TMPDIR", "/proc")
    result = run_code(tmp_path)
    assert states(result) == {"Look": "done"}
    assert told(result)["kind"] == "own"
    assert "cannot be made" in told(result)["reason"]


def test_a_server_that_cannot_be_found_serves_the_run_that_started_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """As where the place of its socket is full."""
    monkeypatch.setattr(folder, "socket_path", lambda path, name: f"{path}/absent/{name}.socket")
    result = run_code(tmp_path)
    assert facts_of(result)
    assert told(result)["kind"] == "own"
    assert ends(told(result)["pid"])


def test_a_server_that_cannot_start_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    servers.stop_servers()
    monkeypatch.setattr(finding, "_START", "raise SystemExit('no')")
    result = run_code(tmp_path)
    assert states(result) == {"Look": "done"}
    assert told(result) == {"kind": "own", "reason": "the warm server was lost"}


def test_a_node_that_takes_too_long_is_stopped_there_too(tmp_path: Path):
    pid = warm_pid(tmp_path)
    started = time.monotonic()
    result = run_code(tmp_path, seconds=60.0, timeout_seconds=1)

    assert "was stopped after its limit of 1 s" in str(result.node("Look").error)
    assert time.monotonic() - started < SECONDS
    assert not [one for one in below(pid) if is_of_a_run(one) and below(one)]
    assert warm_pid(tmp_path) == pid


_RUN = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
import conftest_warm
print("began", flush=True)
conftest_warm.run_code(Path({folder!r}), seconds=60.0)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGHUP])
def test_whatever_ends_a_run_ends_its_workers_and_not_the_server(tmp_path: Path, number: int):
    """Killed hard, by Ctrl-C, or with its terminal."""
    pid = warm_pid(tmp_path)
    text = _RUN.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    process = subprocess.Popen(
        [sys.executable, "-c", text], start_new_session=True, stdout=subprocess.DEVNULL
    )
    log = tmp_path / "store" / "logs"
    try:
        worker = _worker_below(pid, log)
        os.killpg(process.pid, number)
        process.wait(SECONDS)
    finally:
        process.kill()
        process.wait()

    assert all(ends(one) for one in worker)
    result = run_code(tmp_path)
    assert told(result) | {"age_seconds": 0} == {"kind": "warm", "pid": pid, "age_seconds": 0}


def _worker_below(pid: int, logs: Path) -> list[int]:
    """The processes of a run that has begun to look."""
    before = len(list(logs.glob("*/Look.log")))
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        written = [path for path in logs.glob("*/Look.log") if "looked" in path.read_text()]
        if len(written) > before:
            return [one for one in below(pid) if is_of_a_run(one)]
        time.sleep(0.05)
    raise AssertionError("no worker began")
