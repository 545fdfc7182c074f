"""Import TFX's authoring side without TensorFlow and Beam, and repair it when they come after all.

TFX is also published without its heavy dependencies, so its authoring modules guard those imports.
While `authoring()` is active, TensorFlow, Beam and `tfx.components` look absent, the guards take their
light branch, and types, compiler and metadata helpers import in 0.2 s instead of 5 s (tfx 1.16).

A process that was light once stays so, whoever imports: a user's file that says `from tfx import v1 as tfx` gets
a module whose names are imported when they are used (`lazy_names`), and TFX's guarded modules take their light
branch whenever they are first imported.

Some modules keep what they saw: two remember that Beam or TensorFlow is missing. When someone later imports
`tfx.components` or another heavy part in the same process, the real modules are put in first, so a process may
start light and go on in full.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import os
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from headrace.authoring import lazy_names, light_files, tfx_internals
from headrace.authoring.tfx_internals import GUARDED_BEAM, LAUNCHERS

_HEAVY = ("tensorflow", "apache_beam", "tfx.components")
_NOTEBOOK_MODULES = ("IPython", "tqdm.notebook")
# Google's client, which whoever touches ML Metadata would import, 0.1 s, for a class of requests to its services.
_CLIENT = "googleapiclient"
# The first thing that any heavy user of TFX imports.
_HEAVY_ENTRANCES = ("tfx.components", "tfx.types.standard_component_specs", *LAUNCHERS)
# Which Keras `tf.keras` is, in a process where nobody asked for one before TFX did.
_KERAS_VARIABLE = "TF_USE_LEGACY_KERAS"
_CHOOSES_KERAS = "tensorflow_transform"


class _LooksAbsent(importlib.abc.MetaPathFinder):
    """Answers `ModuleNotFoundError` for packages, in the thread that made it."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self.thread = threading.get_ident()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if threading.get_ident() != self.thread:
            return None
        if any(fullname == name or fullname.startswith(name + ".") for name in self._names):
            raise ModuleNotFoundError(
                f"{fullname} is kept out while TFX's authoring side loads", name=fullname
            )
        return None


def _is_kept_out() -> bool:
    """Whether this thread imports inside `authoring` what it needs without heavy packages."""
    thread = threading.get_ident()
    return any(isinstance(one, _LooksAbsent) and one.thread == thread for one in sys.meta_path)


class _StaysLight(importlib.abc.MetaPathFinder):
    """Keeps a process light until heavy parts of TFX load, and then makes it fit for them."""

    entrances: tuple[str, ...] = _HEAVY_ENTRANCES

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith("tfx."):
            return None
        if fullname in self.entrances and not _is_kept_out():
            repair()
        if fullname not in (*tfx_internals.GUARDED, *tfx_internals.NAMES_OF_OTHERS, tfx_internals.TELEMETRY):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None:
            return None
        if fullname in tfx_internals.GUARDED:
            _load_lightly(spec)
        elif fullname == tfx_internals.TELEMETRY:
            lazy_names.define_late(spec, _CLIENT)
        else:
            lazy_names.load_lazily(spec, _choose_keras)
        return spec


def _load_lightly(spec: importlib.machinery.ModuleSpec) -> None:
    assert spec.loader is not None
    execute = spec.loader.exec_module

    def exec_module(module: ModuleType) -> None:
        with authoring():
            execute(module)
        if spec.name == tfx_internals.PLUGIN and module.tf is None:
            light_files.register()

    spec.loader.exec_module = exec_module  # type: ignore[method-assign]


def _choose_keras() -> None:
    """Choose what the whole of `tfx.v1` would: it loads TensorFlow Transform, which makes `tf.keras` be Keras 2."""
    if _CHOOSES_KERAS not in sys.modules:
        os.environ.setdefault(_KERAS_VARIABLE, "1")


class _NamesBeamPipeline(type):
    def __eq__(cls, other: object) -> bool:
        beam = sys.modules.get("apache_beam")
        return other is cls or (beam is not None and other is beam.Pipeline)

    def __hash__(cls) -> int:
        return id(cls)


class _BeamPipeline(metaclass=_NamesBeamPipeline):
    """Equals `beam.Pipeline` once Beam is loaded: TFX compares it with what a component's function declares."""


_stays_light = _StaysLight()


def stay_light() -> None:
    """From now on, let TFX's authoring modules load without TensorFlow and Beam, whoever imports them."""
    if _stays_light not in sys.meta_path:
        sys.meta_path.insert(0, _stays_light)


def stay_light_with_runners() -> None:
    """`stay_light`, also where TFX's runners are imported: in a process in which Headrace stands in for them."""
    _stays_light.entrances = tuple(name for name in _HEAVY_ENTRANCES if name not in LAUNCHERS)
    stay_light()


@contextlib.contextmanager
def authoring() -> Iterator[None]:
    """Import TFX's authoring modules inside this context; heavy packages that are not loaded stay out."""
    stay_light()
    missing = [name for name in _HEAVY if name not in sys.modules]
    if not missing:
        yield
        return
    guard = _LooksAbsent(missing)
    sys.meta_path.insert(0, guard)
    try:
        yield
    finally:
        sys.meta_path.remove(guard)
        tfx_internals.compare_beam_pipelines_with(_BeamPipeline)


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
        with warnings.catch_warnings(), without_collections(), _nothing_installed():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name in hidden:
            # Another thread that imports at the same time may have been first.
            if sys.modules.get(name) is None:
                sys.modules.pop(name, None)
        _ask_no_ipython()


@contextlib.contextmanager
def _nothing_installed() -> Iterator[None]:
    """Spare the search of all installed packages, which each of Google's clients makes to word its warning."""
    search, thread = importlib.metadata.packages_distributions, threading.get_ident()

    def packages_distributions() -> Mapping[str, list[str]]:
        return {} if threading.get_ident() == thread else search()

    importlib.metadata.packages_distributions = packages_distributions
    try:
        yield
    finally:
        importlib.metadata.packages_distributions = search


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
    import apache_beam

    for name, module in tfx_internals.loaded_without(GUARDED_BEAM).items():
        setattr(module, GUARDED_BEAM[name], apache_beam)
    light_files.load_plugin()
