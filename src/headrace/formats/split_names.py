"""What a split may be called: its name becomes the name of a folder. Light.

The rule is TFX's (`standard_artifact_utils.encode_split_names`), which it checks when all files are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from headrace.errors import DataError, DefinitionError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*", re.ASCII)
# A file name has 255 bytes at most; "Split-" stands before it.
_MAX_CHARACTERS = 200
_RULE = "letters from A to Z and a to z, digits, '-' and '_' make a name, the first a letter or digit, 200 at most."


def is_good(name: object) -> bool:
    """Whether a split may be called so."""
    return isinstance(name, str) and len(name) <= _MAX_CHARACTERS and _NAME.fullmatch(name) is not None


def check_given(names: Iterable[str], where: str) -> None:
    """Check names that a pipeline gives to splits.

    Args:
        names: The names.
        where: What gives them, for the message.

    Raises:
        DefinitionError: If one is no name for a split.
    """
    for name in names:
        if not is_good(name):
            raise DefinitionError(f"{where}: {name!r} cannot be the name of a split.", _RULE)


def check_recorded(names: Iterable[str], where: str) -> None:
    """Check the names that an artifact has for its splits; that of a stranger may hold any text.

    The empty name is one: TFX's importer gives it.

    Raises:
        DataError: If one is no name for a split.
    """
    for name in names:
        if name != "" and not is_good(name):
            raise DataError(
                f"{where} has a split called {name!r}, which cannot be the name of a folder.",
                f"make it again with other names: {_RULE}",
            )
