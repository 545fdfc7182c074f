"""What the libraries write while they load stays off the screen; what matters does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# As TensorFlow 2.21 does it: in C++, so past `sys.stderr`.
_TENSORFLOW = """
import os

os.write(2, b'''WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1795242911.718454   12839 cudart_stub.cc:31] Could not find cuda drivers on your machine.
E0000 00:00:1795242911.718454   12839 loader.cc:7] The library is broken.
the last words
''')
"""
_LOUD = _TENSORFLOW.partition("b'''")[2].partition("'''")[0]
_QUIET = "".join(_LOUD.splitlines(keepends=True)[2:])


def load(folder: Path, source: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Import a made-up TensorFlow in a process that was silenced, and write to its error stream afterwards."""
    (folder / "tensorflow.py").write_text(source)
    code = (
        "from headrace.cli import noise; noise.silence(); import tensorflow, os; os.write(2, b'I0000 after')"
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(folder), **environment},
        capture_output=True,
        text=True,
    )


def test_notices_of_tensorflow_stay_off_the_screen(tmp_path):
    """Errors, other lines and all that is written after it has loaded come through."""
    done = load(tmp_path, _TENSORFLOW)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"{_QUIET}I0000 after")


def test_the_last_words_before_a_crash_are_shown(tmp_path):
    """Such as those about instructions that the processor lacks."""
    done = load(tmp_path, f"{_TENSORFLOW}\nos.kill(os.getpid(), 9)\n")

    assert done.returncode == -9
    assert done.stderr == _QUIET


def test_an_error_while_it_loads_is_the_users_to_see(tmp_path):
    done = load(tmp_path, f"{_TENSORFLOW}\nraise ImportError('no such library')\n")

    assert done.returncode == 1
    assert done.stderr.startswith(_QUIET)
    assert done.stderr.endswith("ImportError: no such library\n")


@pytest.mark.parametrize("level", ["0", "1"])
def test_who_asks_for_the_notices_gets_them(tmp_path, level):
    """By TensorFlow's own variable."""
    done = load(tmp_path, _TENSORFLOW, TF_CPP_MIN_LOG_LEVEL=level)

    assert done.stderr == f"{_LOUD}I0000 after"
