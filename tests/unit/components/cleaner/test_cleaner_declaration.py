"""The declaration of `Cleaner`: what it records, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from headrace import checks
from headrace.authoring import Channel, standard_artifacts
from headrace.components import Cleaner
from headrace.errors import DefinitionError


def _examples() -> Any:
    return Channel(type=standard_artifacts.Examples)


def _schema() -> Any:
    return Channel(type=standard_artifacts.Schema)


def test_what_is_left_out_is_not_recorded() -> None:
    """A parameter that comes later does not change the key of what is cached today."""
    assert Cleaner(examples=_examples()).exec_properties == {
        "duplicates": "drop",
        "undecodable": "quarantine",
    }


def test_a_schema_and_a_label_say_that_they_are_to_be_used() -> None:
    component = Cleaner(_examples(), _schema(), label="quality", keys="id", near=None)

    assert component.exec_properties == {
        "duplicates": "drop",
        "undecodable": "quarantine",
        "off_schema": "quarantine",
        "on_conflict": "keep",
        "label": "quality",
        "keys": '["id"]',
    }


def test_its_examples_are_reached_as_those_of_other_components() -> None:
    outputs = Cleaner(examples=_examples()).outputs

    assert outputs.examples is outputs["cleaned_examples"] is outputs["examples"]
    assert set(outputs) == {"cleaned_examples", "report"}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"duplicates": "remove"}, "duplicates is 'remove'. It can be 'drop', 'keep', 'quarantine'."),
        ({"off_schema": "drop"}, "off_schema is 'drop', and there is no schema."),
        ({"on_conflict": "drop"}, "on_conflict is 'drop', and no feature is named as the label."),
        (
            {"near": checks.near_texts()},
            "near is given, and near_duplicates does not say what is to be done.",
        ),
        ({"keys": 3}, "keys is 3, no list of names."),
        ({"near_duplicates": "keep", "near": {"kind": "sound"}}, "near: 'sound' is not a measure of"),
    ],
)
def test_what_cannot_be_is_refused(arguments: dict[str, Any], problem: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        Cleaner(examples=_examples(), **arguments)

    assert caught.value.problem.startswith(f"Cleaner: {problem}")
