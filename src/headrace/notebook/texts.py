"""Components, channels, artifacts and runs in words."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any

from google.protobuf.message import Message

from headrace.metadata.results import NodeResult, NodeState
from headrace.sdk import Artifact, BaseNode
from headrace.sdk.context import DIGEST_PROPERTY, SUMMARY_PROPERTY
from headrace.sdk.light import authoring
from headrace.ui.board import describe
from headrace.ui.units import format_seconds

with authoring():
    from tfx.types.channel import OutputChannel

_MAX_VALUE_COLUMNS = 200
_MAX_FILES = 20
_HIDDEN_PROPERTIES = {DIGEST_PROPERTY, SUMMARY_PROPERTY, "tfx_version", "name", "state"}


def node_line(node: NodeResult) -> str:
    """Return how a node ended, in one line."""
    if node.state is NodeState.CACHED:
        return ": ".join(part for part in (node.reason, describe(node)) if part)
    seconds = f"in {format_seconds(node.seconds)}" if node.state is NodeState.DONE else ""
    return ": ".join(part for part in (seconds, describe(node)) if part)


def where_from(channel: Any) -> str:
    """Return what a channel stands for, such as `"Examples of CsvExampleGen.outputs['examples']"`."""
    if isinstance(channel, OutputChannel):
        return f"{channel.type_name} of {channel.producer_component_id}.outputs['{channel.output_key}']"
    producers = ", ".join(sorted(channel.get_data_dependent_node_ids()))
    return f"{channel.type_name}" + (f" of {producers}" if producers else " from the store")


def described_value(value: Any) -> str:
    """Return a parameter's value in one line of bounded length."""
    if isinstance(value, Message):
        text = " ".join(str(value).split())
    elif isinstance(value, str):
        try:
            text = json.dumps(json.loads(value))
        except ValueError:
            text = value
    else:
        text = " ".join(repr(value).split())
    return text if len(text) <= _MAX_VALUE_COLUMNS else f"{text[:_MAX_VALUE_COLUMNS]}…"


def artifact_rows(artifact: Artifact) -> list[list[str]]:
    """Return what is known of an artifact, as names and values."""
    rows = []
    summary = artifact.get_string_custom_property(SUMMARY_PROPERTY)
    if summary:
        rows.append(["holds", summary])
    rows.append(["uri", artifact.uri])
    proto = artifact.mlmd_artifact
    for properties in (proto.properties, proto.custom_properties):
        for name in sorted(properties):
            which = properties[name].WhichOneof("value")
            if which and name not in _HIDDEN_PROPERTIES:
                rows.append([name, described_value(getattr(properties[name], which))])
    files = list(_files(artifact.uri))
    if files:
        rows.append(["files", ", ".join(files)])
    return rows


def _files(folder: str) -> Iterable[str]:
    if not os.path.isdir(folder):
        return
    count = 0
    for path, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            count += 1
            if count > _MAX_FILES:
                yield "…"
                return
            yield os.path.relpath(os.path.join(path, name), folder)


def component_text(component: BaseNode) -> str:
    """Return a component with what it is connected to, as a call over several lines."""
    kind = type(component).__name__
    lines = [kind if kind == component.id else f"{component.id} ({kind})"]
    lines += [f"  input {key}: {where_from(channel)}" for key, channel in component.inputs.items()]
    lines += [
        f"  {key} = {described_value(value)}"
        for key, value in component.exec_properties.items()
        if value is not None
    ]
    lines += [f"  output {key}: {channel.type_name}" for key, channel in component.outputs.items()]
    return "\n".join(lines)


def held_artifacts(channel: Any) -> list[Artifact]:
    """Return the artifacts of an output channel; none before its component ran."""
    if not isinstance(channel, OutputChannel):
        return []
    # TFX puts artifacts without a place into the outputs of some components when they are made.
    return [artifact for artifact in channel.get() if artifact.uri]


def channel_text(channel: Any) -> str:
    """Return a channel, with its artifacts where it holds some."""
    artifacts = held_artifacts(channel)
    if not artifacts:
        return where_from(channel)
    return "\n".join([where_from(channel), *(artifact_text(artifact, "  ") for artifact in artifacts)])


def artifact_text(artifact: Artifact, indent: str = "") -> str:
    """Return one artifact's properties and files."""
    gone = "" if "://" in artifact.uri or os.path.exists(artifact.uri) else " (its files are gone)"
    lines = [f"{artifact.type_name} {artifact.id}{gone}"]
    lines += [f"  {name}: {value}" for name, value in artifact_rows(artifact)]
    return "\n".join(indent + line for line in lines)
