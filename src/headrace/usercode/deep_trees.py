"""Room for code that is nested deeply: a sum of 500 terms is a tree of 500 levels, a long `elif` is one too.

What walks a tree calls itself for each level, and Python stops that at its recursion limit, which is far below what
its own compiler takes.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import TypeVar

Result = TypeVar("Result")

# Three of Python's levels for one of the tree, with less than a kilobyte of stack each.
_LEVELS, _STACK_BYTES = 100_000, 256 << 20
_guard = threading.Lock()


def with_room(function: Callable[[], Result]) -> Result:
    """Return what a function returns; where it nests too deeply it is called again, with room for deep trees.

    Raises:
        RecursionError: If that is not enough, or the system gives no stack of that size.
    """
    try:
        return function()
    except RecursionError as error:
        result: Future[Result] = Future()
        with _raised_limits():
            thread = threading.Thread(target=_fulfil, args=(result, function), name="deep code")
            try:
                thread.start()
            except RuntimeError:
                raise error from None
            thread.join()
        return result.result()


def _fulfil(result: Future[Result], function: Callable[[], Result]) -> None:
    try:
        result.set_result(function())
    except BaseException as error:
        result.set_exception(error)


@contextlib.contextmanager
def _raised_limits() -> Iterator[None]:
    """Let new threads nest deeply. The limit is the interpreter's: it is raised no longer than needed."""
    with _guard:
        levels, size = sys.getrecursionlimit(), threading.stack_size(_STACK_BYTES)
        sys.setrecursionlimit(max(levels, _LEVELS))
        try:
            yield
        finally:
            threading.stack_size(size)
            sys.setrecursionlimit(levels)
