"""Which random numbers a forked process draws."""

from __future__ import annotations

import numpy as np

from headrace.orchestration.runners.local import random_numbers


def test_a_fork_draws_other_numbers_of_numpy():
    before = np.random.get_state()
    try:
        random_numbers.seed_again()
        first = np.random.random()
        np.random.set_state(before)
        random_numbers.seed_again()
        assert np.random.random() != first
    finally:
        np.random.set_state(before)


def test_what_was_seeded_shows():
    before, numbers = random_numbers.state(), np.random.get_state()
    assert random_numbers.state() == before
    np.random.seed(42)
    try:
        assert random_numbers.state() != before
    finally:
        np.random.set_state(numbers)
