"""What `context.show` shows: the report on an item."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import Any

from headrace.authoring import Artifact, BaseChannel, BaseNode
from headrace.authoring.descriptions import describe_source
from headrace.errors import DefinitionError, HeadraceError, InputResolutionError
from headrace.notebook.names import run_call
from headrace.notebook.session import Session
from headrace.notebook.shell import is_notebook
from headrace.notebook.step_result import ExecutionResult
from headrace.reports.artifacts.page import artifact_report, artifacts_report
from headrace.reports.blocks.blocks import Note, Report
from headrace.reports.blocks.pages import render_cell
from headrace.reports.blocks.texts import print_report
from headrace.reports.runs.components import component_report, declared_report
from headrace.reports.runs.page import run_report
from headrace.store.open.store import Store
from headrace.store.read import executions
from headrace.store.read.lineage import names_artifact
from headrace.store.read.runs import read_run
from headrace.store.read.subjects import read_subject
from headrace.store.results import NodeState, RunResult
from headrace.ui.screen import VisibleConsole, open_screen
from headrace.ui.units import plural

_TEXT_COLUMNS = 110


class Views:
    """The reports on the items of one session."""

    def __init__(self, store: Store, session: Session) -> None:
        self._store = store
        self._session = session

    def report(self, item: Any, other: Any = None) -> Report | None:
        """Return the report on an item; `None` for one that is no part of a pipeline.

        Args:
            item: As in `InteractiveContext.show`.
            other: An artifact, or what holds one, to compare with.

        Raises:
            InputResolutionError: If a component was not run, files are gone, or an artifact is not in the store.
            DefinitionError: If `other` is given, and not one artifact is to be compared with one.
            StoreError: If there is no run or artifact of that name, or the two cannot be compared.
        """
        is_run = isinstance(item, str) and not names_artifact(self._store, item)
        if other is not None and (is_run or isinstance(item, (RunResult, ExecutionResult, BaseNode))):
            raise _not_one_artifact("a run or a component")
        if is_run:
            return run_report(self._store, read_run(self._store, item).run_id)
        if isinstance(item, RunResult):
            is_own = item.store_path == self._store.path
            return run_report(self._store if is_own else item.store_path, item.run_id)
        if isinstance(item, ExecutionResult):
            return component_report(self._store, item.component, item.node, item.run_id)
        if isinstance(item, BaseNode):
            return self._component(item)
        if isinstance(item, str):
            return artifact_report(self._store, item, self._name_of(other))
        if not _is_shown(item):
            return None
        found = list(self._artifacts(item))
        if other is not None and len(found) != 1:
            raise _not_one_artifact(plural(len(found), "artifact"))
        for artifact in found:
            self.check_artifact(artifact)
        if len(found) == 1:
            return artifact_report(self._store, str(found[0].id), self._name_of(other))
        if found:
            return artifacts_report(self._store, [artifact.id for artifact in found])
        return Report("No artifacts", "", [Note(self._why_nothing(item), "info")])

    def check_artifact(self, artifact: Artifact, consumer: BaseNode | None = None) -> None:
        """Check that an artifact is in the store and its files are there.

        Args:
            artifact: The artifact.
            consumer: The component that wants to read it.

        Raises:
            InputResolutionError: If not, with the run that made it and how to make it again.
        """
        where = f"{consumer.id}: " if consumer is not None else ""
        if not artifact.id:
            raise InputResolutionError(
                f"{where}this {artifact.type_name} is not in the store {self._store.path}.",
                "show what a component of this context made, such as context.show(component.outputs['key']).",
            )
        if executions.is_intact(artifact):
            return
        subject = read_subject(self._store, artifact.id)
        place = subject.place
        maker = self._session.maker_of(artifact.id)
        calls = [run_call(node) for node in (maker, consumer) if node is not None]
        again = f"run {place.node_id} again, as that run did: {subject.command}" if subject.command else ""
        raise InputResolutionError(
            f"{where}the files of {artifact.type_name} {artifact.id} are gone: there is no {artifact.uri}. "
            f"{f'Run {place.run_id} made them.' if place.run_id else 'No run is known that made them.'}",
            f"make them again: {', then '.join(calls)}."
            if maker is not None
            else again or "run the component that made them again.",
        )

    def _component(self, component: BaseNode) -> Report:
        step = self._session.step_of(component)
        if step is not None:
            return component_report(self._store, component, step.result, step.run_id)
        try:
            self._session.plan(component)
        except HeadraceError as error:
            return declared_report(component, Note(error.problem, "warning", error.fix))
        return declared_report(
            component, Note("Not run in this context.", "info", f"Run it: {run_call(component)}")
        )

    def _artifacts(self, item: Any) -> Iterable[Artifact]:
        """Yield the artifacts of an item, and of what is in it."""
        if isinstance(item, Artifact):
            yield item
        elif isinstance(item, BaseChannel):
            yield from self._held(item)
        else:
            for part in item.values() if isinstance(item, Mapping) else item:
                yield from self._artifacts(part)

    def _held(self, channel: Any) -> Iterable[Artifact]:
        if hasattr(channel, "channels"):
            return [artifact for part in channel.channels for artifact in self._held(part)]
        producer = getattr(channel, "producer_component", None)
        if producer is None:
            raise InputResolutionError(
                f"there is nothing to show: {describe_source(channel)} is resolved when a component takes it.",
                "show the artifacts, or the outputs of a component that was run.",
            )
        step = self._session.step_of(producer)
        if step is None:
            # Says what else must run first, where something must.
            self._session.plan(producer)
            raise InputResolutionError(
                f"there is nothing to show: {producer.id} was not run in this context.",
                f"run it first: {run_call(producer)}.",
            )
        return [] if step.result.state is NodeState.SKIPPED else list(channel.get())

    def _why_nothing(self, item: Any) -> str:
        producer = getattr(item, "producer_component", None)
        step = self._session.step_of(producer) if producer is not None else None
        if step is None:
            return "There are no artifacts in it."
        if step.result.state is NodeState.SKIPPED:
            return f"{step.node_id} was skipped and made nothing: {step.result.reason}."
        return f"{step.node_id} made no artifact here."

    def _name_of(self, other: Any) -> str:
        """Return the name of the one artifact that is compared with; empty for none."""
        if other is None or isinstance(other, str):
            return other or ""
        found = list(self._artifacts(other))
        if len(found) != 1:
            raise _not_one_artifact(plural(len(found), "artifact"))
        self.check_artifact(found[0])
        return str(found[0].id)


def _not_one_artifact(given: str) -> DefinitionError:
    return DefinitionError(
        f"one artifact is compared with one other; given: {given}.",
        "give one of each, such as context.show(component.outputs['key'], other=earlier.outputs['key']).",
    )


def _is_shown(item: Any) -> bool:
    if isinstance(item, Mapping):
        return bool(item) and all(_is_shown(value) for value in item.values())
    if isinstance(item, (list, tuple)):
        return bool(item) and all(_is_shown(value) for value in item)
    return isinstance(item, (Artifact, BaseChannel))


def show_report(report: Report) -> None:
    """Show a report in the running cell of a notebook; print it elsewhere."""
    if not is_notebook():
        print_report(open_screen().console, report)
        return
    from IPython.display import display

    text = _text(report)
    display({"text/plain": text, "text/html": render_cell(report, text)}, raw=True)


def _text(report: Report) -> str:
    file = io.StringIO()
    # Rich would else notice the notebook, and show what it writes by itself.
    console = VisibleConsole(
        file=file, width=_TEXT_COLUMNS, force_jupyter=False, highlight=False, markup=False, emoji=False
    )
    print_report(console, report)
    return file.getvalue()
