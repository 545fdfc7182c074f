"""What executions write: in its last place from the first moment, and marked until it is published.

An executor may keep a path, return it, or write it into a file; so the folder that it gets is the one that stays:
`{root}/{node}/{key}/{execution id}`, as TFX has it. ML Metadata knows an output once it is published, and
nothing reads what it does not know.

::

    {store}/unpublished/{execution id}-{token}/
    ├── outputs.json      the folders that the execution is about to make
    └── system/           where executors and drivers leave what is not an output
    {root}/{node}/{key}/.{name}.unpublished      beside each folder: it is there, and this store's execution made it

Both go when the outputs are published. If the process dies before, the next start removes those folders that have
their mark, and no other: a folder that was there before is never this execution's.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from headrace.files import shared_files
from headrace.store.read import ownership

if TYPE_CHECKING:
    from headrace.store.open.store import Store

FOLDER = "unpublished"
_OUTPUTS = "outputs.json"
_ATTEMPTS = 10
# ML Metadata's ids have 64 bits with a sign.
_MAX_ID = 2**63 - 1


class Unpublished:
    """What one execution makes.

    Args:
        store: The open store.
        execution_id: The execution.
        folder: Its folder in the store, where one of a dead execution was found; else it is made when needed.
    """

    def __init__(self, store: Store, execution_id: int, folder: str = "") -> None:
        self._store = store
        self.execution_id = execution_id
        self.folder = folder or os.path.join(store.path, FOLDER, f"{execution_id}-{secrets.token_hex(4)}")

    def make_outputs(self, paths: Sequence[str]) -> dict[str, str]:
        """Make folders for outputs, empty and this execution's alone.

        Args:
            paths: Where they would be. Where something is there already, that of another store or of an earlier
                database, the folder gets a token in its name.

        Returns:
            Where each is.

        Raises:
            OSError: If they cannot be made.
        """
        made: dict[str, str] = {}
        names = {path: path for path in paths}
        while names:
            for wanted, path in names.items():
                if os.path.lexists(path) or os.path.lexists(_mark_of(path)):
                    names[wanted] = f"{wanted}-{secrets.token_hex(4)}"
            self._note([*made.values(), *names.values()])
            for wanted, path in list(names.items()):
                if self._make(path):
                    made[wanted] = path
                    del names[wanted]
        return made

    def _make(self, path: str) -> bool:
        """Make one folder and its mark; say whether nothing was there."""
        for _ in range(_ATTEMPTS):
            try:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.mkdir(path)
            except FileExistsError:
                return False
            except FileNotFoundError:
                # Another execution of this node ended, and removed the folder that was empty.
                continue
            try:
                with open(_mark_of(path), "x", encoding="utf-8") as file:
                    file.write(self._store.store_id)
            except FileExistsError:
                os.rmdir(path)
                return False
            except OSError:
                _remove_file(_mark_of(path))
                os.rmdir(path)
                raise
            return True
        raise FileNotFoundError(f"{os.path.dirname(path)} is removed again and again")

    def _note(self, paths: Sequence[str]) -> None:
        os.makedirs(self.folder, exist_ok=True)
        inside = self._store.path
        noted = [
            os.path.relpath(p, inside) if ownership.is_below(p, inside) else os.path.abspath(p) for p in paths
        ]
        shared_files.replace(os.path.join(self.folder, _OUTPUTS), json.dumps(noted))

    def _noted(self) -> list[str]:
        try:
            noted = shared_files.read_json(os.path.join(self.folder, _OUTPUTS))
        except (OSError, ValueError):
            return []
        paths = [path for path in noted if isinstance(path, str)] if isinstance(noted, list) else []
        return [os.path.join(self._store.path, path) for path in paths]

    def publish(self) -> None:
        """Let the outputs stay: they are on record."""
        for path in self._noted():
            if self._has_mark(path):
                _remove_file(_mark_of(path))
        self._remove_folder()

    def discard(self) -> None:
        """Remove what the execution made, and nothing else."""
        for path in self._noted():
            if self._has_mark(path):
                # The mark goes last: who is killed here is followed by the next start.
                shutil.rmtree(path, ignore_errors=True)
                if not os.path.lexists(path):
                    _remove_file(_mark_of(path))
            elif self._may_touch(path):
                # Its process died between the folder and the word in the mark; then both are empty.
                with contextlib.suppress(OSError):
                    os.rmdir(path)
                    if not os.path.getsize(_mark_of(path)):
                        os.remove(_mark_of(path))
            else:
                continue
            ownership.remove_empty_above(path)
        self._remove_folder()

    def _has_mark(self, path: str) -> bool:
        if not self._may_touch(path):
            return False
        try:
            store_id = shared_files.read_text(_mark_of(path))
        except OSError:
            return False
        # A copy of a store holds copies of marks; what lies in it is its own all the same.
        return store_id == self._store.store_id or ownership.is_inside(self._store, path)

    def _may_touch(self, path: str) -> bool:
        # Named for the execution, in the store or in a root that the store claimed.
        key = os.path.basename(os.path.dirname(path))
        is_named = ownership.is_named_for(path, key, self.execution_id) and not os.path.islink(path)
        return is_named and ownership.is_in_own_place(self._store, path, self.execution_id)

    def _remove_folder(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.rmdir(os.path.dirname(self.folder))


def all_in(store: Store) -> Iterator[Unpublished]:
    """Yield what all executions make, the living ones' too."""
    folder = os.path.join(store.path, FOLDER)
    if os.path.islink(folder):
        return
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:
        return
    for name in names:
        if execution_id := id_in(name.partition("-")[0]):
            yield Unpublished(store, execution_id, os.path.join(folder, name))


def id_in(name: str) -> int:
    """The id that a name says; 0 for one that ML Metadata cannot have given."""
    number = int(name) if name.isascii() and name.isdigit() else 0
    return number if number <= _MAX_ID else 0


def _mark_of(path: str) -> str:
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name}.unpublished")


def _remove_file(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.remove(path)
