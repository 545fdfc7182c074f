"""What the store holds by condition, the newest first.

ML Metadata up to 1.16 chooses in the database (`filter_query`). 1.21 refuses that (its parser of SQL is gone):
there the newest are read, each time four times as many, and chosen here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from headrace.authoring import generations
from headrace.authoring.light import authoring
from headrace.store.open.store import Store

with authoring():
    import ml_metadata as mlmd
    from ml_metadata.proto import metadata_store_pb2

# Calls a method of MLMD's store by its name.
Reader = Callable[..., Any]

_MIN_UNFILTERED = 100


@dataclass(frozen=True)
class Condition:
    """What must hold; nothing by default.

    Attributes:
        type_name: The type.
        states: One of these states: values of MLMD's `Artifact.State` or `Execution.State`.
        context_ids: Belongs to all of these contexts. The first is read from: the one with fewest members.
        before_id: The id is smaller; 0 for any.
    """

    type_name: str = ""
    states: tuple[int, ...] = ()
    context_ids: tuple[int, ...] = ()
    before_id: int = 0


@dataclass(frozen=True)
class _Kind:
    """MLMD's methods and names for one kind of thing."""

    list_all: str
    list_in_context: str
    contexts_of: str
    state: str
    state_name: Callable[[int], str]


_ARTIFACTS = _Kind(
    "get_artifacts",
    "get_artifacts_by_context",
    "get_contexts_by_artifact",
    "state",
    metadata_store_pb2.Artifact.State.Name,
)
_EXECUTIONS = _Kind(
    "get_executions",
    "get_executions_by_context",
    "get_contexts_by_execution",
    "last_known_state",
    metadata_store_pb2.Execution.State.Name,
)
_CONTEXTS = _Kind("get_contexts", "", "", "", str)


def reader_of(store: Store) -> Reader:
    """Return a reader that holds the store's connection for one call at a time."""

    def read(method: str, *args: Any, **options: Any) -> Any:
        with store.handle() as handle:
            return getattr(handle.store, method)(*args, **options)

    return read


def reader_of_mlmd(mlmd_store: Any) -> Reader:
    """Return a reader of an MLMD store that the caller holds."""
    return lambda method, *args, **options: getattr(mlmd_store, method)(*args, **options)


def artifacts(read: Reader, condition: Condition, page: int) -> Iterator[metadata_store_pb2.Artifact]:
    """Yield artifacts, newest first, read in pages of `page`."""
    return _newest(read, _ARTIFACTS, condition, page)


def executions(read: Reader, condition: Condition, page: int) -> Iterator[metadata_store_pb2.Execution]:
    """Yield executions, newest first, read in pages of `page`: a context may have many thousands."""
    return _newest(read, _EXECUTIONS, condition, page)


def contexts(read: Reader, type_name: str, page: int) -> Iterator[metadata_store_pb2.Context]:
    """Yield contexts of a type, newest first, read in pages of `page`."""
    return _newest(read, _CONTEXTS, Condition(type_name=type_name), page)


def _newest(read: Reader, kind: _Kind, condition: Condition, page: int) -> Iterator[Any]:
    if generations.HAS_FILTER_QUERY:
        return _filtered(read, kind, condition, page)
    return _unfiltered(read, kind, condition, page)


def _filtered(read: Reader, kind: _Kind, condition: Condition, page: int) -> Iterator[Any]:
    before = condition.before_id
    while True:
        found = _read(read, kind, condition, page, _filter_query(kind, condition, before))
        yield from found
        if len(found) < page:
            return
        before = found[-1].id


def _unfiltered(read: Reader, kind: _Kind, condition: Condition, page: int) -> Iterator[Any]:
    size = max(page, _MIN_UNFILTERED)
    before = condition.before_id
    others = set(condition.context_ids[1:])
    while True:
        found = _read(read, kind, condition, size, None)
        for item in found:
            if (
                (not before or item.id < before)
                and (not condition.type_name or item.type == condition.type_name)
                and (not condition.states or getattr(item, kind.state) in condition.states)
                and (not others or others <= {context.id for context in read(kind.contexts_of, item.id)})
            ):
                yield item
        if len(found) < size:
            return
        before = min(before, found[-1].id) if before else found[-1].id
        # Every read starts at the newest: MLMD's token for the next page is not handed out.
        size *= 4


def _read(read: Reader, kind: _Kind, condition: Condition, limit: int, filter_query: str | None) -> list[Any]:
    options = mlmd.ListOptions(
        limit=limit, order_by=mlmd.OrderByField.ID, is_asc=False, filter_query=filter_query
    )
    if condition.context_ids:
        return list(read(kind.list_in_context, condition.context_ids[0], list_options=options))
    return list(read(kind.list_all, list_options=options))


def _filter_query(kind: _Kind, condition: Condition, before: int) -> str | None:
    parts = [f"id < {before}"] if before else []
    if condition.type_name:
        parts.append(f"type = '{condition.type_name}'")
    if condition.states:
        states = " OR ".join(f"{kind.state} = {kind.state_name(state)}" for state in condition.states)
        parts.append(f"({states})")
    others = condition.context_ids[1:]
    parts += [f"contexts_{place}.id = {context_id}" for place, context_id in enumerate(others)]
    return " AND ".join(parts) or None


def newest_execution(handle: Any) -> int:
    """Return the id of the newest execution; 0 where there is none."""
    options = mlmd.ListOptions(limit=1, order_by=mlmd.OrderByField.ID, is_asc=False)
    found = handle.store.get_executions(options)
    return int(found[0].id) if found else 0
