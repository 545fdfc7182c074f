"""CSV blocks as Arrow columns, with the types that TFX infers for them.

A column's type is decided over all of its cells (tfx_bsl's csv_decoder): no cell with text in it, no type;
only integers of 64 bits, integer; only numbers, float; anything else, and integers beyond 64 bits, bytes.
What is a number is what Python's `int()` and `float()` accept. Arrow decides for whole columns at a time;
the cells on which Arrow and Python may disagree go to Python one by one. Where numbers are written otherwise, with a
comma or with marks between thousands, these rules hold for what they are in Python's form.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from headrace.errors import MalformedFileError
from headrace.sources.csv import csv_blocks, csv_faults
from headrace.sources.csv.csv_blocks import CsvBlock
from headrace.sources.csv.csv_dialect import Dialect
from headrace.sources.csv.csv_numbers import Marks

_INT64_RANGE = range(-(2**63), 2**63)
# Cells looked at before a column is cast as a whole: most columns of text are known by the first.
_PROBED_CELLS = 4
_STOCK = Dialect()
# So much of a block is parsed as text where nothing is known yet: what it tells, one typed parse shows of the others.
_HEAD_BYTES = 1 << 16


class CsvType(enum.IntEnum):
    """The type of a column's cells; of two, the greater one holds both."""

    UNKNOWN = -1
    INT = 0
    FLOAT = 1
    BYTES = 2


_ARROW_TYPES = {
    CsvType.UNKNOWN: pa.string(),
    CsvType.INT: pa.int64(),
    CsvType.FLOAT: pa.float64(),
    CsvType.BYTES: pa.binary(),
}
# As strings, bytes are checked to be UTF-8.
_CHECKED_TYPES = {**_ARROW_TYPES, CsvType.BYTES: pa.string()}


def cell_type(cell: bytes) -> CsvType:
    """Return the type of one cell."""
    if not cell:
        return CsvType.UNKNOWN
    try:
        return CsvType.INT if int(cell) in _INT64_RANGE else CsvType.BYTES
    except ValueError:
        pass
    try:
        float(cell)
    except ValueError:
        return CsvType.BYTES
    return CsvType.FLOAT


def merge_types(types: Sequence[Sequence[CsvType]]) -> list[CsvType]:
    """Return, for each column, the type that holds all of its types."""
    return [max(column) for column in zip(*types)]


def infer_types(
    path: str, block: CsvBlock, names: Sequence[str], known: Sequence[CsvType], dialect: Dialect = _STOCK
) -> list[CsvType]:
    """Return the types that hold a block's cells and the types known before.

    Raises:
        MalformedFileError: If a line has another number of columns than the header, or is not UTF-8, or holds a
            NUL, or a carriage return that neither ends it nor stands in quotes.
    """
    if csv_faults.may_have_odd_characters(block.data):
        # Arrow takes a carriage return for the end of a line, and NUL for a letter.
        fault = csv_faults.find(path, block.data, block.first_line, names, dialect.separator)
        if fault is not None:
            raise fault
    if CsvType.UNKNOWN in known:
        known = _types_with(path, _head(block), names, known, dialect)
    if _fits(block, names, known, dialect):
        return list(known)
    return _types_with(path, block, names, known, dialect)


def _head(block: CsvBlock) -> CsvBlock:
    """Return the first records of a block; none where its first is a long one."""
    data = block.data[:_HEAD_BYTES]
    return CsvBlock(data[: csv_blocks.last_record_end(data)], block.first_line)


def _types_with(
    path: str, block: CsvBlock, names: Sequence[str], known: Sequence[CsvType], dialect: Dialect
) -> list[CsvType]:
    """Return the types that hold a block's cells and the types known before, by every cell."""
    table = parse_text(path, block, names, dialect)
    return [_infer_type(column, before, dialect.marks) for column, before in zip(table.columns, known)]


def _fits(block: CsvBlock, names: Sequence[str], known: Sequence[CsvType], dialect: Dialect) -> bool:
    """Whether a block surely has the types known before. Most do, and one typed parse shows it."""
    # 0x1F is a number to Arrow alone.
    if b"0x" in block.data or b"0X" in block.data or dialect.marks.thousands:
        return False
    types = {name: _CHECKED_TYPES[kind] for name, kind in zip(names, known)}
    try:
        table = _parse(block, names, types, dialect, is_empty_null=True)
    except pa.ArrowInvalid:
        return False
    for column, kind in zip(table.columns, known):
        if kind is CsvType.UNKNOWN and column.null_count < len(column):
            return False
        if kind is CsvType.FLOAT and _is_odd(column.combine_chunks().drop_null()).any():
            return False
    return True


def _is_odd(reals: pa.Array) -> NDArray[Any]:
    """Mark what may be an integer beyond 64 bits, or a spelling of NaN that Python does not know."""
    return ~(np.abs(reals.to_numpy()) < 2.0**62)


def _infer_type(column: pa.ChunkedArray, known: CsvType, marks: Marks) -> CsvType:
    if known is CsvType.BYTES:
        return known
    cells = column.combine_chunks()
    cells = cells.filter(pc.not_equal(pc.binary_length(cells), 0))
    if not len(cells):
        return known
    if not marks.are_plain:
        cells = marks.in_python(cells)
    found = max(known, *(cell_type(cell.as_buffer().to_pybytes()) for cell in cells[:_PROBED_CELLS]))
    return found if found is CsvType.BYTES else _type_of_numbers(cells, found)


def _type_of_numbers(cells: pa.Array, found: CsvType) -> CsvType:
    """Return the type of cells that are likely numbers, of which some are of type `found`."""
    try:
        numbers = cells.cast(pa.int64())
    except pa.ArrowInvalid:
        pass
    else:
        # Arrow also reads 0x1F as a number; Python's opinion counts where a cell is not written plainly.
        odd = cells.filter(pc.not_equal(numbers.cast(pa.string()), cells))
        return max(found, CsvType.INT, _type_of_each(odd))
    try:
        reals = cells.cast(pa.float64())
    except pa.ArrowInvalid:
        return max(found, _type_of_each(cells))
    found = max(found, _type_of_each(cells.filter(pa.array(_is_odd(reals)))))
    # Integers that Arrow knows as floats only, such as +7, make no column of floats.
    return found if found >= CsvType.FLOAT else max(found, _type_of_each(cells, enough=CsvType.FLOAT))


def _type_of_each(cells: pa.Array, enough: CsvType = CsvType.BYTES) -> CsvType:
    """Return the type that holds every cell by Python's rules, or the first that is at least `enough`."""
    found = CsvType.UNKNOWN
    for cell in pc.unique(cells):
        found = max(found, cell_type(cell.as_buffer().to_pybytes()))
        if found >= enough:
            break
    return found


def parse_text(path: str, block: CsvBlock, names: Sequence[str], dialect: Dialect = _STOCK) -> pa.Table:
    """Parse a block with every cell as text; an empty cell is an empty text.

    Raises:
        MalformedFileError: If a line has another number of columns than the header, or is not UTF-8.
    """
    try:
        return _parse(block, names, dict.fromkeys(names, pa.string()), dialect, is_empty_null=False)
    except pa.ArrowInvalid as error:
        fault = csv_faults.find(path, block.data, block.first_line, names, dialect.separator)
        if fault is not None:
            raise fault from None
        raise MalformedFileError(
            f"{path}: the lines from {block.first_line} on do not parse as CSV: {error}.",
            "correct these lines.",
        ) from error


def parse_features(
    path: str, block: CsvBlock, names: Sequence[str], types: Sequence[CsvType], dialect: Dialect = _STOCK
) -> pa.RecordBatch:
    """Parse a block into columns of features; an empty cell is an empty list.

    Args:
        path: The file, for messages.
        block: Whole records.
        names: The column names.
        types: The columns' types over the whole input.
        dialect: How the file is written.

    Returns:
        One column per name: `list<int64 | float32 | binary>`, or null type where the type is unknown.
    """
    wanted = {name: _ARROW_TYPES[kind] for name, kind in zip(names, types)}
    try:
        table = _parse(block, names, wanted, dialect, is_empty_null=True)
        values = [column.combine_chunks() for column in table.columns]
    except pa.ArrowInvalid:
        # Some cell is a number to Python and not to Arrow, such as 1_000 or +5.
        table = parse_text(path, block, names, dialect)
        values = [
            _convert(column.combine_chunks(), kind, dialect.marks)
            for column, kind in zip(table.columns, types)
        ]
    return pa.RecordBatch.from_arrays(
        [_as_feature(column, kind) for column, kind in zip(values, types)], list(names)
    )


def _convert(cells: pa.Array, kind: CsvType, marks: Marks) -> pa.Array:
    if kind in (CsvType.INT, CsvType.FLOAT) and not marks.are_plain:
        cells = marks.in_python(cells)
    cells = pc.if_else(pc.equal(pc.binary_length(cells), 0), pa.scalar(None, pa.string()), cells)
    try:
        return cells.cast(_ARROW_TYPES[kind])
    except pa.ArrowInvalid:
        read = int if kind is CsvType.INT else float
        texts = (cell.as_buffer() for cell in cells)
        return pa.array(
            [None if text is None else read(text.to_pybytes()) for text in texts], _ARROW_TYPES[kind]
        )


def _as_feature(values: pa.Array, kind: CsvType) -> pa.Array:
    if kind is CsvType.UNKNOWN:
        return pa.nulls(len(values))
    ends = np.zeros(len(values) + 1, np.int32)
    np.cumsum(values.is_valid().to_numpy(zero_copy_only=False), out=ends[1:])
    kept = values.drop_null() if values.null_count else values
    if kind is CsvType.FLOAT:
        # Rounded once, from double, as protobuf's Python does; a number beyond float32 becomes infinite.
        with np.errstate(over="ignore"):
            kept = pa.array(kept.to_numpy().astype(np.float32))
    return pa.ListArray.from_arrays(pa.array(ends), kept)


def _parse(
    block: CsvBlock,
    names: Sequence[str],
    types: dict[str, pa.DataType],
    dialect: Dialect,
    *,
    is_empty_null: bool,
) -> pa.Table:
    if not block.data.strip(b"\r\n"):
        return pa.table({name: pa.array([], kind) for name, kind in types.items()})
    # Not read_csv: on Python 3.10 each call of it searches all objects of the process for references to a
    # frame (pyarrow's SignalStopHandler), which with TensorFlow loaded takes 60 ms.
    return pa_csv.open_csv(
        pa.BufferReader(block.data),
        read_options=pa_csv.ReadOptions(column_names=list(names), block_size=len(block.data) + 1),
        parse_options=pa_csv.ParseOptions(delimiter=dialect.separator, newlines_in_values=b'"' in block.data),
        convert_options=pa_csv.ConvertOptions(
            column_types=types,
            null_values=[""],
            strings_can_be_null=is_empty_null,
            quoted_strings_can_be_null=True,
            decimal_point=dialect.marks.decimal,
        ),
    ).read_all()
