"""Trials of a search: kept as they end, tried again where they did not, bounded by number and time."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from headrace.authoring import standard_artifacts
from headrace.components.tuner import searching
from headrace.components.tuner.search import Search
from headrace.components.tuner.search_space import RANDOM
from headrace.components.tuner.searching import Searching
from headrace.components.tuner.trials import COMPLETE, FAILED, KeptTrials, Trial
from headrace.errors import ExecutorError
from headrace.runtime.context import DIGEST_PROPERTY, ExecutionContext
from headrace.runtime.partial_results import PartialResults

SPACE = {"x": {"min": 0.0, "max": 1.0}}


@pytest.fixture
def context(tmp_path: Path) -> ExecutionContext:
    examples = standard_artifacts.Examples()
    examples.set_string_custom_property(DIGEST_PROPERTY, "content")
    return ExecutionContext(
        "Tuner",
        {"examples": [examples]},
        {},
        {},
        str(tmp_path),
        partial_results=PartialResults(str(tmp_path / "kept"), "maker"),
    )


class Trainer:
    """Scores are values; remembers what it trained; may fail at a number."""

    def __init__(self, stop_at: int = 1000, error: type[BaseException] = KeyboardInterrupt) -> None:
        self.trained: list[int] = []
        self._stop_at, self._error = stop_at, error

    def __call__(self, number: int, values: dict[str, Any], pruning: Any, place: Any) -> Trial:
        if number == self._stop_at:
            raise self._error("stopped")
        self.trained.append(number)
        return Trial(number, values, COMPLETE, values["x"], {"val_loss": values["x"]}, seconds=1.0)


def run(context: ExecutionContext, trainer: Trainer, number: int | None = 6, **given: Any) -> list[Trial]:
    options = {"num_parallel": 1, "pruning": None, "max_seconds": None, **given}
    search = Search(SPACE, RANDOM, number, "min", 1)
    return Searching(context, search, lambda *_: trainer, KeptTrials(context), **options).run()


def test_a_search_that_was_stopped_goes_on_with_what_it_lacks(context: ExecutionContext) -> None:
    """The same values as of one that was not stopped."""
    with pytest.raises(KeyboardInterrupt):
        run(context, Trainer(stop_at=4))
    later = Trainer()
    found = run(context, later)

    assert later.trained == [4, 5]
    KeptTrials(context).remove()
    assert [one.values for one in found] == [one.values for one in run(context, Trainer())]


def test_what_did_not_end_between_others_comes_first(context: ExecutionContext) -> None:
    """Of trials side by side the later one may end first."""
    all_trials = run(context, Trainer())
    KeptTrials(context).write([one for one in all_trials if one.number in (0, 2, 3)])
    later = Trainer()

    assert [one.number for one in run(context, later)] == list(range(6))
    assert later.trained == [1, 4, 5]


@pytest.mark.parametrize("changed", ["maker", "content", "unknown"])
def test_trials_of_other_code_or_data_are_not_taken(context: ExecutionContext, changed: str) -> None:
    run(context, Trainer())
    if changed == "maker":
        kept = PartialResults(context.partial_results.folder, "other")
        context = ExecutionContext("Tuner", context.inputs, {}, {}, context.tmp_path, partial_results=kept)
    else:
        text = {"content": "other", "unknown": ""}[changed]
        context.inputs["examples"][0].set_string_custom_property(DIGEST_PROPERTY, text)

    assert KeptTrials(context).read() == []


def test_a_process_that_died_fails_its_trial(context: ExecutionContext) -> None:
    """The search ends where no process is left that could try others, and keeps what it has."""
    with pytest.raises(ExecutorError):
        run(context, Trainer(stop_at=2, error=ExecutorError))

    assert [(one.number, one.state) for one in KeptTrials(context).read()] == [
        (0, COMPLETE),
        (1, COMPLETE),
        (2, FAILED),
    ]


def test_time_ends_a_search_after_what_runs(
    context: ExecutionContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of tries before counts; one trial is made in any case."""
    now = [0.0]
    monkeypatch.setattr(searching.time, "monotonic", lambda: now[0])

    class Slow(Trainer):
        def __call__(self, *given: Any) -> Trial:
            now[0] += 1.0
            return super().__call__(*given)

    assert len(run(context, Slow(), None, max_seconds=3.0)) == 3
    again = Slow()
    assert len(run(context, again, None, max_seconds=4.0)) == 4
    assert again.trained == [3]
    KeptTrials(context).remove()
    assert len(run(context, Slow(), None, max_seconds=0.0)) == 1


def test_trials_run_side_by_side(context: ExecutionContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as are asked for, and never the same number twice."""
    at_once = threading.Barrier(3, timeout=20)

    class Together(Trainer):
        def __call__(self, number: int, values: dict[str, Any], pruning: Any, place: Any) -> Trial:
            at_once.wait()
            return super().__call__(number, values, pruning, place)

    trainer = Together()
    monkeypatch.setattr(searching, "_Elsewhere", lambda *_: trainer)
    monkeypatch.setattr(type(context.side_processes), "__len__", lambda _: 4)
    found = run(context, trainer, num_parallel=3)

    assert sorted(trainer.trained) == [one.number for one in found] == list(range(6))
