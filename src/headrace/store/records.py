"""What a store holds as JSON text: how a run went, and what an execution's outputs depended on.

A store may be damaged or come from elsewhere. A text of another form counts as none at all: what ML Metadata itself
knows of the run or the execution is shown then. Fields that are not known here are passed over; a record whose number is
newer than `RUN_FORMAT` means something else and is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias, TypedDict, cast

from headrace import __version__
from headrace.errors import StoreError
from headrace.runtime.implementation import NOT_RECORDED, Implementation
from headrace.store.results import NodeState

# What JSON holds.
Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

# The number of the form in which runs are recorded: raised when a field goes or means something else, not when one is
# added. 0.1.0 wrote none, which reads as 0, and its fields are those of 1.
# The property of a run's context that holds its record.
RECORD_PROPERTY = "headrace_run"
RUN_FORMAT = 1


class OutputShape(TypedDict):
    """An artifact that a node made or reused, as `OutputRecord`; 0.1.0 may leave out the summary."""

    key: str
    type_name: str
    artifact_id: int
    uri: str
    summary: str


class ImplementationShape(TypedDict):
    """What did a node's work, as `Implementation`; 0.1.0 wrote none."""

    name: str
    reason: str


class NodeShape(TypedDict):
    """How a node went, as `NodeResult`; its error as class, problem and fix."""

    node_id: str
    state: str
    seconds: float
    reason: str
    outputs: list[OutputShape]
    error: list[str] | None
    log_path: str
    execution_id: int
    is_optional: bool
    implementation: ImplementationShape


class RunShape(TypedDict):
    """The record of a run: custom property `headrace_run` of its context in ML Metadata.

    Attributes:
        format: `RUN_FORMAT` when it was written.
        pipeline_name: The pipeline.
        state: As in `RunSummary`.
        started: When it started, in ISO 8601 with the time zone.
        seconds: Wall time so far.
        nodes: Its nodes, in topological order.
        details: What is recorded of how it was started, without secrets.
        start: Of that what is executed when it is resumed, signed by the user; see `headrace.store.read.starts`.
    """

    format: int
    pipeline_name: str
    state: str
    started: str
    seconds: float
    nodes: list[NodeShape]
    details: dict[str, Json]
    start: str


_STATES = frozenset(state.value for state in NodeState)
_GROUPS = ("parameters", "inputs", "packages", "environment", "sources")
_RUN: dict[str, Any] = {
    "format": int,
    "pipeline_name": str,
    "state": str,
    "started": str,
    "seconds": (int, float),
    "nodes": list,
    "details": dict,
}


def parse_run(text: str) -> RunShape | None:
    """Return a run's record; `None` where there is none that can be read.

    Args:
        text: As `publications.publish_run` writes it.
    """
    record = parse_object(text)
    if record is None or is_newer(record):
        return None
    record.setdefault("format", 0)
    record.setdefault("details", {})
    if not all(isinstance(record.get(key), kind) for key, kind in _RUN.items()) or not _are_nodes(
        record["nodes"]
    ):
        return None
    try:
        started = datetime.fromisoformat(record["started"])
    except ValueError:
        return None
    return cast(RunShape, record) if started.tzinfo is not None else None


def is_newer(record: Mapping[str, Any]) -> bool:
    """Whether a run's record, as JSON, has another meaning than any that this version knows."""
    number = record.get("format", 0)
    return isinstance(number, int) and number > RUN_FORMAT


def newer_error(what: str) -> StoreError:
    """Return the error for what only a newer version can read.

    Args:
        what: What was recorded, such as `"run '2026-11-21-1' of the store .headrace"`.
    """
    return StoreError(
        f"{what} was recorded by a newer Headrace, in a form that this one, {__version__}, does not know.",
        "read it with that version, or upgrade this one: pip install --upgrade headrace",
    )


def parse_ingredients(text: str) -> dict[str, Any]:
    """Return what an execution's outputs depended on; nothing where that cannot be read."""
    what = parse_object(text) or {}
    sources = what.get("sources", {})
    is_whole = all(isinstance(what.get(group, {}), dict) for group in _GROUPS)
    is_whole = is_whole and all(isinstance(files, dict) for files in sources.values())
    return what if is_whole else {}


def parse_object(text: str) -> dict[str, Any] | None:
    """Return a JSON object; `None` for a text that holds something else."""
    try:
        found = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def parse_implementation(recorded: object) -> Implementation:
    """Return what did a node's work; nothing is known of it where an earlier version, or somebody else, wrote that."""
    if not isinstance(recorded, dict):
        return NOT_RECORDED
    return Implementation(str(recorded.get("name", "")), str(recorded.get("reason", "")))


def _are_nodes(nodes: list[Any]) -> bool:
    """Whether all are nodes of a run; written without calls, because garbage collection reads every run's."""
    try:
        for node in nodes:
            error = node.get("error")
            if (
                node["state"] not in _STATES
                or type(node["node_id"]) is not str
                or (error and not _is_error(error))
            ):
                return False
            for output in node["outputs"]:
                if type(output["artifact_id"]) is not int or not (
                    type(output["key"]) is type(output["type_name"]) is type(output["uri"]) is str
                ):
                    return False
    except (KeyError, TypeError, AttributeError):
        return False
    return True


def _is_error(error: object) -> bool:
    """Whether it is a class's name, a problem and a fix."""
    return isinstance(error, list) and len(error) == 3 and all(isinstance(word, str) for word in error)
