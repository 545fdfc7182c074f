"""Which files are a store's own: only those may be removed.

Its own is what lies in it, and what it put below a pipeline root that it *claimed*. A claim is a file in the root,
named for the store's id and written before the first execution there; it says which execution was the newest then.
So whatever a database from elsewhere says, nothing of an older time or another store is touched.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from headrace.files import shared_files
from headrace.store.read import graph
from headrace.store.read.graph import Link

if TYPE_CHECKING:
    from headrace.store.open.store import Store

IMPORTER_TYPE = "tfx.dsl.components.common.importer.Importer"
# In a pipeline root outside of the store: the claims of the stores that write there, by store id.
CLAIMS = ".headrace-root"
Follow: TypeAlias = Callable[[str], str]
# `{key}/{execution id}`, with a token where the folder of that name was taken.
_FOLDER = re.compile(r"(\d+)(-[0-9a-f]{8})?")
# {root}/{node}/{key}/{execution}; a node's id may not hold a slash, but a list and a value lie one deeper.
_LEVELS_TO_ROOT = (3, 4)


def true_origins(handle: Any, links: Iterable[Link]) -> dict[int, Link]:
    """Return which execution made each artifact; those that an Importer named were not made here."""
    origins = graph.origins(links)
    ids = sorted({link.execution_id for link in origins.values()})
    executions = [e for batch in graph.batches(ids) for e in handle.store.get_executions_by_id(batch)]
    makers = {execution.id for execution in executions if execution.type != IMPORTER_TYPE}
    return {artifact: link for artifact, link in origins.items() if link.execution_id in makers}


def is_named_for(uri: str, key: str, execution_id: int) -> bool:
    """Whether a path is where a runner put an output; what an Importer names belongs to somebody else.

    TFX's runners and Headrace put outputs into `{root}/{node}/{key}/{execution id}`, and below it where a key
    has several artifacts or a value.
    """
    parts = uri.rstrip("/").split("/")
    if "://" in uri or ".." in parts or "." in parts:
        return False
    return any(
        len(place) == 2 and place[0] == key and _execution_in(place[1]) == execution_id
        for place in (parts[-2:], parts[-3:-1])
    )


def is_own(uri: str, origin: Link | None) -> bool:
    """Whether a path is named for the execution that made it; see `is_named_for`."""
    return origin is not None and is_named_for(uri, origin.key, origin.execution_id)


def is_removable(store: Store, uri: str, origin: Link | None, follow: Follow = os.path.realpath) -> bool:
    """Whether files are the store's own: named for what made them, and in a place of its own.

    Args:
        store: The store.
        uri: Where the files are.
        origin: What made them.
        follow: What gives a folder's real path; who asks for thousands remembers those of the few folders they are in.
    """
    return (
        is_own(uri, origin)
        and origin is not None
        and is_in_own_place(store, uri, origin.execution_id, follow)
    )


def is_in_own_place(store: Store, path: str, execution_id: int, follow: Follow = os.path.realpath) -> bool:
    """Whether a path lies in the store or below a root that it claimed before an execution; links are followed."""
    folder = real_place(path, follow)
    if is_below(folder, follow(store.path)):
        return True
    if not store.store_id:
        return False
    for level in range(1, max(_LEVELS_TO_ROOT) + 1):
        folder = os.path.dirname(folder)
        if level in _LEVELS_TO_ROOT and -1 < _claimed_after(folder, store.store_id) < execution_id:
            return True
    return False


def claim(store: Store, root: str, newest_execution: int) -> None:
    """Note in a pipeline root that lies outside of the store that later executions of it write there.

    Args:
        store: The store.
        root: The root; made where it is missing.
        newest_execution: What is there already may be named for executions up to this one.

    Raises:
        OSError: If the root cannot be written.
    """
    real = os.path.realpath(root)
    if is_below(real, os.path.realpath(store.path)) or _claimed_after(real, store.store_id) >= 0:
        return
    folder = os.path.join(real, CLAIMS)
    os.makedirs(folder, exist_ok=True)
    text = json.dumps({"store": store.path, "newest_execution": newest_execution})
    final = os.path.join(folder, store.store_id)
    aside = f"{final}.{secrets.token_hex(4)}"
    shared_files.replace(aside, text)
    try:
        # Of two runs that claim at once the first counts: the other's newest execution may be of this run.
        os.link(aside, final)
    except OSError:
        if _claimed_after(real, store.store_id) < 0:
            os.replace(aside, final)
    if os.path.exists(aside):
        os.remove(aside)


def real_place(path: str, follow: Follow = os.path.realpath) -> str:
    """Return a path whose folder is followed through links; if the path itself is one, it is meant, not its end."""
    folder, name = os.path.split(path.rstrip("/"))
    return os.path.join(follow(folder), name)


def is_below(path: str, folder: str) -> bool:
    """Whether a path lies in a folder, by the words alone."""
    return path.startswith(folder.rstrip("/") + "/")


def remove(path: str) -> None:
    """Remove a file, a link or a folder, and the folders above it that are empty then: key and node."""
    path = real_place(path)
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
    elif os.path.lexists(path):
        os.remove(path)
    remove_empty_above(path)


def remove_empty_above(path: str) -> None:
    """Remove the folders of key and node above an output, if nothing is in them."""
    folder = os.path.dirname(path)
    for _ in range(2):
        try:
            os.rmdir(folder)
        except OSError:
            return
        folder = os.path.dirname(folder)


def is_inside(store: Store, path: str) -> bool:
    """Whether a path lies in the store, links followed."""
    return is_below(real_place(path), os.path.realpath(store.path))


def _execution_in(name: str) -> int:
    found = _FOLDER.fullmatch(name)
    return int(found[1]) if found else 0


def _claimed_after(root: str, store_id: str) -> int:
    """The newest execution when a store claimed a root; -1 where it did not."""
    try:
        noted = shared_files.read_json(os.path.join(root, CLAIMS, store_id))
        newest = noted["newest_execution"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return -1
    return newest if isinstance(newest, int) else -1
