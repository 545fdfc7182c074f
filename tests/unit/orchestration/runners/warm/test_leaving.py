"""When a server that stays leaves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headrace.orchestration.runners.warm.leaving import Facts, reason_to_leave

_GB = 10**9
_FINE = Facts(idle_seconds=599.0, available_bytes=8 * _GB, memory_bytes=16 * _GB)


def test_a_server_stays_while_nothing_speaks_against_it():
    assert reason_to_leave(_FINE) == ""
    assert reason_to_leave(replace(_FINE, available_bytes=0, memory_bytes=0)) == ""


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"idle_seconds": 600.0}, "no run came for 10 minutes"),
        ({"idle_seconds": 90.0, "most_idle_seconds": 90.0}, "no run came for 1.5 minutes"),
        ({"available_bytes": _GB - 1, "memory_bytes": 2 * _GB}, "only 1.0 GB of memory are free"),
        # A tenth of a large machine.
        ({"available_bytes": 6 * _GB, "memory_bytes": 64 * _GB}, "only 6.0 GB of memory are free"),
    ],
)
def test_a_server_without_work_leaves(change: dict[str, float], reason: str):
    assert reason_to_leave(replace(_FINE, **change)) == reason  # type: ignore[arg-type]
    assert reason_to_leave(replace(_FINE, is_busy=True, **change)) == ""  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"is_socket_there": False}, "its socket is gone"),
        ({"is_same": False}, "the installed packages changed"),
        ({"fault": "a.py has changed since"}, "a.py has changed since"),
    ],
)
@pytest.mark.parametrize("is_busy", [True, False])
def test_a_server_that_fits_nobody_takes_no_more_runs(change: dict[str, object], reason: str, is_busy: bool):
    assert reason_to_leave(replace(_FINE, is_busy=is_busy, **change)) == reason  # type: ignore[arg-type]
