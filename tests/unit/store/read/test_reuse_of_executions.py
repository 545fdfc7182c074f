"""Which earlier executions may be used again: those whose outputs are all still what and where they were."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_stores import SmallStore

from headrace.authoring.light import authoring
from headrace.store.open.store import Store
from headrace.store.read import executions

with authoring():
    from ml_metadata.proto import metadata_store_pb2 as pb
    from tfx.proto.orchestration import pipeline_pb2


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallStore]:
    with Store(str(tmp_path / "store")).open() as opened:
        yield SmallStore(opened)


def cached(small: SmallStore, cache: int) -> int:
    """The execution that serves a cache entry; 0 for none."""
    [context] = small.mlmd.get_contexts_by_id([cache])
    found = executions.cached_outputs(small.store, context)
    return int(found[1].id) if found else 0


def latest(small: SmallStore, run_id: str = "") -> int:
    """The newest execution of `Node` that can be reused; 0 for none."""
    node = pipeline_pb2.PipelineNode()
    spec = node.contexts.contexts.add()
    spec.type.name = "node"
    spec.name.field_value.string_value = "pipeline.Node"
    found = executions.latest_successful(small.store, node, run_id)
    return int(found[0].id) if found else 0


def test_a_cache_entry_is_served_by_its_newest_execution_that_is_whole(small: SmallStore, tmp_path: Path):
    """Where files of the newest are gone, an older one with the same key serves as well; then none does."""
    cache = small.context("execution_cache", "key")
    places = [tmp_path / "root" / "Node" / "model" / str(number) for number in (1, 2)]
    ids = [small.execution({"model": [small.artifact(place)]}, contexts=[cache]) for place in places]

    assert cached(small, cache) == ids[1]
    shutil.rmtree(places[1])
    assert cached(small, cache) == ids[0]
    shutil.rmtree(places[0])
    assert cached(small, cache) == 0


def test_all_outputs_must_be_whole(small: SmallStore, tmp_path: Path):
    """A node with two outputs of which one is gone runs again."""
    cache = small.context("execution_cache", "key")
    outputs = {"model": [small.artifact(tmp_path / "a")], "run": [small.artifact(tmp_path / "b")]}
    made = small.execution(outputs, contexts=[cache])

    assert cached(small, cache) == made
    shutil.rmtree(tmp_path / "b")
    assert cached(small, cache) == 0


def test_a_deleted_artifact_is_not_served_though_its_files_are_there(small: SmallStore, tmp_path: Path):
    """Garbage collection marks first, and removes files then."""
    cache = small.context("execution_cache", "key")
    artifact = small.artifact(tmp_path / "a")
    small.execution({"model": [artifact]}, contexts=[cache])
    small.set_state(artifact, pb.Artifact.DELETED)

    assert cached(small, cache) == 0


def test_a_model_that_vanished_from_the_servers_folder_is_pushed_again(small: SmallStore, tmp_path: Path):
    """The copy in the store is not what the server reads."""
    cache = small.context("execution_cache", "key")
    version = tmp_path / "serving" / "7"
    version.mkdir(parents=True)
    pushed = small.artifact(tmp_path / "a", "PushedModel", pushed_destination=str(version))
    made = small.execution({"pushed_model": [pushed]}, contexts=[cache])

    assert cached(small, cache) == made
    version.rmdir()
    assert cached(small, cache) == 0


def test_what_lies_elsewhere_is_taken_for_whole(small: SmallStore, tmp_path: Path):
    """Places with a scheme are not looked at."""
    cache = small.context("execution_cache", "key")
    pushed = small.artifact(tmp_path / "a", "PushedModel", pushed_destination="gs://bucket/7")
    outputs = {"model": [small.artifact("gs://bucket/model")], "pushed_model": [pushed]}

    made = small.execution(outputs, contexts=[cache])

    assert cached(small, cache) == made


@pytest.mark.parametrize("state", [pb.Execution.FAILED, pb.Execution.RUNNING, pb.Execution.CANCELED])
def test_an_execution_that_did_not_end_well_serves_nothing(small: SmallStore, tmp_path: Path, state: int):
    cache = small.context("execution_cache", "key")
    small.execution({"model": [small.artifact(tmp_path / "a")]}, contexts=[cache], state=state)

    assert cached(small, cache) == 0
    assert latest(small) == 0


def test_a_partial_run_may_take_what_a_run_took_from_the_cache(small: SmallStore, tmp_path: Path):
    """The run that was named served the node from the cache; its outputs are as good."""
    artifact = small.artifact(tmp_path / "a")
    made = small.execution({"model": [artifact]}, run_id="run-1")
    again = small.execution({"model": [artifact]}, run_id="run-2", state=pb.Execution.CACHED)

    assert latest(small, "run-1") == made
    assert latest(small, "run-2") == again
    assert latest(small) == again


def test_a_named_run_is_the_only_one_that_is_searched(small: SmallStore, tmp_path: Path):
    small.execution({"model": [small.artifact(tmp_path / "a")]}, run_id="run-1")
    small.execution({"model": [small.artifact(tmp_path / "b")]}, run_id="run-2", node="pipeline.Other")

    assert latest(small, "run-2") == 0
    assert latest(small, "run-3") == 0


def test_an_execution_of_an_inner_pipeline_belongs_to_the_run(small: SmallStore):
    """TFX files it under a run of the inner pipeline too, whose name is longer."""
    inner = small.context(executions.RUN_CONTEXT_TYPE, "inner_run-1")
    made = small.execution(run_id="run-1", contexts=[inner])

    assert executions.run_of(small.store, made) == "run-1"
