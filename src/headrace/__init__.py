"""Headrace runs TFX pipelines: fast on one machine, orchestrated by Apache Beam, recorded in ML Metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from headrace.orchestration.events import RunResult
    from headrace.ui.shown_run import run

__version__ = "0.1.0"
__all__ = ["RunResult", "__version__", "run"]


def __getattr__(name: str) -> Any:
    """Load `run` and `RunResult` on first use: `import headrace` costs nothing."""
    if name == "run":
        from headrace.ui.shown_run import run

        return run
    if name == "RunResult":
        from headrace.orchestration.events import RunResult

        return RunResult
    raise AttributeError(f"module 'headrace' has no attribute {name!r}")
