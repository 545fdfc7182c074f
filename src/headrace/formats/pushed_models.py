"""PushedModel: a copy of the model, and properties that say where it went. The names are TFX's."""

from __future__ import annotations

from dataclasses import dataclass

from headrace.authoring import Artifact

PUSHED_PROPERTY = "pushed"
DESTINATION_PROPERTY = "pushed_destination"
_VERSION_PROPERTY = "pushed_version"


@dataclass(frozen=True)
class Push:
    """Where a model went.

    Attributes:
        destination: Folder or URI of the version; empty where nothing was pushed.
        version: Its name there.
    """

    destination: str = ""
    version: str = ""


def write(pushed: Artifact, push: Push) -> None:
    """Record where a model went, or that it did not."""
    pushed.set_int_custom_property(PUSHED_PROPERTY, int(bool(push.destination)))
    if push.destination:
        pushed.set_string_custom_property(DESTINATION_PROPERTY, push.destination)
        pushed.set_string_custom_property(_VERSION_PROPERTY, push.version)


def read(pushed: Artifact) -> Push:
    """Return where a model went."""
    return Push(
        str(pushed.get_string_custom_property(DESTINATION_PROPERTY) or ""),
        str(pushed.get_string_custom_property(_VERSION_PROPERTY) or ""),
    )
