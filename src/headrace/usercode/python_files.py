"""Python files as syntax trees, for whoever looks at a file without importing it. Light."""

from __future__ import annotations

import ast
import io
import tokenize

from headrace.errors import DefinitionError


def parse(text: bytes, path: str) -> ast.Module:
    """Return the syntax tree of a file.

    Args:
        text: What the file holds.
        path: The file, for messages.

    Raises:
        DefinitionError: If Python cannot read it, with the line: bytes that its encoding does not have, NUL, wrong
            syntax, or nesting that is deeper than Python's parser goes.
    """
    place = text.find(b"\0")
    if place >= 0:
        raise DefinitionError(
            f"{path}:{_line(text, place)}: a NUL byte, which no Python file holds.",
            "save the file as text in UTF-8; it may be in UTF-16, or damaged.",
        )
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(text).readline)
        text.decode(encoding)
        return ast.parse(text, filename=path)
    except UnicodeDecodeError as error:
        raise DefinitionError(
            f"{path}:{_line(text, error.start)}: byte 0x{text[error.start]:02x} is not {encoding.upper()}.",
            "save the file as UTF-8, or name its encoding in the first line: # -*- coding: latin-1 -*-",
        ) from error
    except SyntaxError as error:
        raise DefinitionError(
            f"{path}:{error.lineno or 1}: {error.msg}.",
            "correct the syntax of that line." if error.lineno else "save the file as UTF-8.",
        ) from error
    except (RecursionError, MemoryError) as error:
        raise DefinitionError(
            f"{path}: an expression in it is nested deeper than Python reads.",
            "divide it into several statements, or read the values from a file.",
        ) from error


def _line(text: bytes, place: int) -> int:
    return text.count(b"\n", 0, place) + 1
