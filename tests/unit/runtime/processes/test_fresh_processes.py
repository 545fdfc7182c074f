"""Fresh processes: forked from a nursery where there is one, else started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from headrace.runtime.processes.fresh_processes import FreshProcesses

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the nursery needs Linux")

# What a fresh process runs: tells where it is, answers lines, and ends as it is told.
SCRIPT = """
import os, sys
print(os.getpid(), os.environ.get("COLOR"), os.getcwd(), "asked_for" in sys.modules, flush=True)
for line in sys.stdin:
    if line.startswith("exit"):
        os._exit(int(line.split()[1]))
    print(line.strip().upper(), flush=True)
"""

# Opens a nursery while it has one module, imports another, and asks for a process; then does what it is told.
ASKER = """
import os, sys, types
from headrace.runtime.processes.fresh_processes import FreshProcesses
fresh_processes = FreshProcesses()
sys.modules["asked_for"] = types.ModuleType("asked_for")
if {with_nursery}:
    fresh_processes.open_nursery()
process = fresh_processes.start({script!r}, {log!r}, {{**os.environ, "COLOR": "blue"}})
print(process.stdout.readline().decode().strip(), process.pid, flush=True)
"""


def ask(tmp_path: Path, then: str, with_nursery: bool = True) -> subprocess.Popen[str]:
    """Start a process that asks for a fresh one, and goes on with `then`."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    source = ASKER.format(with_nursery=with_nursery, script=str(script), log=str(tmp_path / "log"))
    return subprocess.Popen([sys.executable, "-c", source + then], stdout=subprocess.PIPE, text=True)


def is_running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ends_within(pid: int, seconds: float) -> bool:
    """Wait for the end of a process that is not this one's child."""
    deadline = time.monotonic() + seconds
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    return not is_running(pid)


@linux_only
@pytest.mark.parametrize("with_nursery", [True, False])
def test_it_runs_a_script_with_pipes_environment_and_folder(tmp_path, with_nursery):
    """A fork has what was loaded when the nursery was opened; a Python of its own has not."""
    then = """
process.stdin.write(b"hello\\n"); process.stdin.flush()
print(process.stdout.readline().decode().strip())
process.stdin.write(b"exit 7\\n"); process.stdin.flush()
print(process.wait())
process.end()
"""
    asker = ask(tmp_path, then, with_nursery)
    output, _ = asker.communicate(timeout=120)

    first, hello, code = output.splitlines()
    pid, color, folder, has_module, told_pid = first.split()
    assert (pid, color, folder) == (told_pid, "blue", str(tmp_path))
    assert has_module == str(with_nursery)
    assert (hello, code) == ("HELLO", "7")


@linux_only
def test_a_fork_ends_when_it_is_told_to(tmp_path):
    asker = ask(tmp_path, "process.end(); print(process.wait(), flush=True); input()")
    assert asker.stdout is not None
    pid = int(asker.stdout.readline().split()[0])
    assert asker.stdout.readline().strip() == str(-signal.SIGKILL)
    assert not is_running(pid)
    asker.kill()
    asker.communicate()


@linux_only
def test_a_fork_ends_with_the_process_that_asked_for_it(tmp_path):
    """And so does the nursery, whose parent that was."""
    asker = ask(tmp_path, "import time; time.sleep(600)")
    assert asker.stdout is not None
    pid = int(asker.stdout.readline().split()[0])
    nursery = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    assert nursery not in (asker.pid, os.getpid())

    asker.kill()
    asker.communicate()

    assert ends_within(pid, 60)
    assert ends_within(nursery, 60)


@linux_only
def test_where_the_nursery_is_gone_a_python_is_started(tmp_path):
    then = f"""
nursery = int(open(f"/proc/{{process.pid}}/stat").read().rpartition(")")[2].split()[1])
os.kill(nursery, 9)
print(process.wait())
os.waitpid(nursery, 0)
again = fresh_processes.start({str(tmp_path / "script.py")!r}, {str(tmp_path / "log")!r}, dict(os.environ))
print(again.stdout.readline().decode().strip())
again.end()
"""
    output, _ = ask(tmp_path, then).communicate(timeout=120)

    _, code, again = output.splitlines()
    assert code == str(-signal.SIGKILL)
    assert again.split()[-1] == "False"


def test_without_a_nursery_none_is_needed(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import sys\nprint('ready', flush=True)\nsys.exit(3)\n")
    process = FreshProcesses().start(str(script), str(tmp_path / "log"), os.environ)

    assert process.stdout.readline() == b"ready\n"
    assert process.wait() == 3
    process.end()


@linux_only
def test_a_branch_of_the_nursery_serves_one_of_several(tmp_path):
    """It ends with whoever has it, and the nursery goes on."""
    then = """
process.end()
branch = fresh_processes.branch(0o027)
other = branch.start(SCRIPT, LOG, {"COLOR": "red"})
print(other.stdout.readline().decode().strip(), flush=True)
other.end()
branch.close()
again = fresh_processes.start(SCRIPT, LOG, {"COLOR": "blue"})
print(again.stdout.readline().decode().split()[1], flush=True)
again.end()
"""
    then = then.replace("SCRIPT", repr(str(tmp_path / "script.py"))).replace(
        "LOG", repr(str(tmp_path / "log"))
    )
    output, _ = ask(tmp_path, then).communicate(timeout=120)

    _, branched, again = output.splitlines()
    _, color, _, has_module = branched.split()
    assert (color, has_module, again) == ("red", "True", "blue")
