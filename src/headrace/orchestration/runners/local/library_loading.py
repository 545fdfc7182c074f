"""The libraries that workers find loaded: imported one after another, ahead of need."""

from __future__ import annotations

import contextlib
import gc
import importlib
import sys
from collections.abc import Sequence

from headrace.authoring.light import heavy_import, without_collections
from headrace.runtime.processes.fresh_processes import FreshProcesses

_TENSORFLOW = "tensorflow"
_FRAMEWORKS = (_TENSORFLOW, "apache_beam")


class Loading:
    """Modules that a process imports while nothing else is asked of it.

    Args:
        modules: What to import, in order.
        fresh_processes: What forks processes that know TensorFlow alone; one of this process's own where left out.

    Attributes:
        fresh_processes: What was given, or made; it is ready once TensorFlow is imported.
        has_answered: Whether a worker was forked already.
        num_loaded: How many of the modules were imported, well or not.
    """

    def __init__(self, modules: Sequence[str], fresh_processes: FreshProcesses | None = None) -> None:
        self._modules = list(modules)
        self._given = set(modules)
        self._has_imported = False
        self.num_loaded = 0
        self.has_answered = False
        self.fresh_processes = fresh_processes or FreshProcesses()

    @property
    def is_pending(self) -> bool:
        """Whether there is something left to import."""
        return bool(self._modules)

    def add(self, modules: Sequence[str]) -> None:
        """Import these too, unless that was tried already."""
        new = [one for one in dict.fromkeys(modules) if one not in self._given]
        self._modules += [one for one in new if one not in sys.modules]
        self._given.update(new)

    @property
    def is_due(self) -> bool:
        """Whether to import before the next request: what the first node needs, then what others do beside it."""
        return bool(self._modules) and (self.has_answered or not self._has_imported)

    def load_next(self) -> None:
        """Import the next module; one that fails here fails again, and is reported, when its node runs."""
        module = self._modules.pop(0)
        importing = heavy_import if module in _FRAMEWORKS else without_collections
        with contextlib.suppress(Exception), importing():
            importlib.import_module(module)
        self._has_imported = module not in _FRAMEWORKS
        self.num_loaded += 1
        if module == _TENSORFLOW:
            self.fresh_processes.open_nursery()
        # What is loaded stays: collections need not walk it, nor copy its pages in the workers.
        gc.freeze()
