"""`headrace.open_store`: a session that reads a store. Command line, pages and notebooks stand on it, as users may."""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headrace.authoring import Artifact
from headrace.errors import DefinitionError, StoreError
from headrace.store.open.reading import ReadStore
from headrace.store.open.store import DEFAULT_PATH, Store
from headrace.store.read import executions, run_records
from headrace.store.read.artifacts import ArtifactInfo, ArtifactRecord
from headrace.store.read.executions import is_intact
from headrace.store.read.graph import Place
from headrace.store.read.run_records import RunSummary
from headrace.store.records import Json
from headrace.store.results import NodeResult, NodeState, OutputRecord, RunResult

if TYPE_CHECKING:
    from ml_metadata.proto import metadata_store_pb2

    from headrace.store.read.comparison import NodeComparison, PayloadPair, RunComparison, SettingChange
    from headrace.store.read.differences import Difference, FileChange
    from headrace.store.read.explanation import Explanation
    from headrace.store.read.lineage import ArtifactNode, ExecutionNode, Lineage
    from headrace.store.read.starts import Start
    from headrace.store.read.subjects import RunGraph, Subject

__all__ = [
    "ArtifactInfo",
    "ArtifactNode",
    "ArtifactRecord",
    "Difference",
    "ExecutionNode",
    "Explanation",
    "FileChange",
    "Json",
    "Lineage",
    "NodeComparison",
    "NodeResult",
    "NodeState",
    "OutputRecord",
    "PayloadPair",
    "Place",
    "RunComparison",
    "RunGraph",
    "RunResult",
    "RunSummary",
    "SettingChange",
    "Start",
    "StoreSession",
    "Subject",
    "is_intact",
    "is_store",
    "open_store",
]


# Loaded on first use, as what answers each question is: to list runs takes as long as it did without the rest.
_PLACES = {
    "ArtifactNode": "lineage",
    "Difference": "differences",
    "ExecutionNode": "lineage",
    "Explanation": "explanation",
    "FileChange": "differences",
    "Lineage": "lineage",
    "NodeComparison": "comparison",
    "PayloadPair": "comparison",
    "RunComparison": "comparison",
    "RunGraph": "subjects",
    "SettingChange": "comparison",
    "Start": "starts",
    "Subject": "subjects",
}


def __getattr__(name: str) -> Any:
    """Load the type of an answer."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"headrace.store.read.{_PLACES[name]}"), name)


@contextlib.contextmanager
def open_store(
    path: str | os.PathLike[str] | None = None,
    metadata_connection_config: metadata_store_pb2.ConnectionConfig | None = None,
) -> Iterator[StoreSession]:
    """Open a store to read what runs recorded in it.

    Nothing of the store is made, mended, locked or written: a store on a read-only disk, of another user, or of a run
    that works in it now is read as well. The database is open once, until the `with` block ends.

    Args:
        path: The store's folder; `.headrace` in the working directory where it is left out.
        metadata_connection_config: Where the metadata are, if not in the store, as TFX pipelines name it.

    Raises:
        StoreError: If there is no store, nothing is recorded in it yet, or its database cannot be read.
        UnsupportedFeatureError: If the path has a scheme of another machine.

    Example:
        >>> import headrace
        >>> with headrace.open_store() as store:  # doctest: +SKIP
        ...     for run in store.runs(limit=10):
        ...         print(run.run_id, run.state)
        ...     model = store.artifact("latest/Trainer.model")
        ...     print(model.path, model.run_id, model.properties)
    """
    opened = ReadStore(os.fspath(path) if path is not None else DEFAULT_PATH, metadata_connection_config)
    with opened.open():
        yield StoreSession(opened)


def is_store(path: str | os.PathLike[str] | None = None) -> bool:
    """Whether there is a store to open in a folder."""
    return Store(os.fspath(path) if path is not None else DEFAULT_PATH).exists()


class StoreSession:
    """One open store, to be read; what `open_store` gives. Safe to use from several threads.

    Each answer tells the store as it is at that moment; of a store that this user cannot write, which is read from a
    copy, as it was at opening. Answers are frozen dataclasses, which need no open store; iterators do.

    Args:
        store: The open store.

    Attributes:
        path: The store's folder, absolute.

    Example:
        >>> import headrace
        >>> with headrace.open_store("project/.headrace") as store:  # doctest: +SKIP
        ...     failed = [run.run_id for run in store.runs(pipeline_name="taxi") if run.state == "failed"]
        ...     models = [model.path for model in store.artifacts(type_name="Model", limit=3)]
        ...     made_of = store.lineage("latest/Trainer.model", down=False).up
        ...     changed = [node.node_id for node in store.compare(failed[0]).nodes if node.is_equal is False]
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.path = store.path

    def runs(self, *, pipeline_name: str = "", limit: int | None = None) -> Iterator[RunSummary]:
        """Return the runs, newest first, each read when it is asked for.

        Args:
            pipeline_name: Only runs of this pipeline.
            limit: At most so many; all where it is `None`.

        Raises:
            StoreError: If the store has no such pipeline, naming those it has.
            DefinitionError: If a name is no text, or `limit` no number from 0.
        """
        _check_texts(pipeline_name=pipeline_name)
        _check_counts(limit=limit)
        return run_records.newest_runs(self._store, pipeline_name=pipeline_name, limit=limit)

    def run(self, run_id: str = "latest") -> RunResult:
        """Return how a run went, with its nodes and what they made.

        Args:
            run_id: The run, or `"latest"`.

        Raises:
            StoreError: If there is no such run, naming the newest and one of a like name; or a newer Headrace
                recorded it.
        """
        _check_texts(run_id=run_id)
        return run_records.read_run(self._store, run_id)

    def pipelines(self) -> list[str]:
        """Return the names of the pipelines that ran, sorted."""
        return run_records.pipeline_names(self._store)

    def artifacts(
        self,
        *,
        type_name: str = "",
        run_id: str = "",
        pipeline_name: str = "",
        with_deleted: bool = False,
        limit: int | None = None,
    ) -> Iterator[ArtifactRecord]:
        """Return the artifacts, newest first, each read when it is asked for.

        Args:
            type_name: Only this artifact type, such as `"Model"`.
            run_id: Only what this run made or reused; or `"latest"`.
            pipeline_name: Only what this pipeline made or reused.
            with_deleted: Whether to return also what was removed.
            limit: At most so many; all where it is `None`.

        Raises:
            StoreError: If the store has no such type, run or pipeline, naming those it has.
            DefinitionError: If a name is no text, or `limit` no number from 0.
        """
        _check_texts(type_name=type_name, run_id=run_id, pipeline_name=pipeline_name)
        _check_counts(limit=limit)
        from headrace.store.read import catalog

        return catalog.newest_artifacts(
            self._store,
            type_name=type_name,
            run_id=run_id,
            pipeline_name=pipeline_name,
            with_deleted=with_deleted,
            limit=limit,
        )

    def artifact(self, artifact: int | str) -> ArtifactRecord:
        """Return one artifact.

        Args:
            artifact: Its id, its URI, or `RUN/NODE.key`, such as `"latest/Trainer.model"`; the key may be left out
                where the node has one output.

        Raises:
            StoreError: If there is no such artifact, run or output, naming what there is.
            UnknownNodeError: If the run has no such node, naming those it has.
        """
        from headrace.store.read import catalog

        return catalog.read_artifact(self._store, str(artifact))

    def names_artifact(self, text: str) -> bool:
        """Whether `text` has a form that `artifact` takes, and is no run's id."""
        from headrace.store.read import lineage

        return lineage.names_artifact(self._store, text)

    def lineage(
        self, artifact: int | str, *, up: bool = True, down: bool = True, depth: int = 0, limit: int = 20
    ) -> Lineage:
        """Return what an artifact was made of, and what was made of it.

        Args:
            artifact: As `artifact` takes it.
            up: Whether to follow what it was made of.
            down: Whether to follow what was made of it.
            depth: Generations to follow; 0 for all.
            limit: How many executions below an artifact are followed, the newest.

        Raises:
            StoreError: If there is no such artifact.
            UnknownNodeError: If the run has no such node.
            DefinitionError: If `depth` or `limit` is no number from 0.
        """
        _check_counts(depth=depth, limit=limit)
        from headrace.store.read import lineage

        return lineage.read_lineage(self._store, str(artifact), up=up, down=down, depth=depth, limit=limit)

    def explain(self, run_id: str, node_id: str) -> Explanation:
        """Say why a node of a run was served from the cache, or what caused it to run.

        Args:
            run_id: The run, or `"latest"`.
            node_id: The node.

        Raises:
            StoreError: If there is no such run.
            UnknownNodeError: If the run has no such node, naming those it has.
        """
        _check_texts(run_id=run_id, node_id=node_id)
        from headrace.store.read import explanation

        return explanation.explain(self._store, run_id, node_id)

    def compare(self, old: str, new: str = "latest") -> RunComparison:
        """Compare two runs: settings, code, inputs, states, times, and which outputs differ.

        Args:
            old: The first run, or `"latest"`.
            new: The second run, or `"latest"`.

        Raises:
            StoreError: If there is no such run.
        """
        _check_texts(old=old, new=new)
        from headrace.store.read import comparison

        return comparison.compare_runs(self._store, old, new)

    def log_path(self, run_id: str, node_id: str) -> str:
        """Return the file with what a node wrote while it ran.

        Args:
            run_id: The run, or `"latest"`.
            node_id: The node.

        Raises:
            StoreError: If there is no such run, or the node wrote no log.
            UnknownNodeError: If the run has no such node.
        """
        _check_texts(node_id=node_id)
        result = self.run(run_id)
        node = result.node(node_id)
        path = os.path.join(self._store.logs_path(result.run_id), f"{node.node_id}.log")
        if not os.path.isfile(path):
            why = f", {node.reason}" if node.reason else ""
            raise StoreError(
                f"{node.node_id} of run {result.run_id} wrote no log: it is {node.state.value}{why}.",
                f"see why: headrace explain {result.run_id} {node.node_id}",
            )
        return path

    def start(self, run_id: str) -> Start:
        """Return how a run was started, and whether this user recorded that in this store.

        Args:
            run_id: The run, or `"latest"`.

        Raises:
            StoreError: If there is no such run.
        """
        from headrace.store.read import starts

        return starts.read_start(self._store, self.run(run_id).run_id)

    def graph(self, run: RunResult) -> RunGraph:
        """Return how the nodes of a run of this store hang together, and when each ran."""
        from headrace.store.read import subjects

        return subjects.read_run_graph(self._store, run)

    def subject(self, artifact: int | str) -> Subject:
        """Return an artifact as TFX's object, with the inputs and outputs of what made it.

        Args:
            artifact: As `artifact` takes it.

        Raises:
            StoreError: If there is no such artifact.
            UnknownNodeError: If the run has no such node.
        """
        from headrace.store.read import lineage

        return self.subjects([lineage.find_artifact(self._store, str(artifact))])[0]

    def subjects(self, artifact_ids: Sequence[int]) -> list[Subject]:
        """Return artifacts as TFX's objects, each with the inputs and outputs of what made it, in the order asked for.

        Raises:
            StoreError: If there is no artifact with one of the ids.
        """
        from headrace.store.read import subjects

        return subjects.read_subjects(self._store, artifact_ids)

    def outputs(self, execution_id: int) -> Mapping[str, list[Artifact]]:
        """Return what an execution made or reused, as TFX's objects, by output key; empty where it made nothing."""
        return executions.outputs_of(self._store, execution_id)


def _check_texts(**texts: str) -> None:
    for name, text in texts.items():
        if not isinstance(text, str):
            raise DefinitionError(f"{name}={text!r}: it takes a text.", f'Write {name}="{text}".')


def _check_counts(**counts: int | None) -> None:
    for name, count in counts.items():
        if count is not None and (not isinstance(count, int) or count < 0):
            raise DefinitionError(f"{name}={count!r}: it takes a whole number from 0.", f"Correct {name}.")
