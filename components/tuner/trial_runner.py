"""Trains the trials of a search, each as Trainer would. Importing this loads TensorFlow."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from headrace.components.tuner.pruning import Pruning, Watch
from headrace.components.tuner.trials import COMPLETE, FAILED, PRUNED, Trial
from headrace.errors import DefinitionError, TrainingError, did_you_mean, listed
from headrace.runtime.context import ExecutionContext
from headrace.training import learners, short_form, user_function
from headrace.training.datasets import Rows
from headrace.training.learners.learner import Learner
from headrace.training.outcome import Outcome


class TrialRunner:
    """Trains models of the user's function; the data is read once.

    Args:
        context: Of the execution.
        objective: The metric that counts.
        num_trials: How many there will be, for what is said of the progress; `None` where that is not known.
        num_processors: How many this process may use; `None` for all.
    """

    def __init__(
        self, context: ExecutionContext, objective: str, num_trials: int | None, num_processors: int | None
    ) -> None:
        if num_processors is not None:
            tf.config.threading.set_intra_op_parallelism_threads(num_processors)
        self._objective = objective
        self._progress = context.progress
        self._of = "" if num_trials is None else f"/{num_trials}"
        _, self._function = user_function.load(context, "build_model")
        self._settings = short_form.Settings.read(context)
        self._source = short_form.open_source(context)
        self._constants = short_form.hyperparameter_values(context)
        self._context = context
        # By what the learner reads: the models of a search may be of several frameworks.
        self._rows: dict[Any, tuple[Rows, Rows]] = {}

    def __call__(
        self, number: int, values: dict[str, Any], pruning: Pruning | None, place: int | None
    ) -> Trial:
        """Train one trial; what `build_model` raises passes through, for `Searching` to judge."""
        started = time.monotonic()
        watch = None if pruning is None or place is None else pruning.watch(place)
        try:
            outcome = self._train(number, {**self._constants, **values}, watch)
        except _Untrainable as error:
            # A NaN loss ends one trial, not the search.
            return Trial(
                number, values, FAILED, seconds=time.monotonic() - started, message=error.cause.problem
            )
        seconds = time.monotonic() - started
        if watch is not None and watch.is_pruned:
            score = outcome.history[self._objective][-1]
            return Trial(number, values, PRUNED, score, outcome.best, outcome.history, seconds)
        score = outcome.best[self._objective]
        return Trial(number, values, COMPLETE, score, outcome.best, outcome.history, seconds)

    def _train(self, number: int, values: dict[str, Any], watch: Watch | None) -> Outcome:
        model = short_form.build(self._function, self._source, values, self._settings)
        learner = learners.make(model, self._source, self._settings)
        rows = self._read(learner)
        learner.prepare(rows, values)
        prefix = f"trial {number + 1}{self._of} "
        try:
            looking = _Looking(self._objective, watch, self._settings.node_id)
            outcome = learner.fit(rows, values, progress=self._progress, prefix=prefix, is_hopeless=looking)
        except TrainingError as error:
            raise _Untrainable(error) from error
        # What is fitted in one go has no epochs to look at.
        looking.check(outcome.best)
        return outcome

    def _read(self, learner: Learner) -> tuple[Rows, Rows]:
        key = type(learner), tuple(learner.names)
        if key not in self._rows:
            self._rows[key] = short_form.read_rows(
                self._context, self._settings, learner.source, learner.names
            )
        return self._rows[key]


class _Untrainable(Exception):
    """The training of one trial failed."""

    def __init__(self, cause: TrainingError) -> None:
        super().__init__()
        self.cause = cause


class _Looking:
    """Looks at the metrics of each epoch: whether the objective is among them, and, where trials are pruned, how it is.

    Args:
        objective: Its name.
        watch: Says whether a trial is to be stopped; `None` where none is.
        where: The node, for the message.
    """

    def __init__(self, objective: str, watch: Watch | None, where: str) -> None:
        self._objective, self._watch, self._where = objective, watch, where

    def __call__(self, epoch: int, metrics: dict[str, Any]) -> bool:
        self.check(metrics)
        return self._watch is not None and self._watch(epoch, metrics)

    def check(self, metrics: Mapping[str, Any]) -> None:
        """Check that the objective is one of these, before more is trained for nothing."""
        if self._objective not in metrics:
            raise DefinitionError(
                f"{self._where}: the objective '{self._objective}' is none of the metrics. There are "
                f"{listed(sorted(metrics))}.",
                f"{did_you_mean(self._objective, sorted(metrics))}Correct the objective.",
            )
