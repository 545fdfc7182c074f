"""Artifacts as TFX's objects, of whatever type a store says they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# TFX looks for a class among those that are loaded, and warns in the middle of a script of each that is not.
from headrace.authoring import (  # noqa: F401
    Artifact,
    own_artifacts,
    standard_artifacts,
)
from headrace.authoring.light import authoring

with authoring():
    from ml_metadata.proto import metadata_store_pb2
    from tfx.types import artifact_utils

# What stands for the name of a type that has none.
UNNAMED = "unnamed"


def typed(handle: Any, protos: Sequence[metadata_store_pb2.Artifact]) -> list[Artifact]:
    """Return artifacts of an open store as objects of their types' classes, in order."""
    if not protos:
        return []
    kinds = handle.store.get_artifact_types_by_id(sorted({proto.type_id for proto in protos}))
    by_id = {kind.id: _known_to_tfx(kind) for kind in kinds}
    return [artifact_utils.deserialize_artifact(by_id[proto.type_id], proto) for proto in protos]


def _known_to_tfx(kind: metadata_store_pb2.ArtifactType) -> metadata_store_pb2.ArtifactType:
    """A type without what TFX makes no class of, which other programs may record: no name, properties of no kind."""
    unknown = [name for name, of in kind.properties.items() if of == metadata_store_pb2.UNKNOWN]
    if kind.name and not unknown:
        return kind
    known = metadata_store_pb2.ArtifactType()
    known.CopyFrom(kind)
    known.name = kind.name or UNNAMED
    for name in unknown:
        del known.properties[name]
    return known
