"""Of what kind each feature is, and where that was met first: a feature is of one kind in all rows.

tf.Example says the kind in each record, so two kinds in one feature would only come to light in a later stage, without
a word on the rows. Light.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headrace.errors import DataError

INTEGERS, FLOATS, BYTES = "integers", "floats", "bytes or text"
_NUMBERS = {INTEGERS, FLOATS}
# Kept by the error where it is pickled.
_OF_NUMBERS = "is_of_numbers"


@dataclass(frozen=True)
class Kind:
    """The kind of a feature, met first at a place, such as `"data/a.txt, row 3"`."""

    name: str
    place: str


Kinds = Mapping[str, Kind]


def merge(known: Kinds, found: Kinds, *, widens: bool = False) -> dict[str, Kind]:
    """Return the kinds of both; where both know a feature, the place is that of `known`.

    Args:
        known: Some.
        found: Others.
        widens: Whether a feature of integers and floats is one of floats, as in pandas and Arrow.

    Raises:
        DataError: If a feature is of two kinds, naming both places.
    """
    merged = {**found, **known}
    for name, kind in found.items():
        before = known.get(name, kind)
        if before.name == kind.name:
            continue
        are_numbers = {before.name, kind.name} == _NUMBERS
        if are_numbers and widens:
            merged[name] = before if before.name == FLOATS else kind
            continue
        error = DataError(
            f"feature '{name}' holds {before.name} in {before.place}, and {kind.name} in {kind.place}.",
            "give it values of one kind in all rows: convert them, as with float(...) or str(...), "
            "and give None where there is none.",
        )
        setattr(error, _OF_NUMBERS, are_numbers)
        raise error
    return merged


def is_of_numbers(error: DataError) -> bool:
    """Whether an error of `merge` is on integers beside floats, which are floats where all is read once more."""
    return bool(getattr(error, _OF_NUMBERS, False))
