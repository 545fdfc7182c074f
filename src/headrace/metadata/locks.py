"""Which runs live: each keeps a file locked, and the kernel unlocks it however its process ends.

What a dead run left behind is mended by the next start: its RUNNING executions become CANCELED, what it
wrote aside is removed, and its record says that it crashed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Collection, Iterator
from datetime import date

from headrace.errors import DefinitionError, StoreError
from headrace.metadata import executions, runs
from headrace.metadata.store import Store, disk_error

# Below a pipeline root: what running executions write, by their id.
UNFINISHED = ".unfinished"
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
def living_run(store: Store, run_id: str, root: str) -> Iterator[str]:
    """Keep the run's lock; its file is gone when the run ends in order.

    Yields:
        A folder for temporary files that does not exist yet; it is removed with the run, however that ends.
    """
    path = os.path.join(store.path, "running", run_id)
    # Not in the store: sockets are made here too, and their paths must be short.
    tmp_path = os.path.join(tempfile.gettempdir(), f"headrace-{secrets.token_hex(6)}")
    with _locked_file(path, json.dumps({"pid": os.getpid(), "root": root, "tmp": tmp_path})):
        try:
            yield tmp_path
        finally:
            shutil.rmtree(tmp_path, ignore_errors=True)
            with contextlib.suppress(FileNotFoundError):
                os.remove(path)


@contextlib.contextmanager
def _locked_file(path: str, text: str) -> Iterator[None]:
    """Let a file appear that is locked from its first moment: an unlocked one looks like a dead run's."""
    temporary_path = f"{path}.{os.getpid()}.tmp"
    while True:
        with open(temporary_path, "w", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(text)
            file.flush()
            try:
                os.rename(temporary_path, path)
            except FileNotFoundError:
                # Another process's `mend` took it before it was locked.
                continue
            yield
            return


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
    """Clean up after one dead run. Its executions change last: a mender that dies before them is followed."""
    ids = runs.mark_crashed(store, run_id)
    try:
        marker = json.loads(text)
    except json.JSONDecodeError:
        marker = {}
    if marker.get("tmp"):
        shutil.rmtree(marker["tmp"], ignore_errors=True)
    root = marker.get("root", "")
    if root and "://" not in root and os.path.isdir(root):
        for node in os.listdir(root):
            for execution_id in ids:
                _remove_outputs(os.path.join(root, node), str(execution_id))
        _remove_unfinished(store, os.path.join(root, UNFINISHED), ids)
    executions.mark_cancelled(store, ids)


def _remove_unfinished(store: Store, folder: str, ids: Collection[int]) -> None:
    """Remove what executions wrote aside: those in `ids`, and those that ended and could not tidy up."""
    names = [name for name in os.listdir(folder) if name.isdigit()] if os.path.isdir(folder) else []
    alive = executions.running_among(store, [int(name) for name in names]) - set(ids)
    for name in names:
        if int(name) not in alive:
            shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
    with contextlib.suppress(OSError):
        os.rmdir(folder)


def _remove_outputs(node_path: str, execution_id: str) -> None:
    """Remove what an execution had moved into place without having been published."""
    if not os.path.isdir(node_path):
        return
    for key in os.listdir(node_path):
        shutil.rmtree(os.path.join(node_path, key, execution_id), ignore_errors=True)
