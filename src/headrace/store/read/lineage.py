"""Where an artifact came from and what was made of it, as trees."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from headrace.errors import StoreError, did_you_mean, listed
from headrace.store.open.store import Store
from headrace.store.read import graph, queries
from headrace.store.read.artifacts import ArtifactInfo
from headrace.store.read.graph import Link, Place
from headrace.store.read.queries import Condition
from headrace.store.read.run_records import is_known, read_run

# Of an artifact that there is not: how many are named. MLMD's ids have 64 bits.
_MAX_NAMED = 5
_MAX_DIGITS = 18
# Executions that are looked through for those that used an artifact first-hand, newest first.
_MAX_CONSUMERS = 500


@dataclass(frozen=True)
class ArtifactNode:
    """An artifact in a tree.

    Attributes:
        artifact: What is told of it.
        key: The key under which the execution above it in the tree has it; empty at the root.
        executions: Upwards the one that made it; downwards those that used it and made something of it.
        is_repeated: Whether it stands elsewhere in the tree with what follows from it.
        num_hidden: Executions that used it and are left out.
    """

    artifact: ArtifactInfo
    key: str = ""
    executions: tuple[ExecutionNode, ...] = ()
    is_repeated: bool = False
    num_hidden: int = 0


@dataclass(frozen=True)
class ExecutionNode:
    """An execution in a tree: upwards with its inputs, downwards with its outputs."""

    execution_id: int
    place: Place
    artifacts: tuple[ArtifactNode, ...] = ()


@dataclass(frozen=True)
class Lineage:
    """The lineage of one artifact; a direction that was not asked for is `None`."""

    artifact: ArtifactInfo
    up: ArtifactNode | None
    down: ArtifactNode | None


def read_lineage(
    store: Store, artifact: str, *, up: bool = True, down: bool = True, depth: int = 0, limit: int = 20
) -> Lineage:
    """Return the lineage of an artifact.

    Args:
        store: The open store.
        artifact: Its id, its URI, or `RUN/NODE.key`.
        up: Whether to follow what it was made of.
        down: Whether to follow what was made of it.
        depth: Generations to follow; 0 for all.
        limit: How many executions below an artifact are followed, the newest.

    Raises:
        StoreError: If there is no such run or artifact.
        UnknownNodeError: If the run has no such node.
    """
    artifact_id = find_artifact(store, artifact)
    with store.handle() as handle:
        upward = _Walk(handle, limit).up(artifact_id, depth) if up else None
        downward = _Walk(handle, limit).down(artifact_id, depth) if down else None
        root = graph.read_artifacts(handle, {artifact_id})[artifact_id]
    return Lineage(root, upward, downward)


def find_artifact(store: Store, text: str) -> int:
    """Return the id of the artifact that `text` names: an id, a URI, or `RUN/NODE.key`.

    Raises:
        StoreError: If there is none; the message names the newest.
        UnknownNodeError: If the run has no such node.
    """
    with store.handle() as handle:
        if text.isdigit():
            if len(text) <= _MAX_DIGITS and handle.store.get_artifacts_by_id([int(text)]):
                return int(text)
        else:
            for uri in dict.fromkeys((text, text.rstrip("/"), os.path.abspath(text))):
                found = handle.store.get_artifacts_by_uri(uri)
                if found:
                    return int(max(artifact.id for artifact in found))
    run_id, slash, output = text.partition("/")
    if run_id and slash and "/" not in output and not text.endswith("/"):
        return _output_of_run(store, run_id, output)
    protos = queries.artifacts(queries.reader_of(store), Condition(), _MAX_NAMED)
    newest = [f"{proto.type} {proto.id}" for proto in itertools.islice(protos, _MAX_NAMED)]
    known = f"Its newest are {', '.join(newest)}." if newest else "It has none."
    raise StoreError(
        f"the store {store.path} has no artifact '{text}'. {known}",
        "give an id or a path from headrace artifacts, or RUN/NODE.key, such as latest/Trainer.model.",
    )


def names_artifact(store: Store, text: str) -> bool:
    """Whether `text` names an artifact in one of the ways that `find_artifact` knows, and is no run's id."""
    return (text.isdigit() or "/" in text) and not is_known(store, text)


def _output_of_run(store: Store, run_id: str, text: str) -> int:
    result = read_run(store, run_id)
    named = {node.node_id for node in result.nodes}
    node_id, _, key = (text, "", "") if text in named else text.rpartition(".")
    node = result.node(node_id or text)
    known = list(dict.fromkeys(output.key for output in node.outputs))
    if not key and len(known) == 1:
        key = known[0]
    for output in node.outputs:
        if output.key == key:
            return output.artifact_id
    lack = f"has no output '{key}'. It has" if key or not known else "has several outputs:"
    raise StoreError(
        f"{node.node_id} of run {result.run_id} {lack} {listed(known)}.",
        f"{did_you_mean(key, known)}Write RUN/NODE.key.",
    )


@dataclass
class _Walk:
    """One walk along the lineage: read a generation at a time, then put together."""

    handle: Any
    limit: int
    links: dict[int, list[Link]] = field(default_factory=dict)
    below: dict[int, list[Link]] = field(default_factory=dict)
    hidden: dict[int, int] = field(default_factory=dict)
    artifacts: dict[int, ArtifactInfo] = field(default_factory=dict)
    places: dict[int, Place] = field(default_factory=dict)
    shown: set[int] = field(default_factory=set)

    def up(self, artifact_id: int, depth: int) -> ArtifactNode:
        """Follow what an artifact was made of."""
        self._read({artifact_id}, depth, self._makers, is_output=False)
        return self._tree(artifact_id, "")

    def down(self, artifact_id: int, depth: int) -> ArtifactNode:
        """Follow what was made of an artifact."""
        self._read({artifact_id}, depth, self._users, is_output=True)
        return self._tree(artifact_id, "")

    def _read(self, level: set[int], depth: int, step: Any, is_output: bool) -> None:
        """Fill `links` (artifact to executions) and `below` (execution to artifacts), one level after another."""
        seen = set(level)
        generation = 0
        while level and (not depth or generation < depth):
            generation += 1
            executions = step(level)
            for link in graph.links_of_executions(self.handle, executions - self.below.keys()):
                if link.is_output is is_output:
                    self.below.setdefault(link.execution_id, []).append(link)
            level = {link.artifact_id for execution in executions for link in self.below.get(execution, ())}
            level -= seen
            seen |= level
        self.artifacts = graph.read_artifacts(self.handle, seen)
        used = {link.execution_id for links in self.links.values() for link in links}
        self.places = graph.read_places(self.handle, used)

    def _makers(self, level: set[int]) -> set[int]:
        found = graph.origins(graph.links_of_artifacts(self.handle, level))
        for artifact_id, link in found.items():
            self.links[artifact_id] = [link]
        return {link.execution_id for link in found.values()}

    def _users(self, level: set[int]) -> set[int]:
        """Executions that used artifacts and made something new; those served from the cache made nothing."""
        candidates: dict[int, list[Link]] = {}
        for link in graph.links_of_artifacts(self.handle, level):
            if not link.is_output:
                candidates.setdefault(link.artifact_id, []).append(link)
        for artifact_id, links in candidates.items():
            links.sort(key=lambda link: link.execution_id, reverse=True)
            self.hidden[artifact_id] = max(len(links) - _MAX_CONSUMERS, 0)
            del links[_MAX_CONSUMERS:]
        wanted = {link.execution_id for links in candidates.values() for link in links}
        made = self._made_first_hand(wanted)
        for artifact_id, links in candidates.items():
            true = list({link.execution_id: link for link in links if link.execution_id in made}.values())
            self.hidden[artifact_id] += max(len(true) - self.limit, 0)
            self.links[artifact_id] = true[: self.limit]
        return {link.execution_id for artifact_id in level for link in self.links.get(artifact_id, ())}

    def _made_first_hand(self, executions: set[int]) -> set[int]:
        outputs = [link for link in graph.links_of_executions(self.handle, executions) if link.is_output]
        links = graph.links_of_artifacts(self.handle, {link.artifact_id for link in outputs})
        makers = {link.execution_id for link in graph.origins(links).values()}
        without_outputs = executions - {link.execution_id for link in outputs}
        return (makers & executions) | without_outputs

    def _tree(self, artifact_id: int, key: str) -> ArtifactNode:
        artifact = self.artifacts[artifact_id]
        if artifact_id in self.shown:
            return ArtifactNode(artifact, key, is_repeated=bool(self.links.get(artifact_id)))
        self.shown.add(artifact_id)
        executions = []
        for link in self.links.get(artifact_id, ()):
            children = sorted(
                self.below.get(link.execution_id, ()), key=lambda child: (child.key, child.index)
            )
            place = self.places.get(link.execution_id, Place())
            nodes = tuple(self._tree(child.artifact_id, child.key) for child in children)
            executions.append(ExecutionNode(link.execution_id, place, nodes))
        return ArtifactNode(artifact, key, tuple(executions), num_hidden=self.hidden.get(artifact_id, 0))


def num_artifacts(tree: ArtifactNode) -> int:
    """Return how many different artifacts a tree holds, its root left out."""
    return len({node.artifact.artifact_id for node in _walk(tree)}) - 1


def _walk(tree: ArtifactNode) -> Iterable[ArtifactNode]:
    yield tree
    for execution in tree.executions:
        for child in execution.artifacts:
            yield from _walk(child)
