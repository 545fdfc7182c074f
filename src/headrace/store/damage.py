"""Artifacts whose files are no longer what was written: found, marked, and made again by a command that is named.

A stat of each file tells most damage (`executions.damage_of`). What only reading tells is marked on the artifact
when it is found, by `headrace doctor --verify` or when a node fails on it, so that the cache does not serve it.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from headrace.authoring import Artifact
from headrace.authoring.light import authoring
from headrace.errors import InputResolutionError
from headrace.files import payloads
from headrace.runtime.context import DIGEST_PROPERTY, FILES_PROPERTY
from headrace.store.open.store import DEFAULT_PATH, Store
from headrace.store.read import executions, graph, queries
from headrace.store.read.executions import DAMAGE_PROPERTY
from headrace.store.read.queries import Condition
from headrace.store.read.run_records import record_of

with authoring():
    from ml_metadata.proto import metadata_store_pb2

_PAGE = 200


@dataclass(frozen=True)
class Verified:
    """One artifact that was compared with what was recorded of it.

    Attributes:
        artifact_id: Id in the store.
        type_name: Such as `"Examples"`.
        uri: Where its files are.
        made_by: The node and run that made it, as a clause; empty where that is not known.
        damage: How its files differ; empty where they do not.
        fix: What makes it again; empty where there is no damage.
    """

    artifact_id: int
    type_name: str
    uri: str
    made_by: str = ""
    damage: str = ""
    fix: str = ""


def check_inputs(store: Store, node_id: str, inputs: Mapping[str, Sequence[Artifact]]) -> None:
    """Refuse inputs whose files differ from what was written, as far as a stat of each file tells.

    Raises:
        InputResolutionError: For the first that does, naming what makes it again.
    """
    for key, artifacts in inputs.items():
        for artifact in artifacts:
            if found := executions.damage_of(artifact):
                raise _refusal(store, node_id, key, artifact, found)


def find_in_inputs(
    store: Store, node_id: str, inputs: Mapping[str, Sequence[Artifact]]
) -> InputResolutionError | None:
    """Read all inputs of a node that failed; return the error that names the one whose content has changed.

    It is marked, so that the next run makes it again.
    """
    for key, artifacts in inputs.items():
        for artifact in artifacts:
            if found := _content_damage(artifact):
                mark(store, artifact.id, found)
                return _refusal(store, node_id, key, artifact, found)
    return None


def _content_damage(artifact: Artifact) -> str:
    digest = artifact.get_string_custom_property(DIGEST_PROPERTY)
    return payloads.content_damage(artifact.uri, artifact.get_string_custom_property(FILES_PROPERTY), digest)


def _refusal(store: Store, node_id: str, key: str, artifact: Artifact, found: str) -> InputResolutionError:
    made_by, fix = _origin(store, artifact.id)
    made = f", made by {made_by}," if made_by else ""
    if "was edited" in found:
        fix = f"copy the folder and import the copy if the edit is meant; to have it as it was, {fix}"
    return InputResolutionError(
        f"{node_id}: its input '{key}', {artifact.type_name} {artifact.id}{made} is damaged: {found} "
        f"(in {artifact.uri}).",
        fix,
    )


def mark(store: Store, artifact_id: int, found: str) -> None:
    """Record that an artifact is damaged; with an empty text, that it is not."""
    with store.handle() as handle:
        [proto] = handle.store.get_artifacts_by_id([artifact_id])
        if proto.custom_properties[DAMAGE_PROPERTY].string_value != found:
            proto.custom_properties[DAMAGE_PROPERTY].string_value = found
            handle.store.put_artifacts([proto])


def retire(store: Store, damaged: Mapping[int, str]) -> None:
    """Take artifacts out of use that were made again, with how they are damaged, by id: no Resolver finds them."""
    if not damaged:
        return
    with store.handle() as handle:
        protos = handle.store.get_artifacts_by_id(list(damaged))
        for proto in protos:
            proto.custom_properties[DAMAGE_PROPERTY].string_value = damaged[proto.id]
            proto.state = metadata_store_pb2.Artifact.DELETED
        handle.store.put_artifacts(protos)


def verify(store: Store) -> Iterator[Verified]:
    """Compare the content of every artifact that has a recorded digest with it, the newest first; mark damage.

    Args:
        store: The open store.
    """
    live = Condition(states=(metadata_store_pb2.Artifact.LIVE,))
    for proto in list(queries.artifacts(queries.reader_of(store), live, _PAGE)):
        properties = proto.custom_properties
        digest = properties[DIGEST_PROPERTY].string_value if DIGEST_PROPERTY in properties else ""
        if not digest or "://" in proto.uri:
            continue
        files = properties[FILES_PROPERTY].string_value if FILES_PROPERTY in properties else ""
        found = payloads.content_damage(proto.uri, files, digest)
        marked = properties[DAMAGE_PROPERTY].string_value if DAMAGE_PROPERTY in properties else ""
        if found != marked:
            mark(store, proto.id, found)
        made_by, fix = _origin(store, proto.id) if found else ("", "")
        yield Verified(proto.id, str(proto.type), proto.uri, made_by, found, fix)


def num_verifiable(store: Store) -> int:
    """Return how many artifacts `verify` will look at, at most."""
    live = Condition(states=(metadata_store_pb2.Artifact.LIVE,))
    return sum(1 for _ in queries.artifacts(queries.reader_of(store), live, _PAGE))


def _origin(store: Store, artifact_id: int) -> tuple[str, str]:
    """Who made an artifact, and what to do to have it made again."""
    with store.handle() as handle:
        origin = graph.origins(graph.links_of_artifacts(handle, {artifact_id})).get(artifact_id)
        place = graph.read_places(handle, {origin.execution_id})[origin.execution_id] if origin else None
    if place is None or not place.run_id:
        return "", "put its files back, or make them again where they came from."
    return f"{place.node_id} in run {place.run_id}", _fix(store, place.run_id)


def _fix(store: Store, run_id: str) -> str:
    with store.handle() as handle:
        details = record_of(handle, run_id).get("details")
    details = details if isinstance(details, dict) else {}
    configuration = details.get("configuration")
    has_pipeline = isinstance(configuration, dict) and bool(configuration.get("pipeline"))
    if not has_pipeline and not details.get("script"):
        return "run its pipeline again: what is damaged is not served from the cache but made again."
    at = "" if store.given_path == DEFAULT_PATH else f" --store {shlex.quote(os.path.relpath(store.path))}"
    return f"make it again: headrace resume {run_id}{at}"
