"""Two runs beside each other: settings, code, inputs, states, timings, and which payloads to compare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from headrace.store import records
from headrace.store.open.store import Store
from headrace.store.read import graph
from headrace.store.read.differences import Difference, Ingredients, compare
from headrace.store.read.executions import INGREDIENTS_PROPERTY
from headrace.store.read.run_records import read_run
from headrace.store.read.source_texts import SourceTexts
from headrace.store.records import Json
from headrace.store.results import NodeResult, NodeState, RunResult

# What a run records of itself that says how it was started, not what it computed.
_SETTINGS = ("command", "folder", "python", "git", "packages", "configuration")


@dataclass(frozen=True)
class SettingChange:
    """Something that a run recorded of itself and that differs; `None` where it was not there."""

    name: str
    old: Json
    new: Json


@dataclass(frozen=True)
class PayloadPair:
    """An artifact of each run, of the same node and key, whose contents differ: where it lies, and its id."""

    node_id: str
    key: str
    type_name: str
    old_uri: str
    new_uri: str
    old_id: int
    new_id: int


@dataclass(frozen=True)
class NodeComparison:
    """A node in both runs; its state is `None` in a run that does not have it.

    Attributes:
        node_id: The node.
        old_state, new_state: How it ended.
        old_seconds, new_seconds: How long it took.
        differences: What its outputs depend on and differs.
        is_equal: Whether its outputs hold the same; `None` where one run made none.
    """

    node_id: str
    old_state: NodeState | None
    new_state: NodeState | None
    old_seconds: float
    new_seconds: float
    differences: tuple[Difference, ...]
    is_equal: bool | None


@dataclass(frozen=True)
class RunComparison:
    """Two runs beside each other.

    Attributes:
        old: The first run.
        new: The second run.
        settings: What differs in how they were started.
        nodes: Every node of either, in the second run's order.
        payloads: Artifacts whose contents differ.
    """

    old: RunResult
    new: RunResult
    settings: tuple[SettingChange, ...]
    nodes: tuple[NodeComparison, ...]
    payloads: tuple[PayloadPair, ...]


def compare_runs(store: Store, old: str, new: str) -> RunComparison:
    """Compare two runs.

    Args:
        store: The open store.
        old: The first run, or `"latest"`.
        new: The second run, or `"latest"`.

    Raises:
        StoreError: If there is no such run.
    """
    first, second = read_run(store, old), read_run(store, new)
    with store.handle() as handle:
        sides = (_Side(handle, first), _Side(handle, second))
    read_text = SourceTexts(store).read
    ids = dict.fromkeys([node.node_id for node in (*second.nodes, *first.nodes)])
    return RunComparison(
        old=first,
        new=second,
        settings=tuple(_setting_changes(first.details, second.details)),
        nodes=tuple(_compare_node(node_id, *sides, read_text) for node_id in ids),
        payloads=tuple(pair for node_id in ids for pair in _payload_pairs(node_id, *sides)),
    )


class _Side:
    """One run with what its nodes' outputs hold and depend on."""

    def __init__(self, handle: Any, result: RunResult) -> None:
        self.nodes = {node.node_id: node for node in result.nodes}
        artifact_ids = {output.artifact_id for node in result.nodes for output in node.outputs}
        self.artifacts = graph.read_artifacts(handle, artifact_ids)
        self._origins = graph.origins(graph.links_of_artifacts(handle, artifact_ids))
        own = {node.execution_id for node in result.nodes if node.execution_id}
        wanted = own | {link.execution_id for link in self._origins.values()}
        self._executions = {
            execution.id: execution for execution in handle.store.get_executions_by_id(sorted(wanted))
        }

    def ingredients(self, node_id: str) -> Ingredients:
        """What the node's outputs depend on; of a cached node what the execution that made them recorded."""
        node = self.nodes.get(node_id)
        if node is None:
            return {}
        makers = [node.execution_id]
        makers += [
            self._origins[output.artifact_id].execution_id
            for output in node.outputs
            if output.artifact_id in self._origins
        ]
        for execution_id in makers:
            execution = self._executions.get(execution_id)
            if execution is not None and INGREDIENTS_PROPERTY in execution.custom_properties:
                return records.parse_ingredients(
                    execution.custom_properties[INGREDIENTS_PROPERTY].string_value
                )
        return {}

    def contents(self, node_id: str) -> dict[str, list[str]]:
        """The digests of the node's outputs by key; for artifacts of another runner their ids stand in."""
        node = self.nodes.get(node_id)
        found: dict[str, list[str]] = {}
        for output in node.outputs if node else ():
            artifact = self.artifacts.get(output.artifact_id)
            digest = artifact.digest if artifact else ""
            found.setdefault(output.key, []).append(digest or f"artifact {output.artifact_id}")
        return found


def _compare_node(node_id: str, old: _Side, new: _Side, read_text: Any) -> NodeComparison:
    before, after = old.nodes.get(node_id), new.nodes.get(node_id)
    first, second = old.ingredients(node_id), new.ingredients(node_id)
    contents = old.contents(node_id), new.contents(node_id)
    return NodeComparison(
        node_id=node_id,
        old_state=before.state if before else None,
        new_state=after.state if after else None,
        old_seconds=before.seconds if before else 0.0,
        new_seconds=after.seconds if after else 0.0,
        differences=tuple(compare(first, second, read_text)) if first and second else (),
        is_equal=contents[0] == contents[1] if all(contents) else None,
    )


def _payload_pairs(node_id: str, old: _Side, new: _Side) -> Iterator[PayloadPair]:
    before, after = old.contents(node_id), new.contents(node_id)
    for output in _outputs(new.nodes.get(node_id)):
        earlier = [o for o in _outputs(old.nodes.get(node_id)) if o.key == output.key]
        if earlier and before.get(output.key) != after.get(output.key):
            first = earlier[0]
            yield PayloadPair(
                node_id,
                output.key,
                output.type_name,
                first.uri,
                output.uri,
                first.artifact_id,
                output.artifact_id,
            )


def _outputs(node: NodeResult | None) -> list[Any]:
    """The first output of each key."""
    return list({output.key: output for output in reversed(node.outputs)}.values()) if node else []


def _setting_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[SettingChange]:
    for name in _SETTINGS:
        first = _flat(name, old.get(name))
        second = _flat(name, new.get(name))
        for key in dict.fromkeys([*first, *second]):
            if first.get(key) != second.get(key):
                yield SettingChange(key, first.get(key), second.get(key))


def _flat(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {} if value is None else {name: value}
    return {
        key: item for inner, below in value.items() for key, item in _flat(f"{name}.{inner}", below).items()
    }
