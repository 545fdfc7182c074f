"""What stands for an input artifact in a cache key: its payload, its type, and what describes it."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.authoring import standard_artifacts
from headrace.orchestration.cache import cache_key
from headrace.store.read.differences import UNKNOWN


def artifact(kind: Any, uri: str = "", **properties: Any) -> Any:
    made = kind()
    made.uri = uri
    made.set_string_custom_property("headrace_digest", "d")
    for name, value in properties.items():
        if isinstance(value, int):
            made.set_int_custom_property(name, value)
        else:
            made.set_string_custom_property(name, value)
    return made


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("name", "sales_2023", "sales_2024"),
        ("state", "published", "deleted"),
        ("state", "a", "b"),
        ("producer_component", "a", "b"),
        ("tfx_version", "1", "2"),
        ("current_model", "a", "b"),
        ("baseline_model_id", 1, 2),
        ("table", "a", "b"),
        ("span", 1, 2),
        ("version", 1, 2),
        ("input_fingerprint", "a", "b"),
        ("payload_format", "FORMAT_TF_EXAMPLE", "FORMAT_PARQUET"),
    ],
)
def test_every_property_of_an_input_counts(name: str, first: Any, second: Any):
    """A later component may read the span of its examples: rows of another span are other examples."""
    examples = standard_artifacts.Examples
    one = cache_key.artifact_digest(artifact(examples, **{name: first}))
    assert cache_key.artifact_digest(artifact(examples, **{name: second})) != one
    assert cache_key.artifact_digest(artifact(examples, **{name: first})) == one
    assert cache_key.artifact_digest(artifact(examples)) != one


@pytest.mark.parametrize("name", ["headrace_summary", "headrace_files", "headrace_damage"])
def test_what_headrace_writes_beside_an_artifact_does_not_count(name: str):
    examples = standard_artifacts.Examples

    one = cache_key.artifact_digest(artifact(examples, **{name: "a"}))
    assert cache_key.artifact_digest(artifact(examples, **{name: "b"})) == one


def test_where_the_models_of_a_blessing_lay_does_not_count():
    blessing = standard_artifacts.ModelBlessing

    one = cache_key.artifact_digest(artifact(blessing, current_model="a", blessed=1))
    assert cache_key.artifact_digest(artifact(blessing, current_model="b", blessed=1)) == one
    assert cache_key.artifact_digest(artifact(blessing, current_model="a", blessed=0)) != one


def test_a_declared_property_of_an_input_counts():
    one, other = artifact(standard_artifacts.Examples), artifact(standard_artifacts.Examples)
    one.span, other.span = 1, 2

    assert cache_key.artifact_digest(one) != cache_key.artifact_digest(other)


@pytest.mark.parametrize("uri", ["gs://bucket/x", "/nowhere/at/all", ""])
def test_an_input_without_content_here_is_never_the_same(uri: str):
    made = standard_artifacts.Examples()
    made.uri = uri

    first = cache_key.ingredients("some_library.Executor", "", {}, {"examples": [made]}, {}, "")
    second = cache_key.ingredients("some_library.Executor", "", {}, {"examples": [made]}, {}, "")

    assert first[UNKNOWN] == ["input examples"]
    assert cache_key.key(first) != cache_key.key(second)


def test_the_type_of_an_artifact_counts():
    """The same files as another type mean something else."""
    schema, model = artifact(standard_artifacts.Schema), artifact(standard_artifacts.Model)

    assert cache_key.artifact_digest(schema) != cache_key.artifact_digest(model)
