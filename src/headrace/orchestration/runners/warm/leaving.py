"""When a warm server leaves."""

from __future__ import annotations

from dataclasses import dataclass

_BYTES_PER_GB = 1e9
# Below either a machine, or a container, is short of memory.
_LEAST_FREE_BYTES = 1_000_000_000
_LEAST_FREE_SHARE = 0.1
_SECONDS_PER_MINUTE = 60.0


@dataclass(frozen=True)
class Facts:
    """What a server sees around it.

    Attributes:
        idle_seconds: Since its last run ended; 0 while one goes on.
        most_idle_seconds: How long it is to wait for the next.
        is_busy: Whether a run goes on.
        available_bytes: Memory that can be had; 0 where that is not known.
        memory_bytes: All memory that this process may use; 0 where that is not known.
        is_socket_there: Whether its socket is still found.
        is_same: Whether the installed packages and Headrace's source are those that it began with.
        fault: Why what it has loaded fits nobody; empty where it does.
    """

    idle_seconds: float = 0.0
    most_idle_seconds: float = 600.0
    is_busy: bool = False
    available_bytes: int = 0
    memory_bytes: int = 0
    is_socket_there: bool = True
    is_same: bool = True
    fault: str = ""


def reason_to_leave(facts: Facts) -> str:
    """Return why a server takes no more runs, and ends with those that go on; empty where it stays."""
    if facts.fault:
        return facts.fault
    if not facts.is_socket_there:
        return "its socket is gone"
    if not facts.is_same:
        return "the installed packages changed"
    if facts.is_busy:
        return ""
    if facts.idle_seconds >= facts.most_idle_seconds:
        return f"no run came for {facts.most_idle_seconds / _SECONDS_PER_MINUTE:g} minutes"
    least = max(_LEAST_FREE_BYTES, _LEAST_FREE_SHARE * facts.memory_bytes)
    if facts.available_bytes and facts.available_bytes < least:
        return f"only {facts.available_bytes / _BYTES_PER_GB:.1f} GB of memory are free"
    return ""
