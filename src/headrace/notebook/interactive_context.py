"""`headrace.InteractiveContext`: run one component at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from headrace.authoring import Artifact, BaseNode, Pipeline
from headrace.errors import DefinitionError, HeadraceError, RunError
from headrace.notebook import export, formatters, progress, upstream
from headrace.notebook.names import definition_name, new_name, run_call
from headrace.notebook.server import KeptWorkers
from headrace.notebook.session import Session, Step, check_not_skipped
from headrace.notebook.shell import is_notebook
from headrace.notebook.step_result import ExecutionResult
from headrace.notebook.views import Views, show_report
from headrace.orchestration import earlier_runs, process_role
from headrace.orchestration.engine import interrupts
from headrace.orchestration.engine import start as engine
from headrace.run_options import RunOptions, takes_options
from headrace.store.locks import SessionMarker
from headrace.store.open.store import DEFAULT_PATH, Store
from headrace.store.results import NodeState, RunResult
from headrace.store.session import StoreSession, open_store
from headrace.usercode import cells

if TYPE_CHECKING:
    from ml_metadata.proto.metadata_store_pb2 import ConnectionConfig

_DEFAULT_NAME = "interactive"


class InteractiveContext:
    """Runs components one at a time, in a notebook or in any Python process.

    Engine, worker processes, cache and store are those of scripts: under one pipeline name, a script finds in
    the cache what a notebook ran, and the reverse. After a restart of the kernel, the cells that are run again
    come from the cache. Functions that a cell defines can be given to components as they are.

    Args:
        pipeline_name: Name of the pipeline that the components belong to.
        pipeline_root: Where artifacts go; the store where it is left out.
        metadata_connection_config: Where metadata go; the store where it is left out.
        store: Folder of the store; `.headrace` in the working directory where it is left out.
        beam_pipeline_args: Arguments for the components' Beam pipelines.

    Example:
        >>> from headrace import InteractiveContext
        >>> from headrace.components import CsvExampleGen
        >>> context = InteractiveContext("taxi")  # doctest: +SKIP
        >>> example_gen = CsvExampleGen(input_base="data")  # doctest: +SKIP
        >>> context.run(example_gen)  # doctest: +SKIP
        >>> context.show(example_gen.outputs["examples"])  # doctest: +SKIP
    """

    def __init__(
        self,
        pipeline_name: str | None = _DEFAULT_NAME,
        pipeline_root: str | None = None,
        metadata_connection_config: ConnectionConfig | None = None,
        store: str | os.PathLike[str] | None = None,
        beam_pipeline_args: Sequence[str] | None = None,
    ) -> None:
        self.pipeline_name = pipeline_name or _DEFAULT_NAME
        self.pipeline_root = pipeline_root or ""
        self.metadata_connection_config = metadata_connection_config
        self.beam_pipeline_args = _arguments(beam_pipeline_args or ())
        self._store = Store(os.fspath(store) if store else DEFAULT_PATH, metadata_connection_config)
        self._session = Session()
        self._views = Views(self._open_store, self._store.path, self._session)
        self._workers = KeptWorkers()
        self._marker = SessionMarker(self._store)
        self._cells_path = os.path.join(self._store.path, "cells")
        cells.use_folder(self._cells_path)
        formatters.register()

    @takes_options("InteractiveContext.run")
    def run(
        self,
        component: BaseNode,
        cache: bool = True,
        beam_pipeline_args: Sequence[str] | None = None,
    ) -> ExecutionResult:
        """Run one component, on the outputs of the components that this context ran before.

        Args:
            component: A TFX or Headrace component.
            cache: Whether outputs of an earlier equal execution may be reused.
            beam_pipeline_args: Instead of those of the context.

        Returns:
            How it went. `component.outputs["key"].get()` gives the artifacts from now on.

        Raises:
            InputResolutionError: If a component upstream was not run, or its files are gone.
            HeadraceError: What stopped the component.
            KeyboardInterrupt: After an interruption, once the component has stopped.
        """
        if process_role.is_worker():
            raise earlier_runs.LeaveScript
        if not isinstance(component, BaseNode):
            raise DefinitionError(
                f"context.run takes a component, and was given a {type(component).__name__}.",
                "make it first: component = SchemaGen(...), then context.run(component).",
            )
        # Another context may have been made, or have run something, since.
        cells.use_folder(self._cells_path)
        for name, value in component.exec_properties.items():
            if isinstance(value, str):
                component.exec_properties[name] = cells.moved_here(value)
        nodes, steps, notes = self._session.plan(component)
        check_not_skipped(component, steps)
        self._check_files(component, steps)
        given = self.beam_pipeline_args if beam_pipeline_args is None else beam_pipeline_args
        arguments = _arguments(given)
        try:
            result = self._execute(component, nodes, steps, cache, arguments)
            interrupts.raise_again(result.stopped_by)
            if result.node(str(component.id)).state is NodeState.CANCELLED:
                raise RunError(f"{component.id} was stopped.", f"run it again: {run_call(component)}.")
            result.raise_for_failure()
        except HeadraceError as error:
            # Its message says all; the frames of the engine would bury it in a cell.
            raise error.with_traceback(None) from error.__cause__
        step = self._step(component, result, nodes)
        for key, channel in component.outputs.items():
            channel.set_artifacts(list(step.artifacts.get(key, ())))
        self._marker.add(str(component.id), step.run_id)
        notes = [*notes, *self._session.add(step)]
        if slower := step.result.implementation.note:
            notes.append(f"{step.result.node_id} {slower}")
        return ExecutionResult(component, step.result.execution_id, step.run_id, step.result, tuple(notes))

    def show(self, item: object, other: object = None) -> None:
        """Show what an item holds: as a page in a notebook, as text elsewhere.

        Args:
            item: An artifact, a channel such as `component.outputs["schema"]`, a list or mapping of these, a
                component, a run, or its name as `headrace show` takes it: `"latest"`, `"latest/Trainer.model"`.
            other: An artifact of the same type to compare with: the statistics or the schema of another day.

        Raises:
            InputResolutionError: If the component of a channel was not run, or the files of an artifact are
                gone, with the run that made them and how to make them again.
            DefinitionError: If `other` is given, and not one artifact is to be compared with one.
            StoreError: If there is no run or artifact of that name, or the two cannot be compared.
        """
        try:
            report = self._views.report(item, other)
        except HeadraceError as error:
            raise error.with_traceback(None) from error.__cause__
        if report is not None:
            show_report(report)
        elif is_notebook():
            from IPython.display import display

            display(item)
        else:
            print(item)

    def export(self, path: str, components: Sequence[BaseNode] | None = None) -> str:
        """Write a pipeline file that builds what this context ran; `headrace run PATH` finds it in the cache.

        Functions and components that cells define go to files beside it, named `{path}_{function}.py`.

        Args:
            path: The file to write, such as `"pipeline.py"`.
            components: Only these; else the newest of each that was run.

        Returns:
            The path.

        Raises:
            DefinitionError: If nothing was run, or an argument of a component cannot be written as Python.
        """
        cells.use_folder(self._cells_path)
        return export.write(
            path,
            components or [step.component for step in self._session.latest],
            export.PipelineArguments(
                name=self.pipeline_name,
                root=self.pipeline_root,
                metadata_connection_config=self.metadata_connection_config,
                beam_pipeline_args=tuple(self.beam_pipeline_args),
                store=self._store.given_path,
            ),
        )

    def close(self) -> None:
        """End the worker processes that wait for the next component; they also end with this process."""
        self._workers.close()

    def __repr__(self) -> str:
        ran = ", ".join(step.node_id for step in self._session.latest) or "nothing yet"
        return f"InteractiveContext(pipeline '{self.pipeline_name}', store {self._store.path}, ran: {ran})"

    def _open_store(self) -> AbstractContextManager[StoreSession]:
        return open_store(self._store.path, self.metadata_connection_config)

    def _execute(
        self,
        component: BaseNode,
        nodes: list[BaseNode],
        steps: list[Step],
        cache: bool,
        beam_pipeline_args: list[str],
    ) -> RunResult:
        options = RunOptions(store=self._store.path, only=[str(component.id)], cache=cache)
        with upstream.set_apart(nodes) as registry, progress.showing(str(component.id)) as listener:
            pipeline = Pipeline(
                self.pipeline_name,
                self.pipeline_root,
                self.metadata_connection_config,
                components=nodes,
                enable_cache=cache,
                beam_pipeline_args=beam_pipeline_args,
                dsl_context_registry=registry,
            )
            return engine.run(
                pipeline,
                options,
                display=listener,
                script=_definitions_of(component),
                command=run_call(component),
                outputs_from={
                    step.node_id: step.result.execution_id for step in steps if step.result.execution_id
                },
                pool=self._workers.for_component(component),
            )

    def _step(self, component: BaseNode, result: RunResult, nodes: Sequence[BaseNode]) -> Step:
        node = result.node(str(component.id))
        artifacts: dict[str, list[Artifact]] = {}
        if node.execution_id:
            with self._open_store() as store:
                artifacts = dict(store.outputs(node.execution_id))
        return Step(component, result.run_id, node, artifacts, tuple(nodes))

    def _check_files(self, component: BaseNode, steps: Sequence[Step]) -> None:
        direct = upstream.producers(component, self._session.find)
        for step in steps:
            if step.component in direct:
                for artifacts in step.artifacts.values():
                    for artifact in artifacts:
                        self._views.check_artifact(artifact, component)


def _arguments(given: Sequence[str]) -> list[str]:
    """One argument may stand for a list of one, as in `headrace.run`."""
    return [given] if isinstance(given, str) else list(given)


def _definitions_of(component: BaseNode) -> str:
    """The file with the definition of a component whose executor `__main__` defines; empty for others.

    Raises:
        DefinitionError: If `__main__` defines it anew since the component was made.
    """
    name = definition_name(component)
    if not name:
        return ""
    defined = vars(sys.modules["__main__"]).get(name)
    if isinstance(defined, type) and issubclass(defined, BaseNode) and type(component) is not defined:
        raise DefinitionError(
            f"{component.id}: {name} was defined again since this component was made.",
            f"make it anew, {new_name(component)} = {name}(...), then {run_call(component)}.",
        )
    return cells.keep([name], str(component.id))
