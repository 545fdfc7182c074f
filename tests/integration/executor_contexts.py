"""The context in which tests run executors, Headrace's and stock ones; imported where needed."""

from __future__ import annotations

from pathlib import Path

from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor

from headrace.runtime import beam_options


def executor_context(folder: Path | str) -> BaseBeamExecutor.Context:
    """Return a context with Beam's in-process runner, whose temporary files lie in `tmp` in a folder.

    Beam's bare default, which a stock executor would take, tries to download another runner; for a runner that is named
    in Beam arguments it packages TFX's whole source tree.
    """
    return BaseBeamExecutor.Context(
        tmp_dir=f"{folder}/tmp", unique_id="1", make_beam_pipeline_fn=lambda: beam_options.make_pipeline([])
    )
