"""A YAML file as plain values, each with the place it was written at."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from headrace import files
from headrace.errors import ConfigError, did_you_mean, listed
from headrace.files import addresses

_MAX_DEPTH = 50
_MAX_VALUES = 100_000
_LINE_FEED = "\n"
# `<<: *other`, which takes over the keys of another mapping.
_MERGE_TAG = "tag:yaml.org,2002:merge"
# PyYAML lets through what Python raises where a scalar is no value of its type, such as a 13th month.
_NOT_YAML = (
    yaml.YAMLError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
)

KeyPath = tuple[str, ...]


class _Loader(yaml.SafeLoader):
    """Stops where values are nested too deep: PyYAML would go on for seconds, until Python's stack ends."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(
                None, None, f"values are nested deeper than {_MAX_DEPTH} levels", mark
            )
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


@dataclass
class Document:
    """Settings as they were written, before they are checked.

    Attributes:
        values: The settings.
        origins: For each key, by its path from the top, where it was written: `configs/taxi.yaml:3`, or
            `--set workers=4`.
    """

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[KeyPath, str] = field(default_factory=dict)

    def origin(self, path: KeyPath) -> str:
        """Return where `path`, or the nearest key above it, was written; `"configuration"` if nowhere."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        return "configuration"

    def set(self, path: KeyPath, value: Any, origin: str) -> None:
        """Write one value; the mappings above it are made where they are missing.

        Raises:
            ConfigError: If a key above it holds a value that is no mapping.
        """
        place = self.values
        for depth, key in enumerate(path[:-1], start=1):
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                above = ".".join(path[:depth])
                raise ConfigError(
                    f"{origin}: '{above}' is {place!r}, which has no keys below it.", f"set '{above}' itself."
                )
        place[path[-1]] = value
        # What was written below this key is gone with it.
        self.origins = {known: at for known, at in self.origins.items() if known[: len(path)] != path}
        self.origins[path] = origin


def read_document(path: str) -> Document:
    """Read a YAML file that holds a mapping.

    Raises:
        ConfigError: If there is no such file, it is not YAML, holds no mapping, too many values or too deep ones,
            or has a key twice; with the line.
    """
    path = addresses.local_path(path, "the configuration file")
    try:
        with files.open_text(path) as file:
            text = file.read()
    except FileNotFoundError:
        raise _missing_file_error(path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be read: {error}.", "give a YAML file in UTF-8, such as configs/taxi_local.yaml."
        ) from error
    return parse_document(text, path)


def parse_document(text: str, path: str) -> Document:
    """Read YAML text; `path` names it in errors. See `read_document`."""
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return Document()
        _check_size(node, path)
        if not isinstance(node, yaml.MappingNode):
            raise ConfigError(
                f"{path}:{node.start_mark.line + 1}: a configuration is a list of 'key: value' lines.",
                "start with a line such as 'pipeline: taxi'.",
            )
        _check_keys(node, lambda line: f"{path}:{line}")
        origins = dict(_origins(loader, node, (), path))
        return Document(loader.construct_document(node), origins)
    except ConfigError:
        raise
    except _NOT_YAML as error:
        line, problem = _explained(error, text)
        raise ConfigError(f"{path}:{line}: this is not YAML: {problem}.", "correct that line.") from error
    finally:
        if loader is not None:
            loader.dispose()


def parse_value(text: str, origin: str) -> Any:
    """Read one YAML value, such as `4`, `true`, `[a, b]` or `some text`.

    Raises:
        ConfigError: If the text is not YAML.
    """
    try:
        node = yaml.compose(text, _Loader)
        if node is not None:
            _check_size(node, origin)
            _check_keys(node, lambda line: origin)
        return yaml.safe_load(text)
    except ConfigError:
        raise
    except _NOT_YAML as error:
        raise ConfigError(
            f"{origin}: the value is not YAML: {_explained(error, text)[1]}.",
            "put text with special characters in quotes.",
        ) from error


def _check_size(node: yaml.Node, where: str) -> None:
    """Check how deep values are nested, and how many there are when each alias is followed.

    A few lines of aliases of aliases stand for billions of values, and one may hold itself.

    Raises:
        ConfigError: If there are too many, or too deep.
    """
    waiting, num_values = [(node, 1)], 0
    while waiting:
        here, depth = waiting.pop()
        num_values += 1
        if depth > _MAX_DEPTH:
            raise ConfigError(
                f"{where}: values are nested deeper than {_MAX_DEPTH} levels near line {here.start_mark.line + 1}.",
                "write them flatter; an alias (*name) must not stand inside of what it names.",
            )
        if num_values > _MAX_VALUES:
            raise ConfigError(
                f"{where}: there are more than {_MAX_VALUES:,} values when each alias (*name) is followed.",
                "write less into the configuration, and large data into files that the pipeline reads.",
            )
        if isinstance(here, yaml.MappingNode):
            waiting += [(inner, depth + 1) for pair in here.value for inner in pair]
        elif isinstance(here, yaml.SequenceNode):
            waiting += [(inner, depth + 1) for inner in here.value]


def _explained(error: BaseException, text: str) -> tuple[int, str]:
    """Return the line of a fault, and what it is."""
    if isinstance(error, yaml.reader.ReaderError):
        code = error.character if isinstance(error.character, int) else ord(error.character)
        line = text.count(_LINE_FEED, 0, error.position) + 1
        return line, f"it holds the character U+{code:04X}, which YAML does not allow"
    if isinstance(error, yaml.YAMLError):
        mark = getattr(error, "problem_mark", None)
        problem = str(getattr(error, "problem", None) or error).rstrip(".")
        return (mark.line + 1 if mark is not None else 1), problem
    # A scalar that is no value of the type which its form or its tag says.
    loader = yaml.SafeLoader(text)
    for scalar in _scalars(loader.get_single_node()):
        try:
            loader.construct_object(scalar)
        except _NOT_YAML:
            kind = scalar.tag.rpartition(":")[2]
            return (
                scalar.start_mark.line + 1,
                f"{scalar.value!r} is no {kind}; text of this form goes in quotes",
            )
    return 1, str(error)


def _scalars(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    return (here for here in _nodes(node) if isinstance(here, yaml.ScalarNode))


def _nodes(node: yaml.Node | None) -> Iterator[yaml.Node]:
    """Yield a node and all below it, from top to bottom; one that aliases name too only once."""
    waiting, seen = [node], set[int]()
    while waiting:
        here = waiting.pop(0)
        if here is None or id(here) in seen:
            continue
        seen.add(id(here))
        yield here
        if isinstance(here, yaml.MappingNode):
            waiting += [inner for pair in here.value for inner in pair]
        elif isinstance(here, yaml.SequenceNode):
            waiting += here.value


def _check_keys(node: yaml.Node, place: Callable[[int], str]) -> None:
    """Refuse a key that a mapping has twice, of which YAML keeps the last.

    Args:
        node: What was written.
        place: Names the place of a line, for the message.

    Raises:
        ConfigError: If there is one, in whatever depth.
    """
    for mapping in _nodes(node):
        if not isinstance(mapping, yaml.MappingNode):
            continue
        seen: dict[tuple[str, str], int] = {}
        for key, _ in mapping.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE_TAG:
                continue
            line, name = key.start_mark.line + 1, (key.tag, key.value)
            if name in seen:
                raise ConfigError(
                    f"{place(line)}: key '{key.value}' is here a second time, after line {seen[name]}.",
                    "keep one of them.",
                )
            seen[name] = line


def _origins(
    loader: yaml.SafeLoader, node: yaml.MappingNode, above: KeyPath, path: str
) -> Iterator[tuple[KeyPath, str]]:
    """Yield each key of a mapping with its line."""
    for key_node, value_node in node.value:
        if key_node.tag == _MERGE_TAG:
            continue
        here = (*above, str(loader.construct_object(key_node)))
        yield here, f"{path}:{key_node.start_mark.line + 1}"
        if isinstance(value_node, yaml.MappingNode):
            yield from _origins(loader, value_node, here, path)


def _missing_file_error(path: str) -> ConfigError:
    folder = os.path.dirname(path)
    known = files.matching(os.path.join(glob.escape(folder), "*.yaml"))
    known = known or files.matching(os.path.join("configs", "*.yaml"))
    return ConfigError(
        f"there is no configuration file '{path}'. There is {listed(known)}.",
        f"{did_you_mean(path, known)}Correct the path; it starts at the folder where the command runs.",
    )
