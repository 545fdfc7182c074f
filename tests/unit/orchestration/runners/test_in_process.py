"""Nodes without processes: the interface of a runner, in the thread that asks."""

from __future__ import annotations

import dataclasses
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headrace.authoring.light import authoring
from headrace.errors import DataError, ExecutorError, HeadraceError
from headrace.orchestration.runners.base import Cancelled, NodeRunner, TimedOut
from headrace.orchestration.runners.in_process import InProcess
from headrace.orchestration.runners.local.workers import Workers
from headrace.orchestration.runners.tasks import Done, Task
from headrace.runtime import progress, services
from headrace.usercode import functions

with authoring():
    from tfx.dsl.components.base import base_executor
    from tfx.orchestration.portable import data_types
    from tfx.proto.orchestration import driver_output_pb2, executable_spec_pb2, execution_result_pb2
    from tfx.types.standard_artifacts import Schema

# Both have what the interface asks for, which the type checker sees.
RUNNERS: list[type[NodeRunner]] = [InProcess, Workers]

DRIVER = """
from tfx.orchestration.portable import base_driver
from tfx.proto.orchestration import driver_output_pb2


class Driver(base_driver.BaseDriver):
    def run(self, execution_info):
        output = driver_output_pb2.DriverOutput()
        output.exec_properties["how"].string_value = "driven"
        return output
"""


class Executor(base_executor.BaseExecutor):
    """Does what the parameter `how` says."""

    def Do(self, input_dict: Any, output_dict: Any, exec_properties: dict[str, Any]) -> None:
        how = exec_properties["how"]
        progress.report(how)
        if how == "raises":
            raise KeyError("nothing there")
        if how == "raises ours":
            raise DataError("bad rows", "write others")
        if how == "leaves":
            sys.exit(3)
        (out,) = output_dict["out"]
        if how == "links":
            os.rmdir(out.uri)
            os.symlink("/", out.uri)
            return
        Path(out.uri, "text").write_text(
            f"{threading.current_thread().name} {services.lent_here().partial_results.maker}"
        )


def _task(folder: Path, how: str) -> Task:
    out = Schema()
    out.uri = str(folder / "out")
    os.makedirs(out.uri, exist_ok=True)
    info = data_types.ExecutionInfo(
        execution_id=1,
        input_dict={},
        output_dict={"out": [out]},
        exec_properties={"how": how},
        execution_output_uri=str(folder / "executor_output.pb"),
        tmp_dir=str(folder / "tmp"),
    )
    path = f"{__name__}.Executor"
    spec = executable_spec_pb2.PythonClassExecutableSpec(class_path=path)
    return Task(
        node_id="Make",
        kind="executor",
        class_path=path,
        spec_type="PythonClassExecutableSpec",
        spec=spec.SerializeToString(),
        execution_info=info.to_proto().SerializeToString(),
        kept_path=str(folder / "kept"),
        maker="this code",
    )


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Done]:
    """Run an executor that does as it is told, with a log in `log`."""

    def run_task(
        how: str = "writes",
        heard: list[str] | None = None,
        is_cancelled: Callable[[], bool] = lambda: False,
        timeout_seconds: float = 0.0,
    ) -> Done:
        def listen(doing: str, rows: int | None) -> None:
            if heard is not None:
                heard.append(doing)

        task = _task(tmp_path, how)
        return InProcess().run(task, str(tmp_path / "log"), listen, is_cancelled, timeout_seconds)

    return run_task


def test_a_task_is_done_in_the_thread_that_asks(run: Callable[..., Done], tmp_path: Path) -> None:
    """With progress and the place of kept results, and the outcome says what the outputs hold."""
    heard: list[str] = []

    done = run("writes", heard)

    assert (tmp_path / "out" / "text").read_text() == f"{threading.current_thread().name} this code"
    assert heard == ["writes"]
    output = execution_result_pb2.ExecutorOutput.FromString(done.output)
    assert list(output.output_artifacts) == ["out"]
    assert list(done.digests) == [str(tmp_path / "out")]


@pytest.mark.parametrize(
    ("how", "kind", "said"),
    [
        ("raises", ExecutorError, "KeyError: 'nothing there'"),
        ("raises ours", DataError, "Make: bad rows"),
        ("leaves", ExecutorError, "SystemExit: 3"),
        ("links", HeadraceError, "was replaced by a link to /."),
    ],
)
def test_what_a_task_raises_is_told_as_of_a_worker(
    run: Callable[..., Done], tmp_path: Path, how: str, kind: type[Exception], said: str
) -> None:
    """The node is named, and the log has the traceback."""
    with pytest.raises(kind) as caught:
        run(how)

    assert "Make" in str(caught.value)
    assert said in str(caught.value)
    assert "Traceback" in (tmp_path / "log").read_text()


def test_a_task_of_a_cancelled_run_does_not_begin(run: Callable[..., Done], tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        run(is_cancelled=lambda: True)

    assert not (tmp_path / "out" / "text").exists()


def test_a_task_that_took_too_long_is_not_done(run: Callable[..., Done]) -> None:
    """Nobody can stop it, but its node fails."""
    with pytest.raises(TimedOut):
        run(timeout_seconds=1e-9)


def test_a_driver_of_a_file_is_called_too(tmp_path: Path) -> None:
    """Its module is no module of the path."""
    path = tmp_path / "mine.py"
    path.write_text(DRIVER)
    spec = executable_spec_pb2.PythonClassExecutableSpec(
        class_path=f"{functions.load_module(str(path)).__name__}.Driver"
    )
    task = dataclasses.replace(
        _task(tmp_path, "goes"),
        kind="driver",
        class_path=spec.class_path,
        spec=spec.SerializeToString(),
        module_path=str(path),
    )

    done = InProcess().run(task, str(tmp_path / "log"), lambda doing, rows: None, lambda: False)

    output = driver_output_pb2.DriverOutput.FromString(done.output)
    assert output.exec_properties["how"].string_value == "driven"
