"""`headrace server`: what lives, and how it is ended."""

from __future__ import annotations

import json

import pytest

from headrace.orchestration.runners import servers
from headrace.orchestration.runners.servers import ServerStatus

_BUSY = ServerStatus(
    pid=7, prefix="/venv", python="/venv/bin/python", age_seconds=125.0, idle_seconds=3.0, most_idle_seconds=600.0,
    num_runs=3, num_running=1, num_loaded=12, memory_bytes=700 * 2**20,
)  # fmt: skip
_IDLE = ServerStatus(8, "/other", "/other/bin/python", 30.0, 20.0, 600.0, 1, 0, 1, 40 * 2**20)


@pytest.fixture
def living(monkeypatch: pytest.MonkeyPatch) -> list[ServerStatus]:
    found: list[ServerStatus] = []
    monkeypatch.setattr(servers, "servers", lambda: found)
    monkeypatch.setattr(servers, "stop_servers", lambda: found)
    return found


@pytest.mark.parametrize("words", [("server",), ("server", "status")])
def test_it_says_what_lives(headrace, living: list[ServerStatus], words: tuple[str, ...]):
    living += [_BUSY, _IDLE, ServerStatus(9, is_silent=True)]
    lines = headrace(*words).output.splitlines()

    assert lines[0].split() == ["Process", "Age", "Memory", "Runs", "Last", "run", "Environment"]
    assert [" ".join(line.split()) for line in lines[1:]] == [
        "7 2 min 05 s 700 MiB 3, 1 now now /venv, 12 modules",
        "8 30 s 40.0 MiB 1 20 s ago, leaves in 9 min 40 s /other, 1 module",
        "9 does not answer headrace server stop ends it",
    ]


def test_it_says_so_as_json(headrace, living: list[ServerStatus]):
    living.append(_BUSY)
    (line,) = json.loads(headrace("server", "status", "--json").output)
    assert (line["format"], line["pid"], line["num_running"], line["is_silent"]) == (1, 7, 1, False)


def test_where_none_lives_it_says_that(headrace, living: list[ServerStatus]):
    assert (
        headrace("server").output == "No server lives. The next run starts one, unless it is told not to.\n"
    )
    assert headrace("server", "stop").output == "No server lives.\n"
    assert headrace("server", "status", "--json").output == "[]\n"


def test_it_stops_them(headrace, living: list[ServerStatus]):
    living.append(_IDLE)
    assert headrace("server", "stop").output == "Server 8 ends.\n"


def test_its_help_says_what_it_executes_and_for_whom(headrace):
    text = " ".join(headrace("server", "--help").output.split())
    assert "It executes what its user's processes send." in text
    assert "it hears no other user" in text
