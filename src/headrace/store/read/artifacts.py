"""What the store tells of an artifact: what it is, where its payload lies, and what made it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone

from headrace.authoring.light import authoring
from headrace.files import size_on_disk
from headrace.formats import split_names
from headrace.formats.artifacts import split_folder
from headrace.runtime.context import DIGEST_PROPERTY, SUMMARY_PROPERTY
from headrace.store.records import Json

with authoring():
    from google.protobuf import json_format
    from ml_metadata.proto import metadata_store_pb2

# Properties that Headrace keeps for itself begin with this.
_OWN = "headrace_"
# TFX wraps what is no mapping.
_WRAPPED = "__value__"
_SPLITS = "split_names"


@dataclass(frozen=True)
class ArtifactInfo:
    """What is told of an artifact.

    Attributes:
        artifact_id: Id in the store.
        type_name: Such as `"Examples"`.
        uri: Where its payload is: a folder or a file.
        state: MLMD's state in lower case, such as `"live"` or `"deleted"`.
        summary: One line on what it holds; may be empty.
        digest: Digest of the payload; empty for artifacts of another runner.
        created: When it was recorded, in local time.
        properties: The properties of its type and its custom ones, by name; TFX keeps some as JSON.
        splits: Names of its splits, in the order in which they were recorded; empty for a type without.
        span: Which span of the data it holds; `None` where it has none.
        version: Which version of the span; `None` where it has none.
    """

    artifact_id: int
    type_name: str
    uri: str
    state: str
    summary: str
    digest: str
    created: datetime
    properties: Mapping[str, Json] = field(default_factory=dict, hash=False, repr=False)
    splits: tuple[str, ...] = ()
    span: int | None = None
    version: int | None = None


@dataclass(frozen=True)
class ArtifactRecord(ArtifactInfo):
    """An artifact with what made it and where its payload is read from.

    Attributes:
        state: As in `ArtifactInfo`, or `"missing"` where it should have files and has none.
        pipeline_name: The pipeline of the node that made it; empty where that is not known, as what follows.
        run_id: The run that made it.
        node_id: The node that made it.
        key: The output key under which it was made.
        execution_id: The execution that made it; 0 where that is not known.
    """

    pipeline_name: str = ""
    run_id: str = ""
    node_id: str = ""
    key: str = ""
    execution_id: int = 0

    @property
    def path(self) -> str:
        """The folder or file of its payload; empty where that is not on this machine, gone or removed."""
        return self.uri if self.state == "live" and "://" not in self.uri else ""

    @property
    def split_paths(self) -> dict[str, str]:
        """The folder of each split by its name, in the order of `splits`; none where `path` is empty."""
        return {name: split_folder(self.path, name) for name in self.splits} if self.path else {}

    @property
    def size_bytes(self) -> int:
        """Size of its files, measured now; 0 where `path` is empty."""
        return size_on_disk(self.path) if self.path else 0


def artifact_info(proto: metadata_store_pb2.Artifact) -> ArtifactInfo:
    """Return what is told of an artifact that was read."""
    custom = proto.custom_properties
    properties = {
        name: _value(value)
        for named in (proto.properties, custom)
        for name, value in named.items()
        if not name.startswith(_OWN)
    }
    return ArtifactInfo(
        artifact_id=proto.id,
        type_name=proto.type,
        uri=proto.uri,
        state=metadata_store_pb2.Artifact.State.Name(proto.state).lower(),
        summary=custom[SUMMARY_PROPERTY].string_value if SUMMARY_PROPERTY in custom else "",
        digest=custom[DIGEST_PROPERTY].string_value if DIGEST_PROPERTY in custom else "",
        created=datetime.fromtimestamp(proto.create_time_since_epoch / 1000, timezone.utc).astimezone(),
        properties=properties,
        splits=_splits(properties.get(_SPLITS)),
        span=_number(properties.get("span")),
        version=_number(properties.get("version")),
    )


def artifact_record(
    info: ArtifactInfo, *, pipeline_name: str, run_id: str, node_id: str, key: str, execution_id: int
) -> ArtifactRecord:
    """Return an artifact with what made it, after a look at whether its files are there."""
    values = dict(vars(info))
    if info.state == "live" and "://" not in info.uri and not os.path.exists(info.uri):
        values["state"] = "missing"
    return ArtifactRecord(
        **values,
        pipeline_name=pipeline_name,
        run_id=run_id,
        node_id=node_id,
        key=key,
        execution_id=execution_id,
    )


def _value(value: metadata_store_pb2.Value) -> Json:
    kind = value.WhichOneof("value")
    if kind in ("struct_value", "proto_value"):
        found: dict[str, Json] = json_format.MessageToDict(getattr(value, kind))
        return found.get(_WRAPPED, found)
    plain: Json = getattr(value, kind) if kind else None
    return plain


def _splits(text: Json) -> tuple[str, ...]:
    """The names that can be those of folders; a store from elsewhere may say anything."""
    try:
        names = json.loads(text) if isinstance(text, str) and text else []
    except (ValueError, RecursionError):
        names = []
    found = names if isinstance(names, list) else []
    return tuple(name for name in found if isinstance(name, str) and (not name or split_names.is_good(name)))


def _number(value: Json) -> int | None:
    """A span or version: TFX records a number, or a text of digits."""
    try:
        return int(value) if isinstance(value, (str, int)) else None
    except ValueError:
        return None
