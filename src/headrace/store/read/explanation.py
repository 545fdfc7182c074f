"""Why a node of a run was served from the cache, or was not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from headrace.runtime.implementation import NOT_RECORDED, Implementation
from headrace.store import records
from headrace.store.open.store import Store
from headrace.store.read import graph, queries
from headrace.store.read.differences import CACHE_OFF, UNKNOWN, Difference, Ingredients, compare, num_equal
from headrace.store.read.executions import (
    COMPLETE,
    INGREDIENTS_PROPERTY,
    NODE_CONTEXT_TYPE,
    outputs_of,
    trouble_with,
)
from headrace.store.read.queries import Condition
from headrace.store.read.run_records import read_run
from headrace.store.read.source_texts import SourceTexts
from headrace.store.records import Json
from headrace.store.results import NodeResult, NodeState, RunResult

# How many earlier executions are compared to find the nearest.
_CANDIDATES = 50


@dataclass(frozen=True)
class Explanation:
    """Why a node ran, or did not.

    Attributes:
        run_id: The run.
        node_id: The node.
        state: How the node ended.
        outcome: `"hit"`, `"miss"`, `"first"` (nothing to compare with), `"off"` (the cache was off), `"unknown"`
            (what it depends on cannot be read) or `"none"` (the cache was not asked).
        text: The reason, as one sentence.
        compared_run: The run of the earlier execution; empty where there is none.
        compared_execution: That execution; 0 where there is none.
        differences: What caused the miss.
        implementation: What did the node's work.
    """

    run_id: str
    node_id: str
    state: NodeState
    outcome: str
    text: str
    compared_run: str = ""
    compared_execution: int = 0
    differences: tuple[Difference, ...] = ()
    implementation: Implementation = NOT_RECORDED


def explain(store: Store, run_id: str, node_id: str) -> Explanation:
    """Say why a node of a run was or was not served from the cache.

    Args:
        store: The open store.
        run_id: The run, or `"latest"`.
        node_id: The node.

    Raises:
        StoreError: If there is no such run.
        UnknownNodeError: If the run has no such node.
    """
    result = read_run(store, run_id)
    node = result.node(node_id)
    explanation = _Explainer(store, result, node).explain()
    return replace(explanation, implementation=node.implementation)


class _Explainer:
    """One node of one run in an open store."""

    def __init__(self, store: Store, result: RunResult, node: NodeResult) -> None:
        self._store = store
        self._result = result
        self._node = node

    def explain(self) -> Explanation:
        state, reason = self._node.state, self._node.reason
        if state is NodeState.CACHED:
            return self._hit()
        if state in (NodeState.DONE, NodeState.FAILED) and self._node.execution_id:
            return self._miss()
        if state is NodeState.NOT_SELECTED:
            return self._say("none", f"this run left it out{f'; {reason}' if reason else ''}.")
        if state is NodeState.FAILED:
            first = reason.splitlines()[0] if reason else "it failed before the cache was asked."
            return self._say("none", f"the cache was not asked: {first}")
        return self._say("none", reason or f"it is {state.value}: the cache was not asked.")

    def _say(self, outcome: str, text: str, **more: Any) -> Explanation:
        return Explanation(self._result.run_id, self._node.node_id, self._node.state, outcome, text, **more)

    def _hit(self) -> Explanation:
        with self._store.handle() as handle:
            ids = {output.artifact_id for output in self._node.outputs}
            found = graph.origins(graph.links_of_artifacts(handle, ids))
            made = max((link.execution_id for link in found.values()), default=0)
            origin = graph.read_places(handle, {made}).get(made) if made else None
        reason = self._node.reason or "its outputs were made before"
        where = f" (execution {made})" if made else ""
        run_id = origin.run_id if origin else ""
        by = f"; made by run {run_id}{where}" if run_id and run_id not in reason else where
        return self._say("hit", f"{reason}{by}.", compared_run=run_id, compared_execution=made)

    def _miss(self) -> Explanation:
        with self._store.handle() as handle:
            [execution] = handle.store.get_executions_by_id([self._node.execution_id])
        mine = _ingredients(execution)
        if mine is None:
            return self._say("none", "nothing about the cache was recorded: it has no part in this node.")
        if mine.get(CACHE_OFF):
            return self._say("off", f"the cache was switched off {self._switch(mine[CACHE_OFF])}.")
        if mine.get(UNKNOWN):
            what = ", ".join(mine[UNKNOWN])
            return self._say(
                "unknown", f"nothing on this machine says what its {what} holds now, so it runs each time."
            )
        nearest = self._nearest(execution.id, mine)
        if nearest is None:
            return self._say("first", "this node never ran to its end before: there was nothing to reuse.")
        other, theirs = nearest
        with self._store.handle() as handle:
            run_id = graph.read_places(handle, {other.id})[other.id].run_id
        found = compare(theirs, mine, SourceTexts(self._store).read)
        compared: dict[str, Any] = {"compared_run": run_id, "compared_execution": other.id}
        if not found:
            return self._say("miss", self._why_unusable(other.id, run_id), **compared)
        noted = _Inputs(self._store, self._result, other.id, execution.id).note(found)
        text = f"compared with its nearest earlier execution, in run {run_id} (execution {other.id})."
        return self._say("miss", text, differences=tuple(noted), **compared)

    def _switch(self, recorded: object) -> str:
        if isinstance(recorded, str):
            return recorded
        # As 0.1.0 recorded it: that it was off, and not by whom.
        configuration = self._result.details.get("configuration")
        is_run = isinstance(configuration, dict) and configuration.get("cache") is False
        return "for this run" if is_run else "for this node, by the pipeline"

    def _nearest(self, execution_id: int, mine: Ingredients) -> tuple[Any, Ingredients] | None:
        """The earlier execution that shares the most with this one; of equals the newest."""
        name = f"{self._result.pipeline_name}.{self._node.node_id}"
        with self._store.handle() as handle:
            context = handle.store.get_context_by_type_and_name(NODE_CONTEXT_TYPE, name)
        if context is None:
            return None
        condition = Condition(states=COMPLETE, context_ids=(context.id,), before_id=execution_id)
        best: tuple[int, Any, Ingredients] | None = None
        candidates = queries.executions(queries.reader_of(self._store), condition, _CANDIDATES)
        for _, execution in zip(range(_CANDIDATES), candidates):
            theirs = _ingredients(execution)
            if theirs is None:
                continue
            equal = num_equal(theirs, mine)
            if best is None or equal > best[0]:
                best = (equal, execution, theirs)
        return best[1:] if best is not None else None

    def _why_unusable(self, execution_id: int, run_id: str) -> str:
        outputs = [a for artifacts in outputs_of(self._store, execution_id).values() for a in artifacts]
        troubles = [trouble for artifact in outputs if (trouble := trouble_with(artifact))]
        if troubles:
            return f"run {run_id} made the same (execution {execution_id}), but {troubles[0]}."
        return f"run {run_id} made the same (execution {execution_id}) at the same time."


class _Inputs:
    """Says of changed inputs what they are and who made them."""

    def __init__(self, store: Store, result: RunResult, old: int, new: int) -> None:
        self._result = result
        with store.handle() as handle:
            links = graph.links_of_executions(handle, {old, new})
            inputs = [link for link in links if not link.is_output]
            self._old = [link for link in inputs if link.execution_id == old]
            self._new = [link for link in inputs if link.execution_id == new]
            ids = {link.artifact_id for link in inputs}
            self._origins = graph.origins(graph.links_of_artifacts(handle, ids))
            makers = {link.execution_id for link in self._origins.values()}
            self._places = graph.read_places(handle, makers)
            self._artifacts = graph.read_artifacts(handle, ids)

    def note(self, differences: Sequence[Difference]) -> list[Difference]:
        """Add to each changed input the artifacts before and now, and why they differ."""
        return [self._noted(item) if item.kind == "input" else item for item in differences]

    def _noted(self, difference: Difference) -> Difference:
        before = self._described(self._old, difference.name)
        now = self._described(self._new, difference.name)
        note = "; ".join(dict.fromkeys(self._why(link) for link in self._of(self._new, difference.name)))
        return replace(difference, old=before, new=now, note=note)

    def _of(self, links: list[graph.Link], key: str) -> list[graph.Link]:
        return sorted((link for link in links if link.key == key), key=lambda link: link.index)

    def _described(self, links: list[graph.Link], key: str) -> list[Json]:
        return [
            {
                "artifact_id": link.artifact_id,
                "uri": self._artifacts[link.artifact_id].uri,
                "node_id": self._place(link.artifact_id).node_id,
                "run_id": self._place(link.artifact_id).run_id,
            }
            for link in self._of(links, key)
        ]

    def _place(self, artifact_id: int) -> graph.Place:
        origin = self._origins.get(artifact_id)
        return self._places[origin.execution_id] if origin else graph.Place()

    def _why(self, link: graph.Link) -> str:
        place = self._place(link.artifact_id)
        states = {node.node_id: node.state for node in self._result.nodes}
        if place.node_id not in states:
            return "made outside of this run"
        if place.run_id == self._result.run_id:
            return f"{place.node_id} ran again and made other content"
        return f"{place.node_id} took what run {place.run_id} made"


def _ingredients(execution: Any) -> Ingredients | None:
    """What an execution's outputs depended on; `None` where it was not recorded."""
    text = execution.custom_properties[INGREDIENTS_PROPERTY].string_value
    return records.parse_ingredients(text) or None
