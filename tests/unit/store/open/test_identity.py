"""Which store is which: a copy is another store, a moved one is the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from headrace.store.open import identity


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    return folder


def test_a_store_keeps_its_id(store: Path):
    first = identity.settle(str(store))

    assert identity.settle(str(store)) == identity.read(str(store)) == first
    assert sorted(os.listdir(store)) == ["identity.json", "stamp"]


def test_a_moved_store_is_the_same(store: Path, tmp_path: Path):
    first = identity.settle(str(store))
    store.rename(tmp_path / "moved")

    assert identity.settle(str(tmp_path / "moved")) == first
    os.symlink(tmp_path / "moved", store)
    assert identity.settle(str(store)) == first


@pytest.mark.parametrize("command", [["cp", "-r"], ["cp", "-a"]])
def test_a_copy_is_another_store(store: Path, tmp_path: Path, command: list[str]):
    """Also one that kept all times, and one in the place of the original."""
    first = identity.settle(str(store))
    copy = tmp_path / "copy"
    subprocess.run([*command, store, copy], check=True)

    assert identity.read(str(copy)) == ""
    assert identity.settle(str(copy)) != first
    assert identity.settle(str(store)) == first
    shutil.rmtree(copy)
    subprocess.run([*command, store, copy], check=True)
    shutil.rmtree(store)
    copy.rename(store)
    assert identity.settle(str(store)) != first


def test_an_image_of_a_disk_is_another_store(store: Path, tmp_path: Path):
    """It has the inodes and the times of the original, at another place of another disk."""
    identity.settle(str(store))
    noted = json.loads((store / "identity.json").read_text())
    noted["place"] = ["/mnt/original", noted["place"][1] + 1]
    (store / "identity.json").write_text(json.dumps(noted))

    assert identity.read(str(store)) == ""


def test_a_disk_with_another_number_holds_the_same_store(store: Path):
    """Numbers are given anew at each start of the system."""
    first = identity.settle(str(store))
    noted = json.loads((store / "identity.json").read_text())
    noted["place"][1] += 1
    (store / "identity.json").write_text(json.dumps(noted))

    assert identity.settle(str(store)) == first


@pytest.mark.parametrize(
    "text",
    ["", "[]", "nonsense", "{}", '{"id": 5}', '{"id": "../../etc", "stamp": [1, 2], "place": ["/", 1]}'],
)
def test_what_is_no_identity_is_replaced(store: Path, text: str):
    (store / "identity.json").write_text(text)

    assert identity.read(str(store)) == ""
    assert len(identity.settle(str(store))) == 16


def test_an_id_that_leads_elsewhere_counts_for_nothing(store: Path):
    identity.settle(str(store))
    noted = json.loads((store / "identity.json").read_text())
    (store / "identity.json").write_text(json.dumps({**noted, "id": "../../../etc/x"}))

    assert identity.read(str(store)) == ""
