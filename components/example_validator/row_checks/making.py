"""Which class does which check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.checks import rows as row_specs
from headrace.components.example_validator.row_checks.balance import Balance
from headrace.components.example_validator.row_checks.check import RowCheck
from headrace.components.example_validator.row_checks.copies import Duplicates, Leaks
from headrace.components.example_validator.row_checks.images import Images
from headrace.components.example_validator.row_checks.numbers import Numbers
from headrace.components.example_validator.row_checks.series import Series
from headrace.components.example_validator.row_checks.sounds import Sounds
from headrace.components.example_validator.row_checks.texts import Texts
from headrace.quality.survey import Survey

_CLASSES: Mapping[str, type[RowCheck]] = {
    "images": Images,
    "texts": Texts,
    "sounds": Sounds,
    "numbers": Numbers,
    "balance": Balance,
    "duplicates": Duplicates,
    "leaks": Leaks,
    "series": Series,
}


def make(specs: Sequence[Mapping[str, Any]], survey: Survey, where: str) -> list[RowCheck]:
    """Return the checks that are asked for.

    Raises:
        DefinitionError: If one is malformed, or names a feature that there is not.
    """
    return [_CLASSES[spec["check"]](spec, survey, where) for spec in row_specs.checked(list(specs), where)]
