"""Which nodes may run at the same time, by what they ask of the machine."""

from __future__ import annotations

import os

import pytest

from headrace.authoring.resources import Resources
from headrace.orchestration.capacity import Capacity, machine_capacity, num_processors

MACHINE = Capacity(cpus=2.0, memory_gb=8.0)
ONE = Resources()


@pytest.mark.parametrize(
    ("asked", "running", "has_room"),
    [
        (ONE, [], True),
        (ONE, [ONE], True),
        (ONE, [ONE, ONE], False),
        (Resources(cpus=0.5), [ONE, Resources(cpus=0.5)], True),
        (Resources(cpus=2.0), [ONE], False),
        (Resources(cpus=64.0, memory_gb=640.0, exclusive=True), [], True),
        (ONE, [Resources(cpus=64.0)], False),
        (Resources(memory_gb=4.0), [Resources(memory_gb=4.0)], True),
        (Resources(memory_gb=4.1), [Resources(memory_gb=4.0)], False),
        (Resources(cpus=0.1, memory_gb=640.0), [Resources(cpus=0.1, memory_gb=1.0)], False),
        (Resources(cpus=0.1), [Resources(cpus=0.1, memory_gb=640.0)], True),
        (Resources(cpus=0.1, memory_gb=0.1), [Resources(cpus=0.1, memory_gb=640.0)], False),
        (Resources(cpus=0.1, exclusive=True), [Resources(cpus=0.1)], False),
        (Resources(cpus=0.1), [Resources(cpus=0.1, exclusive=True)], False),
    ],
)
def test_room_is_what_the_others_leave(asked: Resources, running: list[Resources], has_room: bool):
    """Alone every node may run; one that asks for more than there is gets all of it."""
    assert MACHINE.has_room(asked, running) is has_room


def test_more_slots_than_processors_may_be_asked_for():
    """Who asks for them has nodes that wait more than they compute."""
    assert machine_capacity(1).cpus == num_processors()
    assert machine_capacity(num_processors() + 5).cpus == num_processors() + 5


def test_memory_is_not_more_than_the_machine_has():
    total_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9

    assert 0 < machine_capacity(1).memory_gb <= total_gb
