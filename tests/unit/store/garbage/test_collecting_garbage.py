"""Garbage is removed in an order in which a kill or a run that begins meanwhile loses nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_stores import SmallStore

from headrace.authoring.light import authoring
from headrace.store.garbage import collection
from headrace.store.garbage.policy import Keeping
from headrace.store.open.store import Store

with authoring():
    from ml_metadata.proto import metadata_store_pb2 as pb

NOTHING = Keeping(keep_last=0)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Artifact 1, artifact 2 made of it, artifact 3 made of that; all of one run, and none is needed."""
    store = Store(str(tmp_path / "store"))
    with store.open():
        small = SmallStore(store)
        inputs: list[int] = []
        for number in (1, 2, 3):
            artifact = small.artifact(place(store, number), "Schema")
            small.execution({"out": [artifact]}, {"given": inputs}, run_id="r1", node=f"p.N{number}")
            inputs = [artifact]
        small.record("r1", "succeeded", pipeline_name="p")
    return store


def place(store: Store, number: int) -> Path:
    return Path(store.artifacts_path) / "p" / f"N{number}" / "out" / str(number)


def left(store: Store) -> tuple[list[int], list[int]]:
    """The artifacts that are LIVE, and those that have files."""
    with store.open():
        live = sorted(SmallStore(store).live())
    return live, [number for number in (1, 2, 3) if place(store, number).exists()]


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[SmallStore], object]) -> None:
    """Let something happen after the garbage was found, and before any of it is removed."""
    find = collection.find_garbage

    def find_then_act(store: Store, *arguments: Any) -> Any:
        found = find(store, *arguments)
        act(SmallStore(store))
        return found

    monkeypatch.setattr(collection, "find_garbage", find_then_act)


def test_garbage_goes_with_the_folders_that_are_empty_then(store: Store):
    """Key and node of a removed artifact; what else lies beside stays."""
    beside = place(store, 2).parent.parent / "other"
    beside.mkdir()

    collected = collection.collect(store, NOTHING)

    assert (collected.num_artifacts, collected.num_runs) == (3, 1)
    assert collected.size_bytes >= 3 * len("content")
    assert left(store) == ([], [])
    assert sorted(path.name for path in (Path(store.artifacts_path) / "p").iterdir()) == ["N2"]
    assert list(beside.parent.iterdir()) == [beside]
    assert collection.collect(store, NOTHING) == collection.Collected(0, 0, 0)


def test_what_an_execution_begins_to_use_is_spared_with_all_it_came_from(
    store: Store, monkeypatch: pytest.MonkeyPatch
):
    """Its run began after the garbage was found; the run in the list stays too."""
    meanwhile(monkeypatch, lambda small: small.execution({}, {"given": [2]}, run_id="r2"))

    collected = collection.collect(store, NOTHING)

    assert left(store) == ([1, 2], [1, 2])
    assert (collected.num_artifacts, collected.num_runs) == (1, 0)


def test_what_an_execution_of_a_living_run_begins_to_use_is_spared(
    store: Store, monkeypatch: pytest.MonkeyPatch
):
    """It was there before the garbage was looked for, and had used nothing yet."""
    with store.open():
        SmallStore(store).execution(run_id="r2", state=pb.Execution.RUNNING)
    monkeypatch.setattr("headrace.store.locks.living_runs", lambda store: ["r2"])
    meanwhile(monkeypatch, lambda small: small.link(4, {"given": [1]}, pb.Event.INPUT))

    collection.collect(store, NOTHING)

    assert left(store) == ([1], [1])


def test_a_kill_between_marking_and_removing_is_gone_on_with(store: Store, monkeypatch: pytest.MonkeyPatch):
    """Artifacts that became DELETED lose their files with the next collection; nothing else does."""

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", die)
        with pytest.raises(KeyboardInterrupt):
            collection.collect(store, NOTHING)
    assert left(store) == ([], [1, 2, 3])

    collection.collect(store, NOTHING)

    assert left(store) == ([], [])


def test_a_kill_before_marking_removes_no_file(store: Store, monkeypatch: pytest.MonkeyPatch):
    """The journal names files of artifacts that did not become DELETED: they stay, and are needed since."""

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("ml_metadata.MetadataStore.put_artifacts", die)
        with pytest.raises(KeyboardInterrupt):
            collection.collect(store, NOTHING)
    assert left(store) == ([1, 2, 3], [1, 2, 3])
    with store.open():
        SmallStore(store).record("r1", "succeeded", pipeline_name="p", nodes=[_node([1, 2, 3])])

    collection.collect(store, Keeping(keep_last=1))

    assert left(store) == ([1, 2, 3], [1, 2, 3])


def _node(artifacts: list[int]) -> dict[str, Any]:
    outputs = [
        {"key": "out", "type_name": "Schema", "artifact_id": a, "uri": "", "summary": ""} for a in artifacts
    ]
    return json.loads(json.dumps({"node_id": "N", "state": "done", "outputs": outputs}))
