"""Which features hold pictures, texts and sounds: as they are named, as the schema says, or as they look."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from headrace.errors import DefinitionError, did_you_mean, listed
from headrace.quality import features, parts, pictures, sounds, texts
from headrace.quality.parts import Part

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import schema_pb2

IMAGE, TEXT, SOUND, BYTES, INTEGER, FLOAT = "image", "text", "sound", "bytes", "integer", "float"
_WORDS = {
    IMAGE: "pictures",
    TEXT: "texts",
    SOUND: "encoded sounds",
    BYTES: "bytes",
    INTEGER: "integers",
    FLOAT: "floats",
}
_ROWS = 1000
# Of the values that are looked at, so many have to look like what the feature is taken for.
_LEAST_SHARE = 0.5
# Features that say where a row comes from, not what it holds.
PLACES = ("path", "line")


@dataclass(frozen=True)
class Survey:
    """What the features of some examples hold.

    Attributes:
        kinds: By feature: `"image"`, `"text"`, `"sound"`, `"bytes"`, `"integer"` or `"float"`.
        parts: What was looked at.
    """

    kinds: Mapping[str, str]
    parts: Sequence[Part] = field(repr=False, default=())

    def of_kind(self, kind: str) -> list[str]:
        """Return the features of a kind, by name."""
        return sorted(name for name, found in self.kinds.items() if found == kind)

    def check_names(self, names: Iterable[str], where: str) -> None:
        """See that features exist.

        Raises:
            DefinitionError: If one does not, naming those that do.
        """
        missing = set(names) - set(self.kinds)
        if not missing:
            return
        # One that few rows have is not among the first rows: look at all of them before saying so.
        known = set(self.kinds)
        for part in self.parts:
            for batch in parts.read(part):
                known |= set(batch.schema.names)
            if missing <= known:
                return
        name = sorted(missing - known)[0]
        raise DefinitionError(
            f"{where}: there is no feature '{name}'. The examples have {listed(known)}.",
            f"{did_you_mean(name, known)}Correct the name.",
        )

    def the_one(self, kind: str, feature: str | None, where: str) -> str:
        """Return the feature of a kind: the one that is named, or the only one there is.

        Raises:
            DefinitionError: If there is none, several, or the one named holds something else.
        """
        if feature is not None:
            self.check_names([feature], where)
            self.check_kind(feature, kind, where)
            return feature
        found = self.of_kind(kind)
        if kind == TEXT and len(found) > 1:
            found = [name for name in found if name not in PLACES] or found
        if len(found) == 1:
            return found[0]
        have = ", ".join(f"'{name}' ({_WORDS[found]})" for name, found in sorted(self.kinds.items()))
        problem = f"no feature holds {_WORDS[kind]}" if not found else f"{listed(found)} hold {_WORDS[kind]}"
        raise DefinitionError(
            f"{where}: {problem}. The examples have {have or 'no features'}.",
            f"name one of {listed(found)}: feature=..." if found else "name the feature: feature=...",
        )

    def check_kind(self, name: str, kind: str, where: str) -> None:
        """See that a feature can hold a kind of values.

        Raises:
            DefinitionError: If it holds numbers where bytes are needed.
        """
        found = self.kinds.get(name, BYTES)
        if kind in (IMAGE, TEXT, SOUND) and found in (INTEGER, FLOAT):
            raise DefinitionError(
                f"{where}: feature '{name}' holds {_WORDS[found]}, where {_WORDS[kind]} are needed.",
                "name a feature of bytes.",
            )


def look(
    found_parts: Sequence[Part],
    *,
    schema: schema_pb2.Schema | None = None,
    named: Mapping[str, Collection[str] | None] | None = None,
    where: str = "",
) -> Survey:
    """Look at the first rows of each split.

    Args:
        found_parts: The files.
        schema: Its domains of pictures and texts count more than looks.
        named: Features by kind, as the user named them; `None` where that is left to looks.
        where: The node, for messages.

    Raises:
        DefinitionError: If a feature that is named does not exist, or holds numbers.
    """
    seen: dict[str, list[bytes]] = {}
    kinds: dict[str, str] = {}
    for part in found_parts:
        if part.number == 0:
            batch = next(parts.read(part, batch_rows=_ROWS), None)
            if batch is not None:
                _see(batch, seen, kinds)
    for name, values in seen.items():
        kinds[name] = kind_of(values)
    for feature in schema.feature if schema is not None else ():
        if feature.name in kinds and feature.HasField("image_domain"):
            kinds[feature.name] = IMAGE
    survey = Survey(kinds, found_parts)
    for kind, names in (named or {}).items():
        if names is None:
            continue
        survey.check_names(names, where)
        for name in names:
            survey.check_kind(name, kind, where)
        kinds.update(dict.fromkeys(survey.of_kind(kind), BYTES))
        kinds.update(dict.fromkeys(names, kind))
    return survey


def _see(batch: pa.RecordBatch, seen: dict[str, list[bytes]], kinds: dict[str, str]) -> None:
    for name in batch.schema.names:
        column = features.column_of(batch, name)
        if column is None:
            kinds.setdefault(name, BYTES)
        elif features.is_bytes(column):
            seen.setdefault(name, []).extend(column.flatten().to_pylist())
        else:
            kinds[name] = FLOAT if features.is_float(column) else INTEGER


def kind_of(values: Sequence[bytes]) -> str:
    """Return what values of bytes are taken for."""
    filled = [value for value in values if value]
    if not filled:
        return TEXT
    for kind, test in (
        (IMAGE, pictures.looks_like_one),
        (SOUND, sounds.looks_like_one),
        (TEXT, lambda value: b"\0" not in value and not texts.problem(value)),
    ):
        if sum(map(test, filled)) >= _LEAST_SHARE * len(filled):
            return kind
    return BYTES
