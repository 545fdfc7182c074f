"""What differs between the ingredients of two cache keys."""

from __future__ import annotations

import contextlib
import difflib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from headrace import secrets
from headrace.store.records import Json

# Recorded beside the ingredients, for the reader; no part of the key: the source files behind the digests, and
# for whom the cache was switched off, in words; empty where it was on.
SOURCES = "sources"
CACHE_OFF = "cache_off"
# What has no content that can be compared: such a node always runs.
UNKNOWN = "unknown"
NOT_IN_KEY = frozenset({SOURCES, CACHE_OFF, UNKNOWN})
_CONTEXT_LINES = 2
_FIXED = {
    "tfx": "the version of TFX",
    "python": "the version of Python",
    "headrace": "Headrace's own code",
    "arguments": "the command line",
    "executor": "the executor",
    "outputs": "the types of the outputs",
    "format": "Headrace's form of cache keys",
}

Ingredients = Mapping[str, Any]
ReadText = Callable[[str], "str | None"]


@dataclass(frozen=True)
class FileChange:
    """A source file that changed.

    Attributes:
        name: Path relative to the project.
        change: `"changed"`, `"added"` or `"removed"`.
        lines: A unified diff; empty where one of the texts is not kept.
    """

    name: str
    change: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """One ingredient that differs.

    Attributes:
        kind: `"parameter"`, `"code"`, `"file"` for the files that a parameter names, `"input"`, or `"version"` for
            what else decides, such as a library or an environment variable.
        name: The parameter, the input key, or what it is about.
        old: Its value before; `None` where there was none. For inputs the content digests.
        new: Its value now.
        files: The files that changed, for code and files.
        note: What else is known, as a clause; such as where an input came from.
    """

    kind: str
    name: str
    old: Json = None
    new: Json = None
    files: tuple[FileChange, ...] = ()
    note: str = ""


def compare(old: Ingredients, new: Ingredients, read_text: ReadText) -> list[Difference]:
    """Return what differs, code first, then parameters, inputs and versions.

    Args:
        old: Ingredients of the earlier execution.
        new: Ingredients of the later one.
        read_text: Returns a source text by its digest, `None` where it is not kept.
    """
    return [
        *_code_differences(old, new, read_text),
        *_file_differences(old, new, read_text),
        *_parameter_differences(old, new),
        *_input_differences(old, new),
        *(
            Difference("version", title, _fixed(old.get(key)), _fixed(new.get(key)))
            for key, title in _FIXED.items()
            if old.get(key) != new.get(key)
        ),
        *_group_differences(old.get("packages", {}), new.get("packages", {}), ""),
        *_group_differences(old.get("environment", {}), new.get("environment", {}), "environment variable "),
    ]


def _fixed(value: Any) -> Any:
    # A list is the command line.
    return _plain(secrets.mask_arguments([str(part) for part in value]) if isinstance(value, list) else value)


def _group_differences(
    before: Mapping[str, Any], after: Mapping[str, Any], title: str
) -> Iterator[Difference]:
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield Difference("version", f"{title}{name}", before.get(name), after.get(name))


def num_equal(old: Ingredients, new: Ingredients) -> int:
    """Return how many ingredients are equal: the measure of how near two executions are."""
    first, second = _flat(old), _flat(new)
    return sum(first[key] == second[key] for key in first.keys() & second.keys())


def _flat(what: Ingredients) -> dict[str, Any]:
    apart = {"parameters", "inputs", *NOT_IN_KEY}
    flat = {key: value for key, value in what.items() if key not in apart}
    for group in ("parameters", "inputs"):
        flat.update({f"{group}.{key}": value for key, value in what.get(group, {}).items()})
    return flat


def _is_code(value: Any) -> bool:
    return isinstance(value, Mapping) and "source" in value


def _names_files(value: Any) -> bool:
    return isinstance(value, Mapping) and "content" in value


def _file_differences(old: Ingredients, new: Ingredients, read_text: ReadText) -> Iterator[Difference]:
    """The contents of files that parameters name."""
    before, after = old.get("parameters", {}), new.get("parameters", {})
    for name in sorted(before.keys() & after.keys()):
        first, second = before[name], after[name]
        if _names_files(first) and _names_files(second) and first["content"] != second["content"]:
            part = f"parameters.{name}"
            files = tuple(file_changes(_files(old, part), _files(new, part), read_text))
            # `etag:...` and the like, of files that lie elsewhere.
            kind = str(second["content"]).rpartition(":")[0]
            yield Difference(
                "file", name, files=files, note=f"told by the {kind} in their store" if kind else ""
            )


def _code_differences(old: Ingredients, new: Ingredients, read_text: ReadText) -> Iterator[Difference]:
    pairs = [("executor", old.get("executor_source"), new.get("executor_source"))]
    before, after = old.get("parameters", {}), new.get("parameters", {})
    pairs += [
        (f"parameters.{name}", before[name]["source"], after[name]["source"])
        for name in sorted(before.keys() & after.keys())
        if _is_code(before[name]) and _is_code(after[name])
    ]
    for part, first, second in pairs:
        if first == second:
            continue
        files = tuple(file_changes(_files(old, part), _files(new, part), read_text))
        name = part.partition(".")[2]
        if part == "executor":
            # TFX gives the executor of a function component this ending.
            name = str(new.get("executor", part)).removesuffix("_Executor")
        yield Difference("code", name, files=files, note="" if files else _without_files(new, part))


def _files(what: Ingredients, part: str) -> Mapping[str, str]:
    files: Mapping[str, str] = what.get(SOURCES, {}).get(part, {})
    return files


def _without_files(what: Ingredients, part: str) -> str:
    if part == "executor" and str(what.get("executor", "")).startswith("headrace."):
        return "Headrace's own code changed: another version, or an edit"
    if SOURCES not in what:
        return "the texts were not kept"
    return "a part of Headrace that it imports changed"


def file_changes(old: Mapping[str, str], new: Mapping[str, str], read_text: ReadText) -> Iterator[FileChange]:
    """Yield the files that differ between two sets, with their changed lines.

    Args:
        old: Digest by name.
        new: Digest by name.
        read_text: Returns a text by its digest.
    """
    for name in sorted(old.keys() | new.keys()):
        first, second = old.get(name, ""), new.get(name, "")
        if first == second:
            continue
        change = "added" if not first else "removed" if not second else "changed"
        yield FileChange(name, change, tuple(_diff(name, first, second, read_text)))


def _diff(name: str, old: str, new: str, read_text: ReadText) -> Iterator[str]:
    if not old or not new:
        # A module that is imported now and was not before: the import that changed says so elsewhere.
        return
    before, after = read_text(old), read_text(new)
    if before is None or after is None:
        return
    mask = secrets.mask_line if name.endswith(".py") else secrets.mask_text
    for line in difflib.unified_diff(
        before.splitlines(), after.splitlines(), name, name, lineterm="", n=_CONTEXT_LINES
    ):
        yield mask(line)


def _parameter_differences(old: Ingredients, new: Ingredients) -> Iterator[Difference]:
    before, after = old.get("parameters", {}), new.get("parameters", {})
    for name in sorted(before.keys() | after.keys()):
        first, second = before.get(name), after.get(name)
        if _is_code(first) and _is_code(second):
            # The sources were compared; here only which function is called counts.
            first, second = _plain(first), _plain(second)
        if _names_files(first) and _names_files(second):
            # So were the contents.
            first, second = _plain(first), _plain(second)
        if first != second:
            before_shown, after_shown = _shown(name, first), _shown(name, second)
            note = "a secret, which is not shown" if before_shown == after_shown else ""
            yield Difference("parameter", name, before_shown, after_shown, note=note)


def _input_differences(old: Ingredients, new: Ingredients) -> Iterator[Difference]:
    before, after = old.get("inputs", {}), new.get("inputs", {})
    for key in sorted(before.keys() | after.keys()):
        if before.get(key, []) != after.get(key, []):
            yield Difference("input", key, before.get(key, []), after.get(key, []))


def _shown(name: str, value: Any) -> Any:
    """A parameter's value without the secrets in it."""
    plain = _plain(value)
    if isinstance(plain, str) and plain[:1] in "{[":
        with contextlib.suppress(ValueError, RecursionError):
            return json.dumps(secrets.mask_values({name: json.loads(plain)})[name], sort_keys=True)
    return secrets.mask_values({name: plain})[name]


def _plain(value: Any) -> Any:
    """A value as it is shown: code by the name of its function or file."""
    if _is_code(value):
        return value.get("text") or value.get("function") or value.get("file")
    if _names_files(value):
        return value.get("text") or value.get("file") or f"content {str(value['content'])[:12]}"
    return json.dumps(value, sort_keys=True) if isinstance(value, (dict, list)) else value
