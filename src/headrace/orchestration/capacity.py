"""What the machine has for nodes that run at the same time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from headrace.sdk.resources import Resources

_BYTES_PER_GB = 1e9


@dataclass(frozen=True)
class Capacity:
    """Processors and memory that the nodes of one run share.

    Attributes:
        cpus: Processors.
        memory_gb: Memory in gigabytes.
    """

    cpus: float
    memory_gb: float

    def has_room(self, asked: Resources, running: Sequence[Resources]) -> bool:
        """Whether a node may start beside those that run; alone, every node may."""
        if not running:
            return True
        if asked.exclusive or any(other.exclusive for other in running):
            return False
        cpus = sum(min(other.cpus, self.cpus) for other in running)
        memory_gb = sum(min(other.memory_gb, self.memory_gb) for other in running)
        return (
            cpus + min(asked.cpus, self.cpus) <= self.cpus
            and memory_gb + min(asked.memory_gb, self.memory_gb) <= self.memory_gb
        )


def num_processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine_capacity(num_slots: int) -> Capacity:
    """Return what this machine has; who asks for more slots than processors has that many to give."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _BYTES_PER_GB
    return Capacity(max(num_processors(), num_slots), memory)
