"""Headrace in the place of one of TFX's runners."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from headrace.authoring import BaseNode
from headrace.authoring.light import authoring
from headrace.errors import OptionError, did_you_mean, listed
from headrace.store.results import RunResult
from headrace.ui import shown_run

with authoring():
    from tfx.orchestration import pipeline as tfx_pipeline
    from tfx.orchestration import tfx_runner
    from tfx.proto.orchestration import pipeline_pb2

# Read once: the command line puts another function in its place while a script runs.
_OPTIONS = tuple(inspect.signature(shown_run.run).parameters)


class Runner(tfx_runner.TfxRunner):
    """Runs pipelines by `headrace.run`, with the interface of TFX's runners.

    Args:
        options: Keyword arguments of `headrace.run`, for each run.

    Raises:
        OptionError: If `headrace.run` has no such argument.

    Example:
        >>> headrace.Runner(max_workers=4).run(pipeline)  # doctest: +SKIP
    """

    def __init__(self, **options: Any) -> None:
        super().__init__()
        _check_options(options)
        self._options = options
        self._exit_handlers: tuple[BaseNode, ...] = ()

    def set_exit_handler(self, exit_handler: BaseNode | Iterable[BaseNode]) -> None:
        """Name components to run when all else has ended, however that was."""
        self._exit_handlers = (exit_handler,) if isinstance(exit_handler, BaseNode) else tuple(exit_handler)

    def run(
        self,
        pipeline: tfx_pipeline.Pipeline,
        run_options: tfx_pipeline.RunOptions | None = None,
        **options: Any,
    ) -> RunResult:
        """Run a pipeline.

        Args:
            pipeline: The pipeline.
            run_options: TFX's options of a partial run.
            options: Keyword arguments of `headrace.run` for this run.

        Raises:
            HeadraceError: What made the first failed node fail; see `headrace.run`.
        """
        return self._run(pipeline, _partial(run_options), options)

    def run_with_ir(
        self,
        pipeline: pipeline_pb2.Pipeline,
        run_options: pipeline_pb2.RunOptions | None = None,
        **options: Any,
    ) -> RunResult:
        """Run a compiled pipeline; see `run`."""
        return self._run(pipeline, _partial_of_ir(run_options), options)

    def _run(self, pipeline: Any, partial: dict[str, Any], options: dict[str, Any]) -> RunResult:
        _check_options(options)
        handlers = {"exit_handlers": self._exit_handlers} if self._exit_handlers else {}
        return shown_run.run(pipeline, **{**self._options, **handlers, **partial, **options})


def _check_options(options: Iterable[str]) -> None:
    known = [name for name in _OPTIONS if name != "pipeline"]
    for name in options:
        if name not in known:
            raise OptionError(
                f"headrace.Runner has no option '{name}'. It has {listed(known)}.",
                f"{did_you_mean(name, known)}Correct the name.",
            )


def _partial(options: tfx_pipeline.RunOptions | None) -> dict[str, Any]:
    if options is None:
        return {}
    return _given(options.from_nodes, options.to_nodes, options.base_pipeline_run_id)


def _partial_of_ir(options: pipeline_pb2.RunOptions | None) -> dict[str, Any]:
    if options is None:
        return {}
    partial = options.partial_run
    base_run = partial.snapshot_settings.base_pipeline_run_strategy.base_run_id
    return _given(partial.from_nodes, partial.to_nodes, base_run)


def _given(from_nodes: Any, to_nodes: Any, base_run: str | None) -> dict[str, Any]:
    values = {"from_nodes": tuple(from_nodes or ()), "to_nodes": tuple(to_nodes or ()), "base_run": base_run}
    return {name: value for name, value in values.items() if value}
