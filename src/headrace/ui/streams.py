"""Streams that may be closed, or lie on a disk that is full."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from headrace.errors import StoreError

_STANDARD_OUTPUT = 1


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


@contextlib.contextmanager
def lent_output() -> Iterator[Stream]:
    """Lend standard output alone: what else writes to it, also from a process that is started, goes to standard error.

    Raises:
        StoreError: If it is closed, or cannot be written.
    """
    if sys.stdout is None:
        raise _unwritable("standard output", "it is closed")
    sys.stdout.flush()
    with contextlib.ExitStack() as at_end:
        alone = sys.stdout
        # Only what stands for the descriptor itself is moved: another stream was put in its place in Python alone.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            if sys.stdout.fileno() == _STANDARD_OUTPUT:
                kept = os.dup(_STANDARD_OUTPUT)
                at_end.callback(os.close, kept)
                os.dup2(sys.stderr.fileno(), _STANDARD_OUTPUT)
                at_end.callback(os.dup2, kept, _STANDARD_OUTPUT)
                alone = at_end.enter_context(
                    open(os.dup(kept), "w", encoding=alone.encoding, errors=alone.errors)
                )
        at_end.enter_context(contextlib.redirect_stdout(sys.stderr))
        yield Stream(alone, "standard output", is_vital=True)


def _unwritable(name: str, why: str) -> StoreError:
    return StoreError(f"{name} cannot be written: {why}.", "free some space, or send the output elsewhere.")
