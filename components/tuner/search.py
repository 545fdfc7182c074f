"""Which hyperparameters to try next: all combinations, at random, or where Optuna's sampler expects the best."""

from __future__ import annotations

import itertools
import math
import random
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from headrace.components.tuner.search_space import (
    AUTO,
    BAYESIAN,
    GRID,
    RANDOM,
    Space,
    Values,
    combination,
    is_stepped,
    is_whole,
    num_combinations,
    num_values,
    value_at,
)
from headrace.components.tuner.trials import COMPLETE, FAILED, PRUNED, Trial

if TYPE_CHECKING:
    import optuna

# So often another set of values is looked for in the place of one that was tried already.
_TRIES = 50


class Search:
    """Proposes what to try, given what was tried.

    What it proposes is a function of the seed, of the number of the trial and of the trials so far: a search that goes
    on after a stop goes on as it would have.

    Args:
        space: By hyperparameter, as the Tuner's `search_space`.
        method: One of `METHODS`, or `AUTO`: all combinations where they are no more than `max_trials`, else at random.
        max_trials: How many at most; `None` for no bound.
        direction: `"min"` or `"max"`.
        seed: Of what is drawn.
    """

    def __init__(self, space: Space, method: str, max_trials: int | None, direction: str, seed: int) -> None:
        self._space = dict(sorted(space.items()))
        self._direction = direction
        self._seed = seed
        size = num_combinations(self._space)
        if method == AUTO:
            method = GRID if size <= (max_trials or 0) else RANDOM
        self.method = method
        bounds = [bound for bound in (max_trials, size) if bound is not None and math.isfinite(bound)]
        self.num_trials = int(min(bounds)) if bounds else None
        self._grid = self._places(size) if method == GRID else range(0)

    def propose(self, number: int, ended: Sequence[Trial], running: Iterable[Values]) -> Values | None:
        """Return the values of a trial; `None` where all have been tried.

        Args:
            number: Of the trial, from 0.
            ended: The trials before that ended.
            running: The values of those that have not.
        """
        if self.num_trials is not None and number >= self.num_trials:
            return None
        if self.method == GRID:
            return combination(self._space, self._grid[number])
        tried = [dict(one.values) for one in ended] + [dict(values) for values in running]
        for attempt in range(_TRIES):
            seed = [self._seed, number, attempt]
            if self.method == BAYESIAN and attempt < _TRIES // 2:
                values = self._expected_best(ended, tried[len(ended) :], seed)
            else:
                values = self._at_random(np.random.default_rng(seed))
            if values not in tried:
                return values
        # A space of few values: the first that is left.
        if math.isfinite(num_combinations(self._space)):
            each = (combination(self._space, place) for place in itertools.count())
            return next(values for values in each if values not in tried)
        return values

    def _places(self, size: float) -> Sequence[int]:
        """The combinations in their order; where there are more than trials, some from everywhere."""
        if self.num_trials is None or self.num_trials >= size:
            return range(int(size))
        return random.Random(self._seed).sample(range(int(size)), self.num_trials)

    def _at_random(self, generator: np.random.Generator) -> Values:
        return {name: _drawn(values, generator) for name, values in self._space.items()}

    def _expected_best(self, ended: Sequence[Trial], running: Sequence[Values], seed: list[int]) -> Values:
        """What the tree-structured Parzen estimator of Optuna asks for (Bergstra et al., NIPS 2011)."""
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(
                # With trials that run, it looks elsewhere than where these are.
                constant_liar=True,
                seed=int(np.random.SeedSequence(seed).generate_state(1)[0]),
            )
        study = optuna.create_study(sampler=sampler, direction=optuna_direction(self._direction))
        spaces = {name: distribution(values) for name, values in self._space.items()}
        for one in ended:
            study.add_trial(frozen(one, self._space, spaces))
        for values in running:
            params = {name: to_optuna(self._space[name], value) for name, value in values.items()}
            study.add_trial(
                optuna.trial.create_trial(
                    state=optuna.trial.TrialState.RUNNING, params=params, distributions=spaces
                )
            )
        found = study.ask(spaces).params
        return {name: to_optuna(self._space[name], value) for name, value in found.items()}


def _drawn(values: Any, generator: np.random.Generator) -> Any:
    if isinstance(values, list):
        return values[int(generator.integers(len(values)))]
    if is_stepped(values):
        return value_at(values, int(generator.integers(int(num_values(values)))))
    low, high, sampling = values["min"], values["max"], values.get("sampling", "linear")
    if sampling == "linear":
        return float(generator.uniform(low, high))
    found = math.exp(generator.uniform(math.log(low), math.log(high)))
    found = low + high - found if sampling == "reverse_log" else found
    return min(max(round(found), low), high) if is_whole(values) else min(max(found, low), high)


def _all(values: Any) -> list[Any]:
    return [value_at(values, place) for place in range(int(num_values(values)))]


def optuna_direction(direction: str) -> optuna.study.StudyDirection:
    """Return `"min"` or `"max"` as Optuna has it."""
    import optuna

    kinds = optuna.study.StudyDirection
    return kinds.MINIMIZE if direction == "min" else kinds.MAXIMIZE


def distribution(values: Any) -> optuna.distributions.BaseDistribution:
    """Return a hyperparameter's values as Optuna knows them."""
    from optuna import distributions

    if isinstance(values, list):
        return distributions.CategoricalDistribution(values)
    is_log = values.get("sampling", "linear") != "linear"
    if is_log and is_stepped(values):
        return distributions.CategoricalDistribution(_all(values))
    kind = distributions.IntDistribution if is_whole(values) else distributions.FloatDistribution
    stepped = {"step": values["step"]} if "step" in values else {}
    high = value_at(values, int(num_values(values)) - 1) if stepped else values["max"]
    return kind(values["min"], high, log=is_log, **stepped)


def frozen(
    trial: Trial, space: Space, spaces: Mapping[str, optuna.distributions.BaseDistribution]
) -> optuna.trial.FrozenTrial:
    """Return a trial that ended as one of Optuna."""
    import optuna

    states = {
        COMPLETE: optuna.trial.TrialState.COMPLETE,
        PRUNED: optuna.trial.TrialState.PRUNED,
        FAILED: optuna.trial.TrialState.FAIL,
    }
    score = math.nan if trial.score is None else trial.score
    state = states[trial.state] if math.isfinite(score) else optuna.trial.TrialState.FAIL
    return optuna.trial.create_trial(
        state=state,
        value=score if state == optuna.trial.TrialState.COMPLETE else None,
        params={name: to_optuna(space[name], value) for name, value in trial.values.items()},
        distributions=dict(spaces),
        # The sampler goes by the last of them for one that was pruned.
        intermediate_values={0: score} if state == optuna.trial.TrialState.PRUNED else None,
    )


def to_optuna(values: Any, value: Any) -> Any:
    """Return a value as Optuna has it, or back: of a range that is fine at its upper end, from the other end."""
    return value if not _is_reversed(values) else values["min"] + values["max"] - value


def _is_reversed(values: Any) -> bool:
    return isinstance(values, Mapping) and values.get("sampling") == "reverse_log" and not is_stepped(values)
