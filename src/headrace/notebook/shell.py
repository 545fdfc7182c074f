"""The IPython shell of this process, if it has one."""

from __future__ import annotations

import sys
from typing import Any


def current_shell() -> Any:
    """Return IPython's shell; `None` in a plain Python process, which is not made to load IPython."""
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None and hasattr(module, "get_ipython") else None


def is_notebook() -> bool:
    """Whether cells can show HTML: the shell talks to a front end, not to a terminal."""
    return getattr(current_shell(), "kernel", None) is not None
