"""Each part of a cache key, alone: what changes it, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.authoring.light import authoring
from headrace.orchestration.cache import cache_key
from headrace.runtime.context import DIGEST_PROPERTY

with authoring():
    from tfx.types import standard_artifacts


def examples(digest: str) -> Any:
    """Examples with some content."""
    artifact = standard_artifacts.Examples()
    artifact.uri = "/somewhere"
    artifact.set_string_custom_property(DIGEST_PROPERTY, digest)
    return artifact


def key(**changes: Any) -> str:
    """The key of one node, with one part of it changed."""
    return cache_key.key(ingredients(**changes))


def maker(**changes: Any) -> str:
    """What stands for all but the inputs of that node."""
    return cache_key.maker(ingredients(**changes))


def ingredients(**changes: Any) -> dict[str, Any]:
    """What the outputs of one node depend on, with one part of it changed."""
    parts: dict[str, Any] = {
        "class_path": "tfx.some.Executor",
        "main_path": "",
        "parameters": {"steps": 100, "place": "/project/data"},
        "inputs": {"examples": [examples("d1"), examples("d2")]},
        "outputs": {"model": [standard_artifacts.Model()]},
        "project_path": "/project",
    }
    return cache_key.ingredients(**{**parts, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"class_path": "tfx.other.Executor"},
        {"parameters": {"steps": 101, "place": "/project/data"}},
        {"parameters": {"steps": 100}},
        {"parameters": {"steps": 100, "place": "/project/other"}},
        {"inputs": {"examples": [examples("d1"), examples("d3")]}},
        {"inputs": {"examples": [examples("d2"), examples("d1")]}},
        {"inputs": {"examples": [examples("d1")]}},
        {"inputs": {"rows": [examples("d1"), examples("d2")]}},
        {"outputs": {"model": [standard_artifacts.ModelRun()]}},
        {"outputs": {"model": [standard_artifacts.Model(), standard_artifacts.Model()]}},
        {"outputs": {"other": [standard_artifacts.Model()]}},
    ],
)
def test_what_a_node_depends_on_is_in_its_key(changes: dict[str, Any]):
    """The order of several artifacts too: an executor reads them in it."""
    assert key(**changes) != key()


@pytest.mark.parametrize(
    "changes",
    [
        {"parameters": {"place": "/moved/data", "steps": 100}, "project_path": "/moved"},
        {"parameters": {"steps": 100, "place": "/project/data", "missing": None}},
    ],
)
def test_where_the_project_lies_and_what_is_not_given_does_not_count(changes: dict[str, Any]):
    assert key(**changes) == key()


@pytest.mark.parametrize(
    ("changes", "is_other"),
    [
        ({"inputs": {"examples": [examples("d1"), examples("d2"), examples("d3")]}}, False),
        ({"parameters": {"steps": 101, "place": "/project/data"}}, True),
        ({"class_path": "tfx.other.Executor"}, True),
    ],
)
def test_what_is_kept_of_inputs_stays_with_what_made_it(changes: dict[str, Any], is_other: bool):
    """A window with a new span finds what was kept of the others; other code does not."""
    assert (maker(**changes) != maker()) == is_other


def test_a_neighbour_whose_name_only_begins_alike_is_elsewhere():
    """`/projects` does not lie in `/project`: its place counts, and stays when the project moves."""
    beside = {"parameters": {"place": "/projects/data"}}

    assert key(**beside) == key(**beside, project_path="/moved")
