"""Lists by condition: the same whether ML Metadata filters, or Headrace does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from headrace.authoring import generations
from headrace.authoring.light import authoring
from headrace.store.open.store import Store
from headrace.store.read import queries
from headrace.store.read.queries import Condition

with authoring():
    from ml_metadata.proto import metadata_store_pb2 as pb

_LIVE, _DELETED = pb.Artifact.LIVE, pb.Artifact.DELETED
_COMPLETE, _CACHED, _FAILED = pb.Execution.COMPLETE, pb.Execution.CACHED, pb.Execution.FAILED


@pytest.fixture
def store(tmp_path: Path) -> Any:
    """250 executions and artifacts: every third belongs to run `b`, the others to `a`, all to the pipeline."""
    with Store(str(tmp_path / "store")).open() as opened, opened.handle() as handle:
        mlmd_store = handle.store
        run_type = mlmd_store.put_context_type(pb.ContextType(name="pipeline_run"))
        other_type = mlmd_store.put_context_type(pb.ContextType(name="pipeline"))
        model = mlmd_store.put_artifact_type(pb.ArtifactType(name="Model"))
        schema = mlmd_store.put_artifact_type(pb.ArtifactType(name="Schema"))
        work = mlmd_store.put_execution_type(pb.ExecutionType(name="work"))
        names = [(other_type, "p"), (run_type, "a"), (run_type, "b")]
        pipeline, a, b = mlmd_store.put_contexts([pb.Context(type_id=t, name=n) for t, n in names])
        artifact_ids = mlmd_store.put_artifacts(
            [
                pb.Artifact(
                    type_id=model if index % 2 else schema,
                    uri=f"/{index}",
                    state=_LIVE if index % 5 else _DELETED,
                )
                for index in range(250)
            ]
        )
        states = (_COMPLETE, _CACHED, _FAILED)
        execution_ids = mlmd_store.put_executions(
            [pb.Execution(type_id=work, last_known_state=states[index % 3]) for index in range(250)]
        )
        pairs = [(i, (pipeline, b if place % 3 == 0 else a)) for place, i in enumerate(range(250))]
        mlmd_store.put_attributions_and_associations(
            [pb.Attribution(artifact_id=artifact_ids[i], context_id=c) for i, both in pairs for c in both],
            [pb.Association(execution_id=execution_ids[i], context_id=c) for i, both in pairs for c in both],
        )
        yield opened, {"p": pipeline, "a": a, "b": b}


def _both(monkeypatch: pytest.MonkeyPatch, read: Any) -> list[Any]:
    """What is read where ML Metadata filters, if this one can, and where it does not."""
    found = []
    for has_filter_query in {generations.HAS_FILTER_QUERY, False}:
        monkeypatch.setattr(generations, "HAS_FILTER_QUERY", has_filter_query)
        found.append(read())
    return found


def test_executions_are_those_of_the_state_in_all_contexts_newest_first(store, monkeypatch):
    opened, ids = store
    condition = Condition(states=(_COMPLETE, _CACHED), context_ids=(ids["b"], ids["p"]), before_id=200)

    for found in _both(
        monkeypatch, lambda: list(queries.executions(queries.reader_of(opened), condition, 7))
    ):
        assert [item.id for item in found] == [i for i in range(199, 0, -1) if (i - 1) % 3 == 0]


def test_artifacts_are_those_of_the_type_and_state(store, monkeypatch):
    opened, ids = store
    condition = Condition("Model", (_LIVE,))
    within = Condition("Model", (_LIVE,), (ids["a"],))
    read = queries.reader_of(opened)

    for found in _both(monkeypatch, lambda: list(queries.artifacts(read, condition, 30))):
        expected = [i for i in range(250, 0, -1) if (i - 1) % 2 and (i - 1) % 5]
        assert [item.id for item in found] == expected
    for found in _both(monkeypatch, lambda: list(queries.artifacts(read, within, 30))):
        assert [item.id for item in found] == [i for i in expected if (i - 1) % 3]


def test_contexts_are_those_of_the_type(store, monkeypatch):
    opened, ids = store

    for found in _both(
        monkeypatch, lambda: list(queries.contexts(queries.reader_of(opened), "pipeline_run", 1))
    ):
        assert [item.id for item in found] == [ids["b"], ids["a"]]


def test_nothing_in_an_empty_store(tmp_path, monkeypatch):
    with Store(str(tmp_path / "store")).open() as opened:
        for found in _both(
            monkeypatch, lambda: list(queries.artifacts(queries.reader_of(opened), Condition("Model"), 5))
        ):
            assert found == []
