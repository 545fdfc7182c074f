"""Files of lines as pieces, byte ranges of whole lines, and as blocks of lines in UTF-8 small enough for memory."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from headrace import files
from headrace.errors import DefinitionError
from headrace.files import packed_files

BLOCK_BYTES = 4 << 20
# A longer line is no line: a file without line ends, or of another format.
MAX_LINE_BYTES = 64 << 20
_MAX_COUNTED_BYTES = 256 << 20
UTF_8 = "utf-8"
_MARK = "headrace.mark"
_BYTE_ORDER_MARK = "\ufeff".encode()
# In these a byte of a line end may be part of another letter, or what a byte means depends on those before.
_STATEFUL = ("utf-7", "utf-16", "utf-32", "utf_7", "utf_16", "utf_32", "iso2022", "hz")


@dataclass(frozen=True)
class LinePiece:
    """A byte range of a file that holds whole lines.

    Attributes:
        path: The file, plain or packed.
        start: Offset of the first byte.
        end: Offset after the last byte; `None` for all of a file that is not cut.
        num_before: How many lines of the file are before it, where that was counted.
    """

    path: str
    start: int
    end: int | None
    num_before: int | None = None


@dataclass(frozen=True)
class LineBlock:
    """Some whole lines in UTF-8, and how many lines of the piece are before them.

    Bytes that are not of the encoding stand in it as lone surrogates, which are no UTF-8: `bad_byte` tells them. A line
    that is too long is not there: `data` is then `None`.
    """

    data: bytes | None
    num_before: int


def checked_encoding(name: str, where: str) -> str:
    """Return an encoding's name as Python knows it.

    Raises:
        DefinitionError: If Python knows no such encoding of text.
    """
    try:
        known = codecs.lookup(name)
        "".encode(name)
    except (LookupError, TypeError, ValueError, UnicodeError) as error:
        raise DefinitionError(
            f"{where}: there is no encoding '{name}'.",
            "give one that Python knows, such as 'utf-8', 'latin-1', 'cp1252', 'utf-16' or 'gb18030'.",
        ) from error
    return UTF_8 if known.name in ("utf-8", "utf-8-sig", "ascii") else known.name


def is_cut(encoding: str) -> bool:
    """Whether files of an encoding can be cut at line feeds: that byte is never part of another letter."""
    return not encoding.startswith(_STATEFUL) and "\n".encode(encoding) == b"\n"


def size_bytes(path: str) -> int:
    """Return about how many bytes of text a file holds."""
    return packed_files.unpacked_bytes(path)


def cut(
    paths: Sequence[str],
    sizes: Sequence[int],
    num_parts: int,
    encoding: str = UTF_8,
    keeps_whole: Callable[[str], bool] = lambda path: False,
    *,
    counts_lines: bool = False,
) -> list[list[LinePiece]]:
    """Divide files into at most `num_parts` lists of pieces of similar size, in order, none of them empty.

    Packed files, those of encodings that cannot be cut, and what `keeps_whole` says are one piece. With
    `counts_lines` the files are read once, and each piece says how many lines are before it. The result depends on the
    files alone.
    """
    total = max(1, sum(sizes))
    parts: list[list[LinePiece]] = [[] for _ in range(num_parts)]
    before = 0
    for path, size in zip(paths, sizes):
        first = min(num_parts - 1, before * num_parts // total)
        bounds = [(part, total * part // num_parts - before) for part in range(first + 1, num_parts)]
        inside = [(part, place) for part, place in bounds if 0 < place < size]
        if not inside or not is_cut(encoding) or keeps_whole(path) or packed_files.packing_of(path):
            parts[first].append(LinePiece(path, 0, None, 0))
        else:
            starts = _line_starts(path, [place for _, place in inside], size)
            edges = [0, *starts, size]
            num_before: int | None = 0
            for index, part in enumerate([first, *(part for part, _ in inside)]):
                start, end = edges[index], edges[index + 1]
                if start < end:
                    parts[part].append(LinePiece(path, start, end, num_before))
                    if num_before is not None:
                        num_before = num_before + _num_lines(path, start, end) if counts_lines else None
        before += size
    return [pieces for pieces in parts if pieces]


def _line_starts(path: str, targets: Sequence[int], size: int) -> list[int]:
    """For each target offset, return where the first line begins at it or after it."""
    found: list[int] = []
    with files.open_file(path) as file:
        for target in targets:
            at = target - 1
            if found and at < found[-1]:
                # A line that is longer than a part.
                found.append(found[-1])
                continue
            file.seek(at)
            while chunk := file.read(1 << 16):
                place = chunk.find(b"\n")
                if place >= 0:
                    at += place + 1
                    break
                at += len(chunk)
            found.append(min(at, size))
    return found


class LinePlaces:
    """Says where in its file a line of a piece is."""

    def __init__(self, piece: LinePiece) -> None:
        self.path = piece.path
        self._piece = piece
        self._num_before = piece.num_before

    def place(self, number: int) -> str:
        """Return the place of a line by its number in the piece, from 1.

        Deep in a large file it is told from the piece's first byte: to count what is before would take too long.
        """
        if self._num_before is None and self._piece.start <= _MAX_COUNTED_BYTES:
            self._num_before = num_lines_before(self._piece)
        if self._num_before is None:
            return f"line {number:,} from byte {self._piece.start:,} on"
        return f"line {self._num_before + number}"


def num_lines_before(piece: LinePiece) -> int:
    """Return how many lines of the file are before a piece; it reads them where they were not counted."""
    if piece.num_before is not None:
        return piece.num_before
    return _num_lines(piece.path, 0, piece.start)


def _num_lines(path: str, start: int, end: int) -> int:
    count, left = 0, end - start
    if left:
        with files.open_file(path) as file:
            file.seek(start)
            while left and (chunk := file.read(min(BLOCK_BYTES, left))):
                count += chunk.count(b"\n")
                left -= len(chunk)
    return count


def read_blocks(
    piece: LinePiece, encoding: str = UTF_8, block_bytes: int | None = None, max_line: int = MAX_LINE_BYTES
) -> Iterator[LineBlock]:
    """Yield the lines of a piece in blocks of about `block_bytes`, by default `BLOCK_BYTES`, each with its line end but for the last.

    Raises:
        MalformedFileError: If a packed file is damaged.
    """
    rest: list[bytes] = []
    num_rest = num_before = 0
    is_skipping = False
    for chunk in _recoded(piece, encoding, block_bytes or BLOCK_BYTES):
        end = chunk.rfind(b"\n") + 1
        if not end:
            num_rest += len(chunk)
            is_skipping = is_skipping or num_rest > max_line
            rest = [] if is_skipping else [*rest, chunk]
            continue
        first = chunk.find(b"\n") + 1
        if is_skipping or num_rest + first > max_line:
            yield LineBlock(None, num_before)
            num_before += 1
            data = chunk[first:end]
        else:
            data = b"".join([*rest, chunk[:end]])
        if data:
            yield LineBlock(data, num_before)
            num_before += data.count(b"\n")
        rest, num_rest, is_skipping = [chunk[end:]], len(chunk) - end, False
    if is_skipping:
        yield LineBlock(None, num_before)
    elif num_rest:
        yield LineBlock(b"".join(rest), num_before)


def _recoded(piece: LinePiece, encoding: str, block_bytes: int) -> Iterator[bytes]:
    """Yield the bytes of a piece in UTF-8, without a byte order mark."""
    left = sys.maxsize if piece.end is None else piece.end - piece.start
    decoder = None if encoding == UTF_8 else codecs.getincrementaldecoder(encoding)(_MARK)
    is_first = not piece.start
    with packed_files.open_binary(piece.path) as file:
        if piece.start:
            file.seek(piece.start)
        # The first holds a byte order mark whole.
        while chunk := _read(file, min(max(block_bytes, len(_BYTE_ORDER_MARK)), left)):
            left -= len(chunk)
            if decoder is not None:
                chunk = decoder.decode(chunk).encode(UTF_8, "surrogatepass")
            if is_first:
                chunk = chunk.removeprefix(_BYTE_ORDER_MARK)
                is_first = False
            if chunk:
                yield chunk
    if decoder is not None and (tail := decoder.decode(b"", final=True).encode(UTF_8, "surrogatepass")):
        yield tail


def _read(file: BinaryIO, num_bytes: int) -> bytes:
    """Read, where possible all: what is unpacked may come in small portions."""
    data = file.read(num_bytes)
    while data and len(data) < num_bytes and (more := file.read(num_bytes - len(data))):
        data += more
    return data


def recode(data: bytes, encoding: str) -> bytes:
    """Return a whole text in UTF-8, without a byte order mark; see `LineBlock` for what is not of the encoding."""
    if encoding != UTF_8:
        data = data.decode(encoding, _MARK).encode(UTF_8, "surrogatepass")
    return data.removeprefix(_BYTE_ORDER_MARK)


def is_utf8(data: bytes) -> bool:
    """Whether bytes are UTF-8. Arrow tells twenty times as fast as Python."""
    import pyarrow as pa

    offsets = pa.py_buffer(bytes(8) + len(data).to_bytes(8, sys.byteorder))
    text = pa.Array.from_buffers(pa.large_string(), 1, [None, offsets, pa.py_buffer(data)])
    try:
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def bad_byte(text: bytes) -> tuple[int, int] | None:
    """Return the first byte that is not of the encoding, and the number of the character that it stands for, from 1."""
    try:
        text.decode(UTF_8)
    except UnicodeDecodeError as error:
        before = len(text[: error.start].decode(UTF_8))
        mark = text[error.start : error.start + 3]
        try:
            value = ord(mark.decode(UTF_8, "surrogatepass"))
        except (UnicodeDecodeError, TypeError):
            value = 0
        return (value & 0xFF if 0xDC00 <= value <= 0xDCFF else text[error.start]), before + 1
    return None


def _marked(error: UnicodeError) -> tuple[str, int]:
    """Put a lone surrogate, which holds the byte, in the place of what is not of the encoding."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return chr(0xDC00 | error.object[error.start]), error.end


codecs.register_error(_MARK, _marked)
