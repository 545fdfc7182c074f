"""Exit handlers: components that run when all else has ended, however that was.

TFX declares them with `@exit_handler` and gives them to a runner beside the pipeline; a parameter whose value
is `FinalStatusStr()` receives how the run ended.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from headrace.authoring import Pipeline, compiler
from headrace.authoring.node_options import find_options
from headrace.errors import DuplicateNodeError
from headrace.files import names
from headrace.orchestration.plan.pipeline_graph import plan_nodes
from headrace.orchestration.plan.plan import PlannedNode
from headrace.store.results import NodeResult, NodeState

# By name: the class lives in TFX's Kubeflow part, which is not always installed.
_STATUS_CLASS = "FinalStatusStr"


def plan_exit_handlers(
    handlers: Sequence[Any], pipeline_name: str, nodes: Sequence[PlannedNode]
) -> list[PlannedNode]:
    """Return the planned nodes of exit handlers, each waiting for every node of the pipeline.

    Args:
        handlers: The components.
        pipeline_name: The pipeline whose end they handle.
        nodes: Its nodes.

    Raises:
        DefinitionError: If a handler's id is none for a folder in the store.
        DuplicateNodeError: If a handler has the id of a node.
    """
    if not handlers:
        return []
    known = tuple(node.node_id for node in nodes)
    for handler in handlers:
        names.check_folder_name(handler.id, "exit handler's id")
        if handler.id in known:
            raise DuplicateNodeError(
                f"pipeline '{pipeline_name}': a node and an exit handler have the id '{handler.id}'.",
                f"give the handler its own id, such as .with_id('{handler.id}_at_exit').",
            )
    status = {
        handler.id: tuple(
            name for name, value in handler.exec_properties.items() if type(value).__name__ == _STATUS_CLASS
        )
        for handler in handlers
    }
    ir = compiler.compile_pipeline(Pipeline(pipeline_name, components=handlers))
    planned = plan_nodes(ir, dict(find_options(handlers)))
    return [
        replace(node, upstream=known, is_exit_handler=True, status_parameters=status.get(node.node_id, ()))
        for node in planned
    ]


def final_status(run_id: str, results: Sequence[NodeResult]) -> str:
    """Return how a run ended, as JSON text in the form of `PipelineTaskFinalStatus` that handlers parse.

    Args:
        run_id: The run.
        results: Its nodes; those still running are the handlers themselves.
    """
    failed = [result for result in results if result.is_failure]
    is_cancelled = any(result.state is NodeState.CANCELLED for result in results)
    state = "FAILED" if failed else "CANCELLED" if is_cancelled else "SUCCEEDED"
    status: dict[str, Any] = {"state": state, "pipelineJobName": run_id}
    if failed:
        status["error"] = {"message": str(failed[0].error or f"{failed[0].node_id} failed")}
    return json.dumps(status)
