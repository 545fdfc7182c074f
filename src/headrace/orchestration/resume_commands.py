"""The command that goes on with a run, as a failure tells it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from headrace.errors import HeadraceError
from headrace.store.open.store import DEFAULT_PATH


def resume_command(run_id: str, store_path: str, details: Mapping[str, Any]) -> str:
    """Return what to type to go on with a run; empty where nothing says how to make its pipeline again.

    Args:
        run_id: The run.
        store_path: Its store, as it was given.
        details: What is recorded with it: its configuration, and the script that it came from.
    """
    if not (details["configuration"].get("pipeline") or details["script"]):
        return ""
    store = "" if store_path == DEFAULT_PATH else f" --store {shlex.quote(store_path)}"
    return f"headrace resume {run_id}{store}"


def with_command(error: HeadraceError, command: str) -> HeadraceError:
    """Return an error with a command at the end of its fix; the error itself where there is none, or it has it."""
    fix = error.fix.rstrip()
    if not command or fix.endswith(command):
        return error
    if not fix:
        fix = f"run: {command}"
    elif fix.endswith("."):
        fix = f"{fix} Then run: {command}"
    else:
        fix = f"{fix}, then run: {command}"
    described = type(error)(error.problem, fix)
    described.__cause__ = error.__cause__
    return described.with_traceback(error.__traceback__)
