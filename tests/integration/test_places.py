"""Where outputs are: whose folders are taken, which paths may be handed on, and what happens if one is gone."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nodes
import pytest
from conftest_runs import chain, paths, states, text_of
from store.store_records import files_of
from stored import list_artifacts

from headrace.authoring import Pipeline
from headrace.errors import ExecutorError, UnsupportedFeatureError
from headrace.orchestration.engine import start as engine
from headrace.orchestration.node import driver
from headrace.orchestration.runners.local.workers import Workers
from headrace.run_options import RunOptions
from headrace.store import locks
from headrace.store.garbage import collection
from headrace.store.garbage.policy import Keeping
from headrace.store.open.store import Store
from headrace.store.record import publications
from headrace.store.results import RunResult

RunIn = Callable[..., RunResult]


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    """One server for all these runs."""
    with Workers() as kept:
        yield kept


@pytest.fixture
def run_in(workers: Workers, tmp_path: Path) -> RunIn:
    """Run components in a store of this name; what failed is in the result."""

    def run(store: str, *components: Any, root: str | None = None, **options: Any) -> RunResult:
        pipeline = Pipeline("test", pipeline_root=root, components=list(components))
        return engine.run(pipeline, RunOptions(store=str(tmp_path / store), **options), pool=workers)

    return run


def test_two_stores_share_a_root(run_in: RunIn, tmp_path: Path):
    """Each reads its own outputs, and garbage collection of one leaves those of the other."""
    root = str(tmp_path / "root")
    first, second = (run_in(store, *chain(store), root=root) for store in ("one", "two"))

    for result, text in ((first, "one"), (second, "two")):
        assert states(result) == {"Make": "done", "Use": "done"}
        assert text_of(result, "Use") == f"used {text}"
    assert set(paths(first)).isdisjoint(paths(second))
    collection.collect(Store(str(tmp_path / "two")), Keeping(keep_last=0))
    assert [os.path.exists(path) for path in paths(first)] == [True, True]
    assert [os.path.exists(path) for path in paths(second)] == [False, False]
    assert [item.state for item in list_artifacts(str(tmp_path / "one"))] == ["live", "live"]


def test_a_new_database_beside_old_artifacts(run_in: RunIn, tmp_path: Path):
    """As after moving away a database that was damaged: what the old one knows stays as it is."""
    store = tmp_path / "store"
    old = run_in("store", *chain("old"))
    kept = files_of(store / "artifacts")
    for name in ("metadata.db", "metadata.db-wal", "metadata.db-shm"):
        if (store / name).exists():
            shutil.move(store / name, tmp_path / name)

    new = run_in("store", *chain("new"), run_id="anew")
    collection.collect(Store(str(store)), Keeping(keep_last=0))

    assert text_of(old, "Use") == "used old"
    assert not any(os.path.exists(path) for path in paths(new))
    assert files_of(store / "artifacts") == kept


def test_a_path_that_a_component_hands_on_is_where_the_file_is(run_in: RunIn):
    """In a value, in a property, and in a file."""
    hand_on = nodes.HandOn()
    result = run_in(
        "store", hand_on, nodes.ReadPaths(out=hand_on.outputs["out"], path=hand_on.outputs["path"])
    )

    assert states(result) == {"HandOn": "done", "ReadPaths": "done"}


def test_an_output_that_is_gone_fails_the_node(run_in: RunIn, tmp_path: Path):
    result = run_in("store", nodes.RemoveOutput())

    error = result.node("RemoveOutput").error
    assert isinstance(error, ExecutorError)
    assert error.problem == (
        f"RemoveOutput: its output 'out' is gone: there is nothing at {tmp_path}/store/artifacts/test/RemoveOutput/out/1 "
        "after the executor ended."
    )
    assert list_artifacts(str(tmp_path / "store")) == []
    assert not list((tmp_path / "store" / "artifacts").rglob("*unpublished"))


def test_outputs_whose_record_fails_do_not_stay(run_in: RunIn, tmp_path: Path, monkeypatch):
    """The disk fills up between the last byte and the record."""

    def fail(*arguments: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(publications, "publish_done", fail)

    result = run_in("store", nodes.Make(text="one"))

    assert states(result) == {"Make": "failed"}
    # The pipeline's root, and nothing in it.
    assert files_of(tmp_path / "store" / "artifacts") == {"test": None}


def test_a_node_holds_garbage_collection_off_while_it_chooses(run_in: RunIn, tmp_path: Path, monkeypatch):
    """From the look for earlier outputs to the record that they are used, in the driver and before the executor."""
    held = []
    serve = driver.serve_from_cache

    def look(*arguments: Any) -> bool:
        with open(tmp_path / "store" / "choice.lock", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                held.append(True)
            else:
                held.append(False)
        return serve(*arguments)

    monkeypatch.setattr(driver, "serve_from_cache", look)
    run_in("store", nodes.Make(text="one"))

    assert held == [True, True]


ROOTS = {
    "gs://bucket/root": "it has to lie on a disk of this machine",
    "file://relative": "'file://' is followed by an absolute path: file:///tmp/root",
}


@pytest.mark.parametrize("root", list(ROOTS))
def test_a_root_elsewhere_is_refused_before_anything_is_made(
    run_in: RunIn, tmp_path: Path, root: str, monkeypatch
):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UnsupportedFeatureError) as caught:
        run_in("store", nodes.Make(text="one"), root=root)

    assert str(caught.value) == (
        f"pipeline 'test': pipeline_root is '{root}', and cannot be: {ROOTS[root]}.\n"
        "  Fix: give a path on this machine; a bucket or a remote disk that is mounted as a folder will do."
    )
    assert list(tmp_path.iterdir()) == []


def test_a_root_may_name_this_machine(run_in: RunIn, tmp_path: Path):
    result = run_in("store", nodes.Make(text="one"), root=f"file://{tmp_path}/root")

    assert paths(result) == [f"{tmp_path}/root/Make/out/1"]


def test_what_a_node_starts_ends_with_it(run_in: RunIn, tmp_path: Path):
    """In a session of its own; after success, failure, and when its time is over."""
    runs: list[tuple[Any, str]] = [
        (nodes.StartProcess(pid_path=str(tmp_path / "success"), ending="success"), "done"),
        (nodes.StartProcess(pid_path=str(tmp_path / "failure"), ending="failure"), "failed"),
        (nodes.StartProcess(pid_path=str(tmp_path / "killed"), ending="killed"), "failed"),
    ]
    for component, state in runs:
        name = os.path.basename(component.exec_properties["pid_path"])
        assert states(run_in("store", component.with_id(name))) == {name: state}
        assert not _is_alive(int((tmp_path / name).read_text()))


def test_what_a_stopped_node_started_ends_with_it(tmp_path: Path):
    """Stopped with its run, while what it started writes into its output."""
    pid_path = tmp_path / "stopped"
    script = tmp_path / "stopped.py"
    script.write_text(
        f"import sys\nsys.path.insert(0, {os.path.dirname(nodes.__file__)!r})\nimport headrace, nodes\n"
        "from headrace.authoring import Pipeline\n"
        f"if __name__ == '__main__':\n    node = nodes.StartProcess(pid_path={str(pid_path)!r}, ending='never')\n"
        "    headrace.run(Pipeline('test', components=[node]), store='store', show=False)\n"
    )
    for how in (signal.SIGINT, signal.SIGKILL):
        pid_path.unlink(missing_ok=True)
        process = subprocess.Popen(
            [sys.executable, str(script)], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _until(pid_path.exists)
        process.send_signal(how)
        process.wait(timeout=60)
        if how == signal.SIGKILL:
            with Store(str(tmp_path / "store")).open() as store:
                assert len(locks.mend(store)) == 1
        assert not _is_alive(int(pid_path.read_text()))
        assert not list((tmp_path / "store" / "artifacts").rglob("written"))


def _until(holds: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
