"""Executions in the store: register, find in the cache, publish. All as TFX writes them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from headrace.metadata import queries
from headrace.metadata.queries import Condition
from headrace.metadata.store import Store
from headrace.sdk import Artifact
from headrace.sdk.light import authoring

with authoring():
    from ml_metadata.proto import metadata_store_pb2
    from tfx.orchestration.portable import execution_publish_utils
    from tfx.orchestration.portable.mlmd import context_lib, execution_lib
    from tfx.proto.orchestration import execution_result_pb2, pipeline_pb2
    from tfx.types import artifact_utils

RUN_CONTEXT_TYPE = "pipeline_run"
NODE_CONTEXT_TYPE = "node"
PIPELINE_CONTEXT_TYPE = "pipeline"
INGREDIENTS_PROPERTY = "headrace_cache_ingredients"
# On the run context of an inner pipeline: the run that it is a part of.
INNER_RUN_PROPERTY = "headrace_inner_of"
_PUSHED_DESTINATION = "pushed_destination"
COMPLETE = (metadata_store_pb2.Execution.COMPLETE,)
_SUCCESSFUL = (metadata_store_pb2.Execution.COMPLETE, metadata_store_pb2.Execution.CACHED)
_PAGE = 20
# How Python shows an object of a class that does not say how it wants to be shown.
_OBJECT = re.compile(r"<(?:\w+\.)*(\w+) object at 0x[0-9a-f]+>")
# How a traceback ends: the exception's module and class.
_EXCEPTION = re.compile(r"^(?:\w+\.)+\w+: ")

Artifacts = Mapping[str, Sequence[Artifact]]
Contexts = list[metadata_store_pb2.Context]


def prepare_contexts(store: Store, node: pipeline_pb2.PipelineNode) -> Contexts:
    """Return the node's contexts (pipeline, run, node), registered where they are new."""
    with store.handle() as handle:
        return list(context_lib.prepare_contexts(handle, node.contexts))


def mark_inner_runs(store: Store, contexts: Contexts, run_id: str) -> None:
    """Mark the run contexts of inner pipelines, which TFX gives runs of their own, as parts of `run_id`."""
    with store.handle() as handle:
        type_id = handle.store.get_context_type(RUN_CONTEXT_TYPE).id
        inner = [context for context in contexts if context.type_id == type_id and context.name != run_id]
        for context in inner:
            context.custom_properties[INNER_RUN_PROPERTY].string_value = run_id
        if inner:
            handle.store.put_contexts(inner)


def register(
    store: Store,
    node: pipeline_pb2.PipelineNode,
    contexts: Contexts,
    inputs: Artifacts,
    parameters: Mapping[str, Any],
) -> metadata_store_pb2.Execution:
    """Record a RUNNING execution with its inputs and return it."""
    with store.handle() as handle:
        return execution_publish_utils.register_execution(
            metadata_handle=handle,
            execution_type=node.node_info.type,
            contexts=contexts,
            input_artifacts=inputs or None,
            exec_properties=parameters,
        )


def cache_context(store: Store, key: str) -> metadata_store_pb2.Context:
    """Return the context of type `execution_cache` that stands for a cache key, as TFX keeps its cache."""
    with store.handle() as handle:
        return context_lib.register_context_if_not_exists(
            handle, context_type_name=context_lib.CONTEXT_TYPE_EXECUTION_CACHE, context_name=key
        )


def cached_outputs(
    store: Store, context: metadata_store_pb2.Context
) -> tuple[dict[str, list[Artifact]], metadata_store_pb2.Execution] | None:
    """Return the outputs of the newest successful execution in a cache context whose files still exist."""
    # Only those that ran: executions that were themselves cached point to the same artifacts.
    condition = Condition(states=COMPLETE, context_ids=(context.id,))
    for execution in queries.executions(queries.reader_of(store), condition, _PAGE):
        outputs = outputs_of(store, execution.id)
        if all(is_intact(artifact) for artifacts in outputs.values() for artifact in artifacts):
            return outputs, execution
    return None


def run_of(store: Store, execution_id: int) -> str:
    """Return the id of the run that an execution belongs to; empty where it belongs to none."""
    with store.handle() as handle:
        type_id = handle.store.get_context_type(RUN_CONTEXT_TYPE).id
        contexts = handle.store.get_contexts_by_execution(execution_id)
    # A node of an inner pipeline also belongs to a run named after that pipeline: `{pipeline}_{run}`.
    names = [str(context.name) for context in contexts if context.type_id == type_id]
    return min(names, key=len, default="")


def run_that_made(store: Store, artifact_id: int) -> str:
    """Return the id of the run that made an artifact, the first that gave it out; empty where none did."""
    kinds = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.INTERNAL_OUTPUT)
    with store.handle() as handle:
        events = handle.store.get_events_by_artifact_ids([artifact_id])
    makers = [event.execution_id for event in events if event.type in kinds]
    return run_of(store, min(makers)) if makers else ""


def is_intact(artifact: Artifact) -> bool:
    """Whether an artifact may be used again: its files exist, and so does the place it was pushed to."""
    if artifact.mlmd_artifact.state == metadata_store_pb2.Artifact.DELETED:
        return False
    if not os.path.exists(artifact.uri) and "://" not in artifact.uri:
        return False
    destination = artifact.get_string_custom_property(_PUSHED_DESTINATION)
    return not destination or "://" in destination or os.path.exists(destination)


def outputs_of(store: Store, execution_id: int) -> dict[str, list[Artifact]]:
    """Return the output artifacts of an execution by output key."""
    with store.handle() as handle:
        kinds = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.INTERNAL_OUTPUT)
        events = [e for e in handle.store.get_events_by_execution_ids([execution_id]) if e.type in kinds]
        if not events:
            return {}
        protos = {a.id: a for a in handle.store.get_artifacts_by_id([e.artifact_id for e in events])}
        type_ids = list({a.type_id for a in protos.values()})
        types = {t.id: t for t in handle.store.get_artifact_types_by_id(type_ids)}
        outputs: dict[str, list[Artifact]] = {}
        for event in events:
            proto = protos[event.artifact_id]
            artifact = artifact_utils.deserialize_artifact(types[proto.type_id], proto)
            outputs.setdefault(event.path.steps[0].key, []).append(artifact)
        return outputs


def publish_cached(
    store: Store, contexts: Contexts, execution: metadata_store_pb2.Execution, outputs: Artifacts
) -> None:
    """Record that an execution reused `outputs`."""
    with store.handle() as handle:
        execution_publish_utils.publish_cached_executions(
            metadata_handle=handle,
            contexts=contexts,
            executions=[execution],
            output_artifacts_maps=[outputs],
        )


def publish_handed_on(store: Store, contexts: Contexts, execution_id: int, outputs: Artifacts) -> None:
    """Record that an execution handed on artifacts that others made, as TFX's Resolver does."""
    with store.handle() as handle:
        execution_publish_utils.publish_internal_execution(
            metadata_handle=handle, contexts=contexts, execution_id=execution_id, output_artifacts=outputs
        )


def publish_done(
    store: Store,
    contexts: Contexts,
    execution_id: int,
    outputs: Artifacts,
    output: execution_result_pb2.ExecutorOutput,
    what: Mapping[str, Any],
) -> dict[str, list[Artifact]]:
    """Record success: the outputs become LIVE in the same transaction. Return them with their ids."""
    output.execution_properties[INGREDIENTS_PROPERTY].string_value = json.dumps(what, sort_keys=True)
    with store.handle() as handle:
        published, _ = execution_publish_utils.publish_succeeded_execution(
            metadata_handle=handle,
            execution_id=execution_id,
            contexts=contexts,
            output_artifacts=outputs,
            executor_output=output,
        )
        return {key: list(artifacts) for key, artifacts in (published or {}).items()}


def publish_failed(
    store: Store,
    contexts: Contexts,
    execution_id: int,
    message: str,
    what: Mapping[str, Any] | None = None,
) -> None:
    """Record failure with its message, and what the outputs would have depended on."""
    output = execution_result_pb2.ExecutorOutput()
    output.execution_result.code = 1
    output.execution_result.result_message = message
    with store.handle() as handle:
        if what:
            [execution] = handle.store.get_executions_by_id([execution_id])
            execution.custom_properties[INGREDIENTS_PROPERTY].string_value = json.dumps(what, sort_keys=True)
            handle.store.put_executions([execution])
        execution_publish_utils.publish_failed_execution(
            metadata_handle=handle, contexts=contexts, execution_id=execution_id, executor_output=output
        )


def publish_cancelled(store: Store, execution_ids: Sequence[int]) -> None:
    """Record that executions were stopped before they ended."""
    if not execution_ids:
        return
    with store.handle() as handle:
        executions = handle.store.get_executions_by_id(list(execution_ids))
        for execution in executions:
            execution.last_known_state = metadata_store_pb2.Execution.CANCELED
        handle.store.put_executions(executions)


def running_among(store: Store, execution_ids: Sequence[int]) -> set[int]:
    """Return those of some executions that are recorded as running."""
    if not execution_ids:
        return set()
    with store.handle() as handle:
        found = handle.store.get_executions_by_id(list(execution_ids))
    return {e.id for e in found if e.last_known_state == metadata_store_pb2.Execution.RUNNING}


def latest_successful(
    store: Store, node: pipeline_pb2.PipelineNode, run_id: str = ""
) -> tuple[metadata_store_pb2.Execution, dict[str, list[Artifact]]] | None:
    """Return the newest successful execution of a node with its outputs, if their files still exist.

    Args:
        store: The open store.
        node: The node; runs of its pipeline are searched.
        run_id: Search only this run; every run where it is empty.
    """
    names = [(c.type.name, c.name.field_value.string_value) for c in node.contexts.contexts]
    # The node's own comes last: one of an inner pipeline has that pipeline's before it.
    wanted = next(((kind, name) for kind, name in reversed(names) if kind == NODE_CONTEXT_TYPE), None)
    if wanted is None:
        return None
    with store.handle() as handle:
        context = handle.store.get_context_by_type_and_name(*wanted)
        if context is None:
            return None
        context_ids = [context.id]
        if run_id:
            run_context = handle.store.get_context_by_type_and_name(RUN_CONTEXT_TYPE, run_id)
            if run_context is None:
                return None
            context_ids.insert(0, run_context.id)  # it has the fewest executions
    condition = Condition(states=_SUCCESSFUL, context_ids=tuple(context_ids))
    for execution in queries.executions(queries.reader_of(store), condition, _PAGE):
        outputs = outputs_of(store, execution.id)
        if all(is_intact(artifact) for artifacts in outputs.values() for artifact in artifacts):
            return execution, outputs
    return None


def failure_of(store: Store, execution_id: int) -> str | None:
    """Return why an execution failed; `None` where it did not fail."""
    with store.handle() as handle:
        [execution] = handle.store.get_executions_by_id([execution_id])
    if execution.last_known_state != metadata_store_pb2.Execution.FAILED:
        return None
    result = execution_lib.get_execution_result(execution, ignore_parse_errors=True)
    lines = [line for line in (result.result_message if result else "").splitlines() if line.strip()]
    if not lines:
        return "it failed without a message"
    return _OBJECT.sub(r"\1", _EXCEPTION.sub("", lines[-1].strip())).rstrip(".")
