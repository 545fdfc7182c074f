"""How a file of separated values is written: what stands between its cells and in its numbers, its encoding, its header.

Without a word, a file is read as TFX reads it: commas, UTF-8, a header line. Files that are not are brought to that while
they are read, a few megabytes at a time.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import dataclasses
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast

from headrace.errors import DefinitionError, MalformedFileError
from headrace.files import packed_files
from headrace.sources.csv.csv_numbers import POINT, Marks

COMMA = ","
_GUESSED = {"\t": "tabs", ";": "semicolons"}
_WITH_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*")
_CHUNK_BYTES = 1 << 20
_MAX_LINE_BYTES = 1 << 20


@dataclass(frozen=True)
class Dialect:
    """How the files of a split are written.

    Attributes:
        delimiter: What stands between cells, one character; empty where the first header tells.
        encoding: The encoding's name; empty for UTF-8.
        column_names: The names of the columns, of files without a header line.
        decimal: What stands before the fraction of a number.
        thousands: What stands between its thousands; empty for nothing.
    """

    delimiter: str = ""
    encoding: str = ""
    column_names: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str = ""

    @property
    def marks(self) -> Marks:
        """How numbers are written."""
        return Marks(self.decimal, self.thousands)

    @property
    def separator(self) -> str:
        """What stands between cells: a comma where nobody says otherwise."""
        return self.delimiter or COMMA

    @contextlib.contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        """Open a file, gzip, zstd or plain, as bytes in UTF-8.

        Raises:
            MalformedFileError: While it is open, if it is not in the encoding.
        """
        with packed_files.open_binary(path) as file:
            if not self.encoding:
                yield file
                return
            try:
                yield cast(BinaryIO, io.BufferedReader(_InUtf8(file, self.encoding), _CHUNK_BYTES))
            except UnicodeError as error:
                raise MalformedFileError(
                    f"{path} is not in the encoding '{self.encoding}': {error}.", "correct the encoding."
                ) from error

    def found_in(self, path: str) -> Dialect:
        """Return the dialect with the delimiter that a file's header tells, where none is given.

        It is a comma where the header has one; else a tab or semicolon, where the line below has as many. Where commas are
        marks in numbers, tabs and semicolons come first.
        """
        if self.delimiter or self.column_names:
            return self
        with self.open(path) as file:
            header, line = file.readline(_MAX_LINE_BYTES), file.readline(_MAX_LINE_BYTES)
        if b"," not in header or COMMA in (self.decimal, self.thousands):
            for delimiter in _GUESSED:
                num_cells = len(_cells(header, delimiter))
                if num_cells > 1 and (not line.strip() or len(_cells(line, delimiter)) == num_cells):
                    return dataclasses.replace(self, delimiter=delimiter)
        return self

    def names_in(self, header: str) -> tuple[str, ...]:
        """Return the names in a header line.

        As in TFX, the names are what stands between commas, quotes among them; between others they are cells as below.
        """
        if self.separator == COMMA:
            return tuple(header.strip().split(COMMA))
        return tuple(next(csv.reader([header.strip("\r\n")], delimiter=self.separator), []))

    def numbers_remarks(self, path: str) -> list[str]:
        """Say which columns likely hold numbers with a decimal comma that are read as text, by the first row."""
        if self.decimal != POINT or self.thousands == COMMA or self.separator == COMMA:
            return []
        with self.open(path) as file:
            names = self.column_names or self.names_in(_text(file.readline(_MAX_LINE_BYTES)))
            cells = _cells(file.readline(_MAX_LINE_BYTES), self.separator)
        return [
            f"column '{name}' holds {cell!r}, which is text: if it is a number, give decimal=','"
            for name, cell in zip(names, cells)
            if _WITH_COMMA.fullmatch(cell)
        ]

    def remarks(self, given: Dialect) -> list[str]:
        """Say what was found out beyond what was given."""
        if self == given:
            return []
        why = (
            "commas stand in numbers"
            if COMMA in (self.decimal, self.thousands)
            else "the header has no comma"
        )
        return [f"{why}: columns are read as separated by {_GUESSED[self.delimiter]}"]


def checked(
    where: str,
    *,
    delimiter: str | None = None,
    encoding: str | None = None,
    column_names: Sequence[str] | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
) -> dict[str, object]:
    """Return the options given, as they are recorded.

    Raises:
        DefinitionError: If one cannot be used.
    """
    made: dict[str, object] = {}
    if delimiter is not None and delimiter != "auto":
        # What ends records and cells cannot also stand between them; the parser takes single bytes.
        if (
            not isinstance(delimiter, str)
            or len(delimiter) != 1
            or not delimiter.isascii()
            or delimiter in '"\r\n\0'
        ):
            raise DefinitionError(
                f"{where}: delimiter is {delimiter!r}.",
                "give one character, such as ';' or '\\t', or \"auto\".",
            )
        made["delimiter"] = delimiter
    if encoding is not None:
        try:
            name = codecs.lookup(encoding).name
        except (LookupError, TypeError):
            raise DefinitionError(
                f"{where}: encoding is {encoding!r}, which Python does not know.",
                'give a name such as "latin-1", "cp1252" or "utf-16".',
            ) from None
        if name != "utf-8":
            made["encoding"] = name
    if column_names is not None:
        names = list(column_names) if isinstance(column_names, (list, tuple)) else []
        if (
            not names
            or not all(isinstance(name, str) and name for name in names)
            or len({*names}) < len(names)
        ):
            raise DefinitionError(
                f"{where}: column_names is {column_names!r}.",
                "give a list of texts, each once, in the files' order.",
            )
        made["column_names"] = names
    return {**made, **_checked_marks(where, decimal, thousands)}


def _checked_marks(where: str, decimal: str | None, thousands: str | None) -> dict[str, object]:
    """Return the marks in numbers that are not Python's.

    Raises:
        DefinitionError: If one cannot be told from what else stands in numbers, or from the other.
    """
    made: dict[str, object] = {}
    # Arrow takes a single byte before the fraction.
    if decimal is not None and not (_is_mark(decimal) and decimal.isascii() and decimal != " "):
        raise DefinitionError(f"{where}: decimal is {decimal!r}.", "give one character, ',' or '.'.")
    if thousands is not None and not _is_mark(thousands):
        raise DefinitionError(
            f"{where}: thousands is {thousands!r}.",
            "give one character, such as '.', ',', ' ' or \"'\"; leave it out where there is none.",
        )
    if thousands is not None and thousands == (decimal or POINT):
        raise DefinitionError(
            f"{where}: {thousands!r} stands between thousands and before the fraction.",
            "give the other one too: decimal=',', thousands='.'.",
        )
    if decimal not in (None, POINT):
        made["decimal"] = decimal
    if thousands is not None:
        made["thousands"] = thousands
    return made


def _is_mark(given: object) -> bool:
    return isinstance(given, str) and len(given) == 1 and not given.isalnum() and given not in '+-"\r\n\0\t~'


def _cells(line: bytes, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([_text(line).strip("\r\n")], delimiter=delimiter), [])
    except csv.Error:
        return []


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace")


class _InUtf8(packed_files.Forwards):
    """A file in another encoding, as UTF-8. It is read forwards."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        super().__init__("a file in another encoding")
        self._file = file
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._rest = b""
        self._is_read = False

    def next_bytes(self, num_bytes: int) -> bytes:
        while not self._rest and not self._is_read:
            chunk = self._file.read(_CHUNK_BYTES)
            self._is_read = not chunk
            self._rest = self._decoder.decode(chunk, final=not chunk).encode()
        part, self._rest = self._rest[:num_bytes], self._rest[num_bytes:]
        return part
