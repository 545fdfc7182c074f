"""What an execution makes: its own folders and no others, gone if they are not published."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from store.store_records import files_of

from headrace.store.open.store import Store
from headrace.store.read import ownership
from headrace.store.record import unpublished
from headrace.store.record.unpublished import Unpublished


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(str(tmp_path / "store")).open() as opened:
        yield opened


@pytest.fixture(params=["inside", "outside"])
def root(request, store: Store, tmp_path: Path) -> str:
    """A pipeline root in the store, and one elsewhere."""
    path = f"{store.artifacts_path}/p" if request.param == "inside" else str(tmp_path / "root")
    ownership.claim(store, path, 0)
    return path


def nothing_but_claims(root: str) -> bool:
    return not os.path.exists(root) or set(os.listdir(root)) <= {ownership.CLAIMS}


def test_published_outputs_stay_as_they_are(store: Store, root: str):
    """In the place that was given first, with nothing left beside them."""
    execution = Unpublished(store, 7)
    wanted = [f"{root}/Make/out/7", f"{root}/Make/other/7"]

    assert execution.make_outputs(wanted) == {path: path for path in wanted}
    Path(wanted[0], "text").write_text("made")
    assert os.listdir(f"{root}/Make/out") != ["7"]
    execution.publish()

    assert os.listdir(f"{root}/Make/out") == ["7"]
    assert Path(wanted[0], "text").read_text() == "made"
    assert not os.path.exists(os.path.join(store.path, unpublished.FOLDER))
    execution.discard()
    assert os.path.exists(wanted[0])


def test_discarded_outputs_are_gone_with_their_folders(store: Store, root: str):
    execution = Unpublished(store, 7)
    execution.make_outputs([f"{root}/Make/out/7"])
    Path(f"{root}/Make/out/7/text").write_text("half")

    execution.discard()

    assert nothing_but_claims(root)
    assert not os.path.exists(os.path.join(store.path, unpublished.FOLDER))


@pytest.mark.parametrize("is_empty", [True, False])
def test_what_is_there_already_stays_and_the_output_goes_elsewhere(store: Store, root: str, is_empty: bool):
    """It is that of another store, of an earlier database, or of stock TFX."""
    taken = Path(root, "Make", "out", "7")
    taken.mkdir(parents=True)
    if not is_empty:
        (taken / "text").write_text("another's")
    before = files_of(taken.parent)
    execution = Unpublished(store, 7)

    [made] = execution.make_outputs([str(taken)]).values()

    assert re.fullmatch(rf"{re.escape(str(taken))}-[0-9a-f]{{8}}", made)
    assert ownership.is_removable(store, made, unpublished_link())
    execution.discard()
    assert files_of(taken.parent) == before


def unpublished_link():
    from headrace.store.read.graph import Link

    return Link(1, 7, "out", 0, True)


def test_what_appears_at_the_same_moment_stays(store: Store, root: str, monkeypatch):
    """Another store makes the folder after this one has looked."""
    taken = Path(root, "Make", "out", "7")
    note = Unpublished._note

    def late(self, paths):
        note(self, paths)
        if not taken.exists():
            taken.mkdir(parents=True)
            (taken / "text").write_text("another's")

    monkeypatch.setattr(Unpublished, "_note", late)
    execution = Unpublished(store, 7)

    assert execution.make_outputs([str(taken)])[str(taken)] != str(taken)
    execution.discard()
    assert (taken / "text").read_text() == "another's"


@pytest.mark.parametrize("moment", ["noted", "folder made", "mark empty", "marked", "written"])
def test_a_kill_at_any_moment_leaves_nothing(store: Store, root: str, moment: str, monkeypatch):
    """The next start knows the execution by its folder in the store alone."""
    wanted = f"{root}/Make/out/7"
    execution = Unpublished(store, 7)
    if moment == "noted":
        execution._note([wanted])
    elif moment in ("folder made", "mark empty"):
        execution._note([wanted])
        os.makedirs(wanted)
        if moment == "mark empty":
            Path(os.path.dirname(wanted), ".7.unpublished").touch()
    else:
        execution.make_outputs([wanted])
        if moment == "written":
            Path(wanted, "text").write_text("half")

    for left in unpublished.all_in(store):
        assert left.execution_id == 7
        left.discard()

    assert nothing_but_claims(root)
    assert not os.path.exists(os.path.join(store.path, unpublished.FOLDER))


def test_a_kill_before_the_folder_was_made_spares_what_another_put_there(store: Store, root: str):
    execution = Unpublished(store, 7)
    execution._note([f"{root}/Make/out/7"])
    Path(root, "Make", "out", "7").mkdir(parents=True)
    Path(root, "Make", "out", "7", "text").write_text("another's")

    execution.discard()

    assert Path(root, "Make", "out", "7", "text").read_text() == "another's"


@pytest.mark.parametrize(
    "noted",
    [
        "",
        "nonsense",
        "{}",
        "[1, null]",
        '["{mine}"]',
        '["{mine}/17", "../mine", "../mine/out/7", "/", ".", "..", "metadata.db", "artifacts"]',
        '["link/out/7"]',
    ],
)
def test_what_a_note_from_elsewhere_names_is_not_touched(store: Store, tmp_path: Path, noted: str):
    mine = tmp_path / "mine"
    (mine / "out" / "7").mkdir(parents=True)
    (mine / "out" / "7" / "thesis").write_text("years of work")
    (mine / "out" / ".7.unpublished").write_text("0123456789abcdef")
    os.symlink(mine, os.path.join(store.path, "link"))
    folder = Path(store.path, unpublished.FOLDER, "7-abc")
    folder.mkdir(parents=True)
    (folder / "outputs.json").write_text(noted.replace("{mine}", str(mine / "out" / "7")))
    before = files_of(mine)

    for left in unpublished.all_in(store):
        left.discard()
        left.publish()

    assert files_of(mine) == before
    assert os.path.exists(store.database_path)


def test_a_copy_of_a_store_leaves_the_originals_alone(store: Store, tmp_path: Path):
    """Copied while an execution wrote, in a root elsewhere and in the store."""
    outside, inside = f"{tmp_path}/root/Make/out/7", f"{store.artifacts_path}/p/Make/out/7"
    ownership.claim(store, f"{tmp_path}/root", 0)
    Unpublished(store, 7).make_outputs([outside, inside])
    shutil.copytree(store.path, tmp_path / "copy")

    with Store(str(tmp_path / "copy")).open() as copy:
        [left] = unpublished.all_in(copy)
        left.discard()

    assert os.path.exists(outside)
    assert os.path.exists(inside)
    assert not os.path.exists(f"{tmp_path}/copy/artifacts/p/Make/out/7")
