"""The data stages on Beam's portable job service with workers of its own: the protocol of Flink and Spark.

The servers and the stages are processes that end with this one, in a given time, however it ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import portable_stages
import pytest
from conftest_serving import export
from data_validation import TAXI_CSV

_FOLDER = Path(__file__).parent
_START_SECONDS = 60
_STAGES_SECONDS = 240
_NUM_ROWS = 1_000
_IN_PROCESS = ["--runner=FnApiRunner"]


@contextlib.contextmanager
def _process(log: Path, arguments: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process that writes into `log`; when the block is left, it ends with all that it started."""
    with open(log, "wb") as file:
        process = subprocess.Popen(
            [sys.executable, str(_FOLDER / "leash.py"), sys.executable, "-W", "ignore", *arguments],
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
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextlib.contextmanager
def _server(log: Path, module: str, *arguments: str, port: int) -> Iterator[None]:
    """A Beam server that listens when the block begins."""
    with _process(log, ["-m", module, *arguments]) as process:
        deadline = time.monotonic() + _START_SECONDS
        while not _is_listening(port):
            is_starting = process.poll() is None and time.monotonic() < deadline
            assert is_starting, log.read_text(errors="replace")
            time.sleep(0.1)
        yield


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("localhost", 0))
        return int(one.getsockname()[1])


def _is_listening(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("localhost", port)) == 0


@pytest.fixture
def portable(tmp_path: Path) -> Iterator[list[str]]:
    """The arguments that lead to a job service and a pool of workers, on this machine only."""
    pool_port, job_port = _free_port(), _free_port()
    pool = _server(
        tmp_path / "pool.txt",
        "apache_beam.runners.worker.worker_pool_main",
        f"--service_port={pool_port}",
        port=pool_port,
    )
    jobs = _server(
        tmp_path / "jobs.txt",
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


def _run_apart(folder: Path, name: str, beam: Sequence[str]) -> None:
    """All stages on one runner, in a process of their own and a bounded time."""
    log = folder / f"{name}.txt"
    stages = [
        str(_FOLDER / "portable_stages.py"),
        str(folder / name),
        str(folder / "data"),
        str(folder / "model"),
    ]
    with _process(log, [*stages, *beam]) as process:
        try:
            exit_code = process.wait(_STAGES_SECONDS)
        except subprocess.TimeoutExpired:
            exit_code = None
        servers = [path for path in (folder / "pool.txt", folder / "jobs.txt") if path.exists()]
        texts = [f"{path.name}: {path.read_text(errors='replace')[-3000:]}" for path in (log, *servers)]
        assert exit_code == 0, "\n".join([f"exit code {exit_code}", *texts])


def _contents(folder: Path, parts: Sequence[str]) -> dict[str, bytes]:
    paths = [path for part in parts for path in (folder / part).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_stages_make_the_same_on_the_portable_runner(tmp_path: Path, portable: list[str]) -> None:
    """Byte for byte what the in-process runner makes: rows, statistics, transformed rows, metrics, inferences."""
    (tmp_path / "data").mkdir()
    with open(TAXI_CSV, encoding="utf-8") as file:
        (tmp_path / "data" / "data.csv").write_text("".join(file.readlines()[: _NUM_ROWS + 1]))
    os.rename(export(tmp_path / "exported", "binary", 0.1).uri, tmp_path / "model")

    _run_apart(tmp_path, "portable", portable)
    portable_stages.main(
        str(tmp_path / "in_process"), str(tmp_path / "data"), str(tmp_path / "model"), _IN_PROCESS
    )

    parts = (
        "examples/examples",
        "statistics/statistics",
        "schema/schema",
        "transform/transformed_examples",
        "transform/transform_graph/transform_fn/assets",
        "transform/pre_transform_stats",
        "transform/post_transform_stats",
        "evaluator/evaluation",
        "inferrer/inference_result",
    )
    found = _contents(tmp_path / "portable", parts)
    assert {name.split("/")[0] for name in found} == {part.split("/")[0] for part in parts}
    expected = _contents(tmp_path / "in_process", parts)
    assert found.keys() == expected.keys()
    # The evaluation names the folder of its data.
    differ = {name for name in found if found[name] != expected[name]}
    assert differ <= {"evaluator/evaluation/eval_config.json"}


def test_servers_end_with_the_process_that_started_them(tmp_path: Path) -> None:
    """Even where that process is killed and tidies nothing up."""
    pid_path = tmp_path / "pid"
    sleeper = f"import os, time; open({str(pid_path)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    starter = "import subprocess, sys, time; subprocess.Popen(sys.argv[1:], start_new_session=True); time.sleep(600)"
    command = [sys.executable, str(_FOLDER / "leash.py"), sys.executable, "-c", sleeper]
    process = subprocess.Popen([sys.executable, "-c", starter, *command])
    _wait_for(lambda: pid_path.exists() and pid_path.read_text() != "")

    process.kill()
    process.wait()

    _wait_for(lambda: not os.path.exists(f"/proc/{pid_path.read_text()}"))


def _wait_for(is_so: object) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not is_so():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.05)
