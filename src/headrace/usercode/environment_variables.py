"""The environment variables that code names, and what stands for their values."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Set

_READERS = frozenset({"environ", "environb", "getenv", "getenvb", "expandvars"})
_READING_CALLS = frozenset({"os.getenv", "getenv", "os.environ.get", "environ.get", "os.environ.setdefault"})
_VARIABLE = re.compile(r"\$\{?(\w+)")
# Their values are secrets that are renewed, and stand for the same access.
_SECRET = re.compile(r"TOKEN|SECRET|PASSW|CREDENTIAL|_KEY$", re.IGNORECASE)


def is_mentioned(words: Set[str]) -> bool:
    """Whether some names and attributes hold one that gives the environment."""
    return bool(_READERS & words)


def is_given_by(module: str, name: str) -> bool:
    """Whether what is imported gives the environment."""
    return module in ("os", "os.path") and name in _READERS


def is_read_by(function: str) -> bool:
    """Whether the first argument of a function, as code writes it, is the name of a variable."""
    return function in _READING_CALLS


def among(texts: Iterable[str]) -> set[str]:
    """Return the environment variables that are set and that some texts name: `MODE`, or `$MODE/data`."""
    named = {name for text in texts for name in (text, *_VARIABLE.findall(text))}
    known = _all()
    return {name for name in named if name in known and name.isupper()}


def digest(name: str) -> str:
    """Return what stands for the value of an environment variable; the value itself is not recorded."""
    value = _all().get(name)
    if value is None:
        return ""
    return "set" if _SECRET.search(name) else hashlib.sha256(os.fsencode(value)).hexdigest()[:16]


def _all() -> dict[str, str]:
    """The variables that are set; `os.environ` itself refuses to be asked for what cannot be encoded."""
    return dict(os.environ)
