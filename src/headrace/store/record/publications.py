"""What runs put on record: their executions, registered and published as TFX does it, and how each run went."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from headrace.authoring import Artifact
from headrace.authoring.light import authoring
from headrace.runtime.implementation import Implementation
from headrace.store.open.store import Store
from headrace.store.read.executions import INGREDIENTS_PROPERTY, INNER_RUN_PROPERTY, RUN_CONTEXT_TYPE
from headrace.store.record import starts
from headrace.store.records import RECORD_PROPERTY, RUN_FORMAT, NodeShape, OutputShape, RunShape
from headrace.store.results import NodeResult, RunResult

with authoring():
    from ml_metadata.proto import metadata_store_pb2
    from tfx.orchestration.portable import execution_publish_utils
    from tfx.orchestration.portable.mlmd import context_lib, execution_lib
    from tfx.proto.orchestration import execution_result_pb2, pipeline_pb2

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


def publish_cached(
    store: Store,
    contexts: Contexts,
    execution: metadata_store_pb2.Execution,
    outputs: Artifacts,
    implementation: Implementation,
) -> None:
    """Record that an execution reused `outputs`, and which implementation made them."""
    for name, text in implementation.as_properties().items():
        execution.custom_properties[name].string_value = text
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


def publish_run(
    store: Store, result: RunResult, state: str, started: datetime, details: Mapping[str, Any]
) -> None:
    """Record a run, replacing what was recorded of it before.

    Args:
        store: The open store.
        result: The run so far.
        state: See `RunSummary.state`.
        started: When it started.
        details: Command, configuration and whatever else belongs to the run; JSON data.
    """
    record: RunShape = {
        "format": RUN_FORMAT,
        "pipeline_name": result.pipeline_name,
        "state": state,
        "started": started.isoformat(),
        "seconds": round(result.seconds, 3),
        "nodes": [_node_to_json(node) for node in result.nodes],
        "details": dict(details),
        "start": starts.signed(store, result.run_id, details),
    }
    with store.handle() as handle:
        context = context_lib.register_context_if_not_exists(
            handle, context_type_name=RUN_CONTEXT_TYPE, context_name=result.run_id
        )
        context.custom_properties[RECORD_PROPERTY].string_value = json.dumps(record)
        handle.store.put_contexts([context])


def _node_to_json(node: NodeResult) -> NodeShape:
    return {
        "node_id": node.node_id,
        "state": node.state.value,
        "seconds": round(node.seconds, 3),
        "reason": node.reason,
        "outputs": [
            OutputShape(
                key=output.key,
                type_name=output.type_name,
                artifact_id=output.artifact_id,
                uri=output.uri,
                summary=output.summary,
            )
            for output in node.outputs
        ],
        "error": [type(node.error).__name__, node.error.problem, node.error.fix] if node.error else None,
        "log_path": node.log_path,
        "execution_id": node.execution_id,
        "is_optional": node.is_optional,
        "implementation": {"name": node.implementation.name, "reason": node.implementation.reason},
    }
