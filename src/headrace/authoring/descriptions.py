"""Components, channels and parameters in words."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf.message import Message

from headrace.authoring.light import authoring

with authoring():
    from tfx.dsl.components.base.base_node import BaseNode
    from tfx.types.channel import OutputChannel

_MAX_VALUE_COLUMNS = 200


def describe_source(channel: Any) -> str:
    """Return what a channel stands for, such as `"Examples of CsvExampleGen.outputs['examples']"`."""
    if isinstance(channel, OutputChannel):
        return f"{channel.type_name} of {channel.producer_component_id}.outputs['{channel.output_key}']"
    producers = ", ".join(sorted(channel.get_data_dependent_node_ids()))
    return f"{channel.type_name}" + (f" of {producers}" if producers else " from the store")


def describe_value(value: Any) -> str:
    """Return a parameter's value in one line of bounded length."""
    if isinstance(value, Message):
        text = " ".join(str(value).split())
    elif isinstance(value, str):
        try:
            text = json.dumps(json.loads(value), ensure_ascii=False)
        except ValueError:
            text = value
    else:
        text = " ".join(repr(value).split())
    return text if len(text) <= _MAX_VALUE_COLUMNS else f"{text[:_MAX_VALUE_COLUMNS]}…"


def node_name(node: BaseNode) -> str:
    """Return a node's id, with its class where the id is another."""
    kind = type(node).__name__
    return kind if kind == node.id else f"{node.id} ({kind})"


def node_rows(node: BaseNode) -> list[tuple[str, str, str]]:
    """Return role, name and value of all that a node takes and gives; parameters that are not set are left out."""
    rows = [("input", key, describe_source(channel)) for key, channel in node.inputs.items()]
    rows += [
        ("parameter", key, describe_value(value))
        for key, value in node.exec_properties.items()
        if value is not None
    ]
    return [*rows, *[("output", key, channel.type_name) for key, channel in node.outputs.items()]]


def describe_node(node: BaseNode) -> str:
    """Return a node with what it is connected to, as a call over several lines."""
    lines = [node_name(node)]
    for role, name, value in node_rows(node):
        lines.append(f"  {name} = {value}" if role == "parameter" else f"  {role} {name}: {value}")
    return "\n".join(lines)
