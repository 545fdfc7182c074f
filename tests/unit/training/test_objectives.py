"""Which end of an objective is the good one."""

from __future__ import annotations

import pytest

from headrace.training.objectives import direction


@pytest.mark.parametrize(
    ("objective", "expected"),
    [
        ("val_loss", "min"),
        ("val_mae", "min"),
        ("val_root_mean_squared_error", "min"),
        ("val_binary_crossentropy", "min"),
        ("val_kl_divergence", "min"),
        ("val_false_negatives", "min"),
        ("val_accuracy", "max"),
        ("val_auc", "max"),
        ("val_f1_score", "max"),
        ("val_cosine_similarity", "max"),
        ("val_my_own", "max"),
    ],
)
def test_the_best_trial_is_at_the_right_end(objective, expected):
    """A small error is good, and so is a large accuracy; what is not known is taken for the latter."""
    assert direction(objective) == expected
