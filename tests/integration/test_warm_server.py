"""A server that stays: what a run finds there is its own, and whatever happens to the server, the run does its work."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest_runs import states

import headrace
from headrace.authoring import Pipeline
from headrace.orchestration.engine import start as engine
from headrace.orchestration.runners import servers
from headrace.orchestration.runners.warm import client, folder, messages
from headrace.run_options import RunOptions
from headrace.runtime.processes.process_groups import below
from headrace.store.results import RunResult
from headrace.usercode import functions

_SECONDS = 30.0
_CODE = """
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
Look = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module", autouse=True)
def runtime() -> Iterator[Path]:
    """One folder of sockets for these tests, and no server when they have ended."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", name)
        yield Path(name)
        stopped = servers.stop_servers()
        assert not [one.pid for one in stopped if not _ends(one.pid)]


@pytest.fixture(scope="module", autouse=True)
def hangup() -> Iterator[None]:
    """A closed terminal is heard, also where the tests themselves are started so that they do not."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture(autouse=True)
def search_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])


def run_code(
    tmp_path: Path, head: str = "import numpy", mark: str = "", seconds: float = 0.0, timeout_seconds: int = 0
) -> RunResult:
    path = tmp_path / "looking.py"
    path.write_text(_CODE.format(head=head, mark=mark))
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


def _ends(pid: int) -> bool:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state in "ZX":
            return True
        time.sleep(0.05)
    return False


def test_the_next_run_finds_the_server_of_the_one_before(tmp_path: Path):
    first = warm_pid(tmp_path)
    result = run_code(tmp_path, mark="changed")

    assert (told(result)["kind"], told(result)["pid"]) == ("warm", first)
    assert facts_of(result)["mark"] == "changed"
    (status,) = servers.servers()
    assert (status.pid, status.num_running, status.prefix) == (first, 0, sys.prefix)
    assert status.num_runs >= 2
    # Nothing of a run is left.
    assert not [pid for pid in below(first) if len(below(pid)) or _is_of_a_run(pid)]


def _lender_of(pid: int) -> int:
    """The process with the libraries."""
    return next(one for one in below(pid) if not _is_of_a_run(one))


def _is_of_a_run(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return os.getsid(pid) == pid
    return False


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


@pytest.mark.parametrize("victim", ["server", "lender"])
def test_a_server_that_is_killed_while_a_run_goes_on_is_not_missed(tmp_path: Path, victim: str):
    """What stands for the run goes on; the next run gets another server."""
    pid = warm_pid(tmp_path)
    lender = _lender_of(pid)

    def kill() -> None:
        time.sleep(0.7)
        os.kill(pid if victim == "server" else lender, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    result = run_code(tmp_path, seconds=1.5)
    killer.join()

    assert facts_of(result)
    assert _ends(pid)
    assert _ends(lender)
    assert warm_pid(tmp_path) != pid


def test_a_server_that_hangs_is_waited_for_a_moment_and_left(tmp_path: Path):
    pid = warm_pid(tmp_path)
    lender = _lender_of(pid)
    for one in (pid, lender):
        os.kill(one, signal.SIGSTOP)
    started = time.monotonic()
    result = run_code(tmp_path)
    assert told(result)["kind"] == "started"
    assert time.monotonic() - started < _SECONDS
    # Nobody would find it again.
    assert _ends(pid)
    assert _ends(lender)
    assert told(result)["pid"] in [one.pid for one in servers.servers()]


def test_a_process_with_libraries_that_was_stopped_keeps_no_run_waiting(tmp_path: Path):
    """It neither answers nor ends."""
    pid = warm_pid(tmp_path)
    lender = _lender_of(pid)
    os.kill(lender, signal.SIGSTOP)
    result = run_code(tmp_path)

    assert facts_of(result)
    assert _ends(lender)
    assert _ends(pid)


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
    (path,) = [path for path in folder.socket_paths(folder.socket_folder()) if _pid_at(path) == pid]
    servers.stop_servers()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    assert warm_pid(tmp_path) != pid


def _pid_at(path: str) -> int:
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(path)
        return folder.peer(line)[0]


def test_a_project_that_hides_a_library_gets_a_server_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A process that began with its search path would have loaded the project's module."""
    warm_pid(tmp_path)
    (tmp_path / "numpy.py").write_text("class random:\n    random = lambda: 4711\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    result = run_code(tmp_path, head="import numpy; HIDDEN = numpy.__file__", mark="hidden")

    assert f"{tmp_path / 'numpy.py'} has the name of a library" in told(result)["reason"]


def test_it_ends_when_its_socket_is_gone_and_no_run_goes_on(tmp_path: Path):
    pid = warm_pid(tmp_path)
    for path in folder.socket_paths(folder.socket_folder()):
        os.unlink(path)
    assert _ends(pid)


def test_it_ends_by_itself_when_nobody_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    servers.stop_servers()
    monkeypatch.setenv("HEADRACE_SERVER_MINUTES", "0.02")
    pid = warm_pid(tmp_path)
    assert _ends(pid)
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
        assert _ends(pid)
    finally:
        shutil.rmtree(package)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_is_not_heard(tmp_path: Path, runtime: Path):
    """Not even where somebody opened the folder."""
    pid = warm_pid(tmp_path)
    place = Path(folder.socket_folder())
    (path,) = [path for path in folder.socket_paths(str(place)) if _pid_at(path) == pid]
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
    assert _ends(told(result)["pid"])


def test_a_server_that_cannot_start_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    servers.stop_servers()
    monkeypatch.setattr(client, "_START", "raise SystemExit('no')")
    result = run_code(tmp_path)
    assert states(result) == {"Look": "done"}
    assert told(result) == {"kind": "own", "reason": "the warm server was lost"}


def test_commands_tell_of_it(tmp_path: Path):
    """The run in its result, and the server itself until it is stopped."""
    (tmp_path / "looking.py").write_text(
        _CODE.format(head="from headrace.authoring import Pipeline", mark="")
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
    assert _ends(server["pid"])
    told_of = json.loads(headrace_says("run", "looking.py", "--no-server", "--no-cache", "--json"))
    assert "server" not in told_of["parameters"]


def test_a_node_that_takes_too_long_is_stopped_there_too(tmp_path: Path):
    pid = warm_pid(tmp_path)
    started = time.monotonic()
    result = run_code(tmp_path, seconds=60.0, timeout_seconds=1)

    assert "was stopped after its limit of 1 s" in str(result.node("Look").error)
    assert time.monotonic() - started < _SECONDS
    assert not [one for one in below(pid) if _is_of_a_run(one) and below(one)]
    assert warm_pid(tmp_path) == pid


_RUN = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
import test_warm_server
print("began", flush=True)
test_warm_server.run_code(Path({folder!r}), seconds=60.0)
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
        process.wait(_SECONDS)
    finally:
        process.kill()
        process.wait()

    assert all(_ends(one) for one in worker)
    result = run_code(tmp_path)
    assert told(result) | {"age_seconds": 0} == {"kind": "warm", "pid": pid, "age_seconds": 0}


def _worker_below(pid: int, logs: Path) -> list[int]:
    """The processes of a run that has begun to look."""
    before = len(list(logs.glob("*/Look.log")))
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        written = [path for path in logs.glob("*/Look.log") if "looked" in path.read_text()]
        if len(written) > before:
            return [one for one in below(pid) if _is_of_a_run(one)]
        time.sleep(0.05)
    raise AssertionError("no worker began")
