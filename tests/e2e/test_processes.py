"""The servers that tests start end when the test does, whatever they think of it."""

from __future__ import annotations

import subprocess
import sys

import processes

# Ends for no polite request, and has a child in a session of its own, as JupyterLab has its kernels.
_STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(child.pid, flush=True)
time.sleep(600)
"""


def test_a_server_that_does_not_listen_ends_with_its_children():
    """The end of a fixture neither hangs nor fails, and leaves nothing running."""
    process = subprocess.Popen(
        [sys.executable, "-c", _STUBBORN], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    child = int(process.stdout.readline())

    processes.end(process, polite_seconds=0.1)

    assert process.returncode == -9
    assert processes.has_ended(child)


def test_a_server_that_ends_by_itself_is_not_killed():
    """Its own exit code says how it ended."""
    program = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print(flush=True)
while True:
    time.sleep(0.05)
"""
    with processes.started([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()

    assert process.returncode == 7
