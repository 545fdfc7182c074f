"""Executions in the store: find them, in the cache and by node, and what they made; cancel them.

Who reads the store needs no more than this; `headrace.store.record.publications` records what runs do, with a part of
TFX that takes as long to import as all the rest.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from headrace import files
from headrace.authoring import Artifact
from headrace.authoring.light import authoring
from headrace.errors import HeadraceError, InputResolutionError, SetupError, UnsupportedFeatureError
from headrace.files import addresses, payloads
from headrace.formats import pushed_models
from headrace.runtime import implementation
from headrace.runtime.context import DIGEST_PROPERTY, FILES_PROPERTY
from headrace.runtime.implementation import Implementation
from headrace.store.open.store import Store
from headrace.store.read import queries
from headrace.store.read.queries import Condition
from headrace.store.read.typed_artifacts import typed

with authoring():
    from ml_metadata.proto import metadata_store_pb2

if TYPE_CHECKING:
    from tfx.proto.orchestration import pipeline_pb2

RUN_CONTEXT_TYPE = "pipeline_run"
NODE_CONTEXT_TYPE = "node"
PIPELINE_CONTEXT_TYPE = "pipeline"
INGREDIENTS_PROPERTY = "headrace_cache_ingredients"
# On an artifact: how its content differs from what was written, where only reading it told.
DAMAGE_PROPERTY = "headrace_damage"
# On the run context of an inner pipeline: the run that it is a part of.
INNER_RUN_PROPERTY = "headrace_inner_of"
COMPLETE = (metadata_store_pb2.Execution.COMPLETE,)
_SUCCESSFUL = (metadata_store_pb2.Execution.COMPLETE, metadata_store_pb2.Execution.CACHED)
_PAGE = 20


def cached_outputs(
    store: Store, context: metadata_store_pb2.Context, damaged: dict[int, str] | None = None
) -> tuple[dict[str, list[Artifact]], metadata_store_pb2.Execution] | None:
    """Return the outputs of the newest successful execution in a cache context whose files are intact.

    Args:
        store: The open store.
        context: The cache context.
        damaged: Receives how the files of those that were passed over are damaged, by artifact id.
    """
    # Only those that ran: executions that were themselves cached point to the same artifacts.
    condition = Condition(states=COMPLETE, context_ids=(context.id,))
    for execution in queries.executions(queries.reader_of(store), condition, _PAGE):
        outputs = outputs_of(store, execution.id)
        if all(is_intact(artifact) for artifacts in outputs.values() for artifact in artifacts):
            return outputs, execution
        if damaged is not None:
            flat = [artifact for artifacts in outputs.values() for artifact in artifacts]
            damaged.update({one.id: found for one in flat if _is_live(one) and (found := damage_of(one))})
    return None


def _is_live(artifact: Artifact) -> bool:
    return bool(artifact.mlmd_artifact.state == metadata_store_pb2.Artifact.LIVE)


def run_of(store: Store, execution_id: int) -> str:
    """Return the id of the run that an execution belongs to; empty where it belongs to none."""
    with store.handle() as handle:
        type_id = handle.store.get_context_type(RUN_CONTEXT_TYPE).id
        contexts = handle.store.get_contexts_by_execution(execution_id)
    # A node of an inner pipeline also belongs to a run named after that pipeline: `{pipeline}_{run}`.
    names = [str(context.name) for context in contexts if context.type_id == type_id]
    return min(names, key=len, default="")


def is_intact(artifact: Artifact) -> bool:
    """Whether an artifact may be used again: see `trouble_with`."""
    return not trouble_with(artifact)


def trouble_with(artifact: Artifact) -> str:
    """Return why an artifact may not be used again; empty where it may.

    Its files are as they were written, as far as a stat of each tells, and the place that it was pushed to exists.
    Of an artifact that another runner recorded it is only known whether there is something at its place.
    """
    if marked := artifact.get_string_custom_property(DAMAGE_PROPERTY):
        if marked == payloads.GONE:
            return f"{artifact.uri} is gone"
        return f"its files were damaged: {marked} (in {artifact.uri})"
    if artifact.mlmd_artifact.state == metadata_store_pb2.Artifact.DELETED:
        return f"{artifact.uri} was removed as garbage"
    if not addresses.is_elsewhere(artifact.uri):
        if not os.path.exists(artifact.uri):
            return f"{artifact.uri} is gone"
        if found := damage_of(artifact):
            return f"its files are damaged: {found} (in {artifact.uri})"
    destination = pushed_models.read(artifact).destination
    return _trouble_at(destination) if destination else ""


def _trouble_at(destination: str) -> str:
    try:
        is_there = files.exists(destination)
    except (SetupError, UnsupportedFeatureError):
        # Who recorded it had a package for its scheme, and here nobody can look.
        is_there = True
    except HeadraceError as error:
        return f"nobody can tell whether {destination}, to which it was pushed, is there: {error.problem}"
    return "" if is_there else f"{destination}, to which it was pushed, is gone"


def damage_of(artifact: Artifact) -> str:
    """Return how an artifact's files differ from what was written; empty where no difference is known."""
    if marked := artifact.get_string_custom_property(DAMAGE_PROPERTY):
        return str(marked)
    recorded = artifact.get_string_custom_property(FILES_PROPERTY)
    if not recorded or addresses.is_elsewhere(artifact.uri):
        return ""
    return payloads.damage(artifact.uri, recorded, artifact.get_string_custom_property(DIGEST_PROPERTY))


def outputs_of(store: Store, execution_id: int) -> dict[str, list[Artifact]]:
    """Return the output artifacts of an execution by output key."""
    with store.handle() as handle:
        kinds = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.INTERNAL_OUTPUT)
        events = [e for e in handle.store.get_events_by_execution_ids([execution_id]) if e.type in kinds]
        if not events:
            return {}
        protos = list(handle.store.get_artifacts_by_id([e.artifact_id for e in events]))
        artifacts = {
            proto.id: artifact for proto, artifact in zip(protos, typed(handle, protos), strict=True)
        }
        outputs: dict[str, list[Artifact]] = {}
        for event in events:
            outputs.setdefault(event.path.steps[0].key, []).append(artifacts[event.artifact_id])
        return outputs


def implementation_of(store: Store, execution_id: int) -> Implementation:
    """Return what an execution recorded of its implementation."""
    with store.handle() as handle:
        [execution] = handle.store.get_executions_by_id([execution_id])
    return implementation.of_properties(execution.custom_properties)


def mark_cancelled(store: Store, execution_ids: Sequence[int]) -> None:
    """Record that executions were stopped before they ended."""
    if not execution_ids:
        return
    with store.handle() as handle:
        executions = handle.store.get_executions_by_id(list(execution_ids))
        for execution in executions:
            execution.last_known_state = metadata_store_pb2.Execution.CANCELED
        handle.store.put_executions(executions)


def latest_successful(
    store: Store, node: pipeline_pb2.PipelineNode, run_id: str = ""
) -> tuple[metadata_store_pb2.Execution, dict[str, list[Artifact]]] | None:
    """Return the newest successful execution of a node with its outputs, if their files still exist.

    Args:
        store: The open store.
        node: The node; runs of its pipeline are searched.
        run_id: Search only this run; every run where it is empty.

    Raises:
        InputResolutionError: If they exist and are damaged: older ones are another result.
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
        for artifact in (one for artifacts in outputs.values() for one in artifacts if _is_live(one)):
            if os.path.exists(artifact.uri) and (found := damage_of(artifact)):
                raise InputResolutionError(
                    f"what {node.node_info.id} made in run {run_of(store, execution.id)} is damaged: {found} "
                    f"(in {artifact.uri}).",
                    f"let {node.node_info.id} make it again: run the whole pipeline, or select it too.",
                )
    return None
