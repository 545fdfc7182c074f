"""Checkpoints, written here in TensorFlow's form; integration tests read TensorFlow's own."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headrace.errors import MalformedFileError
from headrace.formats.bare_protos import proto_class
from headrace.formats.checkpoints import Checkpoint

MAGIC = 0xDB4775248B80FB57
GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


def varint(number: int) -> bytes:
    found = b""
    while number >= 0x80:
        found += bytes([number & 0x7F | 0x80])
        number >>= 7
    return found + bytes([number])


def block(entries: list[tuple[bytes, bytes]]) -> bytes:
    """Keys share their beginnings, as LevelDB writes them."""
    content, before = b"", b""
    for key, value in entries:
        shared = next(
            (at for at, (a, b) in enumerate(zip(key, before)) if a != b), min(len(key), len(before))
        )
        content += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    return content + struct.pack("<II", 0, 1)


def write(folder: Path, variables: Mapping[str, tuple[str, np.ndarray[Any, Any]]], names: bool = True) -> str:
    """Write variables by their keys, each with its name."""
    place = folder / "variables"
    place.mkdir(parents=True)
    graph = proto_class("TrackableObjectGraph")()
    data, entries = b"", {}
    for key, (name, array) in variables.items():
        attribute = graph.nodes.add().attributes.add()
        attribute.name, attribute.full_name, attribute.checkpoint_key = "VARIABLE_VALUE", name, key
        kind = {"float32": "DT_FLOAT", "int64": "DT_INT64", "uint16": "DT_BFLOAT16"}[array.dtype.name]
        entries[key] = entry(kind, array.shape, len(data), array.nbytes)
        data += array.tobytes()
    text = graph.SerializeToString()
    tail = varint(len(text)) + b"crc!" + text
    if names:
        entries[GRAPH] = entry("DT_STRING", (), len(data), len(tail))
    header = proto_class("BundleHeaderProto")(num_shards=1).SerializeToString()
    rows = [(b"", header), *[(key.encode(), entries[key]) for key in sorted(entries)]]
    first = block(rows)
    index = block([(b"zzz", varint(0) + varint(len(first)))])
    content = first + b"\0" + b"crc!" + index + b"\0" + b"crc!"
    handles = varint(0) + varint(0) + varint(len(first) + 5) + varint(len(index))
    (place / "variables.index").write_bytes(content + handles.ljust(40, b"\0") + struct.pack("<Q", MAGIC))
    (place / "variables.data-00000-of-00001").write_bytes(data + tail)
    return str(folder)


def entry(kind: str, shape: tuple[int, ...], offset: int, size: int) -> bytes:
    made = proto_class("BundleEntryProto")(
        dtype=proto_class("DataType").Value(kind), offset=offset, size=size
    )
    for each in shape:
        made.shape.dim.add().size = each
    return bytes(made.SerializeToString())


KERNEL = np.array([[2.0], [-3.0]], np.float32)
VARIABLES = {
    "weights/0/.ATTRIBUTES/VARIABLE_VALUE": ("dense/kernel", KERNEL),
    "weights/1/.ATTRIBUTES/VARIABLE_VALUE": ("dense/bias", np.array([5.0], np.float32)),
    "weights/2/.ATTRIBUTES/VARIABLE_VALUE": ("Variable", np.array(7, np.int64)),
}


def test_variables_are_read_by_name_in_the_models_order(tmp_path: Path) -> None:
    checkpoint = Checkpoint(write(tmp_path / "model", VARIABLES))

    assert [(one.name, one.type_name, one.shape) for one in checkpoint.tensors] == [
        ("dense/kernel", "float32", (2, 1)),
        ("dense/bias", "float32", (1,)),
        ("weights/2", "int64", ()),
    ]
    assert checkpoint.read(checkpoint.tensors[0]).tolist() == KERNEL.tolist()
    assert checkpoint.read(checkpoint.tensors[1]).tolist() == [5.0]
    assert checkpoint.read(checkpoint.tensors[2]) == 7


def test_half_width_floats_are_read_as_floats(tmp_path: Path) -> None:
    """bfloat16 is the upper half of a float32, and numpy has no such type."""
    bits = (np.array([1.0, -2.5], np.float32).view(np.uint32) >> 16).astype(np.uint16)
    checkpoint = Checkpoint(write(tmp_path / "model", {"a": ("a", bits)}))

    assert checkpoint.read(checkpoint.tensors[0]).tolist() == [1.0, -2.5]


def test_without_names_keys_stand_for_them(tmp_path: Path) -> None:
    checkpoint = Checkpoint(write(tmp_path / "model", {"w": ("ignored", KERNEL)}, names=False))

    assert [one.name for one in checkpoint.tensors] == ["w"]


def test_a_model_without_variables_has_none(tmp_path: Path) -> None:
    assert Checkpoint(str(tmp_path)).tensors == ()


@pytest.mark.parametrize("kept", [0, 10, 47, 60, -1])
def test_an_index_that_is_cut_off_is_told(tmp_path: Path, kept: int) -> None:
    index = Path(write(tmp_path / "model", VARIABLES), "variables", "variables.index")
    index.write_bytes(index.read_bytes()[:kept])

    with pytest.raises(
        MalformedFileError, match=r"variables\.index is not a checkpoint's index: it does not end as one\."
    ):
        Checkpoint(str(tmp_path / "model"))


def test_any_damage_of_the_index_is_told(tmp_path: Path) -> None:
    """Not one byte of it makes another error, or an endless loop."""
    index = Path(write(tmp_path / "model", VARIABLES), "variables", "variables.index")
    whole = index.read_bytes()
    for at in range(len(whole)):
        index.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            checkpoint = Checkpoint(str(tmp_path / "model"))
            for tensor in checkpoint.tensors:
                checkpoint.read(tensor)
        except MalformedFileError:
            continue


def test_values_that_are_cut_off_are_told(tmp_path: Path) -> None:
    data = Path(
        write(tmp_path / "model", VARIABLES, names=False), "variables", "variables.data-00000-of-00001"
    )
    data.write_bytes(data.read_bytes()[:4])
    checkpoint = Checkpoint(str(tmp_path / "model"))

    with pytest.raises(MalformedFileError, match="is not a checkpoint's values: it is cut off"):
        checkpoint.read(checkpoint.tensors[0])
