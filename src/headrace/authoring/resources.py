"""What a node asks of the machine while it runs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Resources:
    """What a node needs for itself.

    Attributes:
        cpus: Processors; more than there are means all of them.
        memory_gb: Memory in gigabytes; more than there is means all of it.
        exclusive: Whether nothing else may run beside it.
    """

    cpus: float = 1.0
    memory_gb: float = 0.0
    exclusive: bool = False
