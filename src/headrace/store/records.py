"""What a store holds as JSON text: how a run went, and what an execution's outputs depended on.

A store may be damaged, come from elsewhere, or have been written by a later version. A text of another form counts as
none at all: what ML Metadata itself knows of the run or the execution is shown then.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from headrace.runtime.implementation import NOT_RECORDED, Implementation
from headrace.store.results import NodeState

_STATES = frozenset(state.value for state in NodeState)
_GROUPS = ("parameters", "inputs", "packages", "environment", "sources")
_RUN: dict[str, Any] = {
    "pipeline_name": str,
    "state": str,
    "started": str,
    "seconds": (int, float),
    "nodes": list,
    "details": dict,
}


def parse_run(text: str) -> dict[str, Any] | None:
    """Return a run's record; `None` where there is none that can be read.

    Args:
        text: As `publications.publish_run` writes it.
    """
    record = parse_object(text)
    if record is None:
        return None
    record.setdefault("details", {})
    if not all(isinstance(record.get(key), kind) for key, kind in _RUN.items()) or not _are_nodes(
        record["nodes"]
    ):
        return None
    try:
        started = datetime.fromisoformat(record["started"])
    except ValueError:
        return None
    return record if started.tzinfo is not None else None


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
