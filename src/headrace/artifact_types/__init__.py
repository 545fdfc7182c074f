"""What Headrace knows of artifact types. Others register theirs by an entry point of the group `headrace.artifacts`."""

from headrace.artifact_types.artifact_type import ArtifactType, Headline
from headrace.formats.changes import Change

__all__ = ["ArtifactType", "Change", "Headline"]
