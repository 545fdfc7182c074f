"""Nodes without an executor: Importer, Resolver, and the two ends of an inner pipeline."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from headrace.authoring import Artifact
from headrace.authoring.light import authoring
from headrace.authoring.nodes import SOURCE_URI
from headrace.errors import InputResolutionError, UnsupportedFeatureError
from headrace.files import addresses
from headrace.orchestration.node import driver
from headrace.orchestration.node.live_run import LiveNode
from headrace.orchestration.plan.plan import NodeKind
from headrace.store.read import executions
from headrace.store.record import publications

with authoring():
    from tfx.orchestration.portable.importer_node_handler import ImporterNodeHandler
    from tfx.orchestration.portable.resolver_node_handler import ResolverNodeHandler
    from tfx.proto.orchestration import pipeline_pb2

_HANDLERS = {NodeKind.IMPORTER: ImporterNodeHandler, NodeKind.RESOLVER: ResolverNodeHandler}


@dataclass(frozen=True)
class Found:
    """What a system node gave.

    Attributes:
        outputs: Artifacts by output key; made by others.
        execution_id: Its execution; 0 where it has nothing to give.
        skip_reason: Why it has not; empty where it has.
    """

    outputs: dict[str, list[Artifact]]
    execution_id: int
    skip_reason: str = ""


def run_system_node(node: LiveNode) -> Found:
    """Run a node that has no executor.

    Raises:
        InputResolutionError: If it finds no artifact where it needs one.
        UnsupportedFeatureError: If an inner pipeline stands in a loop that runs more than once.
    """
    if node.planned.kind in _HANDLERS:
        return _run_handler(node)
    return _hand_on(node)


def _run_handler(node: LiveNode) -> Found:
    """Run TFX's own handler of the node."""
    run = node.run
    handler = _HANDLERS[node.planned.kind]()
    with run.store.handle() as handle, _silenced("absl"):
        info = handler.run(
            _Reentrant(handle), _placed(node.ir), node.planned.pipeline_info, run.ir.runtime_spec
        )
    if not info.execution_id:
        return Found({}, 0, driver.skip_reason(node))
    failure = publications.failure_of(run.store, info.execution_id)
    if failure is not None and node.planned.may_find_nothing:
        return Found({}, 0, f"found nothing, and what follows can do without: {failure}")
    if failure is not None:
        raise InputResolutionError(
            f"{node.node_id}: {failure}.", "check what it looks for, and that a run has made it."
        )
    return Found(executions.outputs_of(run.store, info.execution_id), info.execution_id)


def _placed(node: pipeline_pb2.PipelineNode) -> pipeline_pb2.PipelineNode:
    """A node in which an Importer's `file:///data` is the path `/data`, as which everybody else knows it."""
    placed = pipeline_pb2.PipelineNode()
    placed.CopyFrom(node)
    named = placed.parameters.parameters
    if SOURCE_URI in named and named[SOURCE_URI].HasField("field_value"):
        value = named[SOURCE_URI].field_value
        value.string_value = addresses.here(value.string_value)
    return placed


def _hand_on(node: LiveNode) -> Found:
    """Publish the inputs of an end of an inner pipeline as its outputs: TFX resolves inputs through it."""
    store = node.run.store
    contexts = publications.prepare_contexts(store, node.ir)
    if node.planned.kind is NodeKind.BEGIN:
        publications.mark_inner_runs(store, contexts, node.run.run_id)
    resolved = driver.resolve_inputs(node)
    if resolved is None:
        return Found({}, 0, driver.skip_reason(node))
    if len(resolved) > 1:
        raise UnsupportedFeatureError(
            f"{node.node_id}: a ForEach runs the whole inner pipeline {len(resolved)} times, and Headrace repeats "
            "single nodes only.",
            "write the ForEach inside the inner pipeline, around each node.",
        )
    outputs = {key: value for key, value in resolved[0].items() if key in node.ir.outputs.outputs}
    registered = publications.register(store, node.ir, contexts, resolved[0], {})
    publications.publish_handed_on(store, contexts, registered.id, outputs)
    return Found(outputs, registered.id)


@contextlib.contextmanager
def _silenced(name: str) -> Iterator[None]:
    """Let a logger be silent: TFX logs the traceback of what is told as the node's result."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


class _Reentrant:
    """Lets TFX's handlers 'open' the metadata handle that is open already."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def __enter__(self) -> Any:
        return self._handle

    def __exit__(self, *_: object) -> None:
        return None
