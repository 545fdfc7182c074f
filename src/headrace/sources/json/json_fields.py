"""Of what type each field of JSON objects is, over all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from headrace.sources.feature_kinds import BYTES, FLOATS, INTEGERS
from headrace.sources.json.json_rows import Parsed, Path
from headrace.sources.source import Unreadable

NUMBERS = "numbers"
INT, FLOAT, BOOL = "int", "float", "bool"
_INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True)
class Field:
    """What is known of a field.

    Attributes:
        kind: `NUMBERS` or `BYTES`; empty where no value was met.
        place: Where its kind was met first.
        types: Of numbers, which of `INT`, `FLOAT` and `BOOL` there are.
        shapes: Whether values stand alone, `"one"`, or in a `"list"`.
    """

    kind: str = ""
    place: str = ""
    types: frozenset[str] = frozenset()
    shapes: frozenset[str] = frozenset()

    @property
    def feature_kind(self) -> str:
        """The kind of the feature: integers and floats are floats, and true is 1."""
        if self.kind != NUMBERS:
            return self.kind
        return FLOATS if FLOAT in self.types else INTEGERS


Fields = dict[Path, Field]


def field_of(value: Any) -> Field | str:
    """Return what one value tells of its field, or what is wrong with it, as the end of a sentence."""
    values, shape = (value, "list") if isinstance(value, list) else ([value], "one")
    if value is None or value == []:
        return Field()
    types = set(map(type, values))
    if types == {str}:
        try:
            "".join(values).encode()
        except UnicodeEncodeError:
            return "holds half of a surrogate pair, which is no character"
        return Field(BYTES, "", frozenset(), frozenset({shape}))
    if type(None) in types:
        return "is a list with null in it"
    if list in types or dict in types:
        return f"is a list of {'lists' if list in types else 'objects'}"
    if str in types:
        return "is a list of texts and numbers"
    for each in values:
        if type(each) is int and each not in _INT64 and float not in types:
            return f"is {str(each)[:30]}, beyond 64-bit integers"
    names = {int: INT, float: FLOAT, bool: BOOL}
    return Field(NUMBERS, "", frozenset(names[each] for each in types), frozenset({shape}))


def add(known: Fields, parsed: Parsed) -> None:
    """Add what an object tells of its fields. What contradicts what is known before is not added."""
    for path, value in parsed.values.items():
        found = field_of(value)
        field = found if isinstance(found, Field) else Field()
        if field.kind and not known.get(path, field).place:
            field = replace(field, place=f"{parsed.source}, {parsed.where()}")
        merge_one(known, path, field)


def merge_one(known: Fields, path: Path, found: Field) -> None:
    """Add what is known of one field; of two kinds, the first counts."""
    before = known.setdefault(path, found)
    if before is found or not found.kind or found.kind != before.kind != "":
        return
    if not before.kind:
        known[path] = found
    elif not (found.types <= before.types and found.shapes <= before.shapes):
        known[path] = replace(before, types=before.types | found.types, shapes=before.shapes | found.shapes)


def merged(several: Sequence[Mapping[Path, Field]]) -> Fields:
    """Return what is known of all, in order."""
    known: Fields = {}
    for one in several:
        for path, field in one.items():
            merge_one(known, path, field)
    return known


def checked(parsed: Parsed, known: Mapping[Path, Field]) -> Parsed | Unreadable:
    """Return an object with values as its fields hold them, or what is wrong with it."""
    values: dict[Path, Any] = {}
    for path, value in parsed.values.items():
        name = ".".join(path)
        found = field_of(value)
        field = known.get(path, Field())
        if isinstance(found, str):
            # Of a field with fractions, an integer beyond 64 bits is one of many numbers.
            if not (field.feature_kind == FLOATS and "beyond 64-bit" in found):
                return Unreadable(
                    parsed.source,
                    f"feature '{name}' {found}",
                    parsed.where(),
                    "write it in another form, or leave it out",
                )
        elif found.kind and found.kind != field.kind:
            what = "text" if found.kind == BYTES else "a number"
            other = "text" if field.kind == BYTES else "a number"
            return Unreadable(
                parsed.source,
                f"feature '{name}' is {what}, and {other} before: in {field.place}",
                parsed.where(),
                "write values of one kind in all objects",
            )
        values[path] = _as_floats(value) if field.feature_kind == FLOATS else value
    return Parsed(values, parsed.source, parsed.where)


def _as_floats(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_float(each) for each in value]
    return None if value is None else _as_float(value)


def _as_float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
