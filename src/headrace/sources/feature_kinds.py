"""Of what kind each feature is, and where that was met first: a feature is of one kind in all rows.

tf.Example says the kind in each record, so two kinds in one feature would only come to light in a later stage, without
a word on the rows. Light.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headrace.errors import DataError

INTEGERS, FLOATS, BYTES = "integers", "floats", "bytes or text"


@dataclass(frozen=True)
class Kind:
    """The kind of a feature, met first at a place, such as `"data/a.txt, row 3"`."""

    name: str
    place: str


Kinds = Mapping[str, Kind]


def merge(known: Kinds, found: Kinds) -> dict[str, Kind]:
    """Return the kinds of both; where both know a feature, the place is that of `known`.

    Raises:
        DataError: If a feature is of two kinds, naming both places.
    """
    for name, kind in found.items():
        before = known.get(name, kind)
        if before.name != kind.name:
            raise DataError(
                f"feature '{name}' holds {before.name} in {before.place}, and {kind.name} in {kind.place}.",
                "give it values of one kind in all rows: convert them, as with float(...) or str(...), "
                "and give None where there is none.",
            )
    return {**found, **known}
