"""A search: trials side by side, each kept when it ends, until all are tried or the time is up."""

from __future__ import annotations

import dataclasses
import itertools
import logging
import pickle
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from headrace.components.tuner.pruning import Pruning
from headrace.components.tuner.search import Search
from headrace.components.tuner.trials import COMPLETE, FAILED, KeptTrials, Trial
from headrace.errors import ExecutorError, HeadraceError
from headrace.runtime.context import ExecutionContext
from headrace.runtime.processes.fresh_processes import FreshProcesses
from headrace.runtime.processes.side_processes import SideProcesses

# Trains one: from its number, its values, how it is pruned, and its place there.
Train = Callable[[int, dict[str, Any], "Pruning | None", "int | None"], Trial]
_KEY = "trials of a search"
# So many may raise before one ends well: what makes each of them raise is not its values.
_MAX_RAISED = 3
_log = logging.getLogger(__name__)


class Searching:
    """Runs the trials of one search.

    Args:
        context: Of the execution.
        search: What proposes them.
        make: Makes what trains them, from the context and the number of processors that it may use; a function at the
            top level of its module.
        kept: Where those that ended are kept.
        num_parallel: How many may run at a time; fewer where there are not so many processes.
        pruning: How they are stopped early; `None` for not at all.
        max_seconds: After that none is begun; `None` for no bound.
    """

    def __init__(
        self,
        context: ExecutionContext,
        search: Search,
        make: Callable[[ExecutionContext, int | None], Train],
        kept: KeptTrials,
        *,
        num_parallel: int,
        pruning: Pruning | None,
        max_seconds: float | None,
    ) -> None:
        self._context = context
        self._search = search
        self._kept = kept
        self._pruning = pruning
        self._max_seconds = max_seconds
        self._lock = threading.Lock()
        # By number: the values, and the place among those that are pruned.
        self._running: dict[int, tuple[dict[str, Any], int | None]] = {}
        self._error: BaseException | None = None
        # What trials raised.
        self._raised: list[Exception] = []
        self.trials = kept.read()
        self._started = time.monotonic()
        # What executions before this one took counts.
        self._seconds_before = sum(one.seconds for one in self.trials) / max(num_parallel, 1)
        num_side = len(context.side_processes)
        self._num_workers = max(1, min(num_parallel, num_side, self._num_left()))
        if num_side:
            # Also where one is trained at a time: this process then holds none of its memory, and outlives it.
            processors = max(1, num_side // self._num_workers)
            self._train: Train = _Elsewhere(context, make, processors)
        else:
            self._train = make(context, None)

    def _num_left(self) -> int:
        most = self._search.num_trials
        return 1 << 30 if most is None else most - len(self.trials)

    def run(self) -> list[Trial]:
        """Return all trials in the order of their numbers.

        Raises:
            Exception: What the first trial raised, where one after another failed and none ended well.
        """
        if self.trials:
            _log.info("%s goes on after %d trials that were kept.", self._context.node_id, len(self.trials))
        if self._pruning is not None:
            self._pruning.begin(self.trials)
        with ThreadPoolExecutor(self._num_workers) as pool:
            for _ in range(self._num_workers):
                pool.submit(self._work)
        if self._error is None and not self._has_success:
            self._error = next(iter(self._raised), None)
        if self._error is not None:
            # What made them fail may be mended when the search goes on.
            self._kept.write([one for one in self.trials if one.state != FAILED])
            raise self._error
        return sorted(self.trials, key=lambda one: one.number)

    @property
    def is_out_of_time(self) -> bool:
        """Whether the time is up."""
        spent = self._seconds_before + time.monotonic() - self._started
        return self._max_seconds is not None and spent >= self._max_seconds

    def _work(self) -> None:
        try:
            while (taken := self._take()) is not None:
                self._try(*taken)
        except BaseException as error:
            with self._lock:
                self._error = self._error or error

    def _take(self) -> tuple[int, dict[str, Any], int | None] | None:
        """Return the next trial; `None` where there is none."""
        with self._lock:
            # The first trial is made whatever the time, so that there is a result.
            begun = {one.number for one in self.trials} | set(self._running)
            if self._error is not None or (self.is_out_of_time and begun):
                return None
            # After a stop the trials that were not finished come first.
            number = next(number for number in itertools.count() if number not in begun)
            running = [values for values, _ in self._running.values()]
            values = self._search.propose(number, self.trials, running)
            if values is None:
                return None
            place = None if self._pruning is None else self._pruning.begin_trial()
            self._running[number] = values, place
            return number, values, place

    def _try(self, number: int, values: dict[str, Any], place: int | None) -> None:
        started = time.monotonic()
        try:
            trial = self._train(number, values, self._pruning, place)
        except Exception as error:
            trial = Trial(number, values, FAILED, seconds=time.monotonic() - started, message=_message(error))
            _log.warning("%s: trial %d failed: %s", self._context.node_id, number + 1, trial.message)
            self._note(error)
        with self._lock:
            del self._running[number]
            self.trials.append(trial)
            self.trials.sort(key=lambda one: one.number)
            if self._pruning is not None and place is not None:
                self._pruning.end_trial(place, trial)
            self._kept.write(self.trials)

    def _note(self, error: Exception) -> None:
        """Decide whether what a trial raised ends the search: other values may fit, unless none has.

        Its process may have been killed, where memory ran out, or `build_model` may not take these values.
        """
        with self._lock:
            self._raised.append(error)
            if isinstance(error, ExecutorError):
                beside = self._context.side_processes
                is_end = bool(len(beside)) and not beside.num_alive
            else:
                # A wrong name or width, for instance, is not a matter of values.
                is_definition = isinstance(error, HeadraceError)
                num_raised = sum(not isinstance(one, ExecutorError) for one in self._raised)
                is_end = not self._has_success and (is_definition or num_raised >= _MAX_RAISED)
            if is_end:
                self._error = self._error or error

    @property
    def _has_success(self) -> bool:
        return any(one.state == COMPLETE for one in self.trials)


def _message(error: Exception) -> str:
    if isinstance(error, ExecutorError):
        return "its process was killed; the system does so when memory runs out"
    return f"{type(error).__name__}: {error.problem if isinstance(error, HeadraceError) else error}"


class _Elsewhere:
    """Trains in the side processes, each of which reads the data once."""

    def __init__(
        self,
        context: ExecutionContext,
        make: Callable[[ExecutionContext, int | None], Train],
        num_processors: int,
    ) -> None:
        self._side_processes = context.side_processes
        # What can start processes stays here.
        sent = dataclasses.replace(context, side_processes=SideProcesses(), fresh_processes=FreshProcesses())
        self._pickled = pickle.dumps((make, sent, num_processors))

    def __call__(
        self, number: int, values: dict[str, Any], pruning: Pruning | None, place: int | None
    ) -> Trial:
        arguments = (number, values, pruning, place)
        trial: Trial = self._side_processes.call(_KEY, self._pickled, _load, arguments)
        return trial


def _load(pickled: bytes) -> Train:
    make, context, num_processors = pickle.loads(pickled)
    train: Train = make(context, num_processors)
    return train
