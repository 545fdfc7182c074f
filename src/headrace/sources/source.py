"""What an ExampleGen reads from. Light.

A source has two halves. `Source` looks: it stands in the driver, tells what there is to read and by what that is
known, and loads nothing heavy. Its `Reader` (`headrace.sources.reading`) stands in the executor and in Beam's workers,
and reads. A source is named in the component's parameters as `module:Class`, with the keyword arguments that make it,
so that any launcher of TFX's finds it; a component that names none reads files.
"""

from __future__ import annotations

import abc
import importlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from headrace.errors import DefinitionError, HeadraceError

if TYPE_CHECKING:
    from headrace.sources.reading import Reader

# Exec properties of the components whose source is not said by their executor.
SOURCE_KEY = "source"
FUNCTION_KEY = "source_fn"
OPTIONS_KEY = "source_options"


@dataclass(frozen=True)
class Request:
    """What a component asks a source for.

    Attributes:
        place: Where it looks: `input_base`; empty where a source needs no place.
        splits: TFX's `Input.Split` protos, at least one: a name, and in `pattern` what the source takes for the split,
            such as a pattern of files or a query.
        range_config: TFX's `RangeConfig`, which says which span; `None` for the latest.
    """

    place: str
    splits: Sequence[Any]
    range_config: Any | None = None


@dataclass(frozen=True)
class InputSplit:
    """What there is of one input split.

    Attributes:
        name: Its name.
        pattern: What was asked for, with span and version filled in: asked for again, it gives the same items.
        items: What there is to read, such as paths, in the order of the rows. What an item is, the source knows.
    """

    name: str
    pattern: str
    items: tuple[Any, ...]


@dataclass(frozen=True)
class Survey:
    """What there is to read.

    Attributes:
        place: Where the source looked, as the request says.
        splits: What there is of each input split, in the request's order.
        span: The span's number; 0 where there are no spans.
        version: The version's number; `None` where there are no versions.
    """

    place: str
    splits: tuple[InputSplit, ...]
    span: int = 0
    version: int | None = None


class Source(abc.ABC):
    """A kind of input. Light: what reads comes in with `reader`.

    Attributes:
        ITEMS: What a person gives to it, as messages call it.
        TELLS_COLUMNS: Whether its rows tell their columns, whose changes since the run before are said.
    """

    ITEMS: ClassVar[str] = "input"
    TELLS_COLUMNS: ClassVar[bool] = False

    @abc.abstractmethod
    def survey(self, request: Request) -> Survey:
        """Look at what there is, without reading it.

        Called in the driver and, with the patterns of that survey, in the executor.

        Raises:
            HeadraceError: If there is nothing, or what is asked for does not go together.
        """

    @abc.abstractmethod
    def fingerprint(self, survey: Survey) -> str:
        """Return a text that changes where the content does, for the cache key; not empty.

        `headrace.files.payloads.unknown_digest()` where nobody can tell: the node then runs each time.
        """

    def watched(self, survey: Survey) -> str:
        """Return what may change while it is read, such as `"the files in 's3://data'"`; by default nothing, `""`.

        The fingerprint is then taken again at the end, and has to be the one that the driver saw.
        """
        return ""

    @abc.abstractmethod
    def no_rows(self, splits: Sequence[InputSplit], place: str = "") -> str:
        """Return the clause that says that some splits hold nothing, such as `"the files that match '*' hold no rows"`.

        Args:
            splits: The splits.
            place: The survey's place, where it is to be named.
        """

    @abc.abstractmethod
    def reader(self, payload_format: int) -> Reader:
        """Return what reads, for a payload of `example_gen_pb2.PayloadFormat`. It may load heavy libraries."""


@dataclass(frozen=True)
class Unreadable:
    """An item that cannot be read: a broken picture, a line that is no JSON. Yielded in the place of its rows.

    By the component's `on_error` it ends the run, or it goes into the quarantine and the others are read.

    Attributes:
        source: What holds it, such as a file's path.
        reason: What is wrong with it, as the end of a sentence without its full stop: `"is no JSON: Expecting value"`.
        place: Where in there, such as `"line 17"`; empty for the whole.
        fix: What a person can do about it.

    Example:
        >>> print(Unreadable("data/a.json", "is no JSON", place="line 17").problem)
        data/a.json, line 17: is no JSON
    """

    source: str
    reason: str
    place: str = ""
    fix: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        # Users give what they have at hand: a pathlib.Path, the number of a line.
        for name in ("source", "reason", "place", "fix"):
            object.__setattr__(self, name, str(getattr(self, name)))

    @property
    def problem(self) -> str:
        """Where it is and what is wrong with it, on one line."""
        where = f"{self.source}, {self.place}" if self.place else self.source
        return f"{where}: {self.reason}"


def named_in(parameters: Mapping[str, Any]) -> Source | None:
    """Return the source that exec properties name; `None` where they name none.

    Raises:
        DefinitionError: If what they name is no source, or does not take the options given.
    """
    text = parameters.get(SOURCE_KEY)
    if not text:
        return None
    options = json.loads(parameters.get(OPTIONS_KEY) or "{}")
    if parameters.get(FUNCTION_KEY):
        options["function"] = parameters[FUNCTION_KEY]
    module, _, name = str(text).partition(":")
    try:
        kind = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise DefinitionError(
            f"source '{text}' cannot be imported: {error}.",
            "name it as 'module:Class', importable where it runs.",
        ) from error
    if not (isinstance(kind, type) and issubclass(kind, Source)):
        raise DefinitionError(f"source '{text}' is no subclass of headrace.sources.source.Source.")
    try:
        return kind(**options)
    except TypeError as error:
        raise DefinitionError(f"source '{text}' does not take these options: {error}.") from error


def with_node(error: HeadraceError, node_id: str) -> HeadraceError:
    """Return the error with the node in front, and what else it carries."""
    found = type(error)(f"{node_id}: {error.problem}", error.fix)
    carried = {name: value for name, value in vars(error).items() if name not in vars(found)}
    vars(found).update(carried)
    return found
