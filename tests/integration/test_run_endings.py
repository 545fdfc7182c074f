"""How a run ends, whatever happens: it is on record, nothing stays open, and a failure does not look like a success.

Most pipelines here have nodes without executors only, so that no worker has to start.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nodes
import pytest
from conftest_runs import good, open_store, states
from ml_metadata.proto import metadata_store_pb2
from stored import list_runs, read_run

import headrace
from headrace.authoring import Channel, Importer, LatestArtifactStrategy, Pipeline, Resolver, compiler
from headrace.authoring import standard_artifacts as types
from headrace.authoring.light import authoring
from headrace.errors import InputResolutionError, StoreError
from headrace.orchestration.engine import start as engine
from headrace.orchestration.events import (
    Event,
    NodeFinished,
    NodeProgress,
    NodeStarted,
    RunFinished,
    RunStarted,
)
from headrace.run_options import RunOptions
from headrace.store import locks
from headrace.store.record import publications
from headrace.store.results import RunResult

with authoring():
    from tfx.dsl.experimental.node_execution_options import utils
    from tfx.proto.orchestration import pipeline_pb2

OPEN = (metadata_store_pb2.Execution.NEW, metadata_store_pb2.Execution.RUNNING)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def bad() -> Pipeline:
    """One node, which finds nothing."""
    return Pipeline("bad", components=[looking_for(types.Model)])


def looking_for(kind: Any) -> Resolver:
    return Resolver(strategy_class=LatestArtifactStrategy, found=Channel(type=kind)).with_id("Latest")


def open_executions(store: str = ".headrace") -> list[int]:
    return [e.id for e in open_store(store).get_executions() if e.last_known_state in OPEN]


@pytest.mark.parametrize(
    "start",
    [
        lambda: headrace.run(bad(), show=False),
        lambda: headrace.run(bad()),
        lambda: headrace.Runner().run(bad()),
        lambda: headrace.Runner(show=False).run_with_ir(compiler.compile_pipeline(bad())),
        lambda: headrace.InteractiveContext("bad").run(looking_for(types.Model)),
    ],
    ids=["run", "run with its display", "Runner", "Runner with IR", "InteractiveContext"],
)
def test_a_run_that_failed_raises_whoever_started_it(start: Callable[[], object]):
    """With the node's own error, and without the frames of the engine."""
    with pytest.raises(InputResolutionError, match=r"^Latest: ") as raised:
        start()

    assert raised.value.__cause__ is None or raised.value.__cause__.__traceback__ is None
    assert [run.state for run in list_runs()] == ["failed"]


def test_what_is_raised_ends_with_the_command_that_resumes(tmp_path: Path):
    """Also where the store is not the usual one."""
    failed = engine.run(bad(), RunOptions(run_id="r", store="my store"), configuration={"pipeline": "p.py"})

    assert failed.resume_command == "headrace resume r --store 'my store'"
    with pytest.raises(InputResolutionError) as raised:
        failed.raise_for_failure()
    assert f"{raised.value.fix.splitlines()[0]}".endswith("run: headrace resume r --store 'my store'")
    assert engine.run(bad(), RunOptions(run_id="q")).resume_command == "", (
        "nothing says how to make the pipeline again"
    )


def test_the_result_of_a_failed_run_is_returned_on_request():
    result = headrace.run(bad(), show=False, raise_on_failure=False)

    assert not result.is_success
    assert [node.node_id for node in result.failed] == ["Latest"]


@pytest.mark.parametrize("kind", [RunStarted, NodeStarted, NodeFinished, RunFinished])
@pytest.mark.parametrize("error", [ValueError, SystemExit])
def test_a_listener_that_raises_is_left_out_and_the_run_goes_on(kind: type, error: type[BaseException]):
    """It is told of once, and told nothing more; the run is what it would have been."""
    heard: list[Event] = []

    def listen(event: Event) -> None:
        heard.append(event)
        if isinstance(event, kind):
            raise error("of the listener")

    with pytest.warns(
        RuntimeWarning, match=f"the run's listener raised {error.__name__}: of the listener"
    ) as told:
        result = headrace.run(good(), listener=listen)

    assert len(told) == 1
    assert result.is_success
    assert isinstance(heard[-1], kind)
    assert [run.state for run in list_runs()] == ["succeeded"]
    assert open_executions() == []
    log = Path(".headrace", "logs", result.run_id, "listener-error.txt").read_text()
    assert log.rstrip().endswith(f"{error.__name__}: of the listener")


def test_a_listener_hears_what_the_display_shows(capsys: pytest.CaptureFixture[str]):
    """Neither takes the other's place: what is shown is for `show` alone to say."""
    heard: list[Event] = []

    headrace.run(good(), listener=heard.append)
    assert [type(event) for event in heard] == [RunStarted, NodeStarted, NodeFinished, RunFinished]
    assert "good " in capsys.readouterr().err

    headrace.run(good(), listener=heard.append, show=False)
    assert len(heard) == 8
    assert capsys.readouterr().err == ""


@pytest.mark.filterwarnings("ignore:the run's listener raised")
def test_a_listener_that_raises_in_every_slot_leaves_nothing_open():
    """Events of nodes that run come from the threads of the slots, and from inside the plan."""

    def listen(event: Event) -> None:
        if isinstance(event, (NodeFinished, NodeProgress)):
            raise ValueError("of the listener")

    makes = [nodes.Make(text=text).with_id(text) for text in "abc"]
    after = nodes.Use(given=makes[0].outputs["out"])

    result = headrace.run(Pipeline("listened", components=[*makes, after]), listener=listen)

    assert states(result) == dict.fromkeys(["Use", "a", "b", "c"], "done")
    assert open_executions() == []
    assert os.listdir(".headrace/running") == []


def test_fail_fast_leaves_nothing_open():
    """The drivers of nodes that wait for a slot recorded executions already, before the first one failed."""
    failing = nodes.FailTimes(counter="counter", times=9).with_id("a")
    others = [nodes.Make(text=text).with_id(text) for text in "bcd"]
    pipeline = Pipeline("fast", components=[failing, *others])

    result = headrace.run(pipeline, fail="fast", workers=1, raise_on_failure=False, show=False)

    assert states(result) == {"a": "failed", **dict.fromkeys("bcd", "cancelled")}
    by_state = sorted(e.last_known_state for e in open_store(".headrace").get_executions())
    assert by_state == sorted(
        [metadata_store_pb2.Execution.FAILED, *[metadata_store_pb2.Execution.CANCELED] * 3]
    )


def test_fail_fast_does_not_stop_at_a_failure_that_the_run_can_do_without():
    """A node with `success_optional` may fail: the run succeeds all the same, so it goes on all the same."""
    optional = looking_for(types.Model)
    optional.node_execution_options = utils.NodeExecutionOptions(success_optional=True)
    importer = Importer(source_uri="files", artifact_type=types.Schema).with_id("Zuletzt")
    os.makedirs("files")
    importer.add_upstream_node(optional)
    apart = Importer(source_uri="files", artifact_type=types.Schema).with_id("Mittendrin")

    result = headrace.run(
        Pipeline("optional", components=[optional, importer, apart]), fail="fast", show=False
    )

    assert states(result)["Mittendrin"] == "done"
    assert states(result)["Latest"] == "failed"


@contextlib.contextmanager
def _without_a_last_record() -> Iterator[None]:
    original = publications.publish_run

    def publish_run(store: Any, result: RunResult, state: str, *rest: Any) -> None:
        if state != "running":
            raise StoreError("no space left.", "free some.")
        original(store, result, state, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publications, "publish_run", publish_run)
        yield


def test_a_run_whose_record_cannot_be_written_is_mended_by_the_next_start():
    """It is an error even where all nodes are done; until then nobody says that the run goes on."""
    with _without_a_last_record(), pytest.raises(StoreError, match="no space left"):
        headrace.run(good(), run_id="first", show=False)

    assert os.listdir(".headrace/running") == ["first"]
    assert [run.state for run in list_runs()] == ["crashed"]
    assert not read_run(run_id="first").is_success

    headrace.run(good(), show=False)
    assert os.listdir(".headrace/running") == []
    assert [run.state for run in list_runs()] == ["succeeded", "crashed"]


def test_why_a_run_failed_is_not_hidden_by_a_record_that_cannot_be_written():
    with (
        _without_a_last_record(),
        pytest.warns(RuntimeWarning, match="could not be recorded to its end: no space left"),
        pytest.raises(InputResolutionError, match=r"^Latest: "),
    ):
        headrace.run(bad(), run_id="first", show=False)

    assert os.listdir(".headrace/running") == ["first"]


def test_executions_that_nobody_closed_are_closed_with_the_run(monkeypatch: pytest.MonkeyPatch):
    """Whatever a defect leaves open, the end of the run does not."""
    from headrace.orchestration.node import driver

    def fail(*_: object) -> bool:
        raise RuntimeError("a defect")

    monkeypatch.setattr(driver, "serve_from_cache", fail)

    result = headrace.run(Pipeline("defect", components=[nodes.Make()]), show=False, raise_on_failure=False)

    assert states(result) == {"Make": "failed"}
    assert open_executions() == []


def test_a_run_without_a_living_process_is_not_said_to_run():
    """Between a kill and the next start."""
    headrace.run(good(), run_id="dead", show=False)
    store = locks.Store(".headrace")
    with store.open():
        publications.publish_run(store, read_run(run_id="dead"), "running", list_runs()[0].started, {})
        dead = list_runs()
        with locks.living_run(store, "dead", ""):
            living = list_runs()

    assert ([run.state for run in dead], [run.state for run in living]) == (["crashed"], ["running"])


def test_a_compiled_pipeline_is_not_changed_by_running_it():
    """It can be run again, and each run is on record as itself; a dry run leaves nothing on record."""
    ir = compiler.compile_pipeline(good())
    before = pipeline_pb2.Pipeline()
    before.CopyFrom(ir)

    headrace.run(ir, dry_run=True, show=False)
    assert ir == before
    ids = [headrace.run(ir, show=False).run_id for _ in range(2)]

    assert ir == before
    assert [run.run_id for run in list_runs()] == ids[::-1]
    store = open_store(".headrace")
    by_run = {
        c.name: store.get_executions_by_context(c.id) for c in store.get_contexts_by_type("pipeline_run")
    }
    assert {name: len(found) for name, found in by_run.items()} == dict.fromkeys(ids, 1)
