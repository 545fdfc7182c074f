"""Runs in the store: each is a `pipeline_run` context of MLMD with a record of how it went."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime, timezone
from typing import Any

from headrace import errors, secrets
from headrace.authoring.light import authoring
from headrace.errors import HeadraceError, StoreError, did_you_mean, listed
from headrace.runtime import implementation
from headrace.runtime.context import SUMMARY_PROPERTY
from headrace.store import records
from headrace.store.open.store import Store
from headrace.store.read import markers, queries
from headrace.store.read.executions import (
    INNER_RUN_PROPERTY,
    NODE_CONTEXT_TYPE,
    PIPELINE_CONTEXT_TYPE,
    RUN_CONTEXT_TYPE,
    outputs_of,
)
from headrace.store.records import RECORD_PROPERTY, RunShape
from headrace.store.results import NodeResult, NodeState, OutputRecord, RunResult

with authoring():
    from ml_metadata.proto import metadata_store_pb2

# Of a run's context: whether garbage collection removed it.
REMOVED_PROPERTY = "headrace_removed"
HIDDEN_PROPERTIES = (REMOVED_PROPERTY, INNER_RUN_PROPERTY)
# Of a run that there is not: how many are named, and with how many names its own is compared.
_MAX_NAMED = 8
_MAX_COMPARED = 200
_OPEN = (metadata_store_pb2.Execution.RUNNING, metadata_store_pb2.Execution.NEW)
_PAGE = 100
_NODE_FIELDS = frozenset(field.name for field in fields(NodeResult))
_OUTPUT_FIELDS = frozenset(field.name for field in fields(OutputRecord))


@dataclass(frozen=True)
class RunSummary:
    """One line about a run.

    Attributes:
        run_id: The run.
        pipeline_name: Its pipeline.
        started: When it started, in local time.
        seconds: Wall time; 0 while it runs.
        state: `"running"`, `"succeeded"`, `"failed"`, `"cancelled"` or `"crashed"`, whose process went without
            saying how it ended; `"unknown"` for a run of another runner or of a newer Headrace.
        num_nodes: Nodes of the pipeline.
        num_cached: Nodes served from the cache or reused.
        num_failed: Nodes that failed.
    """

    run_id: str
    pipeline_name: str
    started: datetime
    seconds: float
    state: str
    num_nodes: int
    num_cached: int
    num_failed: int


def mark_crashed(store: Store, run_id: str) -> list[int]:
    """Record that a run's process is gone; return the ids of its executions that were still running."""
    with store.handle() as handle:
        context = handle.store.get_context_by_type_and_name(RUN_CONTEXT_TYPE, run_id)
        record = _record_of(context)
        # One that had ended was killed while it tidied up: what it recorded last is how it went.
        if record is not None and record["state"] == "running":
            record["state"] = "crashed"
            context.custom_properties[RECORD_PROPERTY].string_value = json.dumps(record)
            handle.store.put_contexts([context])
    return open_executions(store, run_id)


def open_executions(store: Store, run_id: str) -> list[int]:
    """Return the ids of a run's executions that are recorded as new or running."""
    with store.handle() as handle:
        context = handle.store.get_context_by_type_and_name(RUN_CONTEXT_TYPE, run_id)
    if context is None:
        return []
    condition = queries.Condition(states=_OPEN, context_ids=(context.id,))
    return [execution.id for execution in queries.executions(queries.reader_of(store), condition, _PAGE)]


def newest_runs(store: Store, *, pipeline_name: str = "", limit: int | None = None) -> Iterator[RunSummary]:
    """Return the runs of an open store, newest first, read from it as they are asked for.

    Args:
        store: The open store.
        pipeline_name: Only runs of this pipeline.
        limit: At most so many; all where it is `None`.

    Raises:
        StoreError: If the store has no such pipeline; the message names those it has.
    """
    if pipeline_name:
        pipeline_context(store, pipeline_name)
    # Of one pipeline there may be few among many.
    found = (_summary(context) for context in _shown_contexts(store, None if pipeline_name else limit))
    chosen = (run for run in found if not pipeline_name or run.pipeline_name == pipeline_name)
    return (
        replace(run, state="crashed") if run.state == "running" and _is_dead(store, run.run_id) else run
        for run in itertools.islice(chosen, limit)
    )


def pipeline_context(store: Store, name: str) -> int:
    """Return the id of a pipeline's context in an open store.

    Raises:
        StoreError: If the store has no such pipeline; the message names those it has.
    """
    with store.handle() as handle:
        context = handle.store.get_context_by_type_and_name(PIPELINE_CONTEXT_TYPE, name)
    if context is None:
        known = pipeline_names(store)
        raise StoreError(
            f"the store {store.path} has no pipeline '{name}'. Its pipelines are {listed(known)}.",
            f"{did_you_mean(name, known)}Correct the name.",
        )
    return int(context.id)


def pipeline_names(store: Store) -> list[str]:
    """Return the names of the pipelines that ran in an open store, sorted."""
    with store.handle() as handle:
        return sorted(context.name for context in handle.store.get_contexts_by_type(PIPELINE_CONTEXT_TYPE))


def _shown_contexts(store: Store, limit: int | None = None) -> Iterator[metadata_store_pb2.Context]:
    """The contexts of runs, newest first, without those that garbage collection removed and inner pipelines."""
    with store.handle() as handle:
        has_runs = any(kind.name == RUN_CONTEXT_TYPE for kind in handle.store.get_context_types())
    if has_runs:
        page = _PAGE if limit is None else max(1, min(limit, _PAGE))
        found = queries.contexts(queries.reader_of(store), RUN_CONTEXT_TYPE, page)
        yield from (context for context in found if not is_hidden(context))


def _is_dead(store: Store, run_id: str) -> bool:
    """Whether the process of a run that is recorded as running is gone."""
    # Where others write into the same database, the process may be on another machine.
    return store.connection_config is None and not markers.is_living(store, run_id)


def is_hidden(context: metadata_store_pb2.Context) -> bool:
    """Whether a run's context stands for a run that garbage collection removed, or for a part of another run."""
    return any(name in context.custom_properties for name in HIDDEN_PROPERTIES)


def is_known(store: Store, run_id: str) -> bool:
    """Whether a run of this id was ever recorded, also where garbage collection removed it."""
    with store.handle() as handle:
        return handle.store.get_context_by_type_and_name(RUN_CONTEXT_TYPE, run_id) is not None


def read_run(store: Store, run_id: str = "latest") -> RunResult:
    """Return how a run went.

    Args:
        store: The open store.
        run_id: The run, or `"latest"`.

    Raises:
        StoreError: If there is no such run, where the message names the newest runs and one of a like name; or a newer
            Headrace recorded it.
    """
    if run_id == "latest":
        newest = next(_shown_contexts(store, limit=1), None)
        if newest is None:
            raise StoreError(
                f"the store {store.path} has no runs.", "run a pipeline first: headrace run taxi"
            )
        run_id = newest.name
    with store.handle() as handle:
        context = handle.store.get_context_by_type_and_name(RUN_CONTEXT_TYPE, run_id)
        if context is not None and REMOVED_PROPERTY in context.custom_properties:
            raise StoreError(
                f"run '{run_id}' was removed from the store {store.path} by headrace gc.",
                "list those that are left with: headrace runs",
            )
        if context is not None:
            record = _record_of(context)
            if record is None and _is_newer(context):
                raise records.newer_error(f"run '{run_id}' of the store {store.path}")
            if record is not None:
                return _from_record(run_id, record, store.path)
            return _from_executions(store, handle, context)
    known = [context.name for context in itertools.islice(_shown_contexts(store), _MAX_COMPARED)]
    raise StoreError(
        f"the store {store.path} has no run '{run_id}'. Its newest are {listed(known[:_MAX_NAMED])}.",
        f"{did_you_mean(run_id, [*known, 'latest'])}List them with: headrace runs",
    )


def record_of(handle: Any, run_id: str) -> dict[str, Any]:
    """Return what was recorded of a run; empty where there is no such run, or nothing to read.

    Args:
        handle: TFX's metadata handle of an open store.
        run_id: The run.
    """
    context = handle.store.get_context_by_type_and_name(RUN_CONTEXT_TYPE, run_id) if run_id else None
    return dict(_record_of(context) or {})


def read_command(handle: Any, run_id: str) -> str:
    """Return what started a run, as a person typed it; empty where that is not known.

    Args:
        handle: TFX's metadata handle of an open store.
        run_id: The run.
    """
    details = record_of(handle, run_id).get("details", {})
    # Recorded without secrets; by an earlier version perhaps with them.
    return secrets.mask_text(str(details.get("command", "")))


def _record_of(context: metadata_store_pb2.Context | None) -> RunShape | None:
    """The record of a run; `None` where there is none that can be read."""
    if context is None or RECORD_PROPERTY not in context.custom_properties:
        return None
    return records.parse_run(context.custom_properties[RECORD_PROPERTY].string_value)


def _is_newer(context: metadata_store_pb2.Context) -> bool:
    record = records.parse_object(context.custom_properties[RECORD_PROPERTY].string_value)
    return record is not None and records.is_newer(record)


def _summary(context: metadata_store_pb2.Context) -> RunSummary:
    record = _record_of(context)
    if record is None:
        created = datetime.fromtimestamp(context.create_time_since_epoch / 1000, timezone.utc)
        return RunSummary(context.name, "", created.astimezone(), 0.0, "unknown", 0, 0, 0)
    states = [node["state"] for node in record["nodes"]]
    return RunSummary(
        run_id=context.name,
        pipeline_name=record["pipeline_name"],
        started=datetime.fromisoformat(record["started"]),
        seconds=record["seconds"],
        state=record["state"],
        num_nodes=len(states),
        num_cached=states.count(NodeState.CACHED.value),
        num_failed=states.count(NodeState.FAILED.value),
    )


def _from_record(run_id: str, record: RunShape, store_path: str) -> RunResult:
    nodes = []
    for node in record["nodes"]:
        # A later version may have written more.
        values: dict[str, Any] = {name: value for name, value in node.items() if name in _NODE_FIELDS}
        values["state"] = NodeState(values["state"])
        values["reason"] = secrets.mask_text(str(values.get("reason", "")))
        values["outputs"] = tuple(
            OutputRecord(**{name: value for name, value in output.items() if name in _OUTPUT_FIELDS})
            for output in values["outputs"]
        )
        values["implementation"] = records.parse_implementation(values.get("implementation"))
        if values.get("error"):
            name, problem, fix = values["error"]
            kind = getattr(errors, name, None)
            if not (isinstance(kind, type) and issubclass(kind, HeadraceError)):
                kind = HeadraceError
            values["error"] = kind(secrets.mask_text(problem), secrets.mask_text(fix))
        nodes.append(NodeResult(**values))
    return RunResult(
        run_id,
        record["pipeline_name"],
        tuple(nodes),
        record["seconds"],
        store_path,
        dict(secrets.mask_values(record["details"])),
    )


_STATES = {
    metadata_store_pb2.Execution.COMPLETE: NodeState.DONE,
    metadata_store_pb2.Execution.CACHED: NodeState.CACHED,
    metadata_store_pb2.Execution.FAILED: NodeState.FAILED,
    metadata_store_pb2.Execution.CANCELED: NodeState.CANCELLED,
}


def _from_executions(store: Store, handle: Any, context: metadata_store_pb2.Context) -> RunResult:
    """What can be said of a run of another runner: its executions."""
    nodes = []
    pipeline_name = ""
    for execution in sorted(handle.store.get_executions_by_context(context.id), key=lambda e: e.id):
        names = [
            c.name
            for c in handle.store.get_contexts_by_execution(execution.id)
            if _is_node_context(handle, c)
        ]
        pipeline_name, _, node_id = (names[0] if names else f".execution {execution.id}").partition(".")
        outputs = outputs_of(store, execution.id)
        nodes.append(
            NodeResult(
                node_id=node_id,
                state=_STATES.get(execution.last_known_state, NodeState.RUNNING),
                seconds=(execution.last_update_time_since_epoch - execution.create_time_since_epoch) / 1000,
                outputs=tuple(
                    OutputRecord(
                        key, a.type_name, a.id, a.uri, a.get_string_custom_property(SUMMARY_PROPERTY) or ""
                    )
                    for key in sorted(outputs)
                    for a in outputs[key]
                ),
                execution_id=execution.id,
                implementation=implementation.of_properties(execution.custom_properties),
            )
        )
    return RunResult(context.name, pipeline_name, tuple(nodes), sum(n.seconds for n in nodes), store.path)


def _is_node_context(handle: Any, context: metadata_store_pb2.Context) -> bool:
    return bool(context.type == NODE_CONTEXT_TYPE) or (
        handle.store.get_context_types_by_id([context.type_id])[0].name == NODE_CONTEXT_TYPE
    )
