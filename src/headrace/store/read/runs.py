"""Runs in the store: each is a `pipeline_run` context of MLMD with a record of how it went."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timezone
from typing import Any

from headrace import errors, secrets
from headrace.authoring.light import authoring
from headrace.errors import HeadraceError, StoreError, did_you_mean, listed
from headrace.runtime import implementation
from headrace.runtime.context import SUMMARY_PROPERTY
from headrace.store import records
from headrace.store.open.store import DEFAULT_PATH, Store
from headrace.store.read import markers, queries
from headrace.store.read.executions import INNER_RUN_PROPERTY, NODE_CONTEXT_TYPE, RUN_CONTEXT_TYPE, outputs_of
from headrace.store.results import NodeResult, NodeState, OutputRecord, RunResult

with authoring():
    from ml_metadata.proto import metadata_store_pb2

# Custom properties of a run's context: how it went, and whether garbage collection removed it since.
RECORD_PROPERTY = "headrace_run"
REMOVED_PROPERTY = "headrace_removed"
HIDDEN_PROPERTIES = (REMOVED_PROPERTY, INNER_RUN_PROPERTY)
_MAX_SUGGESTED = 8
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
            saying how it ended; `"unknown"` for a run of another runner.
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


def list_runs(store: str | Store = DEFAULT_PATH, limit: int = 50) -> list[RunSummary]:
    """Return the newest runs of a store, newest first; an empty list where there is no store yet."""
    opened = Store.at(store)
    if not opened.exists():
        return []
    with opened.open(), opened.handle() as handle:
        if not _has_type(handle):
            return []
        # Those that garbage collection removed, and inner pipelines, are passed over.
        found = queries.contexts(queries.reader_of(opened), RUN_CONTEXT_TYPE, limit)
        shown = (context for context in found if not is_hidden(context))
        summaries = [_summary(context) for context in itertools.islice(shown, limit)]
    return [
        replace(summary, state="crashed")
        if summary.state == "running" and _is_dead(opened, summary.run_id)
        else summary
        for summary in summaries
    ]


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


def read_run(store: str | Store = DEFAULT_PATH, run_id: str = "latest") -> RunResult:
    """Return how a run went.

    Args:
        store: The store's folder.
        run_id: The run, or `"latest"`.

    Raises:
        StoreError: If there is no store, or no such run; the message names the newest runs.
    """
    opened = Store.existing(store)
    if run_id == "latest":
        newest = list_runs(store, limit=1)
        if not newest:
            raise StoreError(
                f"the store {opened.path} has no runs.", "run a pipeline first: headrace run taxi"
            )
        run_id = newest[0].run_id
    with opened.open(), opened.handle() as handle:
        context = handle.store.get_context_by_type_and_name(RUN_CONTEXT_TYPE, run_id)
        if context is not None and REMOVED_PROPERTY in context.custom_properties:
            raise StoreError(
                f"run '{run_id}' was removed from the store {opened.path} by headrace gc.",
                "list those that are left with: headrace runs",
            )
        if context is not None:
            record = _record_of(context)
            if record is not None:
                return _from_record(run_id, record, opened.path)
            return _from_executions(opened, handle, context)
    known = [run.run_id for run in list_runs(store, limit=_MAX_SUGGESTED)]
    raise StoreError(
        f"the store {opened.path} has no run '{run_id}'. Its newest are {listed(known)}.",
        f"{did_you_mean(run_id, [*known, 'latest'])}List them with: headrace runs",
    )


def record_of(handle: Any, run_id: str) -> dict[str, Any]:
    """Return what was recorded of a run; empty where there is no such run, or nothing to read.

    Args:
        handle: TFX's metadata handle of an open store.
        run_id: The run.
    """
    context = handle.store.get_context_by_type_and_name(RUN_CONTEXT_TYPE, run_id) if run_id else None
    return _record_of(context) or {}


def read_command(handle: Any, run_id: str) -> str:
    """Return what started a run, as a person typed it; empty where that is not known.

    Args:
        handle: TFX's metadata handle of an open store.
        run_id: The run.
    """
    details = record_of(handle, run_id).get("details", {})
    # Recorded without secrets; by an earlier version perhaps with them.
    return secrets.mask_text(str(details.get("command", "")))


def node_of(result: RunResult, node_id: str) -> NodeResult:
    """Return a node of a run.

    Raises:
        UnknownNodeError: If the run has no such node, naming those it has.
    """
    return result.node(node_id)


def _record_of(context: metadata_store_pb2.Context | None) -> dict[str, Any] | None:
    """The record of a run; `None` where there is none that can be read."""
    if context is None or RECORD_PROPERTY not in context.custom_properties:
        return None
    return records.parse_run(context.custom_properties[RECORD_PROPERTY].string_value)


def _has_type(handle: Any) -> bool:
    return any(kind.name == RUN_CONTEXT_TYPE for kind in handle.store.get_context_types())


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


def _from_record(run_id: str, record: Mapping[str, Any], store_path: str) -> RunResult:
    nodes = []
    for node in record["nodes"]:
        # A later version may have written more.
        values = {name: value for name, value in node.items() if name in _NODE_FIELDS}
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
