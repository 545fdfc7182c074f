"""What the command line does with an exception: a message a person can act on, and an exit code."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
import traceback

import click

from headrace.errors import ConfigError, DefinitionError, HeadraceError, StoreError, UserFunctionError
from headrace.ui.clean_text import visible

RUN_FAILED = 1
BAD_DEFINITION = 2
CANCELLED = 130


def is_debugging() -> bool:
    """Whether tracebacks are wanted: `--debug`, or `HEADRACE_DEBUG` set to something but 0."""
    return os.environ.get("HEADRACE_DEBUG", "0") not in ("", "0")


def report(error: BaseException) -> int:
    """Print an exception on standard error and return the exit code that stands for it."""
    if isinstance(error, KeyboardInterrupt):
        _echo("Cancelled.")
        return CANCELLED
    if is_debugging():
        _echo(visible("".join(traceback.format_exception(error)).rstrip()))
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
        error = StoreError(f"the disk cannot be written: {error}.", "free some space, or make it writable.")
    if isinstance(error, HeadraceError):
        # Rich is loaded only now that there is something to say with it.
        from headrace.ui.screen import open_error_screen
        from headrace.ui.summary import print_error

        print_error(open_error_screen(), error)
        return BAD_DEFINITION if _is_definition(error) else RUN_FAILED
    if not is_debugging():
        summary = visible(" ".join(str(error).split()))
        _echo(f"Headrace stopped on an error it did not expect: {type(error).__name__}: {summary}")
        _echo(f"  The traceback is in {_write_traceback(error)}; --debug shows it here.")
    return RUN_FAILED


def _echo(text: str) -> None:
    # Where it cannot be said, the exit code must do.
    with contextlib.suppress(OSError):
        click.echo(text, err=True)


def _is_definition(error: HeadraceError) -> bool:
    return isinstance(error, (ConfigError, DefinitionError, UserFunctionError))


def _write_traceback(error: BaseException) -> str:
    try:
        handle, path = tempfile.mkstemp(prefix="headrace-error-", suffix=".txt")
        with open(handle, "w", encoding="utf-8") as file:
            file.write("".join(traceback.format_exception(error)))
    except OSError as problem:
        return f"no file ({problem})"
    return path
