"""What of a store nothing needs any more.

Kept are the outputs of the newest runs and of runs that live, and, where asked for, blessed and pushed
models; with all of them what they came from. The rest is garbage: `headrace.store.garbage.collection` removes it.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from headrace.authoring.light import authoring
from headrace.store import locks, records
from headrace.store.garbage.inventory import Inventory, StoredArtifact, StoredRun
from headrace.store.open.store import Store
from headrace.store.read import graph
from headrace.store.read.executions import PIPELINE_CONTEXT_TYPE
from headrace.store.read.ownership import is_removable

with authoring():
    from ml_metadata.proto import metadata_store_pb2

DEFAULT_KEEP_LAST = 5
_SUCCEEDED = "succeeded"
_MODEL_TYPES = ("Model", "ModelRun")
# An Importer may name a file deep in an output, such as the model in `Format-Serving`.
_LEVELS_OF_OUTPUT = 6


@dataclass(frozen=True)
class Keeping:
    """What is kept.

    Attributes:
        keep_last: The newest runs of each pipeline; beside them its newest run that succeeded.
        keep_blessed: Every blessed model, with its blessing.
        keep_pushed: Every model that was pushed.
        break_lineage: Keep these alone, and not what they came from.
    """

    keep_last: int = DEFAULT_KEEP_LAST
    keep_blessed: bool = False
    keep_pushed: bool = False
    break_lineage: bool = False


@dataclass(frozen=True)
class Garbage:
    """What nothing needs.

    Attributes:
        artifacts: Artifacts, the newest first: nothing is removed before what was made of it.
        run_ids: Runs of which nothing is left.
        kept_artifacts: How many artifacts stay.
        kept_runs: How many runs stay.
        kept_executions: Executions behind what stays, whose sources stay too.
        living_executions: Executions of runs that live. What they use from now on is not garbage.
        horizon: The newest execution that was looked at. What later ones use is not garbage.
        unfinished_since: When the oldest run began that stays and has not succeeded, in seconds since 1970; `None` where
            there is none. Work that was broken off before is of no use.
    """

    artifacts: tuple[StoredArtifact, ...]
    run_ids: tuple[str, ...]
    kept_artifacts: int
    kept_runs: int
    kept_executions: frozenset[int] = field(repr=False, default=frozenset())
    living_executions: frozenset[int] = field(repr=False, default=frozenset())
    horizon: int = 0
    unfinished_since: float | None = None


class _Run(NamedTuple):
    context_id: int
    run_id: str
    pipeline_name: str
    state: str
    made: Collection[int]
    # What it made or reused; `None` where only its executions tell.
    outputs: Collection[int] | None = None
    # In seconds since 1970, where it is known.
    started_at: float | None = None


def find_garbage(store: Store, keeping: Keeping, inventory: Inventory) -> Garbage:
    """Return what nothing needs.

    Args:
        store: The open store.
        keeping: What is kept.
        inventory: What it held a moment before.

    Raises:
        StoreError: If a newer Headrace recorded one of its runs.
    """
    with store.handle() as handle:
        runs = [_run(handle, stored) for stored in inventory.runs]
        living = frozenset(locks.living_runs(store))
        kept_runs = _kept_runs(runs, keeping.keep_last, living)
        living_executions = _executions_in(handle, [r.context_id for r in runs if r.run_id in living])
        needed, makers = _needed(handle, kept_runs, keeping, inventory)
        garbage = _garbage(store, inventory, needed)
    removed = {artifact.artifact_id for artifact in garbage}
    left = {artifact.artifact_id for artifact in inventory.artifacts} - removed
    names = {run.run_id for run in kept_runs}
    gone = [run for run in runs if run.run_id not in names and left.isdisjoint(run.made)]
    return Garbage(
        artifacts=garbage,
        run_ids=tuple(run.run_id for run in gone),
        kept_artifacts=len(left),
        kept_runs=len(runs) - len(gone),
        kept_executions=frozenset(makers),
        living_executions=frozenset(living_executions),
        horizon=inventory.horizon,
        unfinished_since=min(
            (run.started_at for run in kept_runs if run.state != _SUCCEEDED and run.started_at is not None),
            default=None,
        ),
    )


def _run(handle: Any, stored: StoredRun) -> _Run:
    record = records.parse_object(stored.record)
    if record is not None and records.is_newer(record):
        # What it needs is not known here.
        raise records.newer_error(f"run '{stored.run_id}' of this store")
    try:
        # Not `parse_run`, which looks at more: this reads every run of the store.
        return _recorded_run(handle, stored, record) if record else _foreign_run(handle, stored)
    except (KeyError, TypeError, AttributeError):
        return _foreign_run(handle, stored)


def _recorded_run(handle: Any, stored: StoredRun, record: Mapping[str, Any]) -> _Run:
    """A run as its record says.

    Raises:
        KeyError: If the record has another form; likewise `TypeError` and `AttributeError`.
    """
    outputs = [
        (node["state"], output["artifact_id"]) for node in record["nodes"] for output in node["outputs"]
    ]
    made = frozenset(artifact_id for state, artifact_id in outputs if state == "done")
    # Outputs are recorded at a run's end; before it, or where it crashed, none are.
    is_whole = record["state"] in (_SUCCEEDED, "failed", "cancelled")
    return _Run(
        stored.context_id,
        stored.run_id,
        str(record["pipeline_name"]),
        record["state"],
        made if is_whole else _made_by(handle, _executions_in(handle, [stored.context_id])),
        frozenset(artifact_id for _, artifact_id in outputs) if is_whole else None,
        _seconds(record["started"]),
    )


def _seconds(started: Any) -> float | None:
    try:
        return datetime.fromisoformat(started).timestamp()
    except (TypeError, ValueError):
        return None


def _made_by(handle: Any, execution_ids: Collection[int]) -> frozenset[int]:
    links = graph.links_of_executions(handle, execution_ids)
    return frozenset(link.artifact_id for link in links if link.is_output)


def _foreign_run(handle: Any, stored: StoredRun) -> _Run:
    """A run of another runner: its pipeline is found through one of its executions."""
    executions = handle.store.get_executions_by_context(stored.context_id)
    pipeline_name = ""
    if executions:
        types = {kind.id: kind.name for kind in handle.store.get_context_types()}
        around = handle.store.get_contexts_by_execution(executions[0].id)
        pipeline_name = next((c.name for c in around if types[c.type_id] == PIPELINE_CONTEXT_TYPE), "")
    has_failed = any(e.last_known_state == metadata_store_pb2.Execution.FAILED for e in executions)
    state = "failed" if has_failed else _SUCCEEDED
    made = _made_by(handle, {execution.id for execution in executions})
    return _Run(stored.context_id, stored.run_id, pipeline_name, state, made)


def _kept_runs(runs: Sequence[_Run], keep_last: int, living: Collection[str]) -> list[_Run]:
    """The newest of each pipeline, its newest good one, and those that live."""
    counts: dict[str, int] = {}
    has_good: set[str] = set()
    kept = []
    for run in runs:
        counts[run.pipeline_name] = counts.get(run.pipeline_name, 0) + 1
        is_newest_good = keep_last > 0 and run.state == _SUCCEEDED and run.pipeline_name not in has_good
        if is_newest_good:
            has_good.add(run.pipeline_name)
        if counts[run.pipeline_name] <= keep_last or is_newest_good or run.run_id in living:
            kept.append(run)
    return kept


def _executions_in(handle: Any, context_ids: Iterable[int]) -> set[int]:
    return {
        execution.id
        for context_id in context_ids
        for execution in handle.store.get_executions_by_context(context_id)
    }


def _needed(
    handle: Any, kept: Iterable[_Run], keeping: Keeping, inventory: Inventory
) -> tuple[set[int], set[int]]:
    """The artifacts that stay, and the executions that made them."""
    needed = _judged(keeping, inventory).union(*(run.outputs for run in kept if run.outputs is not None))
    executions = _executions_in(handle, [run.context_id for run in kept if run.outputs is None])
    for link in graph.links_of_executions(handle, executions):
        if link.is_output or not keeping.break_lineage:
            needed.add(link.artifact_id)
    makers: set[int] = set()
    level = set(needed)
    while level:
        new = inventory.makers_of(level) - makers
        makers |= new
        if keeping.break_lineage:
            break
        level = inventory.inputs_of(new) - needed
        needed |= level
    return needed, makers


def _judged(keeping: Keeping, inventory: Inventory) -> set[int]:
    """Blessings and pushes to keep, with the models that they are about."""
    wanted = {"ModelBlessing": keeping.keep_blessed, "PushedModel": keeping.keep_pushed}
    approved = (artifact for artifact in inventory.artifacts if artifact.artifact_id in inventory.approved)
    roots = {artifact.artifact_id for artifact in approved if wanted.get(artifact.type_name)}
    about = inventory.inputs_of(inventory.makers_of(roots))
    models = (artifact for artifact in inventory.artifacts if artifact.type_name in _MODEL_TYPES)
    return roots | {model.artifact_id for model in models if model.artifact_id in about}


def _garbage(store: Store, inventory: Inventory, needed: set[int]) -> tuple[StoredArtifact, ...]:
    """Those not needed whose files are the store's own."""
    # An Importer may name what lies in the store: then two artifacts have one place.
    needed_uris = [_clean(artifact.uri) for artifact in inventory.artifacts if artifact.artifact_id in needed]
    used = set(needed_uris)
    above = {folder for uri in needed_uris for folder in _folders_above(uri)}
    follow = functools.cache(os.path.realpath)
    return tuple(
        artifact
        for artifact in inventory.artifacts
        if artifact.artifact_id not in needed
        # Nor what holds a needed one, or is a part of it.
        and (uri := _clean(artifact.uri)) not in above
        and used.isdisjoint([uri, *_folders_above(uri)])
        and is_removable(store, artifact.uri, inventory.true_origin(artifact.artifact_id), follow)
    )


def _clean(uri: str) -> str:
    return uri.rstrip("/")


def _folders_above(uri: str) -> list[str]:
    """The folders above an output, up to the key's: an Importer may name what lies in one, or one that holds it."""
    folders = []
    for _ in range(_LEVELS_OF_OUTPUT):
        uri = os.path.dirname(_clean(uri))
        folders.append(uri)
    return folders
