"""Values written into files of a project: Python, YAML, Markdown, comments. Whatever data hold, it stays text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

_INDENT = "    "
WIDTH = 100


def python(value: Any) -> str:
    """Write a plain value as ruff and black write it: text in double quotes, unless single ones need fewer escapes.

    What cannot be seen or turns the direction of writing is escaped.
    """
    if isinstance(value, str):
        quote = "'" if value.count('"') > value.count("'") else '"'
        return quote + "".join(_escaped(sign, quote) for sign in value) + quote
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{python(key)}: {python(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return python_tuple(value) if isinstance(value, tuple) else f"[{', '.join(map(python, value))}]"
    return repr(value)


def _escaped(sign: str, quote: str) -> str:
    if sign in (quote, "\\"):
        return f"\\{sign}"
    if sign.isprintable():
        return sign
    plain = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(sign)
    code = ord(sign)
    return plain or (
        f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    )


def python_tuple(values: Sequence[Any]) -> str:
    """Write a tuple on one line."""
    inner = ", ".join(map(python, values))
    return f"({inner},)" if len(values) == 1 else f"({inner})"


def python_list(values: Sequence[str], before: int = 0) -> str:
    """Write a tuple of texts: on one line where it fits, else one on each line.

    Args:
        values: The texts.
        before: Characters that stand before it on its line.
    """
    line = python_tuple(values)
    if before + len(line) <= WIDTH:
        return line
    return "(\n" + "".join(f"{_INDENT}{python(value)},\n" for value in values) + ")"


def python_dict(values: Mapping[str, str]) -> str:
    """Write a mapping, one entry on each line; an empty one on one."""
    if not values:
        return "{}"
    lines = (f"{_INDENT}{python(key)}: {python(value)},\n" for key, value in values.items())
    return "{\n" + "".join(lines) + "}"


def comment(text: str) -> str:
    """Write a text behind a `#`, on one line."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def docstring(text: str) -> str:
    """Write a text inside of a docstring, on one line."""
    return comment(text).replace("\\", "\\\\").replace('"', "'")


def yaml(value: Any) -> str:
    """Write a value on one line of YAML, whose escapes in double quotes are those of Python."""
    if isinstance(value, str):
        return '"' + "".join(_escaped(sign, '"') for sign in value) + '"'
    return json.dumps(value)


def markdown(text: str) -> str:
    """Write a text into a cell of a table, or a line, in Markdown."""
    plain = comment(text)
    for sign in "\\`*_{}[]<>|#":
        plain = plain.replace(sign, f"\\{sign}")
    return plain
