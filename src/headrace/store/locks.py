"""What processes hold in a store: their runs, the right to collect garbage, the keys of what they make.

The kernel unlocks a file however its process ends. What a dead run left behind is mended by the next start.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from datetime import date

from headrace.errors import DefinitionError, StoreError
from headrace.files import names, shared_files
from headrace.store.mending import mend as mend
from headrace.store.open.sqlite_files import disk_error
from headrace.store.open.store import Store
from headrace.store.read import markers, run_records
from headrace.store.read.markers import SessionMarker as SessionMarker
from headrace.store.read.markers import living_run as living_run
from headrace.store.read.markers import living_runs as living_runs

_CHOICE_LOCK = "choice.lock"
_COLLECTOR_LOCK = "gc.lock"


def new_run_id(store: Store, wanted: str | None = None) -> str:
    """Reserve a run id by making its log folder: `wanted`, or today's date with the next free number.

    Raises:
        DefinitionError: If `wanted` was used before or is none for a run.
        StoreError: If the store cannot be written.
    """
    number = 0
    while True:
        number += 1
        run_id = names.check_run_id(wanted if wanted is not None else f"{date.today().isoformat()}-{number}")
        try:
            os.makedirs(store.logs_path(run_id))
        except FileExistsError:
            is_free = False
        except OSError as error:
            raise disk_error(store.path, str(error)) from error
        else:
            # Garbage collection removes logs; the id stays taken.
            is_free = not run_records.is_known(store, run_id)
        if is_free:
            return run_id
        if wanted is not None:
            raise DefinitionError(
                f"there is a run '{run_id}' already.", "leave the id out, or choose another."
            )


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
    try:
        file = shared_files.locked(path, kind)
    except BlockingIOError:
        raise
    except OSError as error:
        raise disk_error(os.path.dirname(path), str(error)) from error
    try:
        yield
    finally:
        shared_files.release(file)


@contextlib.contextmanager
def making(store: Store, key: str, wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of a cache key: of executions that miss the same entry at once, one makes it.

    Args:
        store: The open store.
        key: The key.
        wait: Called again and again while another process holds the lock; raises to give up.

    Raises:
        StoreError: If the lock cannot be made.
    """
    path = os.path.join(store.path, markers.KEYS, key)
    while True:
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            file = shared_files.locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            wait()
            continue
        except OSError as error:
            raise disk_error(store.path, str(error)) from error
        try:
            if _is_at(file.fileno(), path):
                try:
                    yield
                finally:
                    # Removed before it is unlocked: who waits for it sees that, and takes the next file.
                    with contextlib.suppress(OSError):
                        os.remove(path)
                return
        finally:
            shared_files.release(file)


def _is_at(descriptor: int, path: str) -> bool:
    """Whether an open file still is the one at `path`: its last owner may have removed it meanwhile."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False
