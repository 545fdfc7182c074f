"""The options of a run, declared once for all ways to start one.

`headrace.run` and `headrace.Runner` spell them as keywords, `headrace run` as options, a configuration file as keys,
and the engine reads a `RunOptions`. A test holds these together. The words are the same everywhere but for two:
`from` is a keyword of Python, so `from_nodes` and `to_nodes` are `from` and `to` on the command line and in files.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import inspect
import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypedDict, TypeVar

from headrace.errors import DefinitionError, OptionError, did_you_mean, listed

if TYPE_CHECKING:
    from headrace.authoring import BaseNode
    from headrace.orchestration.events import Listener

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

FailWord = Literal["fast", "late"]
FAIL_WORDS: tuple[FailWord, ...] = ("fast", "late")


class Ways(enum.Enum):
    """Which ways to start a run take an option."""

    EVERYWHERE = "Python, the command line and configuration files"
    # A configuration file is there for many runs.
    ONE_RUN = "Python and the command line"
    # No text can say it, or the command line has its own means: `--quiet`, exit codes.
    PYTHON = "Python"


@dataclass(frozen=True)
class RunOptions:
    """How a run is to go.

    Attributes:
        show: Whether to show progress and a table at the end, on standard error; of a dry run the plan, on standard
            output.
        raise_on_failure: Whether a run that did not do its work raises; else the result says how each node ended.
        run_id: The run's id; today's date and a number where it is left out.
        store: Folder of the store; `.headrace` in the working directory where it is left out. Metadata go to
            the pipeline's `metadata_connection_config` instead, where it has one; a warning says so.
        cache: Overrides the pipeline's cache switch. A node's own (`headrace.options`) gives way to `False` only.
        workers: How many nodes may run at once, 1 or more; as many as there are processors, and at least two,
            where it is left out.
        server: Whether the workers' server may be one that stays for the next run, see `headrace server --help`; yes
            where it is left out, but for CI and tests, and unless the variable HEADRACE_SERVER says otherwise.
        fail: `"fast"` stops everything at the first failure of a node that the run needs, `"late"` only what depends
            on it.
        from_nodes: Execute only these nodes and what depends on them.
        to_nodes: Execute only these nodes and what they depend on.
        only: Execute exactly these nodes. Nodes left out give their last good outputs.
        dry_run: Only say what would run and what the cache would serve; nothing is recorded.
        resume_from: An earlier run of this pipeline, or `"latest"`; what it finished is not executed again.
        base_run: The run whose outputs stand for the nodes that a partial run leaves out, or `"latest"`; for each
            its newest where it is left out.
        beam_pipeline_args: Arguments for the Beam pipelines of all components, after the components' own.
        exit_handlers: Components to run when all else has ended, however that was.
        listener: Called with each event of `headrace.orchestration.events`, from several threads, one at a time,
            whatever `show` says. One that raises is told nothing more, and the run goes on.

    Raises:
        DefinitionError: If no run can go like this.
    """

    show: bool = True
    raise_on_failure: bool = True
    run_id: str | None = None
    store: str | os.PathLike[str] | None = None
    cache: bool | None = None
    workers: int | None = None
    server: bool | None = None
    fail: FailWord = "late"
    from_nodes: Iterable[str] = ()
    to_nodes: Iterable[str] = ()
    only: Iterable[str] = ()
    dry_run: bool = False
    resume_from: str = ""
    base_run: str = ""
    beam_pipeline_args: Iterable[str] = ()
    exit_handlers: Iterable[BaseNode] = ()
    listener: Listener | None = None

    def __post_init__(self) -> None:
        for name in ("from_nodes", "to_nodes", "only", "beam_pipeline_args", "exit_handlers"):
            object.__setattr__(self, name, _several(getattr(self, name)))
        for name in ("resume_from", "base_run"):
            object.__setattr__(self, name, getattr(self, name) or "")
        for name, is_fine, wanted in _RULES:
            value = getattr(self, name)
            if not is_fine(value):
                near = did_you_mean(str(value), FAIL_WORDS) if name == "fail" else ""
                raise DefinitionError(f"{name}={value!r}: it takes {wanted}.", f"{near}Correct {name}.")
        if self.store is not None:
            object.__setattr__(self, "store", os.fspath(self.store))

    @property
    def fails_fast(self) -> bool:
        """Whether the first failure stops the run."""
        return self.fail == "fast"


def _several(given: object) -> object:
    """One name or node may stand for a list of one; what can be read once only is read here."""
    if given is None:
        return ()
    return tuple(given) if isinstance(given, Iterable) and not isinstance(given, str) else (given,)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _are_texts(value: tuple[object, ...]) -> bool:
    return all(isinstance(part, str) for part in value)


# What the value of an option must be, and that in words.
_RULES: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("show", _is_flag, "True or False"),
    ("raise_on_failure", _is_flag, "True or False"),
    ("dry_run", _is_flag, "True or False"),
    ("cache", lambda value: value is None or _is_flag(value), "True, False or None"),
    ("server", lambda value: value is None or _is_flag(value), "True, False or None"),
    ("run_id", lambda value: value is None or _is_text(value), "the id of a run, as text"),
    ("resume_from", _is_text, "the id of a run, as text"),
    ("base_run", _is_text, "the id of a run, as text"),
    (
        "store",
        lambda value: value is None or isinstance(value, (str, os.PathLike)),
        "the path of a folder, as text or pathlib.Path",
    ),
    (
        "workers",
        lambda value: value is None or (type(value) is int and value >= 1),
        "how many nodes may run at once, a whole number from 1",
    ),
    ("fail", lambda value: value in FAIL_WORDS, f"one of {listed(FAIL_WORDS)}"),
    ("from_nodes", _are_texts, "node ids"),
    ("to_nodes", _are_texts, "node ids"),
    ("only", _are_texts, "node ids"),
    ("beam_pipeline_args", _are_texts, "texts, such as '--direct_num_workers=2'"),
    (
        "exit_handlers",
        # A node is known by what it has: the module that names its class is above this one.
        lambda value: all(hasattr(part, "exec_properties") for part in value),
        "components",
    ),
    ("listener", lambda value: value is None or callable(value), "a function of one event"),
)


class RunKeywords(TypedDict, total=False):
    """The options as keywords of a call that changes some of them; see `RunOptions`."""

    show: bool
    raise_on_failure: bool
    run_id: str | None
    store: str | os.PathLike[str] | None
    cache: bool | None
    workers: int | None
    server: bool | None
    fail: FailWord
    from_nodes: Iterable[str]
    to_nodes: Iterable[str]
    only: Iterable[str]
    dry_run: bool
    resume_from: str
    base_run: str
    beam_pipeline_args: Iterable[str]
    exit_handlers: Iterable[BaseNode]
    listener: Listener | None


@dataclass(frozen=True)
class Option:
    """One option, by its names.

    Attributes:
        name: The keyword in Python.
        word: The key in a configuration file.
        ways: Which ways to start a run take it.
    """

    name: str
    word: str
    ways: Ways

    @property
    def flag(self) -> str:
        """The option of the command line, such as `--base-run`."""
        return f"--{self.word.replace('_', '-')}"


_WORDS = {"from_nodes": "from", "to_nodes": "to"}
_WAYS = {
    **dict.fromkeys(("run_id", "dry_run", "resume_from", "base_run"), Ways.ONE_RUN),
    **dict.fromkeys(("show", "raise_on_failure", "exit_handlers", "listener"), Ways.PYTHON),
}
OPTIONS = tuple(
    Option(declared.name, _WORDS.get(declared.name, declared.name), _WAYS.get(declared.name, Ways.EVERYWHERE))
    for declared in dataclasses.fields(RunOptions)
)
NAMES = tuple(option.name for option in OPTIONS)

# What 0.1.0 called them in Python.
_FORMER = {"enable_cache": "cache", "max_workers": "workers", "fail_fast": "fail"}


def current_names(
    given: Mapping[str, Any],
    known: Iterable[str],
    where: str,
    *,
    former: Mapping[str, str] = _FORMER,
    stacklevel: int = 2,
) -> dict[str, Any]:
    """Return keywords of a call under the names they have now.

    Args:
        given: The keywords.
        known: The names there are.
        where: What was called, for messages.
        former: Names that options had, and those they have now.
        stacklevel: As of `warnings.warn`, for what calls this.

    Raises:
        OptionError: If there is no such option, or one is given under two names.
    """
    known = [name for name in known if name != "self"]
    found: dict[str, Any] = {}
    for name, value in given.items():
        current = former.get(name, name)
        if current not in known:
            in_files = {word: option for option, word in _WORDS.items() if option in known}
            near = f"in Python it is '{in_files[name]}'. " if name in in_files else did_you_mean(name, known)
            raise OptionError(
                f"{where} has no option '{name}'. It has {listed(known)}.", f"{near}Correct the name."
            )
        if name != current:
            if current in given:
                raise OptionError(
                    f"{where}: '{name}' is the former name of '{current}', and both are given.",
                    f"leave '{name}' out.",
                )
            if current == "fail":
                value = "fast" if value else "late"
            warnings.warn(
                f"{where}: '{name}' is called '{current}' now: {current}={value!r}.",
                DeprecationWarning,
                stacklevel=stacklevel + 1,
            )
        found[current] = value
    return found


def takes_options(
    where: str, *, former: Mapping[str, str] = _FORMER
) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """Let a function take options under former names too, and answer an unknown one with the nearest.

    Editors and type checkers see the signature that the function declares.

    Args:
        where: What the function is called, for messages.
        former: Names that options had, and those they have now.
    """

    def declare(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        known = tuple(inspect.signature(function).parameters)

        @functools.wraps(function)
        def call(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            named: Any = current_names(kwargs, known, where, former=former)
            return function(*args, **named)

        return call

    return declare
