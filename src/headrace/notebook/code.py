"""Python code for the calls that made components."""

from __future__ import annotations

import importlib
import inspect
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from headrace.authoring import Channel
from headrace.authoring.light import authoring
from headrace.errors import DefinitionError

with authoring():
    from tfx.types.channel import OutputChannel, UnionChannel

_MAX_COLUMNS = 100
_INDENT = "    "
# Where a class is imported from, if it stands there too: shorter, and light.
_USUAL_MODULES = ("headrace.components", "headrace.authoring", "tfx.components")
_LIGHT_MODULES = ("tfx.proto", "tfx.types", "tfx.dsl", "ml_metadata")


class Code(str):
    """Text that is Python code already."""


class Writer:
    """Writes values as Python and keeps the imports they need.

    Args:
        names: The variable of each component, by its id.
        write_function: Gives the text, or the code, for a user function.
        find_module: Gives the module that will define a class of `__main__`.
    """

    def __init__(
        self,
        names: Mapping[str, str],
        write_function: Callable[[Any, str], Code | str],
        find_module: Callable[[str, str], str],
    ) -> None:
        self._names = names
        self._write_function = write_function
        self._find_module = find_module
        self._imports: set[str] = set()
        self._light_imports: set[str] = set()
        self._constants: list[str] = []

    def add_import(self, line: str) -> None:
        """Add an import statement."""
        module = line.split()[1]
        is_light = module.startswith(_LIGHT_MODULES)
        (self._light_imports if is_light else self._imports).add(line)

    def add_constant(self, line: str) -> None:
        """Add a statement below the imports."""
        if line not in self._constants:
            self._constants.append(line)

    def import_lines(self) -> str:
        """Return the imports and constants."""
        imports = set(self._imports)
        if self._light_imports:
            imports.add("from headrace.authoring.light import authoring")
        plain = sorted(line for line in imports if line.startswith("import "))
        parts = ["\n".join(plain)] if plain else []
        merged: dict[str, set[str]] = {}
        for line in imports - set(plain):
            _, module, _, name = line.split(maxsplit=3)
            merged.setdefault(module, set()).add(name)
        parts.append(
            "\n".join(
                f"from {module} import {', '.join(sorted(merged[module]))}" for module in sorted(merged)
            )
        )
        if self._light_imports:
            # TFX's authoring side without TensorFlow and Beam.
            lines = [f"{_INDENT}{line}" for line in sorted(self._light_imports)]
            parts.append("\n".join(["with authoring():", *lines]))
        parts.extend(self._constants)
        return "\n\n".join(parts)

    def class_name(self, kind: type[Any], where: str) -> str:
        """Return the name of a class, and see to its import."""
        if kind.__module__ == "tfx.types.standard_artifacts":
            self.add_import("from headrace.authoring import standard_artifacts")
            return f"standard_artifacts.{kind.__name__}"
        if kind.__module__ == "__main__":
            module = self._find_module(kind.__name__, where)
        else:
            module = next((name for name in _USUAL_MODULES if _holds(name, kind)), kind.__module__)
        name = kind.__qualname__.partition(".")[0]
        self.add_import(f"from {module} import {name}")
        return kind.__qualname__

    def call(self, name: str, positional: Sequence[Any], named: Mapping[str, Any], where: str) -> str:
        """Return a call, on one line where it fits."""
        arguments = [self.value(value, where) for value in positional]
        arguments += [f"{key}={self.value(value, f'{where}: {key}')}" for key, value in named.items()]
        return _joined(f"{name}(", arguments, ")")

    def value(self, value: Any, where: str) -> str:
        """Return a value as code.

        Raises:
            DefinitionError: If it has no form in Python.
        """
        if isinstance(value, Code):
            return str(value)
        if value is None or type(value) in (bool, int, bytes):
            return repr(value)
        if isinstance(value, str):
            return _quoted(str(value))
        if type(value) is float:
            return repr(value) if math.isfinite(value) else f'float("{value}")'
        if isinstance(value, Mapping):
            items = [f"{self.value(key, where)}: {self.value(item, where)}" for key, item in value.items()]
            return _joined("{", items, "}")
        if isinstance(value, (list, tuple)):
            items = [self.value(item, where) for item in value]
            if isinstance(value, tuple):
                return _joined("(", items, ",)" if len(items) == 1 else ")")
            return _joined("[", items, "]")
        if isinstance(value, Message):
            return self._message(value, where)
        if isinstance(value, type):
            return self.class_name(value, where)
        if inspect.isfunction(value):
            return self.value(self._write_function(value, where), where)
        return self._channel(value, where)

    def _channel(self, value: Any, where: str) -> str:
        if isinstance(value, OutputChannel):
            producer = value.producer_component_id
            if producer not in self._names:
                raise DefinitionError(
                    f"{where}: it takes an output of {producer}, which was not run in this context.",
                    f"run {producer} first.",
                )
            return f"{self._names[producer]}.outputs[{self.value(value.output_key, where)}]"
        if isinstance(value, UnionChannel):
            self.add_import("from tfx.types import channel_utils")
            return _joined("channel_utils.union([", [self.value(c, where) for c in value.channels], "])")
        if type(value) is Channel:
            self.add_import("from headrace.authoring import Channel")
            given = {"type": value.type, "producer_component_id": value.producer_component_id}
            given["output_key"] = value.output_key
            return self.call("Channel", [], {k: v for k, v in given.items() if v is not None}, where)
        raise DefinitionError(
            f"{where} is of type {type(value).__name__}, which an export cannot write as Python.",
            "give it as plain values, a proto or 'module:function', or write the pipeline by hand.",
        )

    def _message(self, value: Message, where: str) -> str:
        self.add_import("from google.protobuf.json_format import ParseDict")
        package, _, module = type(value).__module__.rpartition(".")
        self.add_import(f"from {package} import {module}" if package else f"import {module}")
        content = json_format.MessageToDict(value, preserving_proto_field_name=True)
        items = self.value(content, where)
        return f"ParseDict({items}, {module}.{type(value).__qualname__}())"


def _holds(module: str, kind: type[Any]) -> bool:
    """Whether a class stands in a module as well, without loading anything heavy to find out."""
    if not kind.__module__.startswith(("headrace.", "tfx.")):
        return False
    if module == "headrace.authoring":
        importlib.import_module(module)
    return getattr(sys.modules.get(module), kind.__name__, None) is kind


def _quoted(text: str) -> str:
    """A string in double quotes, where that needs no further backslashes."""
    shown = repr(text)
    return f'"{shown[1:-1]}"' if shown[0] == "'" and '"' not in text else shown


def _joined(opening: str, items: Sequence[str], closing: str) -> str:
    line = f"{opening}{', '.join(items)}{closing}"
    if len(line) <= _MAX_COLUMNS and "\n" not in line:
        return line
    inner = "".join(f"{_indented(item)},\n" for item in items)
    return f"{opening}\n{inner}{closing.lstrip(',')}"


def _indented(text: str) -> str:
    return "\n".join(f"{_INDENT}{line}" for line in text.split("\n"))
