"""What this machine and this process may use: memory, processors, disk, the C library."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass

from headrace.runtime.processes import limits


@dataclass(frozen=True)
class Machine:
    """The limits that hold for this process: the smaller of the machine's and its container's.

    Attributes:
        memory_bytes: Memory; 0 where it is not known.
        num_cpus: Processors, with a fraction where a container gives one.
        glibc: Version of the C library, such as `(2, 36)`; empty where it is another one.
    """

    memory_bytes: int
    num_cpus: float
    glibc: tuple[int, ...]


def inspect_machine() -> Machine:
    """Return the limits."""
    name, version = platform.libc_ver()
    glibc = tuple(int(part) for part in version.split(".")) if name == "glibc" else ()
    return Machine(limits.memory_bytes(), limits.num_processors(), glibc)


def free_bytes(path: str) -> int:
    """Return the free space of the disk that `path`, or the nearest folder above it, is on."""
    path = os.path.abspath(path)
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return shutil.disk_usage(path).free
