"""Finds what is registered for an artifact type: Headrace's own, or by entry point what another distribution brings.

Entry points are looked at, and the object that one names is loaded, when an artifact of a type that Headrace does not
know is shown; never before.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from headrace.artifact_types.artifact_type import ArtifactType
from headrace.artifact_types.own import OWN
from headrace.files import addresses
from headrace.runtime.context import SUMMARY_PROPERTY

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from headrace.authoring import Artifact

GROUP = "headrace.artifacts"
_GENERIC = ArtifactType[Any]()


@dataclass(frozen=True)
class Registration:
    """What is registered for an artifact type.

    Attributes:
        artifact_type: How it is shown; one without parts where nothing is registered, or that cannot be used.
        place: Where it comes from, such as `"drifts:drift of drift-types 1.0"`; empty for Headrace's own.
        problem: Why what is registered cannot be used, as a sentence; empty where it can.
    """

    artifact_type: ArtifactType[Any]
    place: str = ""
    problem: str = ""


@contextlib.contextmanager
def of_others() -> Iterator[None]:
    """Around code of others: what it prints goes to standard error, as a program may read what a command prints."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


def find(type_name: str) -> Registration:
    """Return what is registered for an artifact type; never raises."""
    if type_name in OWN:
        return Registration(OWN[type_name])
    return _search(type_name, tuple(sys.path))


@functools.cache
def _search(type_name: str, path: tuple[str, ...]) -> Registration:
    """Look among what is installed in `path`, the folders that modules are imported from."""
    # Not imported above: most runs have no use for it.
    from importlib import metadata

    try:
        points = list(metadata.entry_points(group=GROUP, name=type_name))
        places = sorted({_place(point) for point in points})
    except Exception as error:  # of any installed package, what says what is in it may be damaged
        told = f"{type(error).__name__}: {error}"
        return _unusable("", f"what is installed to show {type_name} cannot be looked up: {told}")
    if not points:
        return Registration(_GENERIC)
    if len(places) > 1:
        problem = f"{type_name} is registered more than once: {' and '.join(places)}"
        return _unusable(", ".join(places), f"{problem}. Uninstall all but one of them")
    return _load(type_name, points[0], places[0])


def _load(type_name: str, point: EntryPoint, place: str) -> Registration:
    try:
        with of_others():
            found = point.load()
    except (Exception, SystemExit) as error:  # whatever a module of others raises
        return _unusable(
            place, f"{place} cannot be loaded to show {type_name}: {type(error).__name__}: {error}"
        )
    if not isinstance(found, ArtifactType):
        problem = f"{place} is a {type(found).__name__}, no headrace.artifact_types.ArtifactType"
        return _unusable(place, f"{problem}, so it cannot show {type_name}")
    return Registration(found, place)


def _unusable(place: str, problem: str) -> Registration:
    # What a module raises may be of several lines.
    text = " ".join(problem.split()).rstrip(".")
    return Registration(_GENERIC, place, f"{text}. Only properties and files are shown.")


def _place(point: EntryPoint) -> str:
    distribution = point.dist
    return f"{point.value} of {distribution.name} {distribution.version}" if distribution else point.value


def summary_of(artifact: Artifact) -> str:
    """Return one line on what an artifact holds: as it was recorded, else read from its files; empty where unknown."""
    recorded = str(artifact.get_string_custom_property(SUMMARY_PROPERTY) or "")
    return recorded or computed_summary(artifact)


def computed_summary(artifact: Artifact) -> str:
    """Return one line on what an artifact holds, read from its files.

    Empty where its type has none, or its files are damaged or not on this machine: no page waits for a store.
    """
    kind = find(artifact.type_name).artifact_type
    if kind.read is None or kind.summarize is None or addresses.is_elsewhere(artifact.uri):
        return ""
    try:
        with of_others():
            summary = kind.summarize(kind.read(artifact))
    except (Exception, SystemExit):  # its page says what is wrong
        return ""
    return " ".join(summary.split()) if isinstance(summary, str) else ""
