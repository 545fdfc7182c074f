"""Import TFX's authoring side without TensorFlow and Beam, and repair it when they come after all.

TFX is also published without its heavy dependencies, so its authoring modules guard those imports.
While `authoring()` is active, TensorFlow, Beam and `tfx.components` look absent, the guards take their
light branch, and types, compiler and metadata helpers import in 0.2 s instead of 5 s (tfx 1.16).

Three modules keep what they saw: two remember that Beam or TensorFlow is missing. When someone later
imports `tfx.v1`, `tfx.components` or another heavy part in the same process, `_RepairBeforeHeavyImport`
puts the real modules in first, so a process may start light and go on in full.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.abc
import importlib.machinery
import sys
import warnings
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

from headrace.authoring import tfx_internals
from headrace.authoring.tfx_internals import GUARDED_BEAM, GUARDED_TENSORFLOW

_HEAVY = ("tensorflow", "apache_beam", "tfx.components")
_NOTEBOOK_MODULES = ("IPython", "tqdm.notebook")
# The first thing that any heavy user of TFX imports.
_HEAVY_ENTRANCES = ("tfx.v1", "tfx.components", "tfx.types.standard_component_specs")


def is_heavy_loaded() -> bool:
    """Whether this process has imported TensorFlow or Beam."""
    return "tensorflow" in sys.modules or "apache_beam" in sys.modules


class _LooksAbsent(importlib.abc.MetaPathFinder):
    """Answers `ModuleNotFoundError` for the heavy packages."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if any(fullname == name or fullname.startswith(name + ".") for name in _HEAVY):
            raise ModuleNotFoundError(
                f"{fullname} is kept out while TFX's authoring side loads", name=fullname
            )
        return None


class _RepairBeforeHeavyImport(importlib.abc.MetaPathFinder):
    """Puts TensorFlow and Beam into the guarded modules just before heavy parts of TFX load."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname in _HEAVY_ENTRANCES:
            repair()
        return None


class _NamesBeamPipeline(type):
    def __eq__(cls, other: object) -> bool:
        beam = sys.modules.get("apache_beam")
        return other is cls or (beam is not None and other is beam.Pipeline)

    def __hash__(cls) -> int:
        return id(cls)


class _BeamPipeline(metaclass=_NamesBeamPipeline):
    """Equals `beam.Pipeline` once Beam is loaded: TFX compares it with what a component's function declares."""


_repairer = _RepairBeforeHeavyImport()


@contextlib.contextmanager
def authoring() -> Iterator[None]:
    """Import TFX's authoring modules inside this context; heavy packages stay out.

    Does nothing where TensorFlow or Beam is loaded already: then nothing is left to save.
    """
    if is_heavy_loaded():
        yield
        return
    guard = _LooksAbsent()
    sys.meta_path.insert(0, guard)
    try:
        yield
    finally:
        sys.meta_path.remove(guard)
        tfx_internals.compare_beam_pipelines_with(_BeamPipeline)
        if _repairer not in sys.meta_path:
            sys.meta_path.insert(0, _repairer)


@contextlib.contextmanager
def without_collections() -> Iterator[None]:
    """Import much inside this context: Python's cyclic garbage collector is off.

    It would walk the growing heap again and again: 1.2 s of the 4 s in which all executors load.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


@contextlib.contextmanager
def heavy_import() -> Iterator[None]:
    """Import TensorFlow or Beam inside this context: quickly, quietly, and without IPython, here or later.

    IPython takes 400 modules, 0.5 s and 50 MB. Keras loads it where it can, to draw in notebooks; Beam to ask
    whether it runs in one, and Beam's clients for Google's services with their progress bars. Each of the
    clients also warns of Python's end of life. TFMA, however, is half a library without IPython.
    """
    hidden = [name for name in _NOTEBOOK_MODULES if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        with warnings.catch_warnings(), without_collections():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name in hidden:
            # Another thread that imports at the same time may have been first.
            if sys.modules.get(name) is None:
                sys.modules.pop(name, None)
        _ask_no_ipython()


def _ask_no_ipython() -> None:
    """Where IPython is not loaded, nothing runs in it: let Beam see that without loading it."""
    askers: list[Any] = [
        module
        for name in ("apache_beam.utils.interactive_utils", "apache_beam.pipeline")
        if hasattr(module := sys.modules.get(name), "is_in_ipython")
    ]
    if not askers or askers[0].is_in_ipython.__module__ == __name__:
        return
    ask = askers[0].is_in_ipython

    def is_in_ipython() -> bool:
        return "IPython" in sys.modules and bool(ask())

    for module in askers:
        module.is_in_ipython = is_in_ipython


def repair() -> None:
    """Load TensorFlow and Beam, and give them to the TFX modules that were imported without them."""
    if _repairer in sys.meta_path:
        sys.meta_path.remove(_repairer)
    if all(name not in sys.modules for name in (*GUARDED_BEAM, *GUARDED_TENSORFLOW)):
        return
    import apache_beam
    import tensorflow  # noqa: F401 - the reload below finds it

    for name, module in tfx_internals.loaded_without(GUARDED_BEAM).items():
        setattr(module, GUARDED_BEAM[name], apache_beam)
    for module in tfx_internals.loaded_without(GUARDED_TENSORFLOW).values():
        importlib.reload(module)
