"""What this machine and this process may use: memory, processors, disk, the C library."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass

_CGROUP = "/sys/fs/cgroup"


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


def inspect_machine(cgroup_path: str = _CGROUP) -> Machine:
    """Return the limits; `cgroup_path` is where Linux tells those of a container (version 2 or 1)."""
    memory = [_physical_memory(), _number(cgroup_path, "memory.max")]
    memory.append(_number(cgroup_path, "memory/memory.limit_in_bytes"))
    cpus: list[float] = [_num_usable_cpus()]
    quota = _read(cgroup_path, "cpu.max").split()
    if len(quota) == 2 and quota[0].isdigit() and int(quota[1]):
        cpus.append(int(quota[0]) / int(quota[1]))
    quota_us = _number(cgroup_path, "cpu/cpu.cfs_quota_us")
    period_us = _number(cgroup_path, "cpu/cpu.cfs_period_us")
    if quota_us and period_us:
        cpus.append(quota_us / period_us)
    name, version = platform.libc_ver()
    glibc = tuple(int(part) for part in version.split(".")) if name == "glibc" else ()
    # A container without a limit says "max", or a number beyond any machine's memory.
    return Machine(min((size for size in memory if size), default=0), min(cpus), glibc)


def free_bytes(path: str) -> int:
    """Return the free space of the disk that `path`, or the nearest folder above it, is on."""
    path = os.path.abspath(path)
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return shutil.disk_usage(path).free


def _physical_memory() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 0


def _num_usable_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _number(folder: str, name: str) -> int:
    text = _read(folder, name).strip()
    return int(text) if text.isdigit() else 0


def _read(folder: str, name: str) -> str:
    try:
        with open(os.path.join(folder, name), encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""
