"""`headrace.checks`: plain mappings with all defaults, and errors that name the check, the argument and what can be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from headrace import checks
from headrace.checks import near, rows
from headrace.errors import DefinitionError

_MADE = [
    checks.images(),
    checks.texts(language={"zh", "es"}, out_of_vocabulary=None, max_length=None),
    checks.sounds(rate=16_000, seconds=(0.5, 10)),
    checks.numbers(outliers=None, required="label"),
    checks.balance("label"),
    checks.duplicates(near=checks.near_texts("text"), label="label"),
    checks.leaks(near=True, group="patient", time="day", fail_on="any"),
    checks.series("time", gap=5),
]


@pytest.mark.parametrize("made", _MADE, ids=lambda made: str(made["check"]))
def test_a_check_is_plain_json_that_reads_back_as_itself(made: dict[str, Any]) -> None:
    """What a configuration file says, and what the executor reads, is what the function returned: `None` too."""
    assert rows.checked([json.loads(json.dumps(made))], "node") == [made]


def test_a_configuration_file_may_leave_out_what_has_a_default() -> None:
    assert rows.checked([{"check": "images", "min_size": [32, 32]}], "node") == [
        checks.images(min_size=(32, 32))
    ]


def test_names_given_as_a_set_are_recorded_in_one_order() -> None:
    """The cache compares what is recorded."""
    assert checks.texts(language={"zh", "es", "en"})["language"] == ["en", "es", "zh"]


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: checks.duplicates(1.5), "duplicates: max_share is 1.5. It is a number from 0 to 1."),
        (lambda: checks.images(channels=5), "images: channels is 5. It is a number from 1 to 4."),
        (lambda: checks.images(min_size="big"), "images: min_size is 'big'. It is a pair of numbers."),  # type: ignore[arg-type]
        (
            lambda: checks.sounds(seconds=(5, 1)),
            "sounds: seconds is (5, 1), whose first is the larger.",
        ),
        (
            lambda: checks.texts(min_length=5, max_length=3),
            "texts: max_length is 3, less than min_length, 5.",
        ),
        (lambda: checks.balance(""), "balance: label is '', no name."),
        (
            lambda: checks.leaks(fail_on="errors"),
            "leaks: fail_on is 'errors'. It can be 'any', 'error', 'never'.",
        ),
        (
            lambda: checks.near_texts(similarity=0),
            "near_texts: similarity is 0. It is a number from 0.1 to 1.",
        ),
        (lambda: checks.near_images(distance=2.5), "near_images: distance is 2.5. It is a whole number."),  # type: ignore[arg-type]
        (lambda: checks.duplicates(keys=[1]), "duplicates: keys is [1], no list of names."),  # type: ignore[list-item]
    ],
)
def test_a_wrong_argument_is_named_with_what_it_can_be(make: Any, problem: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        make()

    assert caught.value.problem == problem


def test_a_mapping_that_is_no_check_is_answered_with_those_there_are() -> None:
    with pytest.raises(DefinitionError) as caught:
        rows.checked([{"check": "image"}], "Validator")

    assert str(caught.value) == (
        "Validator: checks: 'image' is not a check. There are 'balance', 'duplicates', 'images', 'leaks', 'numbers', "
        "'series', 'sounds', 'texts'.\n"
        "  Fix: did you mean 'images'? Make one with a function of headrace.checks, or give a mapping with \"check\"."
    )


def test_an_unknown_argument_in_a_mapping_is_answered_with_those_there_are() -> None:
    with pytest.raises(DefinitionError) as caught:
        rows.checked([{"check": "balance", "lable": "x"}], "Validator")

    assert "balance takes no 'lable'" in caught.value.problem
    assert "did you mean 'label'?" in caught.value.fix


@pytest.mark.parametrize("given", [[], {}, "images", None])
def test_no_list_of_checks_is_refused(given: Any) -> None:
    with pytest.raises(DefinitionError, match="no list of checks"):
        rows.checked(given, "Validator")


def test_one_measure_of_nearness_is_a_list_of_one() -> None:
    assert near.checked(checks.near_numbers(4), "Cleaner") == [checks.near_numbers(4)]
    assert near.checked(None, "Cleaner") is None
