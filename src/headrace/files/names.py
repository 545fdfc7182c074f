"""The one rule for names that become files and folders: of runs, pipelines, nodes, exit handlers and splits.

What a store says may come from anywhere, so the same rule holds for names that are read from one. People choose
run ids here, which are plain. Pipelines and nodes may have TFX's wider names, with spaces and brackets.
"""

from __future__ import annotations

import re

from headrace.errors import DefinitionError

# In bytes. A file's name may have 255, and some of ours get an ending.
MAX_LENGTH = 200
RULE = f"letters, digits, '-', '_' and '.', not '.' at the start, at most {MAX_LENGTH} bytes"
FOLDER_RULE = f"printable characters without '/', not '.' at the start, at most {MAX_LENGTH} bytes"
# Words of commands that name a run otherwise: `show latest`, a dry run's id.
RESERVED_RUN_IDS = ("latest", "dry-run")
_PLAIN = re.compile(r"[\w-][\w.-]*")


def is_plain(name: str) -> bool:
    """Whether a name is letters, digits, `-`, `_` and `.`, with no `.` at the start, and not too long."""
    return is_folder_name(name) and _PLAIN.fullmatch(name) is not None


def is_folder_name(name: str) -> bool:
    """Whether a name is one component of a path, and can be printed as it is."""
    # Lone surrogates are not printable, so what is printable can be encoded.
    is_safe = name.isprintable() and "/" not in name and not name.startswith(".")
    return is_safe and 0 < len(name.encode()) <= MAX_LENGTH


def is_folder_path(name: str) -> bool:
    """Whether a name is folder names joined by `/`: TFX lets a pipeline's name be such."""
    return all(map(is_folder_name, name.split("/")))


def check_folder_name(name: str, what: str) -> str:
    """Return a name that a folder can have.

    Args:
        name: The name.
        what: What it is the name of, for the message, such as `"node id"`.

    Raises:
        DefinitionError: If no folder can have it.
    """
    if not is_folder_name(name):
        raise DefinitionError(f"{shown(name)} cannot be a {what}.", f"use {FOLDER_RULE}.")
    return name


def check_run_id(run_id: str) -> str:
    """Return a run id that is plain and means nothing else on the command line.

    Raises:
        DefinitionError: If it is not.
    """
    if not is_plain(run_id):
        raise DefinitionError(f"{shown(run_id)} cannot be a run id.", f"use {RULE}.")
    if run_id in RESERVED_RUN_IDS or run_id.isdigit():
        meaning = "the number of an artifact" if run_id.isdigit() else "a word of the commands"
        raise DefinitionError(
            f"'{run_id}' cannot be a run id: it is {meaning}.", f"choose another, such as 'run-{run_id}'."
        )
    return run_id


def slug(name: str) -> str:
    """Return a plain name that resembles `name`: for files that are written under a name from a store."""
    text = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-")[:MAX_LENGTH]
    return text or "unnamed"


def shown(name: str) -> str:
    """Return a name, quoted, as a message can hold it."""
    text = f"'{name}'" if name.isprintable() else ascii(name)
    return text if len(text) <= MAX_LENGTH else f"{text[:40]}...' ({len(name)} characters)"
