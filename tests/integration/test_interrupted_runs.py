"""Runs whose process is stopped or killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest_runs import Run, chain, open_store, run, states, store, workers
from ml_metadata.proto import metadata_store_pb2
from stored import list_runs, read_run

_ = (run, store, workers)  # fixtures


SLOW_SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
import headrace, nodes
from headrace.orchestration.events import NodeStarted
from headrace.authoring import Pipeline

def listen(event):
    if isinstance(event, NodeStarted) and event.node_id == "Use":
        print("running", flush=True)

if __name__ == "__main__":
    make = nodes.Make(text="one")
    use = nodes.Use(given=make.outputs["out"], seconds=float(sys.argv[1]))
    headrace.run(Pipeline("test", components=[make, use]), store="store", listener=listen)
    print("went on", flush=True)
"""


def _start_slow(tmp_path: Path) -> subprocess.Popen[str]:
    script = tmp_path / "slow.py"
    script.write_text(SLOW_SCRIPT.format(folder=str(Path(__file__).parent)))
    process = subprocess.Popen(
        [sys.executable, str(script), "300"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "running"
    # Its worker has begun: the execution is on record.
    while not list(tmp_path.glob("store/logs/*/Use.log")):
        assert process.poll() is None
        time.sleep(0.05)
    return process


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_the_run_cleanly_and_then_the_script(
    store: str, tmp_path: Path, number: signal.Signals, code: int
):
    """What follows in the script relies on a run that ended; no internal traceback hides that it was stopped."""
    process = _start_slow(tmp_path)

    process.send_signal(number)
    output, errors = process.communicate(timeout=60)

    assert (process.returncode, output) == (code, "")
    assert "Traceback" not in errors
    assert states(read_run(store)) == {"Make": "done", "Use": "cancelled"}
    assert os.listdir(os.path.join(store, "running")) == []
    cancelled = [e for e in open_store(store).get_executions() if e.type == "nodes.Use"]
    assert [e.last_known_state for e in cancelled] == [metadata_store_pb2.Execution.CANCELED]


def test_a_stop_of_all_processes_at_once_is_no_failure(store: str, tmp_path: Path):
    """A service manager and a batch system tell each process to end, the workers perhaps before the run."""
    process = _start_slow(tmp_path)

    for pid in [*reversed(_descendants(process.pid)), process.pid]:
        os.kill(pid, signal.SIGTERM)
    process.communicate(timeout=60)

    assert process.returncode == 143
    assert states(read_run(store)) == {"Make": "done", "Use": "cancelled"}
    assert [run.state for run in list_runs(store)] == ["cancelled"]


def test_what_a_killed_run_left_is_mended_by_the_next_start(run: Run, store: str, tmp_path: Path):
    process = _start_slow(tmp_path)
    workers = _descendants(process.pid)
    process.kill()
    process.communicate(timeout=60)

    result = run(*chain("one"))

    assert states(result) == {"Make": "cached", "Use": "done"}
    running = [
        e
        for e in open_store(store).get_executions()
        if e.last_known_state == metadata_store_pb2.Execution.RUNNING
    ]
    assert running == []
    assert [r.state for r in list_runs(store)] == ["succeeded", "crashed"]
    assert not (tmp_path / "store" / "artifacts" / "test" / ".unfinished").exists()
    assert [pid for pid in workers if _is_alive(pid)] == []


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    waiting = [pid]
    while waiting:
        children = Path(f"/proc/{waiting[0]}/task/{waiting[0]}/children")
        pids = [int(text) for text in children.read_text().split()] if children.exists() else []
        waiting = [*waiting[1:], *pids]
        found += pids
    assert found
    return found


def _is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
