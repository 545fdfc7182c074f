"""Serialize Arrow batches as `tf.train.Example`, byte for byte as protobuf's deterministic form.

The form (https://protobuf.dev/programming-guides/encoding, tensorflow/core/example/feature.proto): an
Example holds a map from name to Feature, in the order of the names' bytes; a Feature holds one of
`bytes_list = 1`, `float_list = 2` (packed) or `int64_list = 3` (packed).

tfx_bsl's encoder is not used: it writes the map in an order that differs from run to run, so that equal
rows get unequal bytes and hash into other splits; it holds Python's global lock; and it takes 4.9 s for a
million rows of 18 columns, where this takes about 1.5 s (measured on tfx_bsl 1.16).
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from google.protobuf import struct_pb2
from numpy.typing import NDArray

from headrace.errors import UnsupportedColumnError

# Beyond this, a batch is encoded in slices, so that no buffer reaches Arrow's 2 GiB for 32-bit offsets.
_MAX_CELLS = 2_000_000
_BYTES_TAG, _FLOAT_TAG, _INT_TAG = b"\x0a", b"\x12", b"\x1a"
_NOTHING = pa.scalar(b"", pa.binary())


def encode(batch: pa.RecordBatch) -> pa.ChunkedArray:
    """Serialize each row as a tf.train.Example.

    Args:
        batch: One column per feature, `list<int64 | float32 | binary>` or of null type. A null cell becomes
            a Feature without a kind; an empty list, a Feature with an empty list of the column's kind.

    Returns:
        One `binary` value per row, in row order.

    Raises:
        UnsupportedColumnError: If a column has another type, or two have one name: of two entries of a map
            readers keep the last.
    """
    names = batch.schema.names
    if len(set(names)) < len(names):
        twice = next(name for at, name in enumerate(names) if name in names[:at])
        raise UnsupportedColumnError(
            f"{names.count(twice)} columns are named '{twice}', and a tf.Example has one feature of a name.",
            "rename or drop all but one of them.",
        )
    rows = max(1, _MAX_CELLS // max(1, batch.num_columns))
    starts = range(0, batch.num_rows, rows)
    return pa.chunked_array([_encode(batch.slice(start, rows)) for start in starts], pa.binary())


def encode_feature(column: pa.Array) -> pa.Array:
    """Serialize each cell of one column as a tf.train.Feature; see `encode`."""
    tag, payload, codes = _serialized_lists(column)
    heads = _by_code(codes, functools.partial(_feature_head, tag))
    return _join(len(column), heads, payload)


def _encode(batch: pa.RecordBatch) -> pa.Array:
    pieces: list[pa.Array | pa.Scalar] = []
    by_name = sorted(zip(batch.schema.names, batch.columns), key=lambda item: _map_order(item[0]))
    for name, column in by_name:
        try:
            tag, payload, codes = _serialized_lists(column)
        except UnsupportedColumnError as error:
            raise UnsupportedColumnError(f"column '{name}' {error.problem}", error.fix) from None
        pieces.append(_by_code(codes, functools.partial(entry_head, name.encode(), tag)))
        if isinstance(payload, pa.Array):
            pieces.append(payload)
    features = _join(batch.num_rows, *pieces)
    heads = _by_code(_lengths(features), lambda length: b"\x0a" + _varint(length))
    return _join(batch.num_rows, heads, features)


def _map_order(name: str) -> bytes:
    """The sort key that puts names into the order of protobuf's deterministic maps.

    That is the order of their bytes, save that protobuf 4 and later (upb) puts 'text' behind 'texts', and
    protobuf 3 before. The hash of a record depends on it: stock TFX itself splits such data in two ways.
    """
    # No byte of UTF-8 is 0xFF, so with it at the end the longer of two names comes first.
    return name.encode() + (b"\xff" if _is_longer_first() else b"")


@functools.cache
def _is_longer_first() -> bool:
    probe = struct_pb2.Struct()
    probe.update({"a": None, "aa": None})
    return probe.SerializeToString(deterministic=True).index(b"\x01a") > 3


def entry_head(key: bytes, tag: bytes, code: int) -> bytes:
    """The bytes of a map entry before the serialized list.

    Args:
        key: The feature's name.
        tag: That of the kind of list.
        code: 0 for a Feature without a kind, else 1 + the length of the serialized list.
    """
    head = _feature_head(tag, code)
    size = len(head) + max(0, code - 1)
    before = b"\x0a" + _varint(len(key)) + key + b"\x12" + _varint(size)
    return b"\x0a" + _varint(len(before) + size) + before + head


def _feature_head(tag: bytes, code: int) -> bytes:
    """The bytes of a Feature before its serialized list."""
    if code == 0:
        return b""
    size = code - 1
    # The values of a bytes list carry their own tags; those of a number list are packed behind one.
    packed = b"" if tag == _BYTES_TAG or size == 0 else b"\x0a" + _varint(size)
    return tag + _varint(len(packed) + size) + packed


def _serialized_lists(column: pa.Array) -> tuple[bytes, pa.Array | pa.Scalar, NDArray[Any]]:
    """Serialize the lists of one column.

    Returns:
        The tag of the kind of list; the lists' bytes, one value per row; and a code per row: 0 for a null
        cell, else 1 + the length of those bytes.
    """
    kind = column.type
    if pa.types.is_null(kind):
        return b"", _NOTHING, np.zeros(len(column), np.int64)
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        raise UnsupportedColumnError(f"has type {kind}, where a list is needed.")
    lengths = column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False)
    ends = np.zeros(len(column) + 1, np.int64)
    np.cumsum(lengths, out=ends[1:])
    values = column.flatten()
    if pa.types.is_int64(kind.value_type):
        tag, data, offsets = _INT_TAG, *_varints(values.to_numpy(zero_copy_only=False))
        offsets = offsets[ends]
    elif pa.types.is_float32(kind.value_type):
        tag, data, offsets = _FLOAT_TAG, pa.py_buffer(_contiguous(values)), ends * 4
    elif pa.types.is_binary(kind.value_type) or pa.types.is_large_binary(kind.value_type):
        elements = values.cast(pa.binary())
        heads = _by_code(_lengths(elements), lambda length: b"\x0a" + _varint(length))
        tagged = _join(len(elements), heads, elements)
        tag, data, offsets = _BYTES_TAG, tagged.buffers()[2], _offsets(tagged)[ends]
    else:
        raise UnsupportedColumnError(f"has values of type {kind.value_type}, which have no tf.Example form.")
    buffers = [None, pa.py_buffer(offsets.astype(np.int32)), data]
    payload = pa.Array.from_buffers(pa.binary(), len(column), buffers)
    codes = np.diff(offsets).astype(np.int64) + 1
    if column.null_count:
        codes[column.is_null().to_numpy(zero_copy_only=False)] = 0
    return tag, payload, codes


def _contiguous(values: pa.Array) -> NDArray[Any]:
    return np.ascontiguousarray(values.to_numpy(zero_copy_only=False))


def _varints(values: NDArray[Any]) -> tuple[pa.Buffer, NDArray[Any]]:
    """Serialize int64 values as varints; returns the bytes, and each value's start with the end of all."""
    left = np.ascontiguousarray(values).view(np.uint64)
    top = int(left.max()) if len(left) else 0
    width = max(1, (top.bit_length() + 6) // 7)
    if width == 1:
        return pa.py_buffer(left.astype(np.uint8)), np.arange(len(left) + 1)
    sizes = np.ones(len(left), np.int64)
    digits = np.empty((len(left), width), np.uint8)
    for place in range(width):
        more = left >= np.uint64(0x80)
        digits[:, place] = (left & np.uint64(0x7F)) | (more.astype(np.uint64) << np.uint64(7))
        sizes += more
        left = left >> np.uint64(7)
    offsets = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=offsets[1:])
    return pa.py_buffer(digits[np.arange(width) < sizes[:, None]]), offsets


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def varint_size(value: int) -> int:
    """Bytes that a varint takes."""
    return len(_varint(value))


def _by_code(codes: NDArray[Any], make: Callable[[int], bytes]) -> pa.Array | pa.Scalar:
    """Return `make(code)` for each code; made once for each distinct one, of which there are few."""
    if not len(codes):
        return pa.array([], pa.binary())
    low, high = int(codes.min()), int(codes.max())
    if low == high:
        return pa.scalar(make(low), pa.binary())
    if high < 1 << 16:
        distinct = np.flatnonzero(np.bincount(codes))
        places = np.zeros(high + 1, np.int32)
        places[distinct] = np.arange(len(distinct))
        indices = places[codes]
    else:
        distinct, indices = np.unique(codes, return_inverse=True)
    return pa.array([make(int(code)) for code in distinct], pa.binary()).take(pa.array(indices))


def _join(num_rows: int, *pieces: pa.Array | pa.Scalar) -> pa.Array:
    """Concatenate pieces row by row; a scalar stands for all rows."""
    if not any(isinstance(piece, pa.Array) for piece in pieces):
        pieces = (*pieces, pa.array([b""] * num_rows, pa.binary()))
    return pc.binary_join_element_wise(*pieces, _NOTHING)


def _offsets(array: pa.Array) -> NDArray[Any]:
    """The offsets of a binary array, of which the slice's own part."""
    every = np.frombuffer(array.buffers()[1], np.int32) if array.buffers()[1] else np.zeros(1, np.int32)
    return every[array.offset : array.offset + len(array) + 1].astype(np.int64)


def _lengths(array: pa.Array) -> NDArray[Any]:
    return pc.binary_length(array).to_numpy(zero_copy_only=False).astype(np.int64)
