"""Cleans up after runs whose process is gone.

Their processes that live on are ended first, then their executions become CANCELED, their record says that they
crashed, and what they wrote without publishing it is removed. All that is found may have been left by a kill at any
moment, be damaged, or come from elsewhere: nothing of it makes a run fail, and nothing outside of the store goes
that does not carry the store's own mark.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Collection, Iterator

from headrace.authoring.light import authoring
from headrace.files import names
from headrace.runtime.processes import process_groups
from headrace.store.open.store import Store
from headrace.store.read import executions, graph, markers, run_records
from headrace.store.read.markers import RunMarker
from headrace.store.record import unpublished

with authoring():
    from ml_metadata.proto import metadata_store_pb2

_MAX_MARKER_BYTES = 64 << 10
_RUNNING = (metadata_store_pb2.Execution.RUNNING, metadata_store_pb2.Execution.NEW)
# Where the first version wrote, below each pipeline's root: a folder for each execution.
_ASIDE = ".unfinished"


def mend(store: Store) -> list[str]:
    """Clean up after runs whose process is gone; return their ids.

    Raises:
        StoreError: If the store cannot be written.
    """
    store.check_writable()
    mended = []
    cancelled: set[int] = set()
    for folder, name, file in markers.dead_files(store):
        if folder == markers.RUNNING and names.is_plain(name):
            # What another user wrote must not end this user's processes.
            is_own = os.fstat(file.fileno()).st_uid == os.geteuid()
            cancelled.update(_mend_run(store, name, file.read(_MAX_MARKER_BYTES) if is_own else ""))
            mended.append(name)
        with contextlib.suppress(OSError):
            os.remove(os.path.join(store.path, folder, name))
    _remove_unpublished(store, cancelled)
    return mended


def _mend_run(store: Store, run_id: str, text: str) -> list[int]:
    """Clean up after one dead run. Its executions change last: a mender that dies before them is followed."""
    marker = RunMarker.parse(text)
    if marker and marker.store_id == store.store_id:
        pid = marker.process.partition(" ")[0]
        is_process_gone = not pid.isdigit() or process_groups.identity(int(pid)) != marker.process
        if is_process_gone:
            process_groups.kill_marked(f"{marker.family}.")
        marker.remove_tmp()
    ids = run_records.mark_crashed(store, run_id)
    _remove_unpublished(store, ids)
    executions.mark_cancelled(store, ids)
    return ids


def _remove_unpublished(store: Store, dead: Collection[int]) -> None:
    """Remove what dead executions left, and those that ended and could not tidy up.

    What this database does not know belongs to another that was here, and stays.
    """
    left = list(unpublished.all_in(store))
    aside = list(_written_aside(store))
    states: dict[int, int] = {}
    ids = {item.execution_id for item in left}.union(execution_id for execution_id, _ in aside)
    for batch in graph.batches(sorted(ids)):
        with store.handle() as handle:
            states.update((e.id, e.last_known_state) for e in handle.store.get_executions_by_id(batch))

    def is_over(execution_id: int) -> bool:
        state = states.get(execution_id)
        return execution_id in dead or (state is not None and state not in _RUNNING)

    for item in left:
        if states.get(item.execution_id) == metadata_store_pb2.Execution.COMPLETE:
            item.publish()
        elif is_over(item.execution_id):
            item.discard()
    for execution_id, path in aside:
        if is_over(execution_id):
            shutil.rmtree(path, ignore_errors=True)
            with contextlib.suppress(OSError):
                os.rmdir(os.path.dirname(path))


def _written_aside(store: Store) -> Iterator[tuple[int, str]]:
    """Yield what is left of runs that were killed under the first version, in this store: execution and folder."""
    for pipeline in _folders(store.artifacts_path):
        for folder in _folders(os.path.join(store.artifacts_path, pipeline, _ASIDE)):
            if execution_id := unpublished.id_in(folder):
                yield execution_id, os.path.join(store.artifacts_path, pipeline, _ASIDE, folder)


def _folders(path: str) -> list[str]:
    """The folders in a folder; none where that is a link, which may lead out of the store."""
    if os.path.islink(path):
        return []
    try:
        with os.scandir(path) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
