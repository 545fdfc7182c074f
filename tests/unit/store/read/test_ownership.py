"""Which files a store may remove."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.store.open.store import Store
from headrace.store.read import ownership
from headrace.store.read.graph import Link


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(str(tmp_path / "store")).open() as opened:
        yield opened


@pytest.mark.parametrize(
    ("uri", "is_named"),
    [
        ("/root/Trainer/model/17", True),
        ("/root/Trainer/model/17/", True),
        ("/root/Trainer/model/17-0123abcd", True),
        ("/root/Trainer/model/17/2", True),
        ("/root/Trainer/model/17-0123abcd/value", True),
        ("/root/Trainer/model/18", False),
        ("/root/Trainer/model/17-wrong", False),
        ("/root/Trainer/model/017", True),
        ("/root/Trainer/other/17", False),
        ("/root/../Trainer/model/17", False),
        ("/data/17", False),
        ("gs://bucket/Trainer/model/17", False),
    ],
)
def test_outputs_are_named_for_what_made_them(uri: str, is_named: bool):
    assert ownership.is_named_for(uri, "model", 17) is is_named


def test_what_lies_in_the_store_is_its_own(store: Store, tmp_path: Path):
    link = Link(1, 17, "out", 0, True)

    assert ownership.is_removable(store, f"{store.artifacts_path}/p/Make/out/17", link)
    assert not ownership.is_removable(store, f"{store.path}2/p/Make/out/17", link)
    assert not ownership.is_removable(store, f"{tmp_path}/root/Make/out/17", link)
    assert not ownership.is_removable(store, f"{store.artifacts_path}/p/Make/out/17", None)


def test_a_link_in_the_store_does_not_lead_out_of_it(store: Store, tmp_path: Path):
    """What it leads to is somebody else's; the link itself is the store's."""
    mine = tmp_path / "mine" / "out" / "17"
    mine.mkdir(parents=True)
    os.symlink(tmp_path / "mine", os.path.join(store.artifacts_path, "Make"))
    os.symlink(mine, os.path.join(store.artifacts_path, "17"))
    link = Link(1, 17, "out", 0, True)

    assert not ownership.is_removable(store, f"{store.artifacts_path}/Make/out/17", link)
    ownership.remove(os.path.join(store.artifacts_path, "17"))
    assert mine.exists()


def test_in_a_root_that_was_claimed_only_later_outputs_are_the_stores(store: Store, tmp_path: Path):
    """Earlier ones are those of the root's other users, whatever the database says."""
    root = tmp_path / "root"
    ownership.claim(store, str(root), 17)
    ownership.claim(store, str(root), 1)

    for execution_id, is_own in ((17, False), (18, True)):
        for end in ("", "/value", "-0123abcd"):
            link = Link(1, execution_id, "out", 0, True)
            assert ownership.is_removable(store, f"{root}/Make/out/{execution_id}{end}", link) is is_own
    deeper = Link(1, 18, "out", 0, True)
    assert not ownership.is_removable(store, f"{root}/a/b/Make/out/18", deeper)


def test_a_claim_is_for_one_store(store: Store, tmp_path: Path):
    root = tmp_path / "root"
    ownership.claim(store, str(root), 0)

    with Store(str(tmp_path / "other")).open() as other:
        assert not ownership.is_in_own_place(other, f"{root}/Make/out/18", 18)
        ownership.claim(other, str(root), 18)
        assert not ownership.is_in_own_place(other, f"{root}/Make/out/18", 18)
    assert ownership.is_in_own_place(store, f"{root}/Make/out/18", 18)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"newest_execution": "0"}', "nonsense"])
def test_a_damaged_claim_claims_nothing(store: Store, tmp_path: Path, text: str):
    root = tmp_path / "root"
    (root / ownership.CLAIMS).mkdir(parents=True)
    (root / ownership.CLAIMS / store.store_id).write_text(text)

    assert not ownership.is_in_own_place(store, f"{root}/Make/out/18", 18)


def test_no_claim_is_needed_in_the_store(store: Store):
    ownership.claim(store, store.artifacts_path, 0)

    assert os.listdir(store.artifacts_path) == []


def test_with_the_last_output_the_folders_of_key_and_node_go(tmp_path: Path):
    for key in ("out", "other"):
        (tmp_path / "root" / "Make" / key / "1").mkdir(parents=True)

    ownership.remove(str(tmp_path / "root" / "Make" / "out" / "1"))
    assert os.listdir(tmp_path / "root" / "Make") == ["other"]
    ownership.remove(str(tmp_path / "root" / "Make" / "other" / "1"))
    assert os.listdir(tmp_path / "root") == []
