"""Read texts: whole files, or lines; columns at once, and line by line only where something is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headrace import files
from headrace.errors import DefinitionError, MalformedFileError, listed
from headrace.files import packed_files
from headrace.sources import line_blocks, row_batches
from headrace.sources.feature_kinds import BYTES, INTEGERS, Kind
from headrace.sources.json.json_reader import JsonPiece, JsonReader
from headrace.sources.line_blocks import LineBlock, LinePiece, LinePlaces
from headrace.sources.reading import Reader, group, shards_for
from headrace.sources.row_batches import Row
from headrace.sources.rows import FeatureRows, Rows
from headrace.sources.source import Unreadable
from headrace.sources.text.text_source import FOLDER, JSONL, TextItem

TEXT, LABEL, PATH, LINE = "text", "label", "path", "line"
_MAX_FILES = 5_000
_MAX_BYTES = 8 << 20
_MIB = 1 << 20
_USUAL_BYTES = 1 << 16


class TextReader(Reader):
    """Reads `TextItem`s, all of one form.

    Args:
        payload_format: What is written; JSON lines need to know.
        text: The JSON field that holds the text.
        label: Where the label is; see `headrace.components.TextExampleGen`.
        separator: What stands between label and text in a line.
        encoding: A name of `line_blocks.checked_encoding`.
        max_length: The most characters of a text; `None` for any number.
        places: Whether lines come with their file and number.
    """

    def __init__(
        self,
        payload_format: int,
        text: str = TEXT,
        label: str = "",
        separator: str = "\t",
        encoding: str = line_blocks.UTF_8,
        max_length: int | None = None,
        places: bool = False,
    ) -> None:
        self._json = JsonReader({text: TEXT, **({label: LABEL} if label else {})}, required=TEXT)
        self._encoding = encoding
        self._label = label
        self._separator = separator.encode()
        self._max_length = max_length
        self._has_places = places

    def plan(self, items: Sequence[TextItem], num_shards: int | None) -> tuple[int, list[list[Any]]]:
        """Divide files of one text each; cut files of lines.

        Raises:
            DefinitionError: If the label cannot be where it is said to be.
        """
        form = items[0].form
        if form == JSONL:
            if self._encoding != line_blocks.UTF_8:
                raise DefinitionError(
                    f"encoding is '{self._encoding}', and JSON is UTF-8.",
                    "convert the files, or leave encoding out.",
                )
            return self._json.plan([item.path for item in items], num_shards)
        known = ("folder", "none") if form == FOLDER else ("first", "last", "none")
        if self._label and self._label not in known:
            raise DefinitionError(
                f"label is '{self._label}', and of the form '{form}' it is one of {listed(known)}.",
                "correct label, or give the form.",
            )
        paths = [item.path for item in items]
        if form == FOLDER:
            sizes = files.sizes_of(paths)
            total = shards_for(sum(sizes), num_shards)
            return total, group(items, sizes, total)
        sizes = [line_blocks.size_bytes(path) for path in paths]
        total = shards_for(sum(sizes), num_shards)
        names = {item.path: item for item in items}
        lists = line_blocks.cut(paths, sizes, total, self._encoding, counts_lines=self._has_places)
        return total, [[(names[piece.path], piece) for piece in pieces] for pieces in lists]

    def remarks(self, items: Sequence[TextItem]) -> list[str]:
        """Name folders without a text, and files beside the folders of classes."""
        if items[0].form != FOLDER or any(item.name.count("/") != 1 for item in items):
            return []
        base, names = items[0].base, {item.label for item in items}
        others = [name for name in files.names_in(base) if name not in names and not name.startswith(".")]
        folders = [name for name in others if files.is_folder(f"{base}/{name}")]
        beside = [name for name in others if name not in folders]
        return [
            *([f"no text lies in the folder of class {listed(folders[:5])}"] if folders else []),
            *([f"{listed(beside[:5])} beside the folders of classes is left out"] if beside else []),
        ]

    def learn(self, pieces: Sequence[Any]) -> Any:
        """Of JSON lines, the types of their fields; texts are texts."""
        return self._json.learn(pieces) if isinstance(pieces[0], JsonPiece) else None

    def read(self, pieces: Sequence[Any], learned: Sequence[Any]) -> Iterator[Rows | Unreadable]:
        """Yield the texts in batches."""
        if isinstance(pieces[0], JsonPiece):
            return self._json.read(pieces, learned)
        if isinstance(pieces[0], TextItem):
            return self._read_files(pieces)
        return self._read_lines(pieces)

    # A file is a text.

    def _read_files(self, items: Sequence[TextItem]) -> Iterator[Rows | Unreadable]:
        has_label = self._label != "none"
        names = [TEXT, *([LABEL] if has_label else []), PATH]
        texts: list[bytes] = []
        read: list[TextItem] = []
        num_bytes = 0
        for item in items:
            found = self._file_text(item)
            if isinstance(found, Unreadable):
                yield found
                continue
            texts.append(found)
            read.append(item)
            num_bytes += len(found)
            if num_bytes >= _MAX_BYTES or len(read) >= _MAX_FILES:
                yield _batch(names, self._file_columns(texts, read, has_label))
                texts, read, num_bytes = [], [], 0
        yield _batch(names, self._file_columns(texts, read, has_label))

    def _file_columns(self, texts: list[bytes], items: Sequence[TextItem], has_label: bool) -> list[pa.Array]:
        return [
            pa.array(texts, pa.binary()),
            *([pa.array([_name_bytes(item.label) for item in items], pa.binary())] if has_label else []),
            pa.array([_name_bytes(item.name) for item in items], pa.binary()),
        ]

    def _file_text(self, item: TextItem) -> bytes | Unreadable:
        try:
            with files.open_file(item.path) as file:
                # Not all at once: Python makes room for what it is asked for.
                data = file.read(_USUAL_BYTES)
                if len(data) == _USUAL_BYTES:
                    data += file.read(line_blocks.MAX_LINE_BYTES + 1 - len(data))
            if packed_files.is_packed_head(data) or (not data and packed_files.packing_of(item.path)):
                with packed_files.open_binary(item.path) as file:
                    data = file.read(line_blocks.MAX_LINE_BYTES + 1)
        except MalformedFileError as error:
            return Unreadable(
                item.path, error.problem.removeprefix(item.path).lstrip(": ").rstrip("."), fix=error.fix
            )
        except OSError as error:
            return Unreadable(item.path, f"cannot be opened: {error.strerror or error}")
        if len(data) > line_blocks.MAX_LINE_BYTES:
            return Unreadable(item.path, _too_large("text"), fix="cut it into texts")
        data = line_blocks.recode(data, self._encoding)
        fault = self._fault(data, item.path)
        return data if fault is None else fault

    # A line is a text.

    def _read_lines(self, pieces: Sequence[tuple[TextItem, LinePiece]]) -> Iterator[Rows | Unreadable]:
        yield _batch(self._names, [pa.array([], kind) for kind in self._types])
        for item, piece in pieces:
            num_before = line_blocks.num_lines_before(piece) if self._has_places else 0
            places = LinePlaces(piece)
            for block in line_blocks.read_blocks(piece, self._encoding):
                columns = self._line_columns(block, item, num_before)
                if columns is not None:
                    yield _batch(self._names, columns)
                else:
                    yield from self._one_by_one(block, item, places, num_before)

    @property
    def _names(self) -> list[str]:
        label = [LABEL] if self._label in ("first", "last") else []
        return [TEXT, *label, *([PATH, LINE] if self._has_places else [])]

    @property
    def _types(self) -> list[pa.DataType]:
        return [pa.int64() if name == LINE else pa.binary() for name in self._names]

    def _line_columns(self, block: LineBlock, item: TextItem, num_before: int) -> list[pa.Array] | None:
        """Return the columns of a block; `None` where a line may be at fault."""
        data = block.data
        if data is None or b"\0" in data or not line_blocks.is_utf8(data):
            return None
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n")
        offsets = pa.py_buffer(np.array([0, len(data)], np.int32))
        whole = pa.Array.from_buffers(pa.binary(), 1, [None, offsets, pa.py_buffer(data)])
        lines = pc.split_pattern(whole, "\n").flatten()
        if data.endswith(b"\n"):
            lines = lines[:-1]
        columns = [lines]
        if LABEL in self._names:
            cells = pc.split_pattern(
                lines, self._separator.decode(), max_splits=1, reverse=self._label == "last"
            )
            if pc.any(pc.not_equal(pc.list_value_length(cells), 2)).as_py():
                return None
            flat = cells.flatten()
            halves = [flat.take(pa.array(np.arange(start, len(flat), 2))) for start in (0, 1)]
            columns = halves if self._label == "last" else halves[::-1]
        if self._is_long(columns[0]):
            return None
        if self._has_places:
            first = num_before + block.num_before + 1
            columns += [
                pa.array([_name_bytes(item.name)] * len(lines), pa.binary()),
                pa.array(np.arange(first, first + len(lines))),
            ]
        return columns

    def _is_long(self, texts: pa.Array) -> bool:
        if self._max_length is None or not len(texts):
            return False
        return int(pc.max(pc.utf8_length(texts.cast(pa.string()))).as_py()) > self._max_length

    def _one_by_one(
        self, block: LineBlock, item: TextItem, places: LinePlaces, num_before: int
    ) -> Iterator[Rows | Unreadable]:
        """Yield the lines of a block in which some cannot be read."""
        columns = {name: Kind(INTEGERS if name == LINE else BYTES, item.path) for name in self._names}
        return row_batches.batches(self._rows(block, item, places, num_before), columns)

    def _rows(
        self, block: LineBlock, item: TextItem, places: LinePlaces, num_before: int
    ) -> Iterator[Row | Unreadable]:
        first = block.num_before + 1
        if block.data is None:
            fix = "give it line ends, or leave the file out"
            yield Unreadable(item.path, _too_large("line"), places.place(first), fix)
            return
        for number, line in enumerate(block.data.removesuffix(b"\n").split(b"\n"), first):
            found = self._line(line.removesuffix(b"\r"))
            if isinstance(found, Unreadable):
                yield replace(found, source=item.path, place=places.place(number))
                continue
            found |= {PATH: _name_bytes(item.name), LINE: num_before + number}
            yield Row({name: found[name] for name in self._names}, item.path)

    def _line(self, line: bytes) -> dict[str, Any] | Unreadable:
        """Return text and label of a line, or what is wrong with it."""
        label, text = b"", line
        if LABEL in self._names:
            parts = (line.rsplit if self._label == "last" else line.split)(self._separator, 1)
            if len(parts) < 2:
                reason = f"has no {_shown(self._separator)} between label and text"
                return Unreadable("", reason, fix='give separator=..., or label="none"')
            label, text = parts[::-1] if self._label == "last" else parts
        fault = self._fault(line, "", length=len(text.decode(errors="replace")))
        return {TEXT: text, LABEL: label} if fault is None else fault

    def _fault(self, text: bytes, path: str, length: int | None = None) -> Unreadable | None:
        """Return what is wrong with a text in UTF-8."""
        bad = line_blocks.bad_byte(text)
        if bad is not None:
            fix = 'say how it is written, as in encoding="latin-1" or "utf-16"'
            reason = f"is not {self._encoding}: byte 0x{bad[0]:02x} at character {bad[1]}"
            return Unreadable(path, reason, fix=fix)
        if b"\0" in text:
            where = len(text[: text.index(b"\0")].decode()) + 1
            fix = 'give encoding="utf-16-le" if that is how it is written, or write the file again'
            reason = "holds a NUL byte, as text in UTF-16 does, or a file that is no text"
            return Unreadable(path, f"{reason}: at character {where}", fix=fix)
        if self._max_length is not None:
            length = len(text.decode()) if length is None else length
            if length > self._max_length:
                reason = f"is longer than max_length={self._max_length:,}: {length:,} characters"
                return Unreadable(path, reason, fix="give a larger max_length, or cut it")
        return None


def _batch(names: Sequence[str], columns: Sequence[pa.Array]) -> FeatureRows:
    arrays = [
        pa.ListArray.from_arrays(pa.array(np.arange(len(column) + 1, dtype=np.int32)), column)
        for column in columns
    ]
    return FeatureRows(pa.RecordBatch.from_arrays(arrays, list(names)))


def _name_bytes(name: str) -> bytes:
    """Return a file's name as it is on the disk: it may be no text in UTF-8."""
    return name.encode("utf-8", "surrogateescape")


def _too_large(what: str) -> str:
    return f"is a {what} of more than {line_blocks.MAX_LINE_BYTES // _MIB} MiB"


def _shown(separator: bytes) -> str:
    return "tab" if separator == b"\t" else f"'{separator.decode()}'"
