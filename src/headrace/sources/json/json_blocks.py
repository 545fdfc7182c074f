"""Blocks of JSON lines as columns, by Arrow; where it may read them otherwise than Python does, it is not asked.

Arrow takes texts that look like times for times, integers beyond 64 bits for floats, and counts objects, not lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pa_json

from headrace.sources import line_blocks
from headrace.sources.feature_kinds import BYTES, FLOATS
from headrace.sources.json.json_fields import BOOL, FLOAT, INT, NUMBERS, Field, Fields
from headrace.sources.json.json_rows import Path, named

_LARGEST_SURE = 2.0**62
_LINE_FEED, _CARRIAGE_RETURN, _OPENING, _CLOSING = b"\n\r{}"


def fields_of(data: bytes, place: str) -> Fields | None:
    """Return what a block tells of its fields; `None` where only Python can tell."""
    table = _parsed(data, None)
    if table is None:
        return None
    fields: Fields = {}
    for path, column in _leaves(table):
        shape = "one"
        kind = column.type
        if pa.types.is_list(kind):
            shape, kind = "list", kind.value_type
            column = column.flatten()
            if column.null_count:
                return None
        types = _types_of(kind)
        if types is None:
            return None
        if types == {FLOAT} and len(column) and not _is_sure(column):
            return None
        if not types and not (pa.types.is_null(kind)):
            fields[path] = Field(BYTES, place, frozenset(), frozenset({shape}))
        elif types and column.null_count < len(column):
            fields[path] = Field(NUMBERS, place, frozenset(types), frozenset({shape}))
        else:
            fields[path] = Field()
    return fields


def _types_of(kind: pa.DataType) -> set[str] | None:
    if pa.types.is_string(kind) or pa.types.is_timestamp(kind) or pa.types.is_null(kind):
        return set()
    for test, name in (
        (pa.types.is_int64, INT),
        (pa.types.is_float64, FLOAT),
        (pa.types.is_boolean, BOOL),
    ):
        if test(kind):
            return {name}
    return None


def _is_sure(reals: pa.Array) -> bool:
    """Whether none of the floats may be an integer beyond 64 bits."""
    values = reals.drop_null().to_numpy(zero_copy_only=False)
    return bool(np.all(np.abs(values) < _LARGEST_SURE))


def rows_of(data: bytes, fields: Mapping[Path, Field], rename: Mapping[str, str]) -> pa.RecordBatch | None:
    """Return a block's rows as features; `None` where only Python can tell."""
    schema = _schema(fields)
    table = None if schema is None else _parsed(data, schema)
    if table is None:
        return None
    found = dict(_leaves(table))
    arrays, names = [], []
    for path, field in fields.items():
        if not field.kind:
            continue
        column = found.get(path)
        made = pa.nulls(table.num_rows) if column is None else _feature(column, field)
        if made is None:
            return None
        arrays.append(made)
        names.append(named(path, rename))
    if not arrays:
        return None
    return pa.RecordBatch.from_arrays(arrays, names)


def _schema(fields: Mapping[Path, Field]) -> pa.Schema | None:
    """Return the types that a block's columns must have; `None` where Arrow has no such type."""
    tree: dict[str, Any] = {}
    for path, field in fields.items():
        if (len(field.types) > 1 and field.types != {INT, FLOAT}) or len(field.shapes) > 1:
            return None
        kind = _arrow_type(field)
        node = tree
        for name in path[:-1]:
            node = node.setdefault(name, {})
            if not isinstance(node, dict):
                return None
        if path[-1] in node:
            return None
        node[path[-1]] = pa.list_(kind) if field.shapes == {"list"} else kind
    return pa.schema(_struct(tree))


def _struct(tree: Mapping[str, Any]) -> list[pa.Field]:
    return [
        pa.field(name, pa.struct(_struct(one)) if isinstance(one, dict) else one)
        for name, one in tree.items()
    ]


def _arrow_type(field: Field) -> pa.DataType:
    if not field.kind:
        return pa.null()
    if field.kind == BYTES:
        return pa.string()
    return pa.float64() if FLOAT in field.types else pa.bool_() if field.types == {BOOL} else pa.int64()


def _parsed(data: bytes, schema: pa.Schema | None) -> pa.Table | None:
    """Return a block as Arrow reads it; `None` where it may not be what Python reads."""
    if not line_blocks.is_utf8(data):
        return None
    if b"\0" in data or (b"\r" in data and b"\r" in data.replace(b"\r\n", b"")):
        return None
    # It may make half of a surrogate pair, or NUL.
    if b"\\" in data and any(each in data for each in (b"\\ud", b"\\uD", b"\\u0000")):
        return None
    # Arrow counts objects: that each line is one, its ends tell.
    num_lines = _num_objects(data)
    if not num_lines:
        return None
    options = pa_json.ParseOptions(
        explicit_schema=schema,
        newlines_in_values=False,
        unexpected_field_behavior="infer" if schema is None else "error",
    )
    try:
        table = pa_json.read_json(
            pa.BufferReader(data), pa_json.ReadOptions(use_threads=False, block_size=len(data) + 1), options
        )
        for column in table.columns:
            # Of lists that begin with null, pyarrow 10 makes arrays whose parts do not fit.
            if pa.types.is_nested(column.type):
                column.validate(full=True)
    except (pa.ArrowException, ValueError, IndexError):
        return None
    # Lists that are all empty, or hold nulls alone, are not sound in pyarrow 10.
    if table.num_rows != num_lines or not all(map(_is_sound, table.schema.types)):
        return None
    return table


def _num_objects(data: bytes) -> int:
    """Return how many lines look like an object, from brace to brace; 0 where another line is not blank."""
    if not data:
        return 0
    # By numpy: to count pairs of bytes takes Python half as long as Arrow's parsing.
    letters = np.frombuffer(data, np.uint8)
    feeds = np.flatnonzero(letters == _LINE_FEED)
    if not data.endswith(b"\n"):
        feeds = np.append(feeds, len(letters))
    firsts = np.append(0, feeds[:-1] + 1)
    lasts = feeds - 1
    # Of a blank line, the last letter is the line feed before it, so no brace.
    lasts = lasts - ((letters[lasts] == _CARRIAGE_RETURN) & (lasts > firsts))
    if (letters[firsts] == _OPENING).all() and (letters[lasts] == _CLOSING).all():
        return len(feeds)
    lines = [line.strip() for line in data.split(b"\n")]
    lines = [line for line in lines if line]
    return len(lines) if all(line[:1] == b"{" and line[-1:] == b"}" for line in lines) else 0


def _is_sound(kind: pa.DataType) -> bool:
    if pa.types.is_struct(kind):
        return all(_is_sound(field.type) for field in kind)
    return not pa.types.is_list(kind) or not (
        pa.types.is_nested(kind.value_type) or pa.types.is_null(kind.value_type)
    )


def _leaves(table: pa.Table) -> Iterator[tuple[Path, pa.Array]]:
    """Yield the columns that are no structs, with their paths."""
    todo: list[tuple[Path, pa.Array]] = [
        ((name,), _whole(table.column(place))) for place, name in enumerate(table.column_names)
    ]
    while todo:
        path, column = todo.pop(0)
        if pa.types.is_struct(column.type):
            inner = [((*path, field.name), child) for field, child in zip(column.type, column.flatten())]
            todo = [*inner, *todo]
        else:
            yield path, column


def _whole(column: pa.ChunkedArray) -> pa.Array:
    found = column.combine_chunks()
    return found if isinstance(found, pa.Array) else pa.concat_arrays(found.chunks)


def _feature(column: pa.Array, field: Field) -> pa.Array | None:
    """Return lists, null where there is no value; `None` where a list holds null."""
    if pa.types.is_null(column.type):
        return pa.nulls(len(column))
    if pa.types.is_list(column.type):
        values = column.flatten()
        if values.null_count:
            return None
        lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    else:
        values = column.drop_null()
        lengths = column.is_valid().to_numpy(zero_copy_only=False)
    ends = np.zeros(len(column) + 1, np.int32)
    np.cumsum(lengths, out=ends[1:])
    offsets = pa.array(ends, mask=np.append(lengths == 0, False))
    if field.feature_kind == FLOATS:
        with np.errstate(over="ignore"):
            values = pa.array(values.to_numpy(zero_copy_only=False).astype(np.float32))
    else:
        values = values.cast(pa.binary() if field.kind == BYTES else pa.int64())
    return pa.ListArray.from_arrays(offsets, values)
