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
from headrace.errors import DataError, ExecutorError
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


class Failing(Trainer):
    """Raises at some numbers."""

    def __init__(self, errors: dict[int, Exception]) -> None:
        super().__init__()
        self._errors = errors

    def __call__(self, number: int, *given: Any) -> Trial:
        if number in self._errors:
            raise self._errors[number]
        return super().__call__(number, *given)


def test_a_trial_that_raises_fails_alone(context: ExecutionContext) -> None:
    """Other values fit, before it or after it."""
    errors: dict[int, Exception] = {
        0: ValueError("too small"),
        1: ExecutorError("killed", "give more memory"),
        3: DataError("no rows", "give some"),
        **{number: ValueError("too large") for number in (4, 5, 6)},
    }
    found = run(context, Failing(errors), 8)

    assert [one.state for one in found] == [
        FAILED,
        FAILED,
        COMPLETE,
        FAILED,
        FAILED,
        FAILED,
        FAILED,
        COMPLETE,
    ]
    assert [one.message for one in found[:4]] == [
        "ValueError: too small",
        "its process was killed; the system does so when memory runs out",
        "",
        "DataError: no rows",
    ]


@pytest.mark.parametrize(
    ("error", "num_tried"),
    [(ValueError("wrong"), 3), (DataError("no rows", "give some"), 1), (ExecutorError("killed", "wait"), 6)],
)
def test_a_search_in_which_all_raise_ends(
    context: ExecutionContext, error: Exception, num_tried: int
) -> None:
    """At once where it is no matter of values; what failed is tried again when the search goes on."""
    tried: list[int] = []

    class Wrong(Trainer):
        def __call__(self, number: int, *given: Any) -> Trial:
            tried.append(number)
            raise error

    with pytest.raises(type(error)) as raised:
        run(context, Wrong())

    assert raised.value is error
    assert tried == list(range(num_tried))
    assert KeptTrials(context).read() == []
    assert len(run(context, Trainer())) == 6


def test_a_search_without_processes_ends(context: ExecutionContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """And keeps what it has."""
    trainer = Failing({2: ExecutorError("killed", "give more memory")})
    monkeypatch.setattr(searching, "_Elsewhere", lambda *_: trainer)
    monkeypatch.setattr(type(context.side_processes), "__len__", lambda _: 1)
    with pytest.raises(ExecutorError):
        run(context, trainer)

    assert [one.number for one in KeptTrials(context).read()] == [0, 1]


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
