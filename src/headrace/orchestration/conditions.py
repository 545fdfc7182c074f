"""Why a node is not to run: which of its conditions is false, or that there is nothing for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.sdk.light import authoring

with authoring():
    from tfx.dsl.compiler import placeholder_utils
    from tfx.orchestration.portable import data_types, inputs_utils
    from tfx.orchestration.portable.input_resolution import exceptions
    from tfx.proto.orchestration import pipeline_pb2

_NOTHING = "an upstream node made nothing for it"


def skip_reason(handle: Any, node: pipeline_pb2.PipelineNode) -> str:
    """Return why resolving a node's inputs gave no inputs at all.

    Args:
        handle: TFX's metadata handle.
        node: The node; its inputs were resolved before, and it was to be skipped.
    """
    if not node.inputs.conditionals:
        return _NOTHING
    unconditional = pipeline_pb2.PipelineNode()
    unconditional.CopyFrom(node)
    unconditional.inputs.conditionals.clear()
    try:
        resolved = inputs_utils.resolve_input_artifacts(pipeline_node=unconditional, metadata_handle=handle)
    except exceptions.InputResolutionError:
        return _NOTHING
    for inputs in resolved:
        for condition in node.inputs.conditionals.values():
            if not _is_true(condition.placeholder_expression, inputs):
                return f"condition is false: {placeholder_utils.debug_str(condition.placeholder_expression)}"
    return _NOTHING


def _is_true(expression: Any, inputs: Mapping[str, Sequence[Any]]) -> bool:
    info = data_types.ExecutionInfo(input_dict={key: list(value) for key, value in inputs.items()})
    context = placeholder_utils.ResolutionContext(exec_info=info)
    return bool(placeholder_utils.resolve_placeholder_expression(expression, context))
