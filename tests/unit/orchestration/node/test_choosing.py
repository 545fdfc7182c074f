"""While a node looks for earlier artifacts, garbage collection waits."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headrace.files import shared_files
from headrace.orchestration.node import driver, execution
from headrace.orchestration.node.node import NodeLife
from headrace.store.open.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(str(tmp_path / "store")).open() as opened:
        yield opened


@pytest.fixture
def node(store: Store) -> Any:
    return SimpleNamespace(node_id="Make", log_path="", run=SimpleNamespace(store=store), uses_cache=False)


def is_held_off(store: Store) -> bool:
    """Whether a garbage collection would wait before it marks what it removes."""
    try:
        shared_files.release(shared_files.locked(f"{store.path}/choice.lock", fcntl.LOCK_EX | fcntl.LOCK_NB))
    except BlockingIOError:
        return True
    return False


def test_from_its_first_look_until_it_is_on_record(monkeypatch: pytest.MonkeyPatch, store: Store, node: Any):
    """Else what a node found could be gone before the store says that the node uses it."""
    seen: list[bool] = []
    monkeypatch.setattr(driver, "hash_ahead", lambda node: seen.append(is_held_off(store)))
    monkeypatch.setattr(NodeLife, "_choose", lambda self: seen.append(is_held_off(store)))

    NodeLife(node).drive()

    assert seen == [False, True], "what takes long, hashing, holds off nobody"
    assert not is_held_off(store)


def test_when_it_looks_again_before_it_executes(monkeypatch: pytest.MonkeyPatch, store: Store, node: Any):
    """Another run may have made the same while this one waited for the lock of the key."""
    seen: list[bool] = []

    def serve(node: Any, prepared: Any) -> bool:
        seen.append(is_held_off(store))
        return True

    monkeypatch.setattr(driver, "serve_from_cache", serve)
    prepared: Any = SimpleNamespace(cache_context=None, outputs={"out": []})

    assert execution._execute_once(node, prepared, 0) == {"out": []}

    assert seen == [True]
    assert not is_held_off(store)
