"""Trials that are worse than others after as many epochs are stopped early, by Optuna's pruners.

The process that searches and those that train share what was seen through a file.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headrace.components.tuner.search import optuna_direction
from headrace.components.tuner.search_space import HYPERBAND
from headrace.components.tuner.trials import COMPLETE, Trial

if TYPE_CHECKING:
    import optuna

_STUDY = "trials"
_FILE = "pruning.log"
# The median of fewer says nothing.
_LEAST_TRIALS = 4


@dataclass(frozen=True)
class Pruning:
    """How the trials of one search are stopped; pickles.

    Attributes:
        folder: Where what was seen is shared.
        method: Of the search. With `hyperband` trials run in brackets of successive halving (Li et al., JMLR 2018);
            with others one is stopped whose best value so far is worse than the median of the others' at its epoch.
        objective: The metric that is looked at.
        direction: `"min"` or `"max"`.
        epochs: Of a trial that is not stopped.
    """

    folder: str
    method: str
    objective: str
    direction: str
    epochs: int

    def begin(self, ended: Sequence[Trial]) -> None:
        """Make what is shared, with what trials before had seen."""
        import optuna

        study = self._study(is_new=True)
        for one in ended:
            seen = enumerate(one.history.get(self.objective, ()))
            is_good = _is_good(one)
            study.add_trial(
                optuna.trial.create_trial(
                    state=optuna.trial.TrialState.COMPLETE if is_good else optuna.trial.TrialState.FAIL,
                    value=one.score if is_good else None,
                    intermediate_values={place: value for place, value in seen if math.isfinite(value)},
                )
            )

    def begin_trial(self) -> int:
        """Make room for a trial; return its place."""
        return int(self._study().ask().number)

    def end_trial(self, place: int, trial: Trial) -> None:
        """Let later trials be compared with one that ended well."""
        import optuna

        if _is_good(trial):
            self._study().tell(place, trial.score)
        else:
            self._study().tell(place, state=optuna.trial.TrialState.FAIL)

    def watch(self, place: int) -> Watch:
        """Return what tells, in the process that trains it, whether a trial is worse than the others."""
        return Watch(self, self._study(), place)

    def _study(self, *, is_new: bool = False) -> optuna.Study:
        import optuna
        from optuna.storages import journal

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        path = os.path.join(self.folder, _FILE)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            storage = optuna.storages.JournalStorage(journal.JournalFileBackend(path))
            pruner = self._pruner()
        if is_new:
            return optuna.create_study(
                storage=storage, pruner=pruner, study_name=_STUDY, direction=optuna_direction(self.direction)
            )
        return optuna.load_study(study_name=_STUDY, storage=storage, pruner=pruner)

    def _pruner(self) -> optuna.pruners.BasePruner:
        import optuna

        if self.method == HYPERBAND:
            return optuna.pruners.HyperbandPruner(max_resource=max(self.epochs, 1))
        return optuna.pruners.MedianPruner(
            n_startup_trials=_LEAST_TRIALS, n_warmup_steps=max(1, self.epochs // 10)
        )


def _is_good(trial: Trial) -> bool:
    return trial.state == COMPLETE and trial.score is not None and math.isfinite(trial.score)


class Watch:
    """Says of one trial, epoch by epoch, whether it is to be stopped.

    Attributes:
        is_pruned: Whether it was.
    """

    def __init__(self, pruning: Pruning, study: optuna.Study, place: int) -> None:
        import optuna

        self._objective = pruning.objective
        # In a store with one study a trial's id is its place there.
        self._trial = optuna.trial.Trial(study, place)
        self.is_pruned = False

    def __call__(self, epoch: int, metrics: dict[str, Any]) -> bool:
        """Whether to stop after an epoch, counted from 0, with these metrics."""
        value = metrics.get(self._objective)
        if value is not None and math.isfinite(value):
            self._trial.report(float(value), epoch)
            self.is_pruned = self.is_pruned or bool(self._trial.should_prune())
        return self.is_pruned
