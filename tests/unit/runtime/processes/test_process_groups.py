"""Processes end with those that they belong to, in whatever session they are."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from headrace.runtime.processes import process_groups

linux_only = pytest.mark.skipif(
    sys.platform != "linux", reason="what is below a process is read from Linux's /proc"
)

# Starts a process in a session of its own, whose child outlives it in another; then ends as it is told.
PARENT = """
import subprocess, sys, time
from headrace.runtime.processes import process_groups
process_groups.adopt_orphans()
script = "setsid sh -c 'echo $$ > {folder}/orphan.new; mv {folder}/orphan.new {folder}/orphan; exec sleep 600' & sleep 0.1"
subprocess.Popen(["sh", "-c", script], start_new_session=True)
spared = subprocess.Popen(["sleep", "600"])
import os
while not os.path.exists("{folder}/orphan"):
    time.sleep(0.01)
process_groups.kill_below(os.getpid(), [spared.pid])
print(spared.poll() is None, process_groups.below(os.getpid()) == [spared.pid], flush=True)
process_groups.kill_below(os.getpid())
print(process_groups.below(os.getpid()), flush=True)
"""


@linux_only
def test_all_below_a_process_end_but_those_that_are_spared(tmp_path: Path):
    """Orphans in sessions of their own too."""
    done = subprocess.run(
        [sys.executable, "-c", PARENT.format(folder=tmp_path)], capture_output=True, text=True, timeout=60
    )

    assert (done.stdout, done.stderr) == ("True True\n[]\n", "")
    assert not is_alive(int((tmp_path / "orphan").read_text()))


@linux_only
def test_a_process_is_told_from_a_later_one_of_its_id():
    process = subprocess.Popen(["sleep", "600"])
    identity = process_groups.identity(process.pid)

    assert identity.split()[0] == str(process.pid)
    assert process_groups.identity(process.pid) == identity
    assert process_groups.identity(os.getpid()) != identity
    process.kill()
    assert _becomes(lambda: process_groups.identity(process.pid) == "")
    process.wait()
    assert process_groups.identity(process.pid) == ""


@linux_only
def test_a_mark_is_that_of_one_server_or_of_a_whole_family():
    """`a.1.` is not the start of `a.12.`."""
    family = process_groups.family()
    processes = {
        mark: subprocess.Popen(["sleep", "600"], env={process_groups.SERVER_MARK: f"{family}.{mark}."})
        for mark in ("1", "12")
    }
    process_groups.kill_marked(f"{family}.1.")
    assert (processes["1"].wait(), processes["12"].poll()) == (-9, None)

    process_groups.kill_marked(f"{family}.")
    assert processes["12"].wait() == -9


def test_a_fork_has_a_family_of_its_own():
    assert process_groups.family() == process_groups.family()
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(writing, process_groups.family().encode())
        os._exit(0)
    os.waitpid(pid, 0)

    assert os.read(reading, 100).decode() != process_groups.family()


def is_alive(pid: int) -> bool:
    return bool(process_groups.identity(pid))


def _becomes(holds) -> bool:
    deadline = time.monotonic() + 30
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(holds())


# Takes a mark after it has begun, forks, and waits.
MARKED = """
import os, time
from headrace.runtime.processes import process_groups
if not os.fork():
    process_groups.take_mark({mark!r})
    os.environ["MORE"] = "x" * 1000
    os.fork()
    os.write(1, b"%d " % os.getpid())
time.sleep(600)
"""


@linux_only
def test_a_process_that_works_for_several_takes_the_mark_of_one():
    """Its forks have it too, and the process that it was forked from has none."""
    environment = {**os.environ, process_groups.SERVER_MARK: process_groups.NO_MARK}
    mark = f"{process_groups.family()}.77."
    process = subprocess.Popen(
        [sys.executable, "-c", MARKED.format(mark=mark)], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    text = ""
    while text.count(" ") < 2:
        text += process.stdout.read(1)
    marked = list(map(int, text.split()))

    process_groups.kill_marked(mark)

    assert _becomes(lambda: not any(map(is_alive, marked)))
    assert process.poll() is None
    process.kill()
    process.wait()


# An adopter: one child that it knows leaves a child of a session of its own behind.
ADOPTER = """
import os, subprocess, sys, time
from headrace.runtime.processes import process_groups
process_groups.adopt_orphans()
known = os.fork()
if not known:
    if not os.fork():
        os.setsid()
        time.sleep(600)
    time.sleep({lives})
    os._exit(0)
own = subprocess.Popen(["sleep", "600"])
time.sleep(0.5)
stray = next(pid for pid in process_groups.below(os.getpid()) if pid not in (known, own.pid))
process_groups.kill_strays([known], {forking})
time.sleep(0.3)
print(bool(process_groups.identity(stray)), own.poll() is None, flush=True)
process_groups.kill_below(os.getpid())
"""


@linux_only
@pytest.mark.parametrize(
    ("lives", "forking", "is_left"),
    [("0.0", "0", False), ("600.0", "0", True), ("0.0", "known", True)],
    ids=["orphan", "not orphaned", "of one whose children go on"],
)
def test_what_a_killed_process_left_behind_is_ended_by_who_adopts_it(lives: str, forking: str, is_left: bool):
    script = ADOPTER.format(lives=lives, forking=forking)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)

    assert (done.stdout, done.stderr) == (f"{is_left} True\n", "")
