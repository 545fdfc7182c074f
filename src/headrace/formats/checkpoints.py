"""TensorFlow's checkpoints, read without TensorFlow: what the variables of a SavedModel hold.

::

    variables/variables.index                  a table of LevelDB's form: key to `BundleEntryProto`, "" to the header
    variables/variables.data-00000-of-00001    the values, one after another

The forms are those of `tensorflow/core/lib/io/format.cc` (the table) and `tensorflow/core/util/tensor_bundle` (keys and
values). An object of its own, `_CHECKPOINTABLE_OBJECT_GRAPH`, says which variable is behind a key. Nothing is executed,
and of the values only those asked for are read.
"""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from headrace.errors import MalformedFileError
from headrace.files import open_file
from headrace.formats import json_files
from headrace.formats.bare_protos import proto_class

# Folder and beginning of the files' names are the same, as TensorFlow's `SavedModel` has them.
_NAME = "variables"
_WHAT = "a checkpoint's index"
_FOOTER_BYTES = 48
_MAGIC = 0xDB4775248B80FB57
_TRAILER_BYTES = 5
_PLAIN = 0
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
_VALUE = "VARIABLE_VALUE"
_ENDING = "/.ATTRIBUTES/VARIABLE_VALUE"
_NO_NAMES = ("", "Variable")
_CRC_BYTES = 4
_DAMAGES = (DecodeError, IndexError, KeyError, ValueError, struct.error)
_NUMPY = {"half": "float16", "float": "float32", "double": "float64"}


@dataclass(frozen=True)
class Tensor:
    """A variable's value, as yet unread.

    Attributes:
        name: What the variable is called, such as `"dense/kernel"`; several may be called the same.
        key: What the checkpoint calls it.
        type_name: Its type as TensorFlow and numpy write it, such as `"float32"`; `"string"` for bytes.
        shape: Its sizes.
    """

    name: str
    key: str
    type_name: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many values it holds."""
        return math.prod(self.shape)


class Checkpoint:
    """The variables in the folder of a SavedModel.

    Args:
        path: The SavedModel's folder.

    Raises:
        MalformedFileError: If the index is damaged.

    Attributes:
        tensors: In the order in which the model holds them; empty for a model without variables.
    """

    def __init__(self, path: str) -> None:
        self._prefix = os.path.join(path, _NAME, _NAME)
        self._index_path = f"{self._prefix}.index"
        self._entries: dict[str, Any] = {}
        self._num_shards = 1
        self.tensors: tuple[Tensor, ...] = ()
        if os.path.isfile(self._index_path):
            try:
                self._read_index()
                self.tensors = tuple(self._named())
            except _DAMAGES as error:
                if isinstance(error, MalformedFileError):
                    raise
                raise self._damaged(f"{type(error).__name__}: {error}") from error

    def read(self, tensor: Tensor) -> NDArray[Any]:
        """Return a variable's value; bytes as objects, bfloat16 as float32.

        Raises:
            MalformedFileError: If the file of values is not there, too short, or of a type that numpy does not know.
        """
        entry = self._entries[tensor.key]
        if tensor.type_name == "string":
            values = np.empty(tensor.size, dtype=object)
            values[:] = list(self._strings(entry, tensor.size))
            return values.reshape(tensor.shape)
        content = self._content(entry)
        if tensor.type_name == "bfloat16":
            bits = np.frombuffer(content, "<u2").astype("<u4") << 16
            return bits.view("<f4").reshape(tensor.shape)
        try:
            kind = np.dtype(tensor.type_name).newbyteorder("<")
            return np.frombuffer(content, kind).astype(tensor.type_name).reshape(tensor.shape)
        except (TypeError, ValueError) as error:
            raise self._damaged(f"variable '{tensor.name}' of type {tensor.type_name}: {error}") from error

    def _read_index(self) -> None:
        with open_file(self._index_path) as file:
            content = file.read()
        if len(content) < _FOOTER_BYTES or struct.unpack("<Q", content[-8:])[0] != _MAGIC:
            raise self._damaged("it does not end as one")
        footer = content[-_FOOTER_BYTES:]
        _, at = _handle(footer, 0)
        place, _ = _handle(footer, at)
        entry = proto_class("BundleEntryProto")
        for _, value in _entries(self._block(content, place)):
            for key, found in _entries(self._block(content, _handle(value, 0)[0])):
                if key:
                    self._entries[key.decode()] = entry.FromString(found)
                else:
                    header = proto_class("BundleHeaderProto").FromString(found)
                    self._num_shards = header.num_shards
                    if header.endianness:
                        raise self._damaged("it was written on a big-endian machine")

    def _block(self, content: bytes, place: tuple[int, int]) -> bytes:
        offset, size = place
        end = offset + size
        if end + _TRAILER_BYTES > len(content):
            raise self._damaged("it is cut off")
        if content[end] != _PLAIN:
            raise self._damaged("it is compressed, as TensorFlow writes none")
        return content[offset:end]

    def _named(self) -> Iterator[Tensor]:
        """Yield what the objects hold; of a checkpoint that names none, whatever is in it."""
        if _OBJECT_GRAPH not in self._entries:
            for key in self._entries:
                yield self._tensor(key, key)
            return
        [content] = self._strings(self._entries[_OBJECT_GRAPH], 1)
        seen: set[str] = set()
        for node in proto_class("TrackableObjectGraph").FromString(content).nodes:
            for attribute in node.attributes:
                key = attribute.checkpoint_key
                if attribute.name == _VALUE and key in self._entries and key not in seen:
                    seen.add(key)
                    yield self._tensor(_name(attribute.full_name, key), key)

    def _tensor(self, name: str, key: str) -> Tensor:
        entry = self._entries[key]
        kind = str(proto_class("DataType").Name(entry.dtype)).removeprefix("DT_").lower()
        shape = tuple(dimension.size for dimension in entry.shape.dim)
        return Tensor(name, key, _NUMPY.get(kind, kind), shape)

    def _content(self, entry: Any) -> bytes:
        path = f"{self._prefix}.data-{entry.shard_id:05d}-of-{self._num_shards:05d}"
        if entry.slices:
            raise self._damaged("a variable in it is cut into slices")
        try:
            with open_file(path) as file:
                file.seek(entry.offset)
                content = file.read(entry.size)
        except OSError as error:
            raise json_files.damaged(path, "a checkpoint's values", error.strerror or error) from error
        if len(content) != entry.size:
            raise json_files.damaged(path, "a checkpoint's values", "it is cut off")
        return bytes(content)

    def _strings(self, entry: Any, count: int) -> Iterator[bytes]:
        """Yield the texts of a tensor: all lengths, a checksum of these, then the texts."""
        content = self._content(entry)
        at, lengths = 0, []
        for _ in range(count):
            length, at = _number(content, at)
            lengths.append(length)
        at += _CRC_BYTES
        for length in lengths:
            yield content[at : at + length]
            at += length

    def _damaged(self, why: str) -> MalformedFileError:
        return json_files.damaged(self._index_path, _WHAT, why)


def _name(full_name: str, key: str) -> str:
    """Return what a variable is called; where its name says nothing, the way to it."""
    return key.removesuffix(_ENDING) if full_name in _NO_NAMES else full_name


def _number(content: bytes, at: int) -> tuple[int, int]:
    """Return the number in the form of a varint at a place, and the place after it."""
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _handle(content: bytes, at: int) -> tuple[tuple[int, int], int]:
    """Return offset and size of a block, and the place after them."""
    offset, at = _number(content, at)
    size, at = _number(content, at)
    return (offset, size), at


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values of a block; of a key only what differs from the one before is written."""
    [restarts] = struct.unpack("<I", block[-4:])
    end = len(block) - 4 * (restarts + 1)
    at, key = 0, b""
    while at < end:
        shared, at = _number(block, at)
        own, at = _number(block, at)
        size, at = _number(block, at)
        key = key[:shared] + block[at : at + own]
        yield key, block[at + own : at + own + size]
        at += own + size
