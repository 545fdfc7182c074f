"""An output that is not on record goes whole, whenever its remover dies; and only that of the store that made it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from headrace.store.open.store import Store
from headrace.store.read import ownership
from headrace.store.record import unpublished
from headrace.store.record.unpublished import Unpublished


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A pipeline root outside of every store."""
    return tmp_path / "root"


@pytest.fixture
def stores(tmp_path: Path, root: Path) -> Iterator[list[Store]]:
    """Two stores that write below one root."""
    found = [Store(str(tmp_path / name)) for name in ("first", "second")]
    with found[0].open(), found[1].open():
        for store in found:
            ownership.claim(store, str(root), 0)
        yield found


def made(store: Store, root: Path) -> tuple[Unpublished, Path]:
    """What execution 7 writes, with a file in it."""
    writing = Unpublished(store, 7)
    wanted = str(root / "Node" / "out" / "7")
    folder = Path(writing.make_outputs([wanted])[wanted])
    (folder / "half").write_text("half")
    return writing, folder


def test_a_kill_while_an_output_is_removed_is_followed(
    stores: list[Store], root: Path, monkeypatch: pytest.MonkeyPatch
):
    """What is left of it is still known to be nobody's."""
    writing, folder = made(stores[0], root)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", die)
        with pytest.raises(KeyboardInterrupt):
            writing.discard()
    assert folder.exists()

    for left in list(unpublished.all_in(stores[0])):
        left.discard()

    assert not folder.exists()
    assert list(root.iterdir()) == [root / ownership.CLAIMS]


def test_what_another_store_is_writing_stays(stores: list[Store], root: Path):
    """Execution 7 of the one is not execution 7 of the other, though a note of the other names its folder."""
    _, folder = made(stores[0], root)
    other = Unpublished(stores[1], 7)
    other._note([str(folder)])

    other.discard()

    assert (folder / "half").read_text() == "half"
