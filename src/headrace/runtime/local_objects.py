"""Objects that belong to one process, held by what Beam pickles.

Beam pickles the steps of a pipeline also where it runs them in threads of the same process. There a step finds the
object again that it was made with; in a worker elsewhere it gets one that does nothing.
"""

from __future__ import annotations

import secrets
import weakref
from typing import Any

_here: weakref.WeakValueDictionary[str, LocalObject] = weakref.WeakValueDictionary()


class LocalObject:
    """Base of such objects. A pickle holds a name, which means the object in its process and in forks of that.

    Elsewhere, and where the object is gone, the name means one that is made without arguments: a subclass says in its
    constructor what that does.
    """

    def __init__(self) -> None:
        self._name = secrets.token_hex(16)
        _here[self._name] = self

    def __reduce__(self) -> tuple[Any, ...]:
        return _find, (type(self), self._name)


def _find(kind: type[LocalObject], name: str) -> LocalObject:
    found = _here.get(name)
    return kind() if found is None else found
