"""What `context.run` returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headrace.authoring import Artifact, BaseNode
from headrace.notebook import pages
from headrace.notebook.texts import node_line
from headrace.store.results import NodeResult
from headrace.ui.symbols import UNICODE, WORDS


@dataclass(frozen=True, repr=False)
class ExecutionResult:
    """One component's run, under the names of TFX's own `ExecutionResult`.

    Attributes:
        component: The component that was run.
        execution_id: Its execution in the store; 0 where it was skipped.
        run_id: Its run; `headrace show RUN` shows it.
        node: How it ended.
        notes: What became stale, and other things to know.
    """

    component: BaseNode
    execution_id: int
    run_id: str
    node: NodeResult
    notes: Sequence[str] = field(default=())

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The component's output channels; `.get()` of each gives its artifacts."""
        return dict(self.component.outputs)

    @property
    def artifacts(self) -> list[Artifact]:
        """All artifacts that it made or reused."""
        return [artifact for channel in self.component.outputs.values() for artifact in channel.get()]

    def __repr__(self) -> str:
        lines = [f"{self.node.node_id} {WORDS[self.node.state]} {node_line(self.node)}".rstrip()]
        lines.append(f"  run {self.run_id}, execution {self.execution_id}")
        lines += [f"  {UNICODE.warning} {note}" for note in self.notes]
        lines += [
            f"  {output.key}: {output.type_name} {output.artifact_id} at {output.uri}"
            for output in self.node.outputs
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return pages.step_page(self.node, self.run_id, self.notes)
