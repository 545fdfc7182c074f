"""Headrace runs TFX pipelines: fast on one machine, orchestrated by Apache Beam, recorded in ML Metadata."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace.authoring.node_options import options, with_resources
    from headrace.notebook.interactive_context import InteractiveContext
    from headrace.reports.frames import describe
    from headrace.results.loading import load
    from headrace.store.results import NodeResult, NodeState, RunResult
    from headrace.store.session import StoreSession, open_store
    from headrace.ui.run_display import run
    from headrace.ui.runner import Runner

__version__ = "0.1.0"
__all__ = [
    "InteractiveContext",
    "NodeResult",
    "NodeState",
    "RunResult",
    "Runner",
    "StoreSession",
    "__version__",
    "describe",
    "load",
    "open_store",
    "options",
    "run",
    "with_resources",
]

_PLACES = {
    "InteractiveContext": "headrace.notebook.interactive_context",
    "NodeResult": "headrace.store.results",
    "NodeState": "headrace.store.results",
    "RunResult": "headrace.store.results",
    "Runner": "headrace.ui.runner",
    "StoreSession": "headrace.store.session",
    "describe": "headrace.reports.frames",
    "load": "headrace.results.loading",
    "open_store": "headrace.store.session",
    "run": "headrace.ui.run_display",
    "options": "headrace.authoring.node_options",
    "with_resources": "headrace.authoring.node_options",
}


# With these, the public surface: see README, "What is public".
_MODULES = (
    "artifact_types",
    "augment",
    "authoring",
    "checks",
    "components",
    "errors",
    "features",
    "pipelines",
    "results",
    "sdk",
    "sources",
    "splits",
    "testing",
)


def __dir__() -> list[str]:
    """Name what is public, loaded or not."""
    return sorted({*(name for name in globals() if name.startswith("__")), *__all__, *_MODULES})


def __getattr__(name: str) -> Any:
    """Load a public name on first use: `import headrace` costs nothing."""
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _PLACES:
        raise AttributeError(f"module 'headrace' has no attribute {name!r}")
    value = getattr(importlib.import_module(_PLACES[name]), name)
    if "IPython" in sys.modules:
        importlib.import_module("headrace.notebook.formatters").register()
    return value
