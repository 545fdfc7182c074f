"""The data stages on Beam's portable job service with workers of its own: the protocol of Flink and Spark."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from data_validation import TAXI_CSV
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.types import standard_artifacts

from headrace.components import CsvExampleGen, SchemaGen, StatisticsGen, Transform
from headrace.components.example_gen.csv_executor import Executor as CsvExecutor
from headrace.components.schema_gen.executor import Executor as SchemaExecutor
from headrace.components.statistics_gen.executor import Executor as StatisticsExecutor
from headrace.components.transform.executor import Executor as TransformExecutor
from headrace.sdk import Channel

_TAXI_FUNCTION = "tfx.examples.chicago_taxi_pipeline.taxi_utils_native_keras.preprocessing_fn"
_START_SECONDS = 60
_NUM_ROWS = 1_000
_IN_PROCESS = ["--runner=FnApiRunner"]


@contextlib.contextmanager
def _server(log: Path, module: str, *arguments: str, port: int) -> Iterator[None]:
    """A Beam server in a process group of its own, which ends with it."""
    with open(log, "wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", module, *arguments],
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # The pool starts its workers as plain `python`.
            env={
                **os.environ,
                "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]]),
            },
        )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _is_listening(port):
            is_starting = process.poll() is None and time.monotonic() < deadline
            assert is_starting, log.read_text(errors="replace")
            time.sleep(0.1)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("localhost", 0))
        return int(one.getsockname()[1])


def _is_listening(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("localhost", port)) == 0


@pytest.fixture(scope="module")
def portable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The arguments that lead to a job service and a pool of workers, on this machine only."""
    folder = tmp_path_factory.mktemp("servers")
    pool_port, job_port = _free_port(), _free_port()
    pool = _server(
        folder / "pool.txt",
        "apache_beam.runners.worker.worker_pool_main",
        f"--service_port={pool_port}",
        port=pool_port,
    )
    jobs = _server(
        folder / "jobs.txt",
        "apache_beam.runners.portability.local_job_service_main",
        f"--port={job_port}",
        port=job_port,
    )
    with pool, jobs:
        yield [
            "--runner=PortableRunner",
            f"--job_endpoint=localhost:{job_port}",
            "--environment_type=EXTERNAL",
            f"--environment_config=localhost:{pool_port}",
        ]


def _execute(executor: Any, component: Any, inputs: dict[str, Any], folder: Path, beam: list[str]) -> Any:
    """Run an executor on a component's properties; return its outputs by key."""
    outputs = {}
    for key, channel in component.outputs.items():
        outputs[key] = channel.type()
        outputs[key].uri = str(folder / key)
        os.makedirs(outputs[key].uri)
    context = BaseBeamExecutor.Context(tmp_dir=str(folder / "tmp"), unique_id="1", beam_pipeline_args=beam)
    properties = {key: value for key, value in component.exec_properties.items() if value is not None}
    executor(context).Do(
        {key: [artifact] for key, artifact in inputs.items()},
        {key: [artifact] for key, artifact in outputs.items()},
        properties,
    )
    return outputs


def _channel(kind: str) -> Any:
    return Channel(type=getattr(standard_artifacts, kind))


def _run(folder: Path, data: Path, beam: list[str]) -> None:
    """CsvExampleGen, StatisticsGen, SchemaGen and Transform, one after the other."""
    found = _execute(CsvExecutor, CsvExampleGen(input_base=str(data)), {}, folder / "examples", beam)
    examples = found["examples"]
    found = _execute(
        StatisticsExecutor,
        StatisticsGen(examples=_channel("Examples")),
        {"examples": examples},
        folder / "statistics",
        beam,
    )
    found = _execute(
        SchemaExecutor,
        SchemaGen(statistics=_channel("ExampleStatistics")),
        {"statistics": found["statistics"]},
        folder / "schema",
        beam,
    )
    transform = Transform(
        examples=_channel("Examples"), schema=_channel("Schema"), preprocessing_fn=_TAXI_FUNCTION
    )
    inputs = {"examples": examples, "schema": found["schema"]}
    _execute(TransformExecutor, transform, inputs, folder / "transform", beam)


def _contents(folder: Path, *parts: str) -> dict[str, bytes]:
    paths = [path for part in parts for path in (folder / part).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_data_stages_make_the_same_on_the_portable_runner(tmp_path: Path, portable: list[str]) -> None:
    """Byte for byte what the in-process runner makes: rows, statistics, transformed rows, vocabularies."""
    data = tmp_path / "data"
    data.mkdir()
    with open(TAXI_CSV, encoding="utf-8") as file:
        (data / "data.csv").write_text("".join(file.readlines()[: _NUM_ROWS + 1]))

    _run(tmp_path / "portable", data, portable)
    _run(tmp_path / "in_process", data, _IN_PROCESS)

    parts = (
        "examples/examples",
        "statistics/statistics",
        "schema/schema",
        "transform/transformed_examples",
        "transform/transform_graph/transform_fn/assets",
        "transform/pre_transform_stats",
        "transform/post_transform_stats",
    )
    found = _contents(tmp_path / "portable", *parts)
    assert len(found) >= 10
    assert found == _contents(tmp_path / "in_process", *parts)
