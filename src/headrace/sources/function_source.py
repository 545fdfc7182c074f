"""A user's function as a source. Light: the function is imported where it is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headrace.authoring.light import authoring
from headrace.errors import DefinitionError
from headrace.files import payloads
from headrace.sources.file_source import FileSource
from headrace.sources.source import InputSplit, Request, Source, Survey

if TYPE_CHECKING:
    from headrace.sources.reading import Reader

with authoring():
    from tfx.proto import example_gen_pb2


class FunctionSource(Source):
    """A function that is called once and yields all rows.

    The cache knows it by its code, that of what it uses, and its parameters, all of which are parameters of the
    component. What it fetches from elsewhere nobody can tell.

    Args:
        function: Its text, `module:function` or `file.py:function`.
        parameters: What it is called with, by name.
        run_each_time: Whether it is run without asking the cache.
    """

    def __init__(
        self, function: str, parameters: dict[str, Any] | None = None, run_each_time: bool = False
    ) -> None:
        self._function = function
        self._parameters = parameters or {}
        self._run_each_time = run_each_time

    def survey(self, request: Request) -> Survey:
        """There is one thing to read: what the function yields.

        Raises:
            DefinitionError: If a span or several splits are asked for.
        """
        if request.range_config is not None or len(request.splits) > 1:
            what = (
                "a range_config"
                if request.range_config is not None
                else f"{len(request.splits)} input splits"
            )
            raise DefinitionError(
                f"{what} is asked for, and {self._name} takes no path: it is called once.",
                "let its first parameter be `path`, or leave that out.",
            )
        splits = tuple(InputSplit(split.name, split.pattern, (self._name,)) for split in request.splits)
        return Survey(request.place, splits)

    def fingerprint(self, survey: Survey) -> str:
        """The function's name: its code and parameters are in the cache key as it is."""
        return payloads.unknown_digest() if self._run_each_time else f"function:{self._name}"

    def no_rows(self, splits: Any, place: str = "") -> str:
        """Name the function."""
        return f"{self._name} yields no rows"

    def reader(self, payload_format: int) -> Reader:
        """Return what calls the function."""
        from headrace.sources.function_reader import OnceReader

        return OnceReader(self._function, self._parameters, payload_format == example_gen_pb2.FORMAT_PARQUET)

    @property
    def _name(self) -> str:
        return self._function.rpartition(":")[2]


class FileFunctionSource(FileSource):
    """A function that is called with the path of each file that matches, and yields the file's rows.

    Takes the arguments of `FunctionSource`; the cache knows it by the files' content too.
    """

    def __init__(
        self, function: str, parameters: dict[str, Any] | None = None, run_each_time: bool = False
    ) -> None:
        self._function = function
        self._parameters = parameters or {}
        self._run_each_time = run_each_time

    def fingerprint(self, survey: Survey) -> str:
        """That of the files."""
        return payloads.unknown_digest() if self._run_each_time else super().fingerprint(survey)

    def reader(self, payload_format: int) -> Reader:
        """Return what calls the function."""
        from headrace.sources.function_reader import FileReader

        return FileReader(self._function, self._parameters, payload_format == example_gen_pb2.FORMAT_PARQUET)
