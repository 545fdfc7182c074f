"""Run a command without a network: `python offline.py COMMAND...`, in a network namespace with loopback alone."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys

_SET_FLAGS, _UP = 0x8914, 0x1


def cut_off(command: list[str]) -> list[str]:
    """Return the command that runs `command` so; the command itself where this machine has no namespaces."""
    unshare = shutil.which("unshare")
    prefix = [unshare or "", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    works = unshare and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    return [*prefix, sys.executable, __file__, *command] if works else command


def main() -> None:
    """Bring loopback up, which a new namespace has down, and become the command."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SET_FLAGS, struct.pack("16sh", b"lo", _UP))
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
