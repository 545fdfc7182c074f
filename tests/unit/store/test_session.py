"""`headrace.open_store`: what it tells, and that it only reads."""

from __future__ import annotations

import concurrent.futures
import contextlib
import fcntl
import inspect
import json
import os
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
import pytest
from small_stores import SmallStore, node_record
from store.store_records import files_of

import headrace
from headrace.authoring import standard_artifacts
from headrace.authoring.light import authoring
from headrace.errors import DefinitionError, StoreError, UnknownNodeError
from headrace.store import session
from headrace.store.open.store import Store
from headrace.store.read import run_records
from headrace.store.results import NodeState

with authoring():
    from ml_metadata.proto import metadata_store_pb2 as pb

RUN = "2026-11-21-1"


def fill(store: Store) -> None:
    """Record two runs of one node, the second served from the cache, and a log."""
    small = SmallStore(store)
    model = small.artifact(f"{store.artifacts_path}/pipeline/Trainer/model/1", headrace_summary="small")
    small.context("pipeline", "pipeline")
    made = small.execution({"model": [model]}, run_id=RUN, node="pipeline.Trainer")
    uri = f"{store.artifacts_path}/pipeline/Trainer/model/1"
    output = {"key": "model", "type_name": "Model", "artifact_id": model, "uri": uri, "summary": "small"}
    log = f"{store.logs_path(RUN)}/Trainer.log"
    small.record(RUN, nodes=[node_record("Trainer", outputs=[output], execution_id=made, log_path=log)])
    again = small.execution(
        {"model": [model]}, run_id="2026-11-21-2", node="pipeline.Trainer", state=pb.Execution.CACHED
    )
    small.record(
        "2026-11-21-2", nodes=[node_record("Trainer", "cached", outputs=[output], execution_id=again)]
    )
    os.makedirs(store.logs_path(RUN))
    Path(store.logs_path(RUN), "Trainer.log").write_text("trained")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store that nobody has open."""
    with Store(str(tmp_path / "project" / ".headrace")).open() as store:
        fill(store)
    return tmp_path / "project" / ".headrace"


def lasting_files(path: Path) -> dict[str, Any]:
    """What is in a store but the files that SQLite shares between processes."""
    return {name: content for name, content in files_of(path).items() if not name.endswith(("-shm", "-wal"))}


def ask_all(store: session.StoreSession) -> list[Any]:
    """Ask a session everything that it tells."""
    run = store.run()
    return [
        *store.runs(),
        run,
        *store.artifacts(),
        store.artifact("latest/Trainer.model"),
        store.lineage(1),
        store.explain("latest", "Trainer"),
        store.compare(RUN),
        store.start("latest"),
        store.graph(run),
        store.subject(1),
    ]


def test_everything_is_told_by_frozen_dataclasses_over_one_connection(path: Path, monkeypatch):
    """And by their public names: each method says what it returns, raises and takes."""
    opened = []
    connect = mlmd.MetadataStore
    monkeypatch.setattr(mlmd, "MetadataStore", lambda config: opened.append(config) or connect(config))

    with headrace.open_store(path) as store:
        answers = ask_all(store)
        assert store.pipelines() == ["pipeline"]
        assert list(store.outputs(1)) == ["model"]

    assert len(opened) == 1
    for answer in answers:
        assert is_dataclass(answer)
        assert type(answer).__dataclass_params__.frozen, type(answer)
        assert type(answer).__name__ in session.__all__
    for name, method in inspect.getmembers(headrace.StoreSession, inspect.isfunction):
        assert name.startswith("_") or method.__doc__, name


def test_nothing_is_written_and_no_lock_is_needed(path: Path):
    """Not in a store that could be written either, while others hold every lock there is."""
    before = lasting_files(path)
    names = ("open.lock", "write.lock", "choice.lock", "gc.lock")

    with contextlib.ExitStack() as held:
        for name in names:
            fcntl.flock(held.enter_context(open(path / name, "a", encoding="ascii")), fcntl.LOCK_EX)
        with headrace.open_store(path) as store:
            ask_all(store)

    assert lasting_files(path) == {**dict.fromkeys(names, b""), **before}


def test_a_moved_store_is_read_with_its_new_places_and_stays_as_it_is(path: Path):
    """The next command that writes records them."""
    moved = path.parent.rename(path.parents[1] / "moved") / ".headrace"
    before = lasting_files(moved)

    new = f"{moved}/artifacts/pipeline/Trainer/model/1"
    with headrace.open_store(moved) as store:
        assert store.artifact(1).path == new
        assert store.artifact(new).artifact_id == 1
        assert [one.path for one in store.artifacts()] == [new]
        node = store.run(RUN).node("Trainer")
        assert (node.outputs[0].uri, node.log_path) == (new, f"{store.path}/logs/{RUN}/Trainer.log")
        assert store.lineage(1).artifact.uri == store.subject(1).artifact.uri == new
    assert lasting_files(moved) == before


def test_what_others_write_meanwhile_is_seen(path: Path):
    with headrace.open_store(path) as store:
        before = len(list(store.runs()))
        with Store(str(path)).open() as writing:
            SmallStore(writing).record("2026-11-21-3")
        assert len(list(store.runs())) == before + 1


def test_threads_share_a_session(path: Path):
    with headrace.open_store(path) as store, concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: repr(ask_all(store)), range(40)))

    assert len(set(answers)) == 1


def test_runs_are_read_as_they_are_asked_for(tmp_path: Path, monkeypatch):
    """The first of many thousands costs as much as the first of a few."""
    read = []
    summary = run_records._summary
    monkeypatch.setattr(
        run_records, "_summary", lambda context: read.append(context.name) or summary(context)
    )
    with Store(str(tmp_path)).open() as opened:
        small = SmallStore(opened)
        small.context("pipeline", "pipeline")
        for number in range(130):
            small.record(f"run-{number}", pipeline_name="pipeline" if number % 2 else "other")

    with headrace.open_store(tmp_path) as store:
        assert next(store.runs()).run_id == "run-129"
        assert len(read) == 1
        assert len(list(store.runs())) == 130
        assert [run.run_id for run in store.runs(pipeline_name="pipeline", limit=2)] == ["run-129", "run-127"]
        assert list(store.runs(limit=0)) == []


def test_an_artifact_says_what_it_is_where_it_lies_and_who_made_it(tmp_path: Path):
    """Properties of its type and its own, Headrace's bookkeeping apart; TFX writes some as JSON."""
    with Store(str(tmp_path)).open() as opened:
        small = SmallStore(opened)
        examples = standard_artifacts.Examples()
        examples.uri, examples.split_names = (
            str(tmp_path / "examples"),
            json.dumps(["train", "../eval", "old"]),
        )
        examples.span, examples.version = 3, 2
        examples.set_string_custom_property("name", "rows")
        examples.set_json_value_custom_property("columns", ["a", "b"])
        examples.set_string_custom_property("headrace_digest", "abc")
        type_id = small.mlmd.put_artifact_type(examples.artifact_type)
        examples.mlmd_artifact.type_id = type_id
        examples.mlmd_artifact.state = pb.Artifact.LIVE
        [artifact_id] = small.mlmd.put_artifacts([examples.mlmd_artifact])
        small.execution({"examples": [artifact_id]}, run_id=RUN, node="p.Gen")
        (tmp_path / "examples" / "Split-train").mkdir(parents=True)
        (tmp_path / "examples" / "Split-train" / "rows").write_text("12345")
        (tmp_path / "examples" / "old").mkdir()
        gone = small.artifact(tmp_path / "gone", is_written=False)
        away = small.artifact("gs://bucket/away")

    with headrace.open_store(tmp_path) as store:
        found = store.artifact(artifact_id)
        others = [store.artifact(gone), store.artifact(away)]

    assert (found.type_name, found.state, found.digest) == ("Examples", "live", "abc")
    assert (found.run_id, found.pipeline_name, found.node_id, found.key) == (RUN, "p", "Gen", "examples")
    assert (found.span, found.version, found.splits) == (3, 2, ("train", "old"))
    assert {name: found.properties[name] for name in ("name", "columns", "span")} == {
        "name": "rows",
        "columns": ["a", "b"],
        "span": 3,
    }
    assert not any(name.startswith("headrace") for name in found.properties)
    assert (found.path, found.size_bytes) == (found.uri, 5)
    assert found.split_paths == {"train": f"{found.uri}/Split-train", "old": f"{found.uri}/old"}
    assert [(one.state, one.path, one.size_bytes, one.split_paths, one.run_id) for one in others] == [
        ("missing", "", 0, {}, ""),
        ("live", "", 0, {}, ""),
    ]


@pytest.mark.parametrize(
    ("ask", "kind", "known", "near"),
    [
        (
            lambda store: store.run("2026-11-22-1"),
            StoreError,
            "'2026-11-21-1', '2026-11-21-2'",
            "2026-11-21-1",
        ),
        (lambda store: store.runs(pipeline_name="pipelin"), StoreError, "'pipeline'", "pipeline"),
        (lambda store: store.artifacts(pipeline_name="pipelin"), StoreError, "'pipeline'", "pipeline"),
        (lambda store: store.artifacts(type_name="Modl"), StoreError, "'Model'", "Model"),
        (lambda store: store.artifacts(run_id="latst"), StoreError, "'2026-11-21-2'", "latest"),
        (lambda store: store.artifact(77), StoreError, "Model 1", ""),
        (lambda store: store.artifact("9" * 30), StoreError, "Model 1", ""),
        (lambda store: store.artifact("latest/Trainer.modl"), StoreError, "'model'", "model"),
        (lambda store: store.subjects([77]), StoreError, "Model 1", ""),
        (lambda store: store.explain("latest", "Trainr"), UnknownNodeError, "'Trainer'", "Trainer"),
        (lambda store: store.log_path("latest", "Trainer"), StoreError, "it is cached", ""),
    ],
)
def test_what_there_is_not_is_told_with_what_there_is(
    path: Path, ask: Any, kind: type, known: str, near: str
):
    with headrace.open_store(path) as store, pytest.raises(kind) as caught:
        ask(store)

    assert known in caught.value.problem
    assert (f"did you mean '{near}'?" in caught.value.fix) == bool(near)


def test_a_node_and_its_log_are_found(path: Path):
    with headrace.open_store(path) as store:
        assert store.run(RUN).node("Trainer").state is NodeState.DONE
        assert Path(store.log_path(RUN, "Trainer")).read_text() == "trained"
        assert [store.names_artifact(name) for name in ("1", "latest/Trainer", RUN)] == [True, True, False]


def test_where_there_is_no_store_it_is_said(tmp_path: Path):
    """A folder, and a database in which the first run has not made its tables."""
    with pytest.raises(StoreError, match="there is no store in "), headrace.open_store(tmp_path):
        pass
    assert not session.is_store(tmp_path)
    (tmp_path / "metadata.db").touch()
    with pytest.raises(StoreError, match="nothing is recorded in the store"), headrace.open_store(tmp_path):
        pass
    assert os.listdir(tmp_path) == ["metadata.db"]


@pytest.mark.parametrize("damage", [slice(0, 100), slice(4096, 60_000)])
def test_a_damaged_database_is_named(path: Path, damage: slice):
    content = bytearray((path / "metadata.db").read_bytes())
    content[damage] = b"x" * len(content[damage])
    (path / "metadata.db").write_bytes(content)

    with (
        pytest.raises(StoreError, match="is not a usable SQLite database") as caught,
        headrace.open_store(path),
    ):
        pass
    assert len(str(caught.value).splitlines()) == 2


def test_a_closed_session_says_so(path: Path):
    with headrace.open_store(path) as store:
        left = store.runs()

    with pytest.raises(StoreError, match="is not open") as caught:
        next(left)
    assert "headrace.open_store" in caught.value.fix


def test_metadata_in_a_database_elsewhere_are_found(tmp_path: Path, monkeypatch):
    """Named, as a pipeline names it; and where the store notes it."""
    config = pb.ConnectionConfig()
    config.sqlite.filename_uri = str(tmp_path / "elsewhere.db")
    monkeypatch.chdir(tmp_path)
    with Store(".headrace", config).open() as store:
        fill(store)

    for arguments in ((None, config), ()):
        with headrace.open_store(*arguments) as opened:
            assert opened.run().run_id == "2026-11-21-2"


@pytest.mark.parametrize("count", [-1, "2", 1.5])
def test_a_count_that_is_none_is_refused_when_it_is_given(path: Path, count: Any):
    """Not when the first item is read."""
    with headrace.open_store(path) as store:
        for ask in (store.runs, store.artifacts, lambda limit: store.lineage(1, limit=limit)):
            with pytest.raises(DefinitionError, match=f"limit={count!r}"):
                ask(limit=count)  # type: ignore[operator]


def test_a_name_is_a_text(path: Path):
    """A run's number, or an id, is told so and not looked for in SQL."""
    with headrace.open_store(path) as store:
        for ask in (
            lambda: store.run(5),
            lambda: store.runs(pipeline_name=5),
            lambda: store.artifacts(run_id=5),
            lambda: store.explain("latest", 5),
            lambda: store.compare(5),
            lambda: store.log_path("latest", 5),
            lambda: store.start(5),
        ):
            with pytest.raises(DefinitionError) as caught:
                ask()
            assert "=5: it takes a text" in str(caught.value)
