"""Checks of rows beside each other, as plain mappings: classes, copies, what leaks between splits, series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from headrace.checks import near as near_specs
from headrace.checks import values
from headrace.checks.values import CHECK, FAIL_ON, SHARE, Spec
from headrace.errors import DefinitionError

Near: TypeAlias = "Sequence[Spec] | Spec | bool | None"


def balance(
    label: str,
    *,
    min_count: int = 2,
    min_share: float = 0.01,
    one_split: bool = True,
    fail_on: str | None = None,
) -> Spec:
    """Classes: of few rows, of a small share, or in one split alone.

    Args:
        label: The feature that holds the class: text or integers, or whole numbers as floats.
        min_count: Least number of rows of a class in each split that has it.
        min_share: Least share of a class among the rows of all splits.
        one_split: Whether a class that is in one split alone is found, where there are several.
        fail_on: What stops the pipeline. A class that the first split lacks is an error, others are warnings.

    Raises:
        DefinitionError: If an argument is out of its range.
    """
    where = "balance"
    if not isinstance(label, str) or not label:
        raise DefinitionError(f"{where}: label is {label!r}, no name.", "name the feature of the class.")
    return values.given(
        CHECK,
        where,
        {
            "label": label,
            "min_count": values.whole(where, "min_count", min_count, 1),
            "min_share": values.number(where, "min_share", min_share, *SHARE),
            "one_split": values.flag(where, "one_split", one_split),
            "fail_on": values.chosen(where, "fail_on", fail_on, FAIL_ON),
        },
    )


def duplicates(
    max_share: float = 0.01,
    *,
    keys: Sequence[str] | str | None = None,
    ignore: Sequence[str] = ("path", "line"),
    label: str | None = None,
    near: Near = False,
    fail_on: str | None = None,
) -> Spec:
    """Rows of a split that are copies of an earlier one; with a label, rows that contradict each other.

    Args:
        max_share: The greatest share of copies in a split that is no anomaly.
        keys: The features that are compared; all where it is left out.
        ignore: Features that are not compared: by default those that say where a row comes from.
        label: Its feature. Rows that are equal but for their label contradict each other, whatever their share.
        near: Whether near copies count as well: `True` for a measure that fits the data, or what `near_texts`,
            `near_images` or `near_numbers` returns.
        fail_on: What stops the pipeline. Contradictions are errors, copies are warnings.

    Raises:
        DefinitionError: If an argument is out of its range.
    """
    where = "duplicates"
    return values.given(
        CHECK,
        where,
        {
            "max_share": values.number(where, "max_share", max_share, *SHARE),
            "keys": values.names(where, "keys", keys),
            "ignore": values.names(where, "ignore", ignore),
            "label": values.text(where, "label", label),
            "near": _near(near, where),
            "fail_on": values.chosen(where, "fail_on", fail_on, FAIL_ON),
        },
    )


def leaks(
    *,
    keys: Sequence[str] | str | None = None,
    ignore: Sequence[str] = ("path", "line"),
    label: str | None = None,
    near: Near = False,
    group: str | None = None,
    time: str | None = None,
    max_share: float = 0.0,
    fail_on: str | None = None,
) -> Spec:
    """What one split tells of another: copies, near copies, rows of one group, overlapping times.

    Args:
        keys: The features that are compared; all but the label where it is left out.
        ignore: Features that are not compared.
        label: Its feature, which is not compared either: a row with another label is a copy all the same.
        near: As in `duplicates`.
        group: A feature whose values have to be in one split each, such as the patient.
        time: A feature of times, numbers or ISO 8601. Each split has to begin after the end of the one before.
        max_share: The greatest share of a split that may be copies of rows of others.
        fail_on: What stops the pipeline. All are errors.

    Raises:
        DefinitionError: If an argument is out of its range.
    """
    where = "leaks"
    return values.given(
        CHECK,
        where,
        {
            "keys": values.names(where, "keys", keys),
            "ignore": values.names(where, "ignore", ignore),
            "label": values.text(where, "label", label),
            "near": _near(near, where),
            "group": values.text(where, "group", group),
            "time": values.text(where, "time", time),
            "max_share": values.number(where, "max_share", max_share, *SHARE),
            "fail_on": values.chosen(where, "fail_on", fail_on, FAIL_ON),
        },
    )


def series(
    time: str,
    *,
    group: str | None = None,
    gap: float | None = None,
    order: bool = True,
    fail_on: str | None = None,
) -> Spec:
    """Rows in time: gaps, rows out of order, and several rows of one time, by group.

    Gaps and repeated times are looked for in all splits together, as splits may take turns; order in each file.

    Args:
        time: The feature of times: numbers, or text in ISO 8601.
        group: The feature that tells series apart, such as the sensor.
        gap: From how much time on between two rows there is a gap, in the unit of the numbers, seconds for text. Where
            it is left out, more than 3 times the most usual step of all groups.
        order: Whether times have to rise from row to row.
        fail_on: What stops the pipeline. Repeated times are errors, others are warnings.

    Raises:
        DefinitionError: If an argument is out of its range.
    """
    where = "series"
    if not isinstance(time, str) or not time:
        raise DefinitionError(f"{where}: time is {time!r}, no name.", "name the feature of times.")
    return values.given(
        CHECK,
        where,
        {
            "time": time,
            "group": values.text(where, "group", group),
            "gap": values.optional_number(where, "gap", gap, 0),
            "order": values.flag(where, "order", order),
            "fail_on": values.chosen(where, "fail_on", fail_on, FAIL_ON),
        },
    )


def _near(near: Near, where: str) -> list[Spec] | bool | None:
    if near is None or near is False:
        return None
    return True if near is True else near_specs.checked(near, where)
