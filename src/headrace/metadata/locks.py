"""Which runs live: each keeps a file locked, and the kernel unlocks it however its process ends.

What a dead run left behind is mended by the next start: its RUNNING executions become CANCELED, what it
wrote aside is removed, and its record says that it crashed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from datetime import date

from headrace.errors import DefinitionError, StoreError
from headrace.metadata import executions, runs
from headrace.metadata.store import Store, disk_error

_KEY_PREFIX = "key-"
_CHOICE_LOCK = "choice.lock"
_COLLECTOR_LOCK = "gc.lock"


def new_run_id(store: Store, wanted: str | None = None) -> str:
    """Reserve a run id by making its log folder: `wanted`, or today's date with the next free number.

    Raises:
        DefinitionError: If `wanted` was used before or is not a plain name.
        StoreError: If the store cannot be written.
    """
    number = 0
    while True:
        number += 1
        run_id = wanted or f"{date.today().isoformat()}-{number}"
        if os.sep in run_id or run_id.startswith("."):
            raise DefinitionError(f"'{run_id}' cannot be a run id.", "use letters, digits, '-', '_' and '.'.")
        try:
            os.makedirs(store.logs_path(run_id))
        except FileExistsError:
            is_free = False
        except OSError as error:
            raise disk_error(store.path, str(error)) from error
        else:
            # Garbage collection removes logs; the id stays taken.
            is_free = not runs.is_known(store, run_id)
        if is_free:
            return run_id
        if wanted:
            raise DefinitionError(
                f"there is a run '{run_id}' already.", "leave the id out, or choose another."
            )


@contextlib.contextmanager
def living_run(store: Store, run_id: str, root: str) -> Iterator[None]:
    """Keep the run's lock; its file is gone when the run ends in order."""
    path = os.path.join(store.path, "running", run_id)
    # Locked under another name first: an unlocked file in its place would look like a dead run's.
    temporary_path = f"{path}.{os.getpid()}.tmp"
    with open(temporary_path, "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        json.dump({"pid": os.getpid(), "root": root}, file)
        file.flush()
        os.rename(temporary_path, path)
        try:
            yield
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.remove(path)


def living_runs(store: Store) -> list[str]:
    """Return the ids of the runs that live; call `mend` before, so that no dead one is among them."""
    names = os.listdir(os.path.join(store.path, "running"))
    return sorted(name for name in names if not name.startswith(_KEY_PREFIX) and not name.endswith(".tmp"))


@contextlib.contextmanager
def choosing(store: Store) -> Iterator[None]:
    """Hold off garbage collection while a node looks for earlier artifacts and records that it uses them."""
    with _flock(os.path.join(store.path, _CHOICE_LOCK), fcntl.LOCK_SH):
        yield


@contextlib.contextmanager
def discarding(store: Store) -> Iterator[None]:
    """Wait until no node is `choosing`, and let none begin to."""
    with _flock(os.path.join(store.path, _CHOICE_LOCK), fcntl.LOCK_EX):
        yield


@contextlib.contextmanager
def only_collector(store: Store) -> Iterator[None]:
    """Be the only garbage collection of the store.

    Raises:
        StoreError: If another one is at work.
    """
    try:
        with _flock(os.path.join(store.path, _COLLECTOR_LOCK), fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield
    except BlockingIOError:
        raise StoreError(
            f"another 'headrace gc' works on the store {store.path}.", "try again when it has ended."
        ) from None


@contextlib.contextmanager
def _flock(path: str, kind: int) -> Iterator[None]:
    with open(path, "a", encoding="utf-8") as file:
        fcntl.flock(file, kind)
        yield


def mend(store: Store) -> list[str]:
    """Clean up after runs whose process is gone; return their ids."""
    mended = []
    folder = os.path.join(store.path, "running")
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        try:
            file = open(path, encoding="utf-8")  # noqa: SIM115 - closed below
        except FileNotFoundError:
            continue
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            if not name.startswith(_KEY_PREFIX) and not name.endswith(".tmp"):
                _mend_run(store, name, file.read())
                mended.append(name)
            with contextlib.suppress(FileNotFoundError):
                os.remove(path)
    return mended


def _mend_run(store: Store, run_id: str, text: str) -> None:
    ids = runs.mark_crashed(store, run_id)
    try:
        root = json.loads(text).get("root", "")
    except json.JSONDecodeError:
        root = ""
    if root and "://" not in root:
        for execution_id in ids:
            shutil.rmtree(os.path.join(root, ".unfinished", str(execution_id)), ignore_errors=True)
            for node in os.listdir(root) if os.path.isdir(root) else ():
                _remove_outputs(os.path.join(root, node), str(execution_id))
        with contextlib.suppress(OSError):
            os.rmdir(os.path.join(root, ".unfinished"))
    executions.publish_cancelled(store, ids)


def _remove_outputs(node_path: str, execution_id: str) -> None:
    """Remove what an execution had moved into place without having been published."""
    if not os.path.isdir(node_path):
        return
    for key in os.listdir(node_path):
        shutil.rmtree(os.path.join(node_path, key, execution_id), ignore_errors=True)
