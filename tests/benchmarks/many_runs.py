"""Make a store of many runs, as years of work would leave it, and time every command on it.

::

    python tests/benchmarks/many_runs.py make DIR --runs 10000
    python tests/benchmarks/many_runs.py time DIR

The runs are written to ML Metadata in batches, as the engine writes them one by one: a pipeline of five
nodes, a new parameter every second run, so that half of the executions are cached.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from headrace.orchestration.cache.cache_key import key
from headrace.orchestration.engine.provenance import provenance
from headrace.store.open.store import Store
from headrace.store.read.executions import INGREDIENTS_PROPERTY
from headrace.store.records import RUN_FORMAT

PIPELINE = "many"
NODES = ("Load", "Statistics", "Features", "Train", "Judge")
_BATCH_RUNS = 100
_COMMANDS = (
    "runs",
    "runs --limit 10",
    "show latest",
    "show {middle}",
    "explain latest Train",
    "explain {middle} Judge",
    "lineage latest/Judge.out",
    "lineage 1",
    "diff {middle} latest",
    "artifacts",
    "artifacts --type Schema --limit 20",
    "artifacts --pipeline many",
    "artifacts --run {middle}",
    "logs latest Train",
    "gc --dry-run --keep-last 9990",
    "gc --dry-run",
)


@dataclass(frozen=True)
class _Types:
    """Ids of the types in the store."""

    run: int
    node: int
    pipeline: int
    cache: int
    execution: dict[str, int]
    artifact: int


def make(path: str, num_runs: int) -> None:
    """Fill a new store with `num_runs` runs; the last ten have files."""
    store = Store(path)
    with store.open(), store.handle() as handle:
        types = _register_types(handle.store)
        contexts = _put_fixed_contexts(handle.store, types)
        details = {
            "configuration": {"pipeline": "many.py"},
            **provenance("headrace run many.py", os.getcwd()),
        }
        started = datetime.now(timezone.utc) - timedelta(hours=num_runs)
        last: list[list[Any]] = []
        for first in range(0, num_runs, _BATCH_RUNS):
            numbers = range(first, min(first + _BATCH_RUNS, num_runs))
            last = _put_runs(store, handle.store, types, contexts, numbers, num_runs, details, started, last)


def _register_types(database: Any) -> _Types:
    from ml_metadata.proto import metadata_store_pb2 as pb

    def context_type(name: str) -> int:
        return int(database.put_context_type(pb.ContextType(name=name), can_add_fields=True))

    return _Types(
        run=context_type("pipeline_run"),
        node=context_type("node"),
        pipeline=context_type("pipeline"),
        cache=context_type("execution_cache"),
        execution={
            node: database.put_execution_type(pb.ExecutionType(name=f"many.{node}")) for node in NODES
        },
        artifact=database.put_artifact_type(pb.ArtifactType(name="Schema"), can_add_fields=True),
    )


def _put_fixed_contexts(database: Any, types: _Types) -> dict[str, int]:
    from ml_metadata.proto import metadata_store_pb2 as pb

    wanted = [pb.Context(type_id=types.pipeline, name=PIPELINE)]
    wanted += [pb.Context(type_id=types.node, name=f"{PIPELINE}.{node}") for node in NODES]
    return dict(zip(["", *NODES], database.put_contexts(wanted)))


def _ingredients(node: str, version: int, upstream: str) -> dict[str, Any]:
    return {
        "format": 1,
        "tfx": "1.16.0",
        "executor": f"many.{node}_Executor",
        "executor_source": "ab" * 32,
        "parameters": {"version": version, "module": {"function": "run_fn", "source": "cd" * 32}},
        "inputs": {"given": [upstream]} if upstream else {},
        "outputs": {"out": ["Schema"]},
    }


def _put_runs(
    store: Store,
    database: Any,
    types: _Types,
    fixed: dict[str, int],
    numbers: range,
    num_runs: int,
    details: dict[str, Any],
    started: datetime,
    last: list[list[Any]],
) -> list[list[Any]]:
    """Write a batch of runs; odd runs reuse what the run before made. Return the artifacts made last."""
    from ml_metadata.proto import metadata_store_pb2 as pb

    run_names = [f"run-{number:05d}" for number in numbers]
    whats = {
        (number, node): _ingredients(node, number // 2, "" if not place else f"{number // 2:064x}")
        for number in numbers
        for place, node in enumerate(NODES)
    }
    keys = {place: key(what) for place, what in whats.items()}
    made = [(number, node) for number in numbers if number % 2 == 0 for node in NODES]
    cache_ids = dict(
        zip(
            made, database.put_contexts([pb.Context(type_id=types.cache, name=keys[place]) for place in made])
        )
    )
    executions = [
        _execution(types, number, node, whats[number, node]) for number in numbers for node in NODES
    ]
    places = [(number, node) for number in numbers for node in NODES]
    execution_ids = dict(zip(places, database.put_executions(executions)))
    artifacts = [_artifact(store, types, execution_ids[place], *place) for place in made]
    artifact_ids = dict(zip(made, database.put_artifacts(artifacts)))
    uris = {place: artifact.uri for place, artifact in zip(made, artifacts)}
    run_ids = dict(
        zip(
            numbers,
            database.put_contexts(
                [
                    _run_context(types, name, number, details, started, execution_ids, artifact_ids, uris)
                    for name, number in zip(run_names, numbers)
                ]
            ),
        )
    )
    events, attributions, associations = [], [], []
    for number, node in places:
        source = number - number % 2
        execution_id, artifact_id = execution_ids[number, node], artifact_ids[source, node]
        events.append(_event(execution_id, artifact_id, pb.Event.OUTPUT, "out"))
        if node != NODES[0]:
            above = artifact_ids[source, NODES[NODES.index(node) - 1]]
            events.append(_event(execution_id, above, pb.Event.INPUT, "given"))
        for context_id in (fixed[""], fixed[node], run_ids[number], cache_ids[source, node]):
            associations.append(pb.Association(execution_id=execution_id, context_id=context_id))
            attributions.append(pb.Attribution(artifact_id=artifact_id, context_id=context_id))
    database.put_events(events)
    database.put_attributions_and_associations(attributions, associations)
    for number, name in zip(numbers, run_names):
        os.makedirs(store.logs_path(name))
        for node in NODES:
            with open(os.path.join(store.logs_path(name), f"{node}.log"), "w", encoding="utf-8") as log:
                log.write("nothing to say\n")
            if (number, node) in uris and number >= num_runs - 10:
                os.makedirs(uris[number, node])
                with open(os.path.join(uris[number, node], "text"), "w", encoding="utf-8") as file:
                    file.write("x" * 1000)
    return last


def _execution(types: _Types, number: int, node: str, what: dict[str, Any]) -> Any:
    from ml_metadata.proto import metadata_store_pb2 as pb

    execution = pb.Execution(type_id=types.execution[node], last_known_state=pb.Execution.COMPLETE)
    execution.custom_properties["version"].int_value = number // 2
    if number % 2:
        execution.last_known_state = pb.Execution.CACHED
    else:
        execution.custom_properties[INGREDIENTS_PROPERTY].string_value = json.dumps(what, sort_keys=True)
    return execution


def _artifact(store: Store, types: _Types, execution_id: int, number: int, node: str) -> Any:
    from ml_metadata.proto import metadata_store_pb2 as pb

    uri = os.path.join(store.artifacts_path, PIPELINE, node, "out", str(execution_id))
    artifact = pb.Artifact(type_id=types.artifact, uri=uri, state=pb.Artifact.LIVE)
    artifact.custom_properties["name"].string_value = f"{PIPELINE}:run-{number:05d}:{node}:out:0"
    artifact.custom_properties["headrace_digest"].string_value = f"{number // 2:064x}"
    artifact.custom_properties["headrace_summary"].string_value = "9,998 rows"
    artifact.custom_properties["producer_component"].string_value = node
    return artifact


def _event(execution_id: int, artifact_id: int, kind: Any, name: str) -> Any:
    from ml_metadata.proto import metadata_store_pb2 as pb

    event = pb.Event(execution_id=execution_id, artifact_id=artifact_id, type=kind)
    event.path.steps.add().key = name
    event.path.steps.add().index = 0
    return event


def _run_context(
    types: _Types,
    name: str,
    number: int,
    details: dict[str, Any],
    started: datetime,
    execution_ids: dict[Any, int],
    artifact_ids: dict[Any, int],
    uris: dict[Any, str],
) -> Any:
    from ml_metadata.proto import metadata_store_pb2 as pb

    source = number - number % 2
    nodes = [
        {
            "node_id": node,
            "state": "cached" if number % 2 else "done",
            "seconds": 1.0,
            "reason": "",
            "outputs": [
                {
                    "key": "out",
                    "type_name": "Schema",
                    "artifact_id": artifact_ids[source, node],
                    "uri": uris[source, node],
                    "summary": "9,998 rows",
                }
            ],
            "error": None,
            "log_path": "",
            "execution_id": execution_ids[number, node],
        }
        for node in NODES
    ]
    record = {
        "format": RUN_FORMAT,
        "pipeline_name": PIPELINE,
        "state": "succeeded",
        "started": (started + timedelta(hours=number)).isoformat(),
        "seconds": 5.0,
        "nodes": nodes,
        "details": details,
    }
    context = pb.Context(type_id=types.run, name=name)
    context.custom_properties["headrace_run"].string_value = json.dumps(record)
    return context


def time_commands(path: str) -> None:
    """Print the wall time of each command on the store, whole processes."""
    newest = subprocess.run(
        ["headrace", "runs", "--store", path, "--json", "--limit", "1"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    number = int(json.loads(newest.stdout)[0]["run_id"].rpartition("-")[2])
    for template in _COMMANDS:
        words = template.format(middle=f"run-{number // 4 * 2:05d}").split()
        started = time.monotonic()
        done = subprocess.run(
            ["headrace", *words, "--store", path], capture_output=True, text=True, check=False
        )
        seconds = time.monotonic() - started
        print(f"{seconds:6.2f} s  exit {done.returncode}  headrace {' '.join(words)}", flush=True)


def main() -> None:
    """Run the command line of this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("action", choices=["make", "time"])
    parser.add_argument("store")
    parser.add_argument("--runs", type=int, default=10_000)
    arguments = parser.parse_args()
    os.environ["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
    started = time.monotonic()
    if arguments.action == "make":
        make(arguments.store, arguments.runs)
        print(f"{arguments.runs:,} runs in {time.monotonic() - started:.0f} s")
    else:
        time_commands(arguments.store)


if __name__ == "__main__":
    main()
