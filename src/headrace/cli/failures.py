"""What the command line does with an exception: a message a person can act on, and an exit code."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback

import click

from headrace.errors import ConfigError, DefinitionError, HeadraceError, UserFunctionError
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
        click.echo("Cancelled.", err=True)
        return CANCELLED
    if is_debugging():
        click.echo(visible("".join(traceback.format_exception(error))), err=True, nl=False)
    if isinstance(error, HeadraceError):
        # Rich is loaded only now that there is something to say with it.
        from headrace.ui.screen import open_screen
        from headrace.ui.summary import print_error

        print_error(open_screen(sys.stderr), error)
        return BAD_DEFINITION if _is_definition(error) else RUN_FAILED
    if not is_debugging():
        summary = visible(" ".join(str(error).split()))
        click.echo(
            f"Headrace stopped on an error it did not expect: {type(error).__name__}: {summary}", err=True
        )
        click.echo(f"  The traceback is in {_write_traceback(error)}; --debug shows it here.", err=True)
    return RUN_FAILED


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
