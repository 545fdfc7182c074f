"""What `headrace.load` returns of any artifact: where it lies, what made it, and what its files hold."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from headrace.artifact_types import registry
from headrace.errors import DataError, UnsupportedFeatureError
from headrace.files import addresses

if TYPE_CHECKING:
    from headrace.authoring import Artifact
    from headrace.store.session import ArtifactRecord, Subject

ItemT = TypeVar("ItemT")
_MAX_ITEMS = 1_000
_MAX_TEXT = 10_000
_MAX_DEPTH = 20


@dataclass
class Bounds:
    """How much of a long list is told, and of which lists how much was.

    Attributes:
        max_items: So many items of a list.
        cut: What was left out, in words, such as `"metrics: 1,000 of 12,000"`.
    """

    max_items: int = _MAX_ITEMS
    cut: list[str] = field(default_factory=list)

    def first(self, name: str, items: Sequence[ItemT]) -> list[ItemT]:
        """Return the first items of a list, and note what is left out."""
        if len(items) > self.max_items:
            self.cut.append(f"{name}: {self.max_items:,} of {len(items):,}")
        return list(items[: self.max_items])

    def pairs(self, name: str, items: Mapping[str, ItemT]) -> dict[str, ItemT]:
        """Return the first items of a mapping; see `first`."""
        return {key: items[key] for key in self.first(name, list(items))}


class Result:
    """An artifact, to be read; what `headrace.load` returns, one class for each artifact type.

    Files are read when they are asked for. No open store is needed.

    Args:
        artifact: The artifact, as TFX's object.
        record: What the store tells of it; `None` for an artifact of no store.
        inputs: What the node that made it read, by input key.
        parameters: What that node was given, by name.

    Attributes:
        artifact: The artifact.
        record: See above.
    """

    def __init__(
        self,
        artifact: Artifact,
        record: ArtifactRecord | None = None,
        inputs: Mapping[str, Sequence[Artifact]] | None = None,
        parameters: Mapping[str, object] | None = None,
    ) -> None:
        self.artifact = artifact
        self.record = record
        self._inputs = inputs or {}
        self._parameters = parameters or {}

    @classmethod
    def of(cls, subject: Subject, record: ArtifactRecord) -> Result:
        """Return what a store holds."""
        return cls(subject.artifact, record, subject.inputs, subject.parameters)

    @property
    def type_name(self) -> str:
        """Its artifact type, such as `"Model"`."""
        return str(self.artifact.type_name)

    @property
    def artifact_id(self) -> int:
        """Its id in the store; 0 for an artifact of no store."""
        return int(self.artifact.id)

    @property
    def uri(self) -> str:
        """Where its files are, on this machine or elsewhere."""
        return str(self.artifact.uri)

    @property
    def path(self) -> str:
        """The folder or file with what it holds.

        Raises:
            UnsupportedFeatureError: If that is not on this machine.
        """
        if addresses.is_elsewhere(self.uri):
            raise UnsupportedFeatureError(
                f"the files of {self.type_name} {self.artifact_id} are at {self.uri}, which is not on this machine.",
                "copy them here, and give load the folder.",
            )
        return self.uri

    @property
    def properties(self) -> Mapping[str, object]:
        """The properties of its type and its custom ones, by name."""
        return dict(self.record.properties) if self.record is not None else {}

    @property
    def run_id(self) -> str:
        """The run that made it; empty where that is not known."""
        return self.record.run_id if self.record is not None else ""

    @property
    def node_id(self) -> str:
        """The node that made it; empty where that is not known."""
        return self.record.node_id if self.record is not None else ""

    @property
    def summary(self) -> str:
        """One line on what it holds; may be empty."""
        return registry.summary_of(self.artifact)

    @property
    def content(self) -> object:
        """What its files hold, as what is registered for its type reads it: see `headrace.artifact_types`.

        Raises:
            DataError: If nothing is registered that reads this type.
            HeadraceError: If a file is gone or damaged.
        """
        found = registry.find(self.type_name)
        if found.artifact_type.read is None:
            raise DataError(
                found.problem or f"nothing is registered that reads artifacts of type {self.type_name}.",
                f"read the files in {self.uri}, or register the type: help(headrace.artifact_types.ArtifactType).",
            )
        return found.artifact_type.read(self.artifact)

    def data(self, bounds: Bounds) -> Mapping[str, object]:
        """Return what `headrace show ARTIFACT --json` tells under `holds`: values that JSON has.

        Of a type that others registered that is `content`: what was read, where it is made of mappings, sequences,
        dataclasses, numbers and texts; `None` where nothing reads it, or it is made of something else.
        """
        if registry.find(self.type_name).artifact_type.read is None:
            return {"content": None}
        with registry.of_others():
            return {"content": plain(self.content, bounds, "content")}

    def __repr__(self) -> str:
        made = f" of {self.node_id}, run {self.run_id}" if self.run_id else ""
        summary = f": {self.summary}" if self.summary else ""
        return f"<{self.type_name} {self.artifact_id}{made}{summary}>"


def plain(value: object, bounds: Bounds, name: str, depth: int = 0) -> Any:
    """Return a value as JSON has it; what it cannot have becomes `None`, and that is noted."""
    if depth > _MAX_DEPTH:
        bounds.cut.append(f"{name}: what lies deeper")
        return None
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return number(value)
    if isinstance(value, bytes):
        return plain(value.decode("utf-8", "replace"), bounds, name)
    if isinstance(value, str):
        if len(value) > _MAX_TEXT:
            bounds.cut.append(f"{name}: {_MAX_TEXT:,} of {len(value):,} characters")
        return value[:_MAX_TEXT]
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value), bounds, name, depth)
    if isinstance(value, Mapping):
        found = bounds.pairs(name, {str(key): one for key, one in value.items()})
        return {key: plain(one, bounds, f"{name}.{key}", depth + 1) for key, one in found.items()}
    if hasattr(value, "tolist"):
        return plain(value.tolist(), bounds, name, depth)
    if isinstance(value, Iterable):
        return [plain(one, bounds, name, depth + 1) for one in bounds.first(name, list(value))]
    bounds.cut.append(f"{name}: a {type(value).__name__}, which JSON does not have")
    return None


def number(value: float | None) -> float | str | None:
    """Return a number as JSON has it: text for `"nan"`, `"inf"` and `"-inf"`."""
    return value if value is None or math.isfinite(value) else str(value)
