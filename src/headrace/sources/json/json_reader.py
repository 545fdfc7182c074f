"""Read JSON: by Arrow a block of lines at a time where it is sure to mean the same, else object by object."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from headrace.files import packed_files
from headrace.sources import line_blocks, row_batches
from headrace.sources.feature_kinds import Kind
from headrace.sources.json import json_blocks, json_fields, json_rows
from headrace.sources.json.json_fields import Fields
from headrace.sources.json.json_rows import Parsed
from headrace.sources.line_blocks import LineBlock, LinePiece, LinePlaces
from headrace.sources.reading import Reader, shards_for
from headrace.sources.row_batches import Row
from headrace.sources.rows import FeatureRows, Rows
from headrace.sources.source import Unreadable

_HEAD_BYTES = 1 << 16


@dataclass(frozen=True)
class JsonPiece:
    """A file that is an array of objects, or a byte range of a file of lines."""

    piece: LinePiece
    is_array: bool


class JsonReader(Reader):
    """JSON files. The types are those of all files of a split.

    Args:
        rename: New names of features, by the old.
        required: The feature that each object must have; empty for none.
    """

    def __init__(self, rename: Mapping[str, str], required: str = "") -> None:
        self._rename = dict(rename)
        self._required = required

    def plan(self, items: Sequence[str], num_shards: int | None) -> tuple[int, list[list[JsonPiece]]]:
        """Cut files of lines; an array is read by one worker."""
        sizes = [line_blocks.size_bytes(path) for path in items]
        total = shards_for(sum(sizes), num_shards)
        is_array = {path: _is_array(path) for path in items}
        cut = line_blocks.cut(items, sizes, total, keeps_whole=is_array.__getitem__)
        return total, [[JsonPiece(piece, is_array[piece.path]) for piece in pieces] for pieces in cut]

    def learn(self, pieces: Sequence[JsonPiece]) -> Fields:
        """Return what is known of the fields in these pieces."""
        known: Fields = {}
        for each in pieces:
            if each.is_array:
                for one in self._of_array(each):
                    if isinstance(one, Parsed):
                        json_fields.add(known, one)
                continue
            places = LinePlaces(each.piece)
            for block in line_blocks.read_blocks(each.piece):
                quick = json_blocks.fields_of(block.data, each.piece.path) if block.data else None
                if quick is not None and not _new(known, quick):
                    known = json_fields.merged([known, quick])
                    continue
                # Also a block with a field that is new: its place is that of a line, the first that has it.
                for one in self._of_block(block, places):
                    if isinstance(one, Parsed):
                        json_fields.add(known, one)
                    if quick is not None and not _new(known, quick):
                        known = json_fields.merged([known, quick])
                        break
        return known

    def read(self, pieces: Sequence[JsonPiece], learned: Sequence[Fields]) -> Iterator[Rows | Unreadable]:
        """Yield the objects in batches; all have the columns of all."""
        fields = json_fields.merged(learned)
        columns = {
            json_rows.named(path, self._rename): Kind(field.feature_kind, field.place)
            for path, field in fields.items()
            if field.kind
        }
        num_batches = 0
        for each in pieces:
            if each.is_array:
                found = self._batches(self._of_array(each), fields, columns)
                for one in found:
                    num_batches += isinstance(one, FeatureRows)
                    yield one
                continue
            places = LinePlaces(each.piece)
            for block in line_blocks.read_blocks(each.piece):
                quick = (
                    json_blocks.rows_of(block.data, fields, self._rename)
                    if block.data and not self._required
                    else None
                )
                if quick is not None:
                    num_batches += 1
                    yield FeatureRows(quick, columns)
                    continue
                for one in self._batches(self._of_block(block, places), fields, columns):
                    num_batches += isinstance(one, FeatureRows)
                    yield one
        if not num_batches:
            yield from row_batches.batches([], columns)

    def _batches(
        self, objects: Iterator[Parsed | Unreadable], fields: Fields, columns: Mapping[str, Kind]
    ) -> Iterator[FeatureRows | Unreadable]:
        return row_batches.batches((self._row(one, fields, columns) for one in objects), columns)

    def _row(self, one: Parsed | Unreadable, fields: Fields, columns: Mapping[str, Kind]) -> Row | Unreadable:
        found = one if isinstance(one, Unreadable) else json_fields.checked(one, fields)
        if isinstance(found, Unreadable):
            return found
        values = {json_rows.named(path, self._rename): value for path, value in found.values.items()}
        if not values and not columns:
            return Unreadable(found.source, "has no feature", found.where(), "give it a value")
        if self._required and values.get(self._required) is None:
            fix = "give text=... the name of the field that holds it"
            return Unreadable(found.source, f"has no '{self._required}'", found.where(), fix)
        # An object without a value is a row without one.
        return Row(values or dict.fromkeys(columns), found.source)

    def _of_array(self, each: JsonPiece) -> Iterator[Parsed | Unreadable]:
        with packed_files.open_binary(each.piece.path) as file:
            yield from json_rows.of_array(file, each.piece.path)

    def _of_block(self, block: LineBlock, places: LinePlaces) -> Iterator[Parsed | Unreadable]:
        first, path = block.num_before + 1, places.path
        if block.data is None:
            reason = f"is a line of more than {line_blocks.MAX_LINE_BYTES >> 20} MiB"
            yield Unreadable(path, reason, places.place(first), "write an object in each line")
            return
        for number, line in enumerate(block.data.split(b"\n"), first):
            if line.strip():
                yield json_rows.parse(line, path, functools.partial(places.place, number))


def _new(known: Fields, found: Fields) -> bool:
    """Whether there is a field whose kind is not known yet."""
    return any(field.kind and not (path in known and known[path].kind) for path, field in found.items())


def _is_array(path: str) -> bool:
    """Whether a file begins as an array of objects does."""
    with packed_files.open_binary(path) as file:
        head = file.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    return head.startswith(b"[")
