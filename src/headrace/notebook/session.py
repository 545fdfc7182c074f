"""What ran in one interactive session, and what became stale since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from headrace.authoring import Artifact, BaseNode
from headrace.errors import DefinitionError, InputResolutionError
from headrace.notebook import upstream
from headrace.notebook.names import run_call, shown_name
from headrace.store.results import NodeResult, NodeState


@dataclass(frozen=True)
class Step:
    """One component that was run.

    Attributes:
        component: The object that was run.
        run_id: The run.
        result: How it ended.
        artifacts: Its outputs, by output key.
        nodes: What it depended on, and itself, each after what it depends on.
    """

    component: BaseNode
    run_id: str
    result: NodeResult
    artifacts: Mapping[str, Sequence[Artifact]] = field(default_factory=dict)
    nodes: tuple[BaseNode, ...] = ()

    @property
    def node_id(self) -> str:
        """The component's id."""
        return str(self.component.id)

    def made_same(self, other: Step) -> bool:
        """Whether both gave the same artifacts."""
        return _artifact_ids(self) == _artifact_ids(other)


def _artifact_ids(step: Step) -> dict[str, list[int]]:
    return {key: [artifact.id for artifact in artifacts] for key, artifacts in step.artifacts.items()}


class Session:
    """The steps of one context, in the order in which they ran."""

    def __init__(self) -> None:
        self._by_component: dict[BaseNode, Step] = {}
        self._latest: dict[str, Step] = {}

    @property
    def latest(self) -> list[Step]:
        """The newest step of each node id, in the order in which they ran."""
        return list(self._latest.values())

    def maker_of(self, artifact_id: int) -> BaseNode | None:
        """Return the component that gave an artifact in this session."""
        for step in self._by_component.values():
            if any(artifact.id == artifact_id for made in step.artifacts.values() for artifact in made):
                return step.component
        return None

    def find(self, node_id: str) -> BaseNode | None:
        """Return the component that ran last under an id."""
        step = self._latest.get(node_id)
        return step.component if step else None

    def step_of(self, component: BaseNode) -> Step | None:
        """Return the last step of this very object."""
        return self._by_component.get(component)

    def add(self, step: Step) -> list[str]:
        """Record a step; return what became stale by it, as sentences."""
        before = self._latest.pop(step.node_id, None)
        self._by_component[step.component] = step
        self._latest[step.node_id] = step
        if before is None or before.made_same(step):
            return []
        stale = [
            other
            for other in self._latest.values()
            if other.node_id != step.node_id and any(str(node.id) == step.node_id for node in other.nodes)
        ]
        if not stale:
            return []
        listing = ", ".join(other.node_id for other in stale)
        return [f"now stale, made from the older {step.node_id}: {listing}. Run their cells again."]

    def plan(self, component: BaseNode) -> tuple[list[BaseNode], list[Step], list[str]]:
        """Return what is needed to run a component.

        Returns:
            The nodes of its pipeline, the steps whose outputs it takes, and what the reader should know.

        Raises:
            InputResolutionError: If an upstream component was not run in this session.
            DefinitionError: If it depends on two different versions of one component.
        """
        nodes = upstream.closure(component, self.find)
        needed = [node for node in nodes if node is not component]
        self._check_ran(component, needed)
        steps = self._one_for_each_id(component, [self._by_component[node] for node in needed])
        kept = [step.component for step in steps]
        return [*kept, component], steps, self._stale_notes(component, steps)

    def _check_ran(self, component: BaseNode, needed: Iterable[BaseNode]) -> None:
        missing = [node for node in needed if node not in self._by_component]
        if not missing:
            return
        others = [str(node.id) for node in missing if str(node.id) in self._latest]
        names = ", ".join(str(node.id) for node in missing)
        older = (
            f" Another {others[0]} was run, of an older cell; {component.id} is connected to the new one."
            if others
            else ""
        )
        calls = ", ".join(run_call(node) for node in [*missing, component])
        raise InputResolutionError(
            f"{component.id}: it takes outputs of {names}, which "
            f"{'was' if len(missing) == 1 else 'were'} not run in this context.{older}",
            f"run in this order: {calls}. What the store holds already comes from the cache.",
        )

    def _one_for_each_id(self, component: BaseNode, steps: Sequence[Step]) -> list[Step]:
        chosen: dict[str, Step] = {}
        for step in steps:
            other = chosen.get(step.node_id)
            if other is not None and not other.made_same(step):
                between = [
                    str(node.id)
                    for node in upstream.closure(component, self.find)
                    if self._depends_on_stale(node)
                ]
                raise DefinitionError(
                    f"{component.id}: it depends on two different versions of {step.node_id}, of runs "
                    f"{other.run_id} and {step.run_id}.",
                    f"run the cells that define and run {', '.join(dict.fromkeys(between))} again, in this order.",
                )
            if other is None or self._latest[step.node_id] is step:
                chosen[step.node_id] = step
        return list(chosen.values())

    def _depends_on_stale(self, node: BaseNode) -> bool:
        return any(
            (step := self._by_component.get(needed)) is not None
            and not self._latest[step.node_id].made_same(step)
            for needed in upstream.closure(node, self.find)
            if needed is not node
        )

    def _stale_notes(self, component: BaseNode, steps: Sequence[Step]) -> list[str]:
        stale = [step for step in steps if not self._latest[step.node_id].made_same(step)]
        return [
            f"{component.id} takes the outputs of an older {step.node_id} (run {step.run_id}); a newer one ran "
            f"in run {self._latest[step.node_id].run_id}. To use it, run the cell that defines "
            f"{shown_name(component)} again."
            for step in stale
        ]


def check_not_skipped(component: BaseNode, steps: Sequence[Step]) -> None:
    """Check that the components that `component` takes something from made something.

    Raises:
        InputResolutionError: If one was skipped, with its reason.
    """
    direct = upstream.producers(component, lambda node_id: None)
    for step in steps:
        if step.component in direct and step.result.state is NodeState.SKIPPED and step.component.outputs:
            keys = [
                key
                for key, channel in component.inputs.items()
                if step.node_id in channel.get_data_dependent_node_ids()
            ]
            declared = getattr(getattr(component, "spec", None), "INPUTS", {})
            if all(getattr(declared.get(key), "optional", False) for key in keys):
                continue
            raise InputResolutionError(
                f"{component.id}: {step.node_id} was skipped in run {step.run_id} and made nothing: "
                f"{step.result.reason}.",
                f"change what made it skip, then: {run_call(step.component)}, {run_call(component)}.",
            )
