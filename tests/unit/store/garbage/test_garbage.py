"""Which files are the store's own, and which runs are kept."""

from __future__ import annotations

import pytest

from headrace.store.garbage import policy
from headrace.store.read import ownership
from headrace.store.read.graph import Link, origins


@pytest.mark.parametrize(
    ("uri", "is_own"),
    [
        ("/root/Trainer/model/17", True),
        ("/root/Trainer/model/17/", True),
        ("/root/Trainer/model/17/2", True),
        ("/root/Trainer/model/17/value", True),
        ("/root/Trainer/model/18", False),
        ("/data/17", False),
        ("gs://bucket/Trainer/model/17", False),
    ],
)
def test_only_what_a_runner_named_is_removed(uri: str, is_own: bool):
    assert ownership.is_own(uri, Link(1, 17, "model", 0, True)) is is_own


def test_an_artifact_that_nothing_made_is_somebody_elses():
    assert not ownership.is_own("/root/Trainer/model/17", None)


def test_an_artifact_comes_from_the_first_execution_that_published_it():
    """Later ones were served from the cache."""
    links = [Link(1, 5, "model", 0, True), Link(1, 2, "model", 0, True), Link(1, 1, "given", 0, False)]

    assert origins(links) == {1: Link(1, 2, "model", 0, True)}


def test_the_newest_runs_and_the_newest_good_one_of_each_pipeline_are_kept():
    runs = [
        policy._Run(number, f"run-{number}", pipeline, state, frozenset())
        for number, pipeline, state in [
            (9, "a", "failed"),
            (8, "b", "succeeded"),
            (7, "a", "failed"),
            (6, "a", "succeeded"),
            (5, "a", "succeeded"),
            (4, "b", "running"),
        ]
    ]

    kept = policy._kept_runs(runs, keep_last=1, living={"run-4"})

    assert [run.run_id for run in kept] == ["run-9", "run-8", "run-6", "run-4"]


def test_nothing_is_kept_where_nothing_shall_be():
    runs = [policy._Run(1, "run-1", "a", "succeeded", frozenset())]

    assert policy._kept_runs(runs, keep_last=0, living=()) == []
