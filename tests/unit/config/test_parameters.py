"""Parameters against the signature of `create_pipeline`."""

from __future__ import annotations

from typing import Any

import pytest

from headrace.config.document import Document
from headrace.config.parameters import check_parameters
from headrace.errors import ConfigError


def create_pipeline(
    *,
    data_root: str | None = None,
    steps: int = 100,
    rate: float = 0.1,
    layers: list[int] = [8],  # noqa: B006
) -> None:
    """Stands for a pipeline's."""


def check(given: dict[str, Any], function: Any = create_pipeline) -> dict[str, Any]:
    document = Document({"parameters": given}, {("parameters",): "c.yaml:2"})
    return check_parameters(function, given, name="taxi", document=document)


def test_values_of_the_hinted_types_pass():
    """A whole number where a float is wanted becomes one."""
    checked = check({"data_root": None, "steps": 5, "rate": 1, "layers": [1, 2]})

    assert checked == {"data_root": None, "steps": 5, "rate": 1.0, "layers": [1, 2]}
    assert isinstance(checked["rate"], float)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"step": 5},
            "c.yaml:2: pipeline 'taxi' has no parameter 'step'. It has 'data_root', 'layers', 'rate', 'steps'.\n"
            "  Fix: did you mean 'steps'? Correct or remove it.",
        ),
        (
            {"steps": "many"},
            "c.yaml:2: parameter 'steps' is 'many' (str). It takes int, such as the default 100.\n"
            "  Fix: correct the value; text that looks like a number goes in quotes.",
        ),
        (
            {"data_root": 2026},
            "c.yaml:2: parameter 'data_root' is 2026 (int). It takes str | None, such as the default None.\n"
            "  Fix: correct the value; text that looks like a number goes in quotes.",
        ),
    ],
)
def test_a_wrong_parameter_is_refused(given, message):
    """With where it was written, what was given, and what fits."""
    with pytest.raises(ConfigError) as caught:
        check(given)

    assert str(caught.value) == message


def test_a_missing_parameter_says_how_to_give_it():
    """Only parameters without a default can be missing."""

    def create(name: str, steps: int = 5) -> None:
        """Needs a name."""

    with pytest.raises(ConfigError) as caught:
        check({}, create)

    assert str(caught.value) == (
        "pipeline 'taxi' needs a value for 'name'.\n"
        "  Fix: add --set name=VALUE, or write it below 'parameters:' in a configuration file."
    )


def test_hints_that_cannot_be_read_are_not_checked():
    """Names that only a type checker imports; types that pydantic does not know."""

    class Odd:
        """Unknown to pydantic."""

    def create(a: Missing, **more: int) -> None:  # noqa: F821
        """Takes anything."""

    def create_odd(a: Odd) -> None:
        """Takes an Odd."""

    create_odd.__annotations__ = {"a": Odd}
    odd = Odd()

    assert check({"a": 1, "b": 2}, create) == {"a": 1, "b": 2}
    assert check({"a": odd}, create_odd) == {"a": odd}
