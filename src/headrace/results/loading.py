"""`headrace.load`: an artifact of a store as a Python object."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from headrace.artifact_types import registry
from headrace.errors import DefinitionError, StoreError, did_you_mean, listed
from headrace.results.result import Result
from headrace.store.session import open_store

if TYPE_CHECKING:
    from headrace.authoring import Artifact, BaseChannel
    from headrace.store.results import OutputRecord, RunResult
    from headrace.store.session import ArtifactInfo, StoreSession


def load(
    artifact: str | int | os.PathLike[str] | ArtifactInfo | OutputRecord | Artifact | BaseChannel | Result,
    *,
    store: str | os.PathLike[str] | StoreSession | None = None,
    run: RunResult | str | None = None,
) -> Any:
    """Return an artifact as an object that reads what it holds: a model predicts, statistics describe, and so on.

    ==========================  ======================================================================================
    `Model`, `PushedModel`      `predict(rows)`, `weights`, `features`, `signatures`; see `headrace.results.Model`
    `Examples`                  `to_pandas(split, limit=)`, `examples(split)`, `batches(split)`
    `ExampleStatistics`         `describe(split)`, as pandas' `describe()`
    `Schema`                    `to_pandas()`, `proto`
    `ExampleAnomalies`          `to_pandas()`, `is_anomalous`
    `TransformGraph`            `inputs`, `outputs`, `vocabularies`
    `HyperParameters`           `values`
    `TunerResults`              `trials`, `best`
    `ModelRun`                  `history`, `best_epoch`
    `ModelEvaluation`           `metrics`, `metric(name)`, `confusion()`, `curve()`, `thresholds`, `is_blessed`
    `ModelBlessing` and others  `is_blessed`
    `InferenceResult`           `predictions`
    `CleaningReport`            `counts`, `rows`
    `ModelSelection`            `chosen`, `reason`, `candidates`
    `FeatureImportances`        `to_pandas()`, `metric`, `score`
    of any type                 `path`, `properties`, `run_id`, `node_id`, `summary`, `content`
    ==========================  ======================================================================================

    Tables are DataFrames of pandas. TensorFlow is loaded when a model predicts, and by nothing else.

    Args:
        artifact: An id, a folder, `RUN/NODE.key` such as `"latest/Trainer.model"` (the key may be left out where the node
            has one output), an artifact of `headrace.open_store` or of TFX, or
            in a notebook an output of a component that was run.
        store: Folder of the store, or an open one; `.headrace` where left out.
        run: A run, as `headrace.run` returns it, or its id: then `artifact` may be `"NODE.key"`, and `store` may be
            left out.

    Raises:
        StoreError: If there is no such store, run or artifact, naming those there are.
        UnknownNodeError: If the run has no such node.
        DefinitionError: If an argument is of another type.

    Example:
        >>> import headrace
        >>> model = headrace.load("latest/Trainer.model")  # doctest: +SKIP
        >>> model.predict({"alcohol": [9.4, 12.8], "sulphates": [0.56, 0.86]})  # doctest: +SKIP
        >>> headrace.load("latest/Evaluator.evaluation").metric("auc")  # doctest: +SKIP
        0.91
    """
    if isinstance(artifact, Result):
        return artifact
    given: Any = artifact
    if hasattr(given, "mlmd_artifact"):  # TFX's class would have to be imported to be asked for.
        return _class_of(str(given.type_name))(given)
    if hasattr(given, "get") and hasattr(given, "type_name"):
        return load(_only(given), store=store)
    name = _name(artifact)
    if run is not None and not isinstance(run, str):
        store = store if store is not None else run.store_path
        run = run.run_id
    if run is not None and isinstance(artifact, str):
        name = _of_run(run, name)
    if store is None or isinstance(store, (str, os.PathLike)):
        with open_store(store) as session:
            return _read(session, name)
    return _read(store, name)


def _only(channel: Any) -> Any:
    """Return the one artifact of a channel whose component was run in a notebook."""
    found = list(channel.get())
    if len(found) != 1:
        raise DefinitionError(
            f"load was given a channel of {channel.type_name} with {len(found)} artifacts.",
            "run its component first: context.run(...); of several artifacts give one."
            if not found
            else "give one of them: load(channel.get()[0]).",
        )
    return found[0]


def _name(artifact: object) -> str:
    identity = getattr(artifact, "artifact_id", artifact)
    if isinstance(identity, os.PathLike):
        identity = os.fspath(identity)
    if isinstance(identity, bool) or not isinstance(identity, (str, int)) or identity in ("", 0):
        raise DefinitionError(
            f"load takes an artifact, and was given {artifact!r:.200}.",
            'give its id, its folder, or RUN/NODE.key, as in headrace.load("latest/Trainer.model").',
        )
    return str(identity)


def _of_run(run_id: str, name: str) -> str:
    if name.isdigit() or os.path.isabs(name):
        return name
    if "/" in name:
        raise DefinitionError(
            f"load was given run={run_id!r}, and '{name}' names a run too.",
            "write NODE.key, such as 'Trainer.model', or leave run out.",
        )
    return f"{run_id}/{name}"


def _read(session: StoreSession, name: str) -> Any:
    if not session.names_artifact(name):
        raise _no_artifact(session, name)
    record = session.artifact(name)
    subject = session.subject(record.artifact_id)
    if not record.path and record.state != "live":
        made = f" {record.node_id} of run {record.run_id} made it." if record.run_id else ""
        again = f"make them again: {subject.command}" if subject.command else "run its pipeline again."
        raise StoreError(
            f"the files of {record.type_name} {record.artifact_id} are gone ({record.state}): {record.uri}.{made}",
            again,
        )
    return _class_of(record.type_name).of(subject, record)


def _no_artifact(session: StoreSession, name: str) -> StoreError:
    """The error on a name that is no artifact's: a run's, or one of a node alone."""
    runs = [run.run_id for run in session.runs(limit=20)]
    if name == "latest" or name in runs:
        made = [f"{node.node_id}.{output.key}" for node in session.run(name).nodes for output in node.outputs]
        return StoreError(
            f"'{name}' is a run, which has made several artifacts: {listed(made)}.",
            f"write which, such as '{name}/{made[0] if made else 'Trainer.model'}'.",
        )
    latest = session.run("latest") if runs else None
    outputs = [f"{node.node_id}.{one.key}" for node in latest.nodes for one in node.outputs] if latest else []
    nodes = [node.node_id for node in latest.nodes] if latest else []
    if name in (*outputs, *nodes):
        return StoreError(f"'{name}' names no run.", f"write latest/{name}, or RUN/{name}.")
    return StoreError(
        f"the store {session.path} has no artifact '{name}'. Its newest run made {listed(outputs)}.",
        f"{did_you_mean(name, outputs)}Write RUN/NODE.key, such as latest/Trainer.model, an id or a folder.",
    )


def _class_of(type_name: str) -> Any:
    """Return the class for an artifact type: what is registered, else one that every artifact has."""
    made = registry.find(type_name).artifact_type.result
    return Result if made is None else made()
