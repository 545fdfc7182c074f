"""What there is for nodes that run at the same time: the machine's, or what its container was given of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from headrace.authoring.resources import Resources
from headrace.runtime.processes import limits

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
    """How many processors this process may use, a part of one counted as one."""
    return max(math.ceil(limits.num_processors()), 1)


def default_workers() -> int:
    """How many nodes run at once: one for each processor this process may use, at least two."""
    return max(2, num_processors())


def machine_capacity(num_slots: int) -> Capacity:
    """Return what there is for this process; who asks for more slots than processors has that many to give."""
    memory_gb = limits.memory_bytes() / _BYTES_PER_GB
    return Capacity(max(limits.num_processors(), num_slots), memory_gb or math.inf)
