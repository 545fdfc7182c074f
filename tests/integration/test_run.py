"""The engine on real Beam, real ML Metadata and real worker processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
import nodes
import pytest
from ml_metadata.proto import metadata_store_pb2

import headrace
from headrace.errors import ExecutorError, InputResolutionError, StoreError
from headrace.metadata import runs
from headrace.metadata.results import RunResult
from headrace.orchestration.events import NodeFinished, NodeStarted
from headrace.sdk import Pipeline

Run = Callable[..., RunResult]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run components in a store of this test."""

    def run_components(*components: Any, **options: Any) -> RunResult:
        pipeline = Pipeline("test", components=list(components))
        return headrace.run(pipeline, store=str(tmp_path / "store"), **options)

    return run_components


def open_store(tmp_path: Path) -> mlmd.MetadataStore:
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(tmp_path / "store" / "metadata.db")
    return mlmd.MetadataStore(config)


def states(result: RunResult) -> dict[str, str]:
    return {node.node_id: node.state.value for node in result.nodes}


def text_of(result: RunResult, node_id: str) -> str:
    return nodes.read(result.node(node_id).outputs[0].uri)


def test_a_pipeline_runs_and_its_second_run_comes_from_the_cache(run: Run, tmp_path: Path):
    def build() -> list[Any]:
        make = nodes.Make(text="hello")
        return [make, nodes.Use(given=make.outputs["out"])]

    first, second = run(*build()), run(*build())

    assert states(first) == {"Make": "done", "Use": "done"}
    assert text_of(first, "Use") == "used hello"
    assert states(second) == {"Make": "cached", "Use": "cached"}
    assert second.node("Use").reason == f"same code, parameters and inputs as in run {first.run_id}"
    assert second.node("Use").outputs == first.node("Use").outputs
    assert not list((tmp_path / "store" / "running").iterdir())
    assert not (tmp_path / "store" / "artifacts" / "test" / ".unfinished").exists()


def test_the_store_reads_as_tfx_writes_it(run: Run, tmp_path: Path):
    """Plain ML Metadata finds TFX's contexts, executions, events and types."""
    make = nodes.Make()
    result = run(make, nodes.Use(given=make.outputs["out"]))

    store = open_store(tmp_path)
    contexts = {(c.type, c.name) for c in store.get_contexts()}
    assert {
        ("pipeline", "test"),
        ("pipeline_run", result.run_id),
        ("node", "test.Make"),
        ("node", "test.Use"),
    } <= contexts
    executions = {e.type: e for e in store.get_executions()}
    use = executions["nodes.Use"]
    assert use.last_known_state == metadata_store_pb2.Execution.COMPLETE
    events = store.get_events_by_execution_ids([use.id])
    assert [(e.type, e.path.steps[0].key) for e in events] == [
        (metadata_store_pb2.Event.INPUT, "given"),
        (metadata_store_pb2.Event.OUTPUT, "out"),
    ]
    artifacts = store.get_artifacts_by_id([e.artifact_id for e in events])
    assert {a.type for a in artifacts} == {"Schema"}
    assert {a.state for a in artifacts} == {metadata_store_pb2.Artifact.LIVE}


def test_changed_parameters_run_and_equal_content_lets_successors_hit(run: Run):
    """A node that runs again and makes the same content does not make its successors run."""

    def build(text: str) -> list[Any]:
        make = nodes.Make(text=text)
        constant = nodes.Constant(given=make.outputs["out"])
        return [make, constant, nodes.Use(given=constant.outputs["out"])]

    run(*build("one"))
    second = run(*build("two"))

    assert states(second) == {"Make": "done", "Constant": "done", "Use": "cached"}


def test_independent_nodes_overlap(run: Run):
    """A then B run beside C: C starts before A ends, and ends after B has started."""
    order: list[str] = []

    def listen(event: object) -> None:
        if isinstance(event, NodeStarted):
            order.append(f"start {event.node_id}")
        elif isinstance(event, NodeFinished):
            order.append(f"end {event.result.node_id}")

    a = nodes.Make(text="a", seconds=0.5).with_id("A")
    b = nodes.Use(given=a.outputs["out"], seconds=0.5).with_id("B")
    c = nodes.Make(text="c", seconds=3.0).with_id("C")
    run(a, b, c, listener=listen, max_workers=2)

    assert order.index("start C") < order.index("end A")
    assert order.index("start B") < order.index("end C")


def test_a_failure_stops_what_depends_on_it_and_leaves_nothing_half_written(run: Run, tmp_path: Path):
    make = nodes.Make()
    fail = nodes.Fail(given=make.outputs["out"])
    after = nodes.Use(given=fail.outputs["out"])
    beside = nodes.Constant(given=make.outputs["out"])

    result = run(make, fail, after, beside)

    assert not result.is_success
    assert states(result) == {"Make": "done", "Fail": "failed", "Constant": "done", "Use": "skipped"}
    assert result.node("Use").reason == "upstream Fail failed"
    error = result.node("Fail").error
    assert isinstance(error, ExecutorError)
    assert "nodes.py:" in error.problem
    assert "ValueError: nothing good comes of this" in error.problem
    with open(result.node("Fail").log_path, encoding="utf-8") as log:
        assert "Traceback" in log.read()
    assert not (tmp_path / "store" / "artifacts" / "test" / "Fail").exists()
    [failed] = [e for e in open_store(tmp_path).get_executions() if e.type == "nodes.Fail"]
    assert failed.last_known_state == metadata_store_pb2.Execution.FAILED


def test_retries_keep_only_the_good_attempt(run: Run, tmp_path: Path):
    flaky = nodes.FailTimes(counter=str(tmp_path / "counter"), times=2)
    flaky.with_node_execution_options(_options(max_execution_retries=2))

    result = run(flaky)

    assert states(result) == {"FailTimes": "done"}
    found = [e.last_known_state for e in open_store(tmp_path).get_executions()]
    assert found == [
        metadata_store_pb2.Execution.FAILED,
        metadata_store_pb2.Execution.FAILED,
        metadata_store_pb2.Execution.COMPLETE,
    ]
    assert len(open_store(tmp_path).get_artifacts()) == 1


def test_a_timeout_stops_the_work(run: Run):
    slow = nodes.Make(seconds=600.0)
    slow.with_node_execution_options(_options(execution_timeout_sec=1))

    result = run(slow)

    assert str(result.node("Make").error) == (
        "Make was stopped after its limit of 1 s.\n"
        "  Fix: raise execution_timeout_sec, or give the node less work."
    )


def test_a_killed_worker_is_named_with_its_signal(run: Run):
    error = run(nodes.KillItself()).node("KillItself").error

    assert error is not None
    assert error.problem == (
        "KillItself: its process was killed by signal SIGKILL. "
        "The system kills a process so when memory runs out."
    )


def test_a_partial_run_reuses_what_it_leaves_out(run: Run):
    def build(text: str) -> list[Any]:
        make = nodes.Make(text=text)
        return [make, nodes.Use(given=make.outputs["out"])]

    run(*build("one"))
    second = run(*build("two"), only=["Use"], enable_cache=False)

    assert states(second) == {"Make": "cached", "Use": "done"}
    assert second.node("Make").reason.startswith("not selected; outputs of run ")
    assert text_of(second, "Use") == "used one"


def test_resuming_runs_what_is_missing_and_nothing_else(run: Run, tmp_path: Path):
    """The cache is off: what the failed run finished is reused because that run finished it."""

    def build() -> list[Any]:
        make = nodes.Make()
        flaky = nodes.FailTimes(counter=str(tmp_path / "counter"), times=1)
        return [make, flaky, nodes.Use(given=flaky.outputs["out"])]

    first = run(*build(), enable_cache=False)
    second = run(*build(), enable_cache=False, resume_from=first.run_id)

    assert states(first) == {"Make": "done", "FailTimes": "failed", "Use": "skipped"}
    assert states(second) == {"Make": "cached", "FailTimes": "done", "Use": "done"}
    assert second.node("Make").reason == f"finished in run {first.run_id}"
    assert text_of(second, "Use") == "used at last"


def test_a_partial_run_without_earlier_outputs_is_refused(run: Run):
    make = nodes.Make()

    with pytest.raises(InputResolutionError) as caught:
        run(make, nodes.Use(given=make.outputs["out"]), only=["Use"])

    assert str(caught.value) == (
        "this partial run leaves out Make, and no earlier run made its outputs.\n"
        "  Fix: run the whole pipeline once, or select Make too."
    )


def test_a_dry_run_says_what_would_happen_and_records_nothing(run: Run, tmp_path: Path):
    def build(text: str) -> list[Any]:
        make = nodes.Make(text="same").with_id("Kept")
        return [make, nodes.Make(text=text).with_id("Changed"), nodes.Use(given=make.outputs["out"])]

    run(*build("one"))
    before = len(open_store(tmp_path).get_executions())
    result = run(*build("two"), dry_run=True)

    assert states(result) == {"Changed": "waiting", "Kept": "cached", "Use": "cached"}
    assert len(open_store(tmp_path).get_executions()) == before


def test_runs_are_listed_and_read_back(run: Run, tmp_path: Path):
    make = nodes.Make()
    result = run(make, nodes.Fail(given=make.outputs["out"]))

    [summary] = runs.list_runs(str(tmp_path / "store"))
    assert (summary.run_id, summary.state, summary.num_nodes, summary.num_failed) == (
        result.run_id,
        "failed",
        2,
        1,
    )
    read = runs.read_run(str(tmp_path / "store"))
    assert states(read) == states(result)
    assert str(read.node("Fail").error) == str(result.node("Fail").error)


def test_a_script_without_a_guard_and_with_its_own_components_runs(tmp_path: Path):
    """`python my_pipeline.py` with components in the script itself, started at its top level."""
    script = tmp_path / "my_pipeline.py"
    script.write_text(
        textwrap.dedent(
            """
            import headrace
            from headrace.sdk import Pipeline, standard_artifacts
            from tfx.dsl.component.experimental.annotations import OutputArtifact
            from tfx.dsl.component.experimental.decorators import component

            @component
            def Hello(out: OutputArtifact[standard_artifacts.Schema]):
                open(out.uri + "/text", "w").write("hello from the script")

            result = headrace.run(Pipeline("script", components=[Hello()]))
            result.raise_for_failure()
            print(open(result.node("Hello").outputs[0].uri + "/text").read())
            """
        )
    )

    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )

    assert (done.returncode, done.stdout.strip().splitlines()[-1:]) == (0, ["hello from the script"]), (
        done.stderr
    )


SLOW_SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
import headrace, nodes
from headrace.orchestration.events import NodeStarted
from headrace.sdk import Pipeline

def listen(event):
    if isinstance(event, NodeStarted) and event.node_id == "Use":
        print("running", flush=True)

if __name__ == "__main__":
    make = nodes.Make()
    use = nodes.Use(given=make.outputs["out"], seconds=float(sys.argv[1]))
    result = headrace.run(Pipeline("test", components=[make, use]), store="store", listener=listen)
    print([node.state.value for node in result.nodes], flush=True)
"""


def _start_slow(tmp_path: Path) -> subprocess.Popen[str]:
    script = tmp_path / "slow.py"
    script.write_text(SLOW_SCRIPT.format(folder=str(Path(__file__).parent)))
    process = subprocess.Popen(
        [sys.executable, str(script), "300"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "running"
    time.sleep(0.5)
    return process


def test_ctrl_c_stops_cleanly(tmp_path: Path):
    process = _start_slow(tmp_path)

    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)

    assert output.strip() == "['done', 'cancelled']"
    cancelled = [e for e in open_store(tmp_path).get_executions() if e.type == "nodes.Use"]
    assert [e.last_known_state for e in cancelled] == [metadata_store_pb2.Execution.CANCELED]


def test_what_a_killed_run_left_is_mended_by_the_next_start(run: Run, tmp_path: Path):
    process = _start_slow(tmp_path)
    workers = _descendants(process.pid)
    process.kill()
    process.communicate(timeout=60)

    make = nodes.Make()
    result = run(make, nodes.Use(given=make.outputs["out"]))

    assert states(result) == {"Make": "cached", "Use": "done"}
    running = [
        e
        for e in open_store(tmp_path).get_executions()
        if e.last_known_state == metadata_store_pb2.Execution.RUNNING
    ]
    assert running == []
    assert [r.state for r in runs.list_runs(str(tmp_path / "store"))] == ["succeeded", "crashed"]
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


def _options(**values: int) -> Any:
    from tfx.dsl.experimental.node_execution_options import utils

    return utils.NodeExecutionOptions(**values)


def test_the_cache_key_ingredients_are_recorded(run: Run, tmp_path: Path):
    run(nodes.Make(text="hello"))

    [execution] = open_store(tmp_path).get_executions()
    recorded = json.loads(execution.custom_properties["headrace_cache_ingredients"].string_value)

    assert recorded["executor"] == "Make_Executor"
    assert recorded["parameters"]["text"] == "hello"


def test_a_read_only_store_is_refused(run: Run, tmp_path: Path):
    if os.geteuid() == 0:
        (tmp_path / "store").write_text("a file where the folder should be")
    else:
        (tmp_path / "store").mkdir(mode=0o500)

    with pytest.raises(StoreError, match=r"the store .* cannot be written"):
        run(nodes.Make())


def test_nothing_runs_twice_when_two_runs_need_the_same_node(tmp_path: Path):
    script = tmp_path / "slow.py"
    script.write_text(SLOW_SCRIPT.format(folder=str(Path(__file__).parent)))
    processes = [
        subprocess.Popen([sys.executable, str(script), "1"], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]

    outputs = [process.communicate(timeout=120)[0].strip().splitlines()[-1] for process in processes]

    complete = [
        e
        for e in open_store(tmp_path).get_executions()
        if e.last_known_state == metadata_store_pb2.Execution.COMPLETE
    ]
    assert len(complete) == 2, outputs
    assert all("failed" not in output for output in outputs)
