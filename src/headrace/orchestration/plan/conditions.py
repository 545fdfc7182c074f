"""Why a node is not to run: which of its conditions is false, or that there is nothing for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from headrace.authoring.light import authoring

with authoring():
    from tfx.dsl.compiler import placeholder_utils
    from tfx.orchestration.portable import data_types, inputs_utils
    from tfx.orchestration.portable.input_resolution import exceptions
    from tfx.proto.orchestration import pipeline_pb2

# How TFX names the hidden input that carries `component.outputs[key]` into a condition.
_INPUT = re.compile(r'input\("_?([^"]+)"\)')
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
                return f"condition is false: {_text(condition.placeholder_expression)}"
    return _NOTHING


def _text(expression: Any) -> str:
    """An expression as a person wrote it: `Evaluator.blessing[0].value == 1`, as near as TFX kept it."""
    text = _INPUT.sub(r"\1", placeholder_utils.debug_str(expression))
    return text[1:-1] if text.startswith("(") and text.endswith(")") and text.count("(") == 1 else text


def _is_true(expression: Any, inputs: Mapping[str, Sequence[Any]]) -> bool:
    info = data_types.ExecutionInfo(input_dict={key: list(value) for key, value in inputs.items()})
    context = placeholder_utils.ResolutionContext(exec_info=info)
    return bool(placeholder_utils.resolve_placeholder_expression(expression, context))
