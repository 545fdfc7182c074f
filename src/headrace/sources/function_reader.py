"""Run a user's generator function, and say where it stopped."""

from __future__ import annotations

import copy
import inspect
import logging
import os
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from headrace import files
from headrace.errors import HeadraceError, UserFunctionError
from headrace.files import addresses
from headrace.sources import feature_kinds, row_batches
from headrace.sources.feature_kinds import Kind, Kinds
from headrace.sources.reading import Reader, group, shards_for
from headrace.sources.row_batches import Row
from headrace.sources.rows import Rows
from headrace.sources.source import Unreadable
from headrace.usercode import functions, module_files

_log = logging.getLogger(__name__)


class _FunctionReader(Reader):
    """What both kinds share.

    Args:
        function: The function's text.
        parameters: What it is called with, beside the path.
        is_parquet: Whether Parquet files are written: the columns of all rows must be known before the first is, and
            the function is run twice.

    Attributes:
        is_widened: Whether the kinds of all rows are learned first, for integers that stand beside floats.
    """

    def __init__(self, function: str, parameters: Mapping[str, Any], is_parquet: bool) -> None:
        self._text = function
        self._parameters = dict(parameters)
        self._is_parquet = is_parquet
        self.is_widened = False

    @property
    def needs_learning(self) -> bool:
        """Whether the columns of all rows must be known."""
        return self._is_parquet or self.is_widened

    def widened(self) -> Reader | None:
        """Return a reader that runs the function twice, to know of all rows which features hold floats."""
        if self.needs_learning:
            return None
        reader = copy.copy(self)
        reader.is_widened = True
        return reader

    def learn(self, pieces: Sequence[str]) -> Kinds:
        """Return the kind of each feature in these pieces."""
        return row_batches.kinds_of(self._rows(pieces))

    def read(self, pieces: Sequence[str], learned: Sequence[Kinds]) -> Iterator[Rows | Unreadable]:
        """Yield what the function yields, in batches."""
        columns: dict[str, Kind] = {}
        for kinds in learned:
            columns = feature_kinds.merge(columns, kinds, widens=True)
        return row_batches.batches(self._rows(pieces), columns if self._is_parquet else None, columns)

    def _rows(self, pieces: Sequence[str]) -> Iterator[Row | Unreadable]:
        function = _loaded(self._text)
        for piece in pieces:
            yield from self._rows_of(function, piece)

    def _rows_of(self, function: Callable[..., Any], piece: str) -> Iterator[Row | Unreadable]:
        """Yield the rows of one piece, numbered; where the function fails, what it failed on."""
        num_rows = 0
        try:
            for row in _yielded(function, piece, self._call(function, piece)):
                yield row
                num_rows += 1
        except (HeadraceError, MemoryError):
            raise
        except Exception as error:
            yield self._failed(_fault(function, error, piece, num_rows), error)

    def _call(self, function: Callable[..., Any], piece: str) -> Any:
        """Call the function for a piece."""
        raise NotImplementedError

    def _failed(self, fault: Unreadable, error: Exception) -> Unreadable:
        """Return what is set aside where the function failed."""
        return fault


def _yielded(function: Callable[..., Any], source: str, rows: Any) -> Iterator[Row | Unreadable]:
    """Check what a function yields, and number it."""
    name = function.__name__
    if not isinstance(rows, Iterable) or isinstance(rows, (str, bytes, Mapping)):
        raise UserFunctionError(
            f"{name} returned a value of type {type(rows).__name__}{f' for {source}' if source != name else ''}, where "
            "rows are expected.",
            'yield each row: yield {"feature": value}.',
        )
    for number, row in enumerate(rows, 1):
        if isinstance(row, Unreadable):
            yield row
        elif isinstance(row, Mapping):
            yield Row(row, source, f"row {number}")
        else:
            yield Unreadable(
                source,
                f"{name} yields a value of type {type(row).__name__}, where a mapping of feature names to values is "
                "expected",
                f"row {number}",
                'yield {"feature": value}',
            )


class FileReader(_FunctionReader):
    """Calls the function with each file. A file is read by one worker, from its start."""

    def plan(self, items: Sequence[str], num_shards: int | None) -> tuple[int, list[list[str]]]:
        """Divide the files."""
        sizes = files.sizes_of(items)
        total = shards_for(sum(sizes), num_shards)
        return total, group(items, sizes, total)

    def _call(self, function: Callable[..., Any], piece: str) -> Any:
        if addresses.is_elsewhere(piece):
            return self._on_copy(function, piece)
        return function(piece, **self._parameters)

    def _on_copy(self, function: Callable[..., Any], address: str) -> Iterator[Any]:
        """Call the function with a copy on this machine of a file elsewhere: it opens paths as Python does."""
        with tempfile.TemporaryDirectory(prefix="headrace-") as folder:
            path = os.path.join(folder, os.path.basename(address))
            files.copy_file(address, path)
            yield from function(path, **self._parameters)


class OnceReader(_FunctionReader):
    """Calls the function once."""

    def plan(self, items: Sequence[str], num_shards: int | None) -> tuple[int, list[list[str]]]:
        """One part, which writes all shards in turn."""
        return num_shards or 1, [list(items)]

    def _call(self, function: Callable[..., Any], piece: str) -> Any:
        return function(**self._parameters)

    def _failed(self, fault: Unreadable, error: Exception) -> Unreadable:
        """Nobody knows what else it would have yielded: there is no item that could be set aside.

        Raises:
            UserFunctionError: Always.
        """
        raise UserFunctionError(f"{fault.problem}.", f"{fault.fix}.") from error


def _loaded(text: str) -> Callable[..., Any]:
    """Import the function; what `example_source` made of it stands under its name."""
    found: Any = functions.load(text, "example_source")
    return getattr(found, "function", found)


def _fault(function: Callable[..., Any], error: Exception, source: str, num_rows: int) -> Unreadable:
    """Say what a function raised, in which row and in which of the user's lines."""
    _log.warning("%s failed on %s", function.__name__, source, exc_info=error)
    own_path = os.path.abspath(inspect.getsourcefile(function) or "")
    # From the innermost outwards; the frames of this module are not the user's.
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    line = next(
        (
            frame
            for frame in reversed(frames)
            if os.path.abspath(frame.filename) == own_path or _is_of_project(frame.filename)
        ),
        None,
    )
    where = f" in line {line.lineno} of {_shown(line.filename)}" if line is not None else ""
    code = f" ({line.line})" if line is not None and line.line else ""
    message = str(error) or "no message"
    return Unreadable(
        source,
        f"{function.__name__} failed{where}{code}: {type(error).__name__}: {message}",
        f"row {num_rows + 1}",
        f"correct {function.__name__}, or the data",
    )


def _is_of_project(path: str) -> bool:
    return os.path.isfile(path) and module_files.is_followed(path)


def _shown(path: str) -> str:
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative
