"""How a run and its nodes went: what the engine returns, the store keeps and people see."""

from __future__ import annotations

import enum
import warnings
from dataclasses import dataclass, field

from headrace.errors import HeadraceError, RunError, UnknownNodeError, did_you_mean, listed
from headrace.runtime.implementation import NOT_RECORDED, Implementation


class NodeState(str, enum.Enum):
    """Where a node is in its life within one run."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    CACHED = "cached"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    NOT_SELECTED = "not selected"


@dataclass(frozen=True)
class OutputRecord:
    """One artifact that a node made or reused.

    Attributes:
        key: Output key, such as `"examples"`.
        type_name: Artifact type, such as `"Examples"`.
        artifact_id: Id in the store.
        uri: Folder of the payload.
        summary: One line on what it holds; empty where its executor recorded none.
    """

    key: str
    type_name: str
    artifact_id: int
    uri: str
    summary: str = ""


@dataclass(frozen=True)
class NodeResult:
    """How one node of a run ended.

    Attributes:
        node_id: Node id.
        state: `DONE`, `CACHED`, `FAILED`, `SKIPPED` or `CANCELLED`; `NOT_SELECTED` where a partial run left it out,
            with the outputs of an earlier run where it has them; `WAITING` and `RUNNING` in a plan or snapshot.
        seconds: Wall time from driver to publisher; 0 where nothing ran.
        reason: Why it was cached, skipped or failed, as a sentence; may be empty.
        outputs: The artifacts, by output key.
        error: What stopped it; only where `state` is `FAILED`.
        log_path: The node's log file; empty where nothing ran.
        execution_id: Execution in the store; 0 where none was recorded.
        is_optional: Whether the run succeeds without it: TFX's `success_optional`.
        implementation: What did the work, of a cached node in the execution that it reuses.
    """

    node_id: str
    state: NodeState
    seconds: float = 0.0
    reason: str = ""
    outputs: tuple[OutputRecord, ...] = ()
    error: HeadraceError | None = None
    log_path: str = ""
    execution_id: int = 0
    is_optional: bool = False
    implementation: Implementation = NOT_RECORDED

    @property
    def is_failure(self) -> bool:
        """Whether it failed and the run needs it."""
        return self.state is NodeState.FAILED and not self.is_optional


@dataclass(frozen=True, repr=False)
class RunResult:
    """How a run ended.

    Attributes:
        run_id: The run's id, as MLMD's `pipeline_run` context names it.
        pipeline_name: The pipeline.
        nodes: One result for each node, in topological order.
        seconds: Wall time of the run.
        store_path: The folder or connection that holds metadata and artifacts.
        details: What is recorded of how it was started, such as `command`, `configuration`, `folder`, `packages`.
        resume_command: What to type to go on with it; empty where nothing can be typed.
        stopped_by: Number of the signal that stopped it; 0 where none did.
        is_plan: Whether it only says what a run would do: `WAITING` nodes would execute.
    """

    run_id: str
    pipeline_name: str
    nodes: tuple[NodeResult, ...]
    seconds: float
    store_path: str
    details: dict[str, object] = field(default_factory=dict)
    resume_command: str = ""
    stopped_by: int = 0
    is_plan: bool = False

    @property
    def parameters(self) -> dict[str, object]:
        """The former name of `details`."""
        warnings.warn(
            "RunResult.parameters is called RunResult.details now.", DeprecationWarning, stacklevel=2
        )
        return self.details

    @property
    def failed(self) -> tuple[NodeResult, ...]:
        """The nodes that failed and that the run needs."""
        return tuple(node for node in self.nodes if node.is_failure)

    @property
    def is_success(self) -> bool:
        """Whether the run did its work: nothing failed, and nothing was cancelled or left unfinished."""
        undone = {NodeState.CANCELLED}
        if not self.is_plan:
            undone |= {NodeState.WAITING, NodeState.RUNNING}
        return not any(node.is_failure or node.state in undone for node in self.nodes)

    def node(self, node_id: str) -> NodeResult:
        """Return the result of one node.

        Raises:
            UnknownNodeError: If the run has no such node, naming those it has.
        """
        for node in self.nodes:
            if node.node_id == node_id:
                return node
        known = [node.node_id for node in self.nodes]
        raise UnknownNodeError(
            f"run {self.run_id} has no node '{node_id}'. It has {listed(known)}.",
            f"{did_you_mean(node_id, known)}Correct the name.",
        )

    def __repr__(self) -> str:
        lines = [f"{self.pipeline_name} run {self.run_id}, {self.seconds:.1f} s"]
        return "\n".join([*lines, *[f"  {node.node_id}: {node.state.value}" for node in self.nodes]])

    def raise_for_failure(self) -> None:
        """Raise what stopped the run, if anything did.

        Raises:
            HeadraceError: The first failed node's error, with the path of its log and the names of others that
                failed; `RunError` where the run was cancelled or never ended.
        """
        for node in self.failed:
            error = node.error or RunError(f"{node.node_id} failed.", "read its log")
            others = [other.node_id for other in self.failed if other is not node]
            notes = [f"Log: {node.log_path}"] if node.log_path and node.log_path not in str(error) else []
            notes += [f"Also failed: {', '.join(others)}"] if others else []
            if not notes:
                raise error
            # A copy: who shows the node's own error shows its log beside it.
            fix = "\n  ".join([error.fix, *notes]) if error.fix else "\n  ".join(notes)
            raise type(error)(error.problem, fix) from error.__cause__
        if not self.is_success:
            is_cancelled = any(node.state is NodeState.CANCELLED for node in self.nodes)
            raise RunError(
                f"run {self.run_id} {'was cancelled' if is_cancelled else 'did not end'}.",
                f"run: {self.resume_command}" if self.resume_command else "start it again.",
            )
