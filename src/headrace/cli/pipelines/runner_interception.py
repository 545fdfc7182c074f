"""Takes the pipeline that a script hands to one of TFX's runners, and gives it to Headrace.

The script is executed unchanged. TFX's runner classes are found when the script imports them: nothing of
TFX is loaded for a script that loads none.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import runpy
import sys
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any

from headrace.errors import DefinitionError, HeadraceError
from headrace.orchestration.engine import interrupts
from headrace.orchestration.events import RunResult
from headrace.run_options import RunOptions
from headrace.ui import partial_runs

# Where TFX keeps what a script runs its pipeline with; `tfx.v1` only names them anew.
_RUNNERS = {
    "tfx.orchestration.local.local_dag_runner": "LocalDagRunner",
    "tfx.orchestration.local.legacy.local_dag_runner": "LocalDagRunner",
    "tfx.orchestration.beam.beam_dag_runner": "BeamDagRunner",
    "tfx.orchestration.beam.legacy.beam_dag_runner": "BeamDagRunner",
}
# What stands behind `headrace.run` and `headrace.Runner`, and the engine for who calls it itself.
_SHOWN = "headrace.ui.run_display"
_ENGINES = {_SHOWN: "start", "headrace.orchestration.engine.start": "run"}

RunPipeline = Callable[[Any, RunOptions], RunResult]


class _ScriptEnd(BaseException):
    """Leaves a script whose pipeline was only planned: what follows would look for outputs."""


def run_script(path: str, run_pipeline: RunPipeline, *, is_dry: bool = False) -> list[RunResult]:
    """Execute a script as `python path` would, with Headrace in the place of TFX's runners.

    Args:
        path: The script.
        run_pipeline: Receives each pipeline that the script runs, compiled or not, and the options that the script
            gave.
        is_dry: Whether to leave the script at its first pipeline.

    Returns:
        One result per pipeline, in order. A failed one raises in the script where TFX's runner would have.

    Raises:
        DefinitionError: If the script ends without running a pipeline.
        Exception: What the script raises.
    """
    from headrace.authoring import light

    light.stay_light_with_runners()
    results: list[RunResult] = []

    def take(pipeline: Any, options: RunOptions) -> RunResult:
        result = run_pipeline(pipeline, options)
        results.append(result)
        if is_dry:
            raise _ScriptEnd
        return result

    with _as_started(path), _intercepted(take):
        try:
            runpy.run_path(path, run_name="__main__")
        except _ScriptEnd:
            pass
        except SystemExit as end:
            # What stopped a run ends the script too; and its failure may be why the script ended itself.
            is_explained = any(result.stopped_by or not result.is_success for result in results)
            if end.code not in (None, 0) and not is_explained:
                raise DefinitionError(
                    f"{path} ended itself with exit code {end.code}.", "run it by itself to see why."
                ) from end
        except HeadraceError:
            # The failure of a run comes out of the script here after it was shown.
            if all(result.is_success for result in results):
                raise
    if not results:
        raise DefinitionError(
            f"{path} ended without handing a pipeline to LocalDagRunner, BeamDagRunner or headrace.run.",
            "call one of them at the end of the script, or define create_pipeline() without required parameters.",
        )
    return results


@contextlib.contextmanager
def _as_started(path: str) -> Iterator[None]:
    """Give the script the arguments and the import path that it has when Python starts it."""
    arguments, search_path = sys.argv, list(sys.path)
    sys.argv = [path]
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    try:
        yield
    finally:
        sys.argv = arguments
        sys.path[:] = search_path


@contextlib.contextmanager
def _intercepted(take: RunPipeline) -> Iterator[None]:
    finder = _Interception(take)
    for name in (*_RUNNERS, *_ENGINES):
        if name in sys.modules:
            finder.replace(sys.modules[name])
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        finder.restore()


class _Interception(importlib.abc.MetaPathFinder):
    """Replaces what runs a pipeline in TFX's runners and in Headrace's as soon as their modules are imported."""

    def __init__(self, take: RunPipeline) -> None:
        self._take = take
        self._is_finding = False
        self._is_running = False
        self._undo: list[Callable[[], None]] = []

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find one of the modules as Python would, and replace its `run` after it has loaded."""
        if self._is_finding or (fullname not in _RUNNERS and fullname not in _ENGINES):
            return None
        self._is_finding = True
        try:
            spec = importlib.util.find_spec(fullname)
        finally:
            self._is_finding = False
        if spec is None or spec.loader is None:
            return spec
        load = spec.loader.exec_module

        def load_and_replace(module: ModuleType) -> None:
            load(module)
            self.replace(module)

        spec.loader.exec_module = load_and_replace  # type: ignore[method-assign]
        return spec

    def replace(self, module: ModuleType) -> None:
        """Put Headrace's `run` into one of the modules."""
        name = module.__name__
        if name in _ENGINES:
            attribute = _ENGINES[name]
            original = getattr(module, attribute)
            self._set(module, attribute, self._engine_run(original, raises=name == _SHOWN))
            return
        runner = getattr(module, _RUNNERS[name])
        self._set(runner, "run", self._runner_run(partial_runs.of_options))
        self._set(runner, "run_with_ir", self._runner_run(partial_runs.of_compiled_options))

    def restore(self) -> None:
        """Put back what was there."""
        for undo in reversed(self._undo):
            undo()

    def _set(self, owner: Any, name: str, value: Any) -> None:
        # A method that the class only inherits is taken away again, not set.
        if name in vars(owner):
            original = vars(owner)[name]
            self._undo.append(lambda: setattr(owner, name, original))
        else:
            self._undo.append(lambda: delattr(owner, name))
        setattr(owner, name, value)

    def _runner_run(self, read: Callable[[Any], dict[str, Any]]) -> Callable[..., RunResult]:
        def run(runner: Any, pipeline: Any, run_options: Any = None, **_: Any) -> RunResult:
            # TFX's runners raise where a node fails; a script relies on not coming further.
            return self._run_and_raise(pipeline, RunOptions(**read(run_options)))

        return run

    def _engine_run(self, original: Callable[..., RunResult], *, raises: bool) -> Callable[..., RunResult]:
        def run(pipeline: Any, options: RunOptions | None = None, **internal: Any) -> RunResult:
            options = options or RunOptions()
            if self._is_running:
                return original(pipeline, options, **internal)
            return self._run_and_raise(pipeline, options) if raises else self._run(pipeline, options)

        return run

    def _run_and_raise(self, pipeline: Any, options: RunOptions) -> RunResult:
        result = self._run(pipeline, options)
        interrupts.raise_again(result.stopped_by)
        if options.raise_on_failure:
            result.raise_for_failure()
        return result

    def _run(self, pipeline: Any, options: RunOptions) -> RunResult:
        self._is_running = True
        try:
            return self._take(pipeline, options)
        finally:
            self._is_running = False
