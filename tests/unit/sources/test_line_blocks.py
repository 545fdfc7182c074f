"""Files of lines: cut at lines, in any encoding, packed, and with a line that is too long."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import DefinitionError, MalformedFileError
from headrace.sources import line_blocks
from headrace.sources.line_blocks import LinePiece


@given(
    st.lists(st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\n"), max_size=9)),
    st.integers(1, 5),
    st.integers(1, 40),
    st.sampled_from(["utf-8", "utf-16", "gb18030", "utf-8-sig", "cp037"]),
)
def test_pieces_hold_each_line_once_in_order(tmp_path_factory, lines, num_parts, block_bytes, encoding):
    """Whatever the number of parts, the size of a block and the encoding."""
    known = line_blocks.checked_encoding(encoding, "test")
    lines = [line.encode(encoding, "ignore").decode(encoding) for line in lines]
    lines = [line.replace("\n", "").replace("\ufeff", "") for line in lines]
    path = str(tmp_path_factory.mktemp("lines") / "a.txt")
    data = "".join(f"{line}\n" for line in lines).encode(encoding)
    Path(path).write_bytes(data)

    parts = line_blocks.cut([path], [len(data)], num_parts, known)
    read = b""
    for part in parts:
        for piece in part:
            before = line_blocks.num_lines_before(piece)
            for block in line_blocks.read_blocks(piece, known, block_bytes):
                assert before + block.num_before == read.count(b"\n")
                read += block.data

    assert read.decode() == "".join(f"{line}\n" for line in lines)
    assert len(parts) <= num_parts


def test_encodings_are_cut_only_where_a_line_feed_is_one_byte():
    assert [line_blocks.is_cut(name) for name in ("utf-8", "gb18030", "shift_jis", "iso8859-1")] == [True] * 4
    assert not any(map(line_blocks.is_cut, ("utf-16", "utf-16-le", "utf-32", "utf-7", "iso2022_jp", "cp037")))


@pytest.mark.parametrize("name", ["no-such", "base64", "rot13"])
def test_encoding_that_is_none_is_refused(name):
    with pytest.raises(DefinitionError, match=f"test: there is no encoding '{name}'"):
        line_blocks.checked_encoding(name, "test")


@pytest.mark.parametrize("ending", ["gz", "zst"])
def test_packed_files_are_read_in_several_parts_and_damage_is_named(tmp_path, ending):
    lines = b"".join(b"line %d\n" % number for number in range(20_000))
    half = len(lines) // 2
    pack = gzip.compress if ending == "gz" else lambda data: pa.Codec("zstd").compress(data).to_pybytes()
    packed = pack(lines[:half]) + pack(lines[half:])
    path = tmp_path / f"a.txt.{ending}"
    path.write_bytes(packed)

    [[piece]] = line_blocks.cut([str(path)], [line_blocks.size_bytes(str(path))], 3)
    assert piece == LinePiece(str(path), 0, None, 0)
    assert b"".join(block.data for block in line_blocks.read_blocks(piece)) == lines

    path.write_bytes(packed[: len(packed) * 3 // 4])
    with pytest.raises(MalformedFileError, match="cut short or damaged"):
        list(line_blocks.read_blocks(piece))


def test_line_that_is_too_long_is_told_and_the_others_are_read(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"a\n" + b"b" * 50 + b"\nc\nd\n" + b"e" * 60)
    found = list(line_blocks.read_blocks(LinePiece(str(path), 0, None), block_bytes=8, max_line=20))
    assert [block.num_before for block in found if block.data is None] == [1, 4]
    assert b"".join(block.data or b"" for block in found) == b"a\nc\nd\n"
