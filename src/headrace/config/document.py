"""A YAML file as plain values, each with the place it was written at."""

from __future__ import annotations

import glob
import os
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from headrace.errors import ConfigError, did_you_mean, listed

KeyPath = tuple[str, ...]


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
        ConfigError: If there is no such file, it is not YAML, holds no mapping, or has a key twice; with
            the line.
    """
    try:
        with open(path, encoding="utf-8") as file:
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
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return Document()
        if not isinstance(node, yaml.MappingNode):
            raise ConfigError(
                f"{path}:{node.start_mark.line + 1}: a configuration is a list of 'key: value' lines.",
                "start with a line such as 'pipeline: taxi'.",
            )
        origins = dict(_origins(loader, node, (), path))
        return Document(loader.construct_document(node), origins)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark is not None else path
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"{where}: this is not YAML: {problem}.", "correct that line.") from error
    finally:
        loader.dispose()


def parse_value(text: str, origin: str) -> Any:
    """Read one YAML value, such as `4`, `true`, `[a, b]` or `some text`.

    Raises:
        ConfigError: If the text is not YAML.
    """
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigError(
            f"{origin}: the value is not YAML: {problem}.", "put text with special characters in quotes."
        ) from error


def _origins(
    loader: yaml.SafeLoader, node: yaml.MappingNode, above: KeyPath, path: str
) -> Iterator[tuple[KeyPath, str]]:
    """Yield each key of a mapping with its line, and refuse a key written twice, where YAML keeps the last."""
    seen: dict[Hashable, int] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node)
        line = key_node.start_mark.line + 1
        if isinstance(key, Hashable):
            if key in seen:
                raise ConfigError(
                    f"{path}:{line}: key '{key}' is here a second time, after line {seen[key]}.",
                    "keep one of them.",
                )
            seen[key] = line
        here = (*above, str(key))
        yield here, f"{path}:{line}"
        if isinstance(value_node, yaml.MappingNode):
            yield from _origins(loader, value_node, here, path)


def _missing_file_error(path: str) -> ConfigError:
    folder = os.path.dirname(path)
    known = sorted(glob.glob(os.path.join(glob.escape(folder), "*.yaml")))
    known = known or sorted(glob.glob(os.path.join("configs", "*.yaml")))
    return ConfigError(
        f"there is no configuration file '{path}'. There is {listed(known)}.",
        f"{did_you_mean(path, known)}Correct the path; it starts at the folder where the command runs.",
    )
