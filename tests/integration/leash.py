"""Run a command that ends when this process's parent does, with all that it started::

    python tests/integration/leash.py COMMAND...

Started in a session of its own, so that one signal to its group ends everything.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

_SECONDS_BETWEEN_LOOKS = 0.2


def main(command: list[str]) -> int:
    """Run the command to its end, or to the parent's."""
    parent = os.getppid()
    process = subprocess.Popen(command)
    while process.poll() is None:
        if os.getppid() != parent:
            os.killpg(0, signal.SIGKILL)
        time.sleep(_SECONDS_BETWEEN_LOOKS)
    return process.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
