"""Output that cannot be written: a command that only shows something fails, a run goes on."""

from __future__ import annotations

import shlex
import subprocess
import sys
import textwrap

import pytest

_SHOW = """
import sys
from headrace.errors import StoreError
from headrace.ui.screen import open_error_screen, open_screen
what = sys.argv[1]
screen = open_error_screen() if what == "error" else open_screen(is_vital=what == "vital")
try:
    for line in ("one", "two"):
        screen.console.print(line)
        screen.console.file.flush()
except StoreError as error:
    sys.stderr.write(str(error))
    sys.exit(1)
"""
_TOLD = "standard output cannot be written: No space left on device. What follows is not shown.\n"
_FIX = "\n  Fix: free some space, or send the output elsewhere."


@pytest.mark.parametrize(
    ("what", "streams", "code", "told"),
    [
        ("vital", ">/dev/full", 1, f"standard output cannot be written: No space left on device.{_FIX}"),
        ("vital", ">&-", 1, f"standard output cannot be written: it is closed.{_FIX}"),
        ("not vital", ">/dev/full", 0, _TOLD),
        ("not vital", ">&-", 0, ""),
        ("error", "2>/dev/full", 0, ""),
        ("error", "2>&-", 0, ""),
    ],
)
def test_output_that_cannot_be_written(what: str, streams: str, code: int, told: str):
    """It is told once; Python's own flush at the end of the process does not fail either."""
    command = f'"$0" -c "$1" "{what}" {streams}'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable, textwrap.dedent(_SHOW)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (code, "", told)


_LEND = """
import os
from headrace.ui.streams import lent_output
with lent_output() as alone:
    print("of Python", flush=True)
    os.system("echo of a program")
    alone.write("lent")
    alone.flush()
print(" and back")
"""


def test_what_is_lent_is_written_alone():
    """The text of a program that was started would make JSON unreadable."""
    done = subprocess.run([sys.executable, "-c", _LEND], capture_output=True, text=True, check=True)

    assert (done.stdout, done.stderr) == ("lent and back\n", "of Python\nof a program\n")


def test_what_is_closed_is_not_lent():
    done = subprocess.run(
        ["sh", "-c", f"{shlex.join([sys.executable, '-c', _LEND])} >&-"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, "standard output cannot be written: it is closed" in done.stderr) == (1, True)
