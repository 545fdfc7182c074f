"""What `context.show` shows: the report on an item."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
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
from headrace.store.results import NodeResult, NodeState, RunResult
from headrace.store.session import StoreSession, is_intact, open_store
from headrace.ui.screen import VisibleConsole, open_screen
from headrace.ui.units import plural

_TEXT_COLUMNS = 110

OpenStore = Callable[[], AbstractContextManager[StoreSession]]


class Views:
    """The reports on the items of one session.

    Args:
        open_own: Opens the session's store.
        store_path: Where that is.
        session: What was run.
    """

    def __init__(self, open_own: OpenStore, store_path: str, session: Session) -> None:
        self._open_own = open_own
        self._store_path = store_path
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
        if other is not None and isinstance(item, (RunResult, ExecutionResult, BaseNode)):
            raise _not_one_artifact("a run or a component")
        if isinstance(item, str):
            return self._named(item, other)
        if isinstance(item, RunResult):
            is_own = item.store_path == self._store_path
            with self._open_own() if is_own else open_store(item.store_path) as store:
                return run_report(store, item.run_id)
        if isinstance(item, ExecutionResult):
            return self._executed(item.component, item.node, item.run_id)
        if isinstance(item, BaseNode):
            return self._component(item)
        if not _is_shown(item):
            return None
        found = list(self._artifacts(item))
        if other is not None and len(found) != 1:
            raise _not_one_artifact(plural(len(found), "artifact"))
        for artifact in found:
            self.check_artifact(artifact)
        name = self._name_of(other)
        if found:
            with self._open_own() as store:
                if len(found) == 1:
                    return artifact_report(store, str(found[0].id), name)
                return artifacts_report(store, [artifact.id for artifact in found])
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
                f"{where}this {artifact.type_name} is not in the store {self._store_path}.",
                "show what a component of this context made, such as context.show(component.outputs['key']).",
            )
        if is_intact(artifact):
            return
        with self._open_own() as store:
            subject = store.subject(artifact.id)
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

    def _named(self, name: str, other: Any) -> Report:
        """The report on an artifact or a run that is named as `headrace show` takes it."""
        with self._open_own() as store:
            if store.names_artifact(name):
                return artifact_report(store, name, self._name_of(other))
            if other is not None:
                raise _not_one_artifact("a run or a component")
            return run_report(store, name)

    def _executed(self, component: BaseNode, result: NodeResult, run_id: str) -> Report:
        with self._open_own() as store:
            return component_report(store, component, result, run_id)

    def _component(self, component: BaseNode) -> Report:
        step = self._session.step_of(component)
        if step is not None:
            return self._executed(component, step.result, step.run_id)
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
