"""What drivers and workers leave aside goes with them."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headrace.authoring.light import authoring
from headrace.errors import HeadraceError
from headrace.orchestration import process_role
from headrace.orchestration.node import driver
from headrace.orchestration.node.live_run import LiveNode, LiveRun
from headrace.orchestration.runners.local import worker
from headrace.orchestration.runners.tasks import Done, Task
from headrace.runtime.processes.fresh_processes import FreshProcesses
from headrace.runtime.services import Services
from headrace.store.open.store import Store
from headrace.store.record import unpublished

with authoring():
    from tfx.proto.orchestration import driver_output_pb2, executable_spec_pb2, pipeline_pb2


def leave(path: str) -> None:
    os.makedirs(path, exist_ok=True)
    tempfile.mkdtemp(dir=path)


@pytest.mark.parametrize("fails", [False, True])
def test_the_folder_of_a_nodes_own_driver_goes_when_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
):
    """A node that the cache serves executes nothing that would tidy up later."""

    def drive(node: Any, prepared: driver.Prepared) -> Any:
        leave(os.path.dirname(prepared.folders.driver_output_path))
        if fails:
            raise ValueError("of the driver")
        return driver_output_pb2.DriverOutput()

    monkeypatch.setattr(driver, "_run_own_driver", drive)
    monkeypatch.setattr(driver, "_parameters", lambda node, inputs: {})
    ir = pipeline_pb2.PipelineNode()
    ir.node_info.type.name = "Make"
    with Store(str(tmp_path / "store")).open() as store:
        node: Any = SimpleNamespace(
            node_id="Make",
            ir=ir,
            driver_spec=object(),
            planned=SimpleNamespace(status_parameters=()),
            run=SimpleNamespace(store=store, root=store.artifacts_path),
        )
        with pytest.raises(HeadraceError, match="of the driver") if fails else contextlib.nullcontext():
            driver.prepare(node, [], {})

        assert list(unpublished.all_in(store)) == []
        assert not os.path.exists(os.path.join(store.path, unpublished.FOLDER))


def test_temporary_files_of_a_worker_lie_in_the_runs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Its own, and those of the processes that it starts: they go with the run, however the worker ends."""
    seen: list[str] = []

    def execute(task: Task, lent: Services) -> Done:
        seen.extend([tempfile.mkdtemp(), os.environ["TMPDIR"]])
        return Done(b"", {})

    monkeypatch.setattr(worker, "_run_executor", execute)
    monkeypatch.setattr(process_role, "_is_worker", False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    place = str(tmp_path / "run" / "5")

    channel: Any = SimpleNamespace(send=lambda message: None)
    task = Task("Make", "executor", "os.B", "", b"", b"", tmp_path=place)
    assert worker.run(task, channel, FreshProcesses()) == 0

    assert [os.path.dirname(seen[0]), seen[1]] == [place, place]
    assert os.stat(place).st_mode & 0o777 == 0o700


@pytest.mark.parametrize("fails", [False, True])
def test_the_folder_of_a_worker_goes_with_its_node(tmp_path: Path, fails: bool):
    """Not only with the run: another node may need the room."""
    seen: list[str] = []

    class Workers:
        def run(self, task: Task, *_: Any) -> Done:
            seen.append(task.tmp_path)
            leave(task.tmp_path)
            if fails:
                raise HeadraceError("killed")
            return Done(b"", {})

    workers: Any = Workers()
    run = LiveRun(
        store=Store(str(tmp_path / "store")),
        ir=pipeline_pb2.Pipeline(),
        run_id="r",
        workers=workers,
        listener=lambda event: None,
        is_cancelled=lambda: False,
        tmp_path=str(tmp_path / "run"),
    )
    planned: Any = SimpleNamespace(node_id="Make")
    invocation = SimpleNamespace(SerializeToString=lambda: b"")
    info = SimpleNamespace(execution_id=5, to_proto=lambda: invocation)
    spec = executable_spec_pb2.PythonClassExecutableSpec(class_path="a.B")
    with pytest.raises(HeadraceError, match="killed") if fails else contextlib.nullcontext():
        LiveNode(run, planned).run_in_worker("executor", spec, info)

    assert seen == [str(tmp_path / "run" / "5")]
    assert os.listdir(tmp_path / "run") == []
