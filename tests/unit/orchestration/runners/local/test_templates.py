"""Whether a process that has read the user's code can be forked for its nodes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from headrace.orchestration.runners.local import templates
from headrace.orchestration.runners.tasks import Address, Task

_READ = """
import json, sys
from headrace.orchestration.runners.local import templates
sys.path.insert(0, "")
reading = templates.Reading()
with reading.recorded():
    import code_of_user
looks = reading.looks()
print(json.dumps(None if looks is None else sorted(looks)))
"""


def _read(folder: Path, code: str, *, age_seconds: float = 60.0) -> list[str] | None:
    """Read code in a process of its own; return the files that a template names, relative to its folder."""
    (folder / "settings.json").write_text("{}")
    (folder / "neighbour.py").write_text("")
    (folder / "code_of_user.py").write_text(textwrap.dedent(code))
    command = [sys.executable, "-B", "-c", _READ]
    if age_seconds:
        # As files look that were written before the run was started: their status cannot be set back.
        command[-1] = _READ.replace(
            "reading = ", "import time; now = time.time_ns\ntime.time_ns = lambda: now() + 10**11\nreading = "
        )
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    own = str(folder.resolve()) + os.sep
    return None if found is None else [path.removeprefix(own) for path in found if path.startswith(own)]


def test_code_that_only_defines_things_makes_a_template(tmp_path: Path):
    """Which knows the files that were read: modules, and what they opened."""
    code = "import json, neighbour\nwith open('settings.json') as file: SETTINGS = json.load(file)"
    assert _read(tmp_path, code) == ["code_of_user.py", "neighbour.py", "settings.json"]


@pytest.mark.parametrize(
    "code",
    [
        "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()",
        "import subprocess; CHILD = subprocess.Popen(['sleep', '5'], stdout=-3, stderr=-3)",
        "import socket; ENDS = socket.socketpair()",
        "LOG = open('log.txt', 'a')",
        "import os; NULL = os.open('settings.json', os.O_RDONLY)",
        "import signal; signal.signal(signal.SIGCHLD, lambda *_: None)",
        "import random; random.seed(42)",
        "import random; NUMBERS = random.Random()",
        "import numpy; NUMBERS = numpy.random.default_rng()",
        "import numpy; numpy.random.seed(42)",
    ],
    ids=[
        "thread",
        "process",
        "socket",
        "file",
        "descriptor",
        "signal",
        "seed",
        "generator",
        "numpy",
        "numpy-seed",
    ],
)
def test_what_a_fork_would_share_or_lose_makes_none(tmp_path: Path, code: str):
    assert _read(tmp_path, code) is None


def test_a_file_that_was_just_written_makes_none(tmp_path: Path):
    """It may change again, and look the same."""
    assert (
        _read(tmp_path, "open('settings.json', 'w').close(); open('settings.json').close()", age_seconds=0)
        is None
    )


def test_a_template_is_stale_once_a_file_has_changed(tmp_path: Path):
    path = tmp_path / "module.py"
    path.write_text("ONE = 1")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        template = templates.Template(0, ours)
        look = templates.look_of(str(path))
        assert look is not None
        templates.tell(theirs, {str(path): look})
        template.hear()
        assert (template.state, template.is_fresh) == (templates.State.READY, True)

        path.write_text("ONE = 2")
        os.utime(path, ns=(look[1], look[1]))
        assert not template.is_fresh
        template.close()


def test_a_template_is_stale_once_there_is_a_file_that_it_looked_for(tmp_path: Path):
    """As where settings have defaults, and an earlier node writes them."""
    code = """
        try:
            SETTINGS = open('own.json').read()
        except FileNotFoundError:
            SETTINGS = ''
    """
    assert "own.json" in (_read(tmp_path, code) or ())
    path = tmp_path / "own.json"
    ours, theirs = socket.socketpair()
    with ours, theirs:
        template = templates.Template(0, ours, templates.State.READY, looks={str(path): None})
        assert template.is_fresh
        path.write_text("{}")
        assert not template.is_fresh
        template.close()


def test_who_says_nothing_is_no_template():
    ours, theirs = socket.socketpair()
    with ours:
        template = templates.Template(7, ours)
        theirs.close()
        template.hear()
        assert template.state is templates.State.ENDED
        template.close()


@pytest.mark.parametrize(
    "address",
    [Address(True), Address(False), Address(False, b"\x01" * 32), Address(True, b"\x00" * 31 + b"\x02")],
)
def test_an_address_comes_as_it_was_sent(address: Address):
    content = address.to_bytes()
    assert len(content) == Address.NUM_BYTES
    assert Address.from_bytes(content) == address


def test_nodes_of_one_file_in_one_run_share_their_reading():
    def task(**given: object) -> Task:
        values = {"module_path": "/p/a.py", "tmp_path": "/run/1", "is_users": True, **given}
        return Task("Make", "executor", "headrace_user_a.Make", "", b"", b"", **values)  # type: ignore[arg-type]

    one = task().address
    assert one == task(tmp_path="/run/2").address
    assert one.code
    assert not task(is_users=False).address.code
    others = [task(module_path="/p/b.py"), task(tmp_path="/next/1"), task(needs_libraries=False)]
    assert len({one, *(other.address for other in others)}) == 4


def _template(pid: int, looks: dict[str, templates.Look] | None = None) -> templates.Template:
    """A template that is ready."""
    ours, theirs = socket.socketpair()
    theirs.close()
    return templates.Template(pid, ours, templates.State.READY, looks=looks or {})


def _address(number: int) -> Address:
    return Address(False, bytes([number + 1]) * 32)


def test_a_template_of_old_code_is_asked_no_more_and_known_until_it_ends(tmp_path: Path):
    known = templates.Templates()
    stale = _template(7, {str(tmp_path / "gone.py"): (1, 2, 3, 4)})
    known.add(_address(0), stale)
    assert known.fresh(_address(0)) is None
    assert known.fresh(_address(0)) is None
    assert stale.control.fileno() == -1

    known.add(_address(0), _template(8))
    assert known.pids() == [8, 7]
    assert known.forget(7) is stale
    assert known.forget(7) is None
    assert known.pids() == [8]


def test_a_server_keeps_so_many_templates(monkeypatch: pytest.MonkeyPatch):
    """A session has a step after the other; what reads now is not given up."""
    monkeypatch.setattr(templates, "_MAX_TEMPLATES", 2)
    known = templates.Templates()
    first, *others = (_template(pid) for pid in range(1, 5))
    first.state = templates.State.READING
    for number, template in enumerate([first, *others]):
        known.add(_address(number), template)

    assert [known.fresh(_address(number)) is not None for number in range(4)] == [True, False, False, True]
    assert known.reading() == [first]
    assert sorted(known.pids()) == [1, 2, 3, 4]
    known.give_up()
