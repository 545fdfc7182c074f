"""Trials that are worse than others are stopped, whichever process trains them."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from headrace.components.tuner.pruning import Pruning
from headrace.components.tuner.search_space import HYPERBAND, RANDOM
from headrace.components.tuner.trials import COMPLETE, PRUNED, Trial


def epochs_of(pruning: Pruning, worst: float, number: int) -> int:
    """How many epochs a trial gets whose values go down to a number."""
    place = pruning.begin_trial()
    # As in another process.
    watch = pickle.loads(pickle.dumps(pruning)).watch(place)
    epochs = next((n for n in range(27) if watch(n, {"val_loss": worst + 1 / (n + 1)})), 26) + 1
    state = PRUNED if watch.is_pruned else COMPLETE
    pruning.end_trial(place, Trial(number, {}, state, worst))
    return epochs


@pytest.mark.parametrize("direction", ["min", "max"])
@pytest.mark.parametrize("method", [RANDOM, HYPERBAND])
def test_what_is_worse_is_stopped_and_what_is_best_is_not(
    tmp_path: Path, method: str, direction: str
) -> None:
    sign = 1 if direction == "min" else -1
    pruning = Pruning(str(tmp_path), method, "val_loss", direction, 27)
    pruning.begin([])
    found = [epochs_of(pruning, sign * worst, number) for number, worst in enumerate([1, 2, 3, 4] * 4 + [0])]

    assert found[-1] == 27 if method == RANDOM else found[-1] >= found[-2]
    assert sum(found) < 27 * len(found) * 0.8
    assert found[3] == 27 if method == RANDOM else True


def test_what_trials_before_had_seen_counts(tmp_path: Path) -> None:
    """A search that goes on stops what is worse than the trials that are kept."""
    kept = [
        Trial(number, {}, COMPLETE, 0.1, history={"val_loss": [0.5 / (n + 1) for n in range(27)]})
        for number in range(6)
    ]
    pruning = Pruning(str(tmp_path), RANDOM, "val_loss", "min", 27)
    pruning.begin(kept)

    assert epochs_of(pruning, 5.0, 6) < 6
    assert epochs_of(pruning, -1.0, 7) == 27


def test_a_metric_that_is_not_there_stops_nothing(tmp_path: Path) -> None:
    pruning = Pruning(str(tmp_path), RANDOM, "val_auc", "max", 27)
    pruning.begin([])
    watch = pruning.watch(pruning.begin_trial())

    assert not any(watch(epoch, {"val_loss": 1.0, "val_auc": float("nan")}) for epoch in range(9))
