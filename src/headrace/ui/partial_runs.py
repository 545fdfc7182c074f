"""TFX's options of a partial run as options of a Headrace run.

They are read by their names: nothing of TFX is loaded for them.
"""

from __future__ import annotations

from typing import Any


def of_options(options: Any) -> dict[str, Any]:
    """Return what `tfx.orchestration.pipeline.RunOptions` say, under Headrace's names; nothing for `None`."""
    return _given(
        getattr(options, "from_nodes", None),
        getattr(options, "to_nodes", None),
        getattr(options, "base_pipeline_run_id", None),
    )


def of_compiled_options(options: Any) -> dict[str, Any]:
    """Return what the `RunOptions` proto beside a compiled pipeline says; nothing for `None`."""
    if options is None:
        return {}
    partial = options.partial_run
    base_run = partial.snapshot_settings.base_pipeline_run_strategy.base_run_id
    return _given(partial.from_nodes, partial.to_nodes, base_run)


def _given(from_nodes: Any, to_nodes: Any, base_run: str | None) -> dict[str, Any]:
    values = {"from_nodes": tuple(from_nodes or ()), "to_nodes": tuple(to_nodes or ()), "base_run": base_run}
    return {name: value for name, value in values.items() if value}
