"""Channels, artifacts and how nodes ended, in words."""

from __future__ import annotations

import os
from typing import Any

from headrace import secrets
from headrace.artifact_types import registry
from headrace.authoring import Artifact
from headrace.authoring.descriptions import describe_source, describe_value
from headrace.authoring.light import authoring
from headrace.files import addresses, files_below
from headrace.runtime.context import DIGEST_PROPERTY, FILES_PROPERTY, SUMMARY_PROPERTY
from headrace.store.results import NodeResult, NodeState
from headrace.ui.board import describe
from headrace.ui.units import format_seconds

with authoring():
    from tfx.types.channel import OutputChannel

_MAX_FILES = 20
_HIDDEN_PROPERTIES = {DIGEST_PROPERTY, FILES_PROPERTY, SUMMARY_PROPERTY, "tfx_version", "name", "state"}


def node_line(node: NodeResult) -> str:
    """Return how a node ended, in one line."""
    if node.state is NodeState.CACHED:
        return ": ".join(part for part in (node.reason, describe(node)) if part)
    seconds = f"in {format_seconds(node.seconds)}" if node.state is NodeState.DONE else ""
    return ": ".join(part for part in (seconds, describe(node)) if part)


def artifact_rows(artifact: Artifact) -> list[list[str]]:
    """Return what is known of an artifact, as names and values."""
    rows = []
    summary = registry.summary_of(artifact)
    if summary:
        rows.append(["holds", summary])
    rows.append(["uri", artifact.uri])
    proto = artifact.mlmd_artifact
    for properties in (proto.properties, proto.custom_properties):
        for name in sorted(properties):
            which = properties[name].WhichOneof("value")
            if which and name not in _HIDDEN_PROPERTIES:
                value = secrets.mask_values({name: getattr(properties[name], which)})[name]
                rows.append([name, describe_value(value)])
    files = _files(artifact.uri)
    if files:
        rows.append(["files", ", ".join(files)])
    return rows


def _files(folder: str) -> list[str]:
    names = [] if addresses.is_elsewhere(folder) else files_below(folder)
    return names if len(names) <= _MAX_FILES else [*names[:_MAX_FILES], "…"]


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
        return describe_source(channel)
    return "\n".join([describe_source(channel), *(artifact_text(artifact, "  ") for artifact in artifacts)])


def artifact_text(artifact: Artifact, indent: str = "") -> str:
    """Return one artifact's properties and files."""
    gone = "" if "://" in artifact.uri or os.path.exists(artifact.uri) else " (its files are gone)"
    lines = [f"{artifact.type_name} {artifact.id}{gone}"]
    lines += [f"  {name}: {value}" for name, value in artifact_rows(artifact)]
    return "\n".join(indent + line for line in lines)
