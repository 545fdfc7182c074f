"""How much memory and how many processors this process may use: the machine's, or what a container has of it.

Linux keeps the limits of control groups (cgroups) in files, in one tree (version 2) or one for each resource
(version 1). A limit of a group holds for all groups in it, so the least of those on the way to the root counts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

_CGROUPS = "/sys/fs/cgroup"
_OWN_GROUPS = "/proc/self/cgroup"
_MEMINFO = "/proc/meminfo"


def memory_bytes(root: str = _CGROUPS, own_groups: str = _OWN_GROUPS) -> int:
    """Return the memory in bytes; 0 where it is not known.

    Args:
        root: Where Linux shows control groups.
        own_groups: Where it says in which this process is.
    """
    sizes = [_physical_memory()]
    for folder in _folders(root, own_groups, "memory"):
        # One without a limit says "max", or a number beyond any machine's memory.
        sizes += [_number(folder, name) for name in ("memory.max", "memory.limit_in_bytes")]
    return min((size for size in sizes if size), default=0)


def available_bytes(root: str = _CGROUPS, own_groups: str = _OWN_GROUPS, meminfo: str = _MEMINFO) -> int:
    """Return the memory in bytes that can be had without taking it from others; 0 where it is not known.

    Args:
        root: See `memory_bytes`.
        own_groups: Likewise.
        meminfo: Where Linux says what the machine has.
    """
    sizes = []
    for line in _read("", meminfo).splitlines():
        if line.startswith("MemAvailable:"):
            sizes.append(int(line.split()[1]) * 1024)
    for folder in _folders(root, own_groups, "memory"):
        for limit, used in (
            ("memory.max", "memory.current"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        ):
            size = _number(folder, limit)
            if size and (not sizes or size < _physical_memory()):
                # What files are kept in memory can be let go of.
                sizes.append(max(size - _number(folder, used) + _inactive_file_bytes(folder), 1))
    return min(sizes, default=0)


def _inactive_file_bytes(folder: str) -> int:
    counts = dict(line.split() for line in _read(folder, "memory.stat").splitlines() if line.count(" ") == 1)
    return int(counts.get("total_inactive_file", counts.get("inactive_file", "0")))


def num_processors(root: str = _CGROUPS, own_groups: str = _OWN_GROUPS) -> float:
    """Return the processors, with a fraction where a container was given one; see `memory_bytes`."""
    counts: list[float] = [_num_usable()]
    for folder in _folders(root, own_groups, "cpu"):
        quota = _read(folder, "cpu.max").split()
        if len(quota) == 2 and quota[0].isdigit() and quota[1].isdigit() and int(quota[1]):
            counts.append(int(quota[0]) / int(quota[1]))
        quota_us, period_us = (_number(folder, f"cpu.cfs_{name}_us") for name in ("quota", "period"))
        if quota_us and period_us:
            counts.append(quota_us / period_us)
    return min(count for count in counts if count)


def _folders(root: str, own_groups: str, controller: str) -> Iterator[str]:
    """Yield the folders of this process's groups, up to the root's. In a container the root's may be its own."""
    for version_root, controllers in ((root, ""), (os.path.join(root, controller), controller)):
        yield version_root
        # Lines are "0::/group" in version 2, and "4:cpu,cpuacct:/group" in version 1.
        for line in _read("", own_groups).splitlines():
            _, _, rest = line.partition(":")
            names, _, group = rest.partition(":")
            if controllers in names.split(",") and ".." not in group.split("/"):
                group = group.strip("/")
                while group:
                    yield os.path.join(version_root, group)
                    group = os.path.dirname(group)


def _physical_memory() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 0


def _num_usable() -> int:
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
    except (OSError, ValueError):
        return ""
