"""Streams that may be closed, or lie on a disk that is full."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any, TextIO

from headrace.errors import StoreError


class Stream:
    """A text stream whose failure is told once; what follows goes nowhere.

    Args:
        stream: Standard output or error, or any other; `None` where it is closed.
        name: What a message calls it.
        is_vital: Whether its failure is an error. What is shown of a run is not: the run goes on.
    """

    def __init__(self, stream: TextIO | None, name: str, *, is_vital: bool) -> None:
        self._stream = stream
        self._name = name
        self._is_vital = is_vital

    def write(self, text: str) -> int:
        """Write a text, if that still works."""
        try:
            if self._stream is not None:
                self._stream.write(text)
            elif self._is_vital:
                raise _unwritable(self._name, "it is closed")
        except BrokenPipeError:
            raise
        except OSError as error:
            self._fail(error)
        return len(text)

    def flush(self) -> None:
        """Write what is buffered, if that still works."""
        try:
            if self._stream is not None:
                self._stream.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            self._fail(error)

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._stream is not None and self._stream.isatty()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _fail(self, error: OSError) -> None:
        stream, self._stream = self._stream, None
        # Python flushes its buffer at exit: what is left there goes nowhere, too.
        with contextlib.suppress(OSError, ValueError, AttributeError), open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())  # type: ignore[union-attr]
        problem = _unwritable(self._name, error.strerror or str(error))
        if self._is_vital:
            raise problem from error
        if stream is not sys.stderr and sys.stderr is not None:
            with contextlib.suppress(OSError):
                sys.stderr.write(f"{problem.problem} What follows is not shown.\n")


def _unwritable(name: str, why: str) -> StoreError:
    return StoreError(f"{name} cannot be written: {why}.", "free some space, or send the output elsewhere.")
