"""How a ModelSelector is declared, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.authoring import Channel, Pipeline, standard_artifacts
from headrace.components import ModelSelector
from headrace.errors import DefinitionError


def channels(kind: Any, *names: str) -> dict[str, Channel]:
    return {name: Channel(type=kind) for name in names}


def selector(**changed: Any) -> ModelSelector:
    given = {
        "models": channels(standard_artifacts.Model, "forest", "net-2"),
        "evaluations": channels(standard_artifacts.ModelEvaluation, "net-2", "forest"),
        "by": "auc",
        **changed,
    }
    return ModelSelector(**given)


def test_each_candidate_has_inputs_of_its_name() -> None:
    """Another selector's are its own."""
    one = selector()
    other = selector(
        models=channels(standard_artifacts.Model, "a", "b"),
        evaluations=channels(standard_artifacts.ModelEvaluation, "a", "b"),
        blessings=channels(standard_artifacts.ModelBlessing, "a", "b"),
    )

    assert sorted(one.inputs) == ["evaluation_forest", "evaluation_net-2", "model_forest", "model_net-2"]
    assert sorted(other.inputs) == [
        f"{kind}_{name}" for kind in ("blessing", "evaluation", "model") for name in "ab"
    ]
    assert one.exec_properties["candidates"] == '["forest", "net-2"]'
    assert sorted(one.outputs) == ["blessing", "model", "selection"]
    assert Pipeline("p", components=[one.with_id("one"), other.with_id("other")])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"models": channels(standard_artifacts.Model, "forest")}, "there is nothing to choose from"),
        ({"models": {}}, "models has no candidate"),
        ({"models": [1, 2]}, "models is a list, not a mapping"),
        ({"models": channels(standard_artifacts.Model, "a b", "c")}, "a candidate is called 'a b'"),
        (
            {"evaluations": channels(standard_artifacts.ModelEvaluation, "forest")},
            "evaluations lacks 'net-2'",
        ),
        (
            {"evaluations": channels(standard_artifacts.ModelEvaluation, "forest", "net-2", "x")},
            "evaluations has 'x' too",
        ),
        ({"blessings": channels(standard_artifacts.ModelBlessing, "forest")}, "blessings lacks 'net-2'"),
        ({"better": "larger"}, "better is 'larger'. There are 'largest', 'smallest'"),
        ({"tie": "last"}, "tie is 'last'"),
        ({"by": ""}, "by is empty"),
    ],
)
def test_what_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        selector(**changed)
