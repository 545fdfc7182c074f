"""What an execution says of itself, and what of it gets through where Beam pickles the steps."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from typing import Any

import pytest

from headrace.runtime import progress, services
from headrace.runtime.progress import Progress
from headrace.runtime.services import Services

_ELSEWHERE = """
import pickle, sys
reached = pickle.loads(sys.stdin.buffer.read())
reached.report("in another process")
reached.add_rows(3)
print(type(reached).__name__)
"""


@pytest.fixture
def heard() -> list[tuple[str, int | None]]:
    return []


@pytest.fixture
def told(heard: list[tuple[str, int | None]]) -> Progress:
    """A progress that somebody listens to."""
    return Progress(lambda doing, rows: heard.append((doing, rows)))


def test_rows_are_those_since_the_last_report(told: Progress, heard: list[Any]) -> None:
    """The first ones are told at once, and so many are not told that the reader is kept busy."""
    told.report("reading")
    told.add_rows(3)
    told.add_rows(4)
    told.report("writing")

    assert heard == [("reading", None), ("reading", 3), ("writing", None)]


def test_the_same_is_reported_once(told: Progress, heard: list[Any]) -> None:
    """By several workers at the same thing."""
    told.report_once("reading")
    told.report_once("reading")

    assert heard == [("reading", None)]


def test_a_pickle_means_the_object_here_and_silence_elsewhere(told: Progress, heard: list[Any]) -> None:
    """Beam pickles the steps that it runs in threads of this process, and those that it sends to workers."""
    pickled = pickle.dumps(told)

    assert pickle.loads(pickled) is told
    done = subprocess.run([sys.executable, "-c", _ELSEWHERE], input=pickled, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout.strip(), heard) == (0, b"Progress", [])


def test_a_pickle_of_one_that_is_gone_reports_nowhere(heard: list[Any]) -> None:
    pickled = pickle.dumps(Progress(lambda doing, rows: heard.append(doing)))

    pickle.loads(pickled).report("too late")

    assert heard == []


def test_functions_without_a_context_report_to_the_execution_that_calls_them(
    told: Progress, heard: list[Any]
) -> None:
    """Such as `run_fn`; outside of any execution nobody listens."""
    progress.report("before")
    with services.lent(Services(progress=told)):
        progress.report("inside")
        progress.add_rows(2)
    progress.report("after")

    assert heard == [("inside", None), ("inside", 2)]


def test_executions_in_two_threads_do_not_hear_each_other() -> None:
    """Each says what it does to its own listener."""
    heard: dict[str, list[str]] = {"one": [], "other": []}
    both_inside = threading.Barrier(2)

    def execute(name: str) -> None:
        mine = Services(progress=Progress(lambda doing, rows: heard[name].append(doing)))
        with services.lent(mine):
            both_inside.wait(10)
            progress.report(name)
            assert services.lent_here() is mine
            both_inside.wait(10)

    threads = [threading.Thread(target=execute, args=(name,)) for name in heard]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert heard == {"one": ["one"], "other": ["other"]}
