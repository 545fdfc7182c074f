"""A store from a stranger: nothing outside of it is removed, written, executed or ended, whatever it holds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nodes
import pytest
from click.testing import CliRunner
from small_stores import SmallStore, node_record

import headrace
from headrace import errors
from headrace.authoring import Pipeline
from headrace.authoring.light import authoring
from headrace.cli.main import cli
from headrace.runtime.processes import process_groups
from headrace.store.open import identity
from headrace.store.open.store import Store

with authoring():
    from ml_metadata.proto import metadata_store_pb2 as pb

COMMANDS = [
    ["runs"],
    ["runs", "--json"],
    ["show", "run-1"],
    ["show", "run-1", "--json"],
    ["show", "odd"],
    ["show", "../../victims/run"],
    ["explain", "run-1", "Node"],
    ["logs", "run-1", "../../../victims/log"],
    ["report", "../../victims/run"],
    ["report", "run-1"],
    ["artifacts"],
    ["lineage", "1"],
    ["doctor", "--verify"],
    ["gc", "--dry-run", "--keep-last", "0"],
    ["resume", "run-1"],
    ["resume", "script"],
    ["gc", "--keep-last", "0"],
]
CODE = "open({path!r}, 'w').close()\n"


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the user's own things and the stranger's project lie side by side."""
    return tmp_path_factory.mktemp("ground")


@pytest.fixture(scope="module")
def victims(ground: Path) -> Path:
    """What is the user's own, beside the stranger's project: as outputs are named, and with an own store's claim."""
    folder = ground / "victims"
    for place in ("Node/out/1", "Node/out/2", "thesis", "log", f"headrace-{'0' * 16}-x"):
        (folder / place).mkdir(parents=True)
        (folder / place / "file").write_text("mine")
    (folder / "database").write_text("mine")
    own = Store(str(ground / "own" / ".headrace"))
    with own.open():
        (folder / ".headrace-root").mkdir()
        (folder / ".headrace-root" / own.store_id).write_text('{"store": "", "newest_execution": 0}')
    return folder


@pytest.fixture(scope="module")
def victim() -> Iterator[subprocess.Popen[bytes]]:
    """A process that belongs to a living run of the user's."""
    environment = {**os.environ, process_groups.SERVER_MARK: f"{'a' * 16}.1"}
    with subprocess.Popen(["sleep", "600"], env=environment) as process:
        yield process
        process.kill()


@pytest.fixture(scope="module")
def archive(ground: Path, victims: Path, victim: subprocess.Popen[bytes]) -> Path:
    """The stranger's project, as it was sent."""
    made = ground / "made"
    store_path = made / ".headrace"
    (made / "pipeline.py").parent.mkdir()
    (made / "pipeline.py").write_text(CODE.format(path=str(victims / "executed")))
    with Store(str(store_path)).open() as store:
        fill_database(SmallStore(store), victims)
        store_id = store.store_id
    fill_folder(store_path, victims, victim.pid, store_id)
    sent = ground / "sent"
    shutil.copytree(made, sent, symlinks=True)
    shutil.rmtree(made)
    return sent


@pytest.fixture
def arrived(ground: Path, archive: Path) -> Iterator[Path]:
    """The stranger's project, as it came out of the archive."""
    project = ground / "project"
    shutil.copytree(archive, project, symlinks=True)
    yield project
    shutil.rmtree(project)


def fill_database(small: SmallStore, victims: Path) -> None:
    """Artifacts, runs and nodes that lead out of the store, and code to resume."""
    inside = os.path.join(small.store.path, "artifacts", "p", "Node", "out")
    uris = [
        f"{victims}/Node/out/1",
        f"{small.store.path}/../../victims/Node/out/2",
        f"file://{victims}/Node/out/3",
        f"{inside}/4",
    ]
    for uri in uris:
        artifact = small.artifact(uri, is_written=uri.startswith(inside))
        small.execution({"out": [artifact]}, run_id="run-1", node="pipeline.Node")
    small.set_state(1, pb.Artifact.DELETED)
    details = {"configuration": {"pipeline": "pipeline.py"}, "folder": os.path.dirname(small.store.path)}
    outputs = [
        {"key": "out", "type_name": "Model", "artifact_id": number + 1, "uri": uri, "summary": "\x1b[31m"}
        for number, uri in enumerate(uris)
    ]
    node = node_record("Node", outputs=outputs, execution_id=1)
    odd = node_record(
        "../../../victims/log", error=["listed", "a", "b"], state="failed", log_path=f"{victims}/log/file"
    )
    small.record("run-1", "failed", [node, odd], details=details)
    small.record("script", "failed", details={"script": details["folder"] + "/pipeline.py"})
    small.record("../../victims/run", "running", [node], details=details)
    for name, text in {"odd": "{}", "half": '{"nodes": [', "deep": "[" * 100_000}.items():
        small.record(name)
        small.set_property(name, "headrace_run", text)


def fill_folder(store: Path, victims: Path, pid: int, store_id: str) -> None:
    """What runs and collections leave when they are killed, saying what they never would."""
    marker = {
        "token": "0" * 16,
        "store_id": store_id,
        "tmp_parent": str(victims),
        "process": process_groups.identity(pid).replace(" ", " 1", 1),
        "family": "a" * 16,
    }
    texts = {
        "running/run-1": json.dumps(marker),
        "running/old": json.dumps({"pid": pid, "root": "", "tmp": f"{victims}/thesis"}),
        "running/deep": "[" * 100_000,
        "sessions/one": '["../../victims", 5]',
        "sessions/deep": "[" * 100_000,
        "starting/one": "x",
        f"keys/{'b' * 64}": "",
        "unpublished/1-abcdefab/outputs.json": json.dumps(
            [f"{victims}/Node/out/1", "../../victims/Node/out/2", 5]
        ),
        "unpublished/2-abcdefab/outputs.json": "[" * 100_000,
        "unpublished/x/outputs.json": "{}",
        "gc.json": json.dumps([[1, f"{victims}/thesis"], 2, 3, 4]),
        "metadata_at": f"{store_id}\n{victims}/database",
        "logs/run-1/Node.log": "\x1b]0;x\x07",
        "kept/" + "c" * 64: "cos\nsystem\n(S'touch executed'\ntR.",
        "digests.db": "\0\1\2",
    }
    for name, text in texts.items():
        (store / name).parent.mkdir(parents=True, exist_ok=True)
        (store / name).write_text(text)
    (store / "stamp").touch()
    os.makedirs(store / "artifacts/p/Node/out/4", exist_ok=True)
    os.link(victims / "thesis" / "file", store / "artifacts/p/Node/out/4/hard")


def content(folder: Path) -> dict[str, Any]:
    """All that lies below a folder."""
    return {
        str(path.relative_to(folder)): path.read_text() if path.is_file() else None
        for path in folder.rglob("*")
    }


def test_nothing_outside_is_touched(
    arrived: Path, victims: Path, victim: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
):
    """Whatever the command, before and after a run of the user's own pipeline in the store."""
    monkeypatch.chdir(arrived)
    before, around = content(victims), sorted(os.listdir(arrived.parent))

    def use_it() -> None:
        for words in COMMANDS:
            done = CliRunner().invoke(cli, words, catch_exceptions=True)
            assert done.exception is None or isinstance(done.exception, (SystemExit, errors.HeadraceError)), (
                words,
                done.exception,
            )
            assert content(victims) == before, words
            assert "\x1b" not in done.output, words

    use_it()
    result = headrace.run(Pipeline("p", components=[nodes.Make(text="mine")]), show=False)
    use_it()

    assert [node.state.value for node in result.nodes] == ["done"]
    assert content(victims) == before
    assert sorted(os.listdir(arrived.parent)) == around
    assert victim.poll() is None
    for folder in ("running", "starting", "sessions", "keys"):
        assert os.listdir(arrived / ".headrace" / folder) == [], folder


def test_resuming_tells_what_it_would_execute(arrived: Path, victims: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(arrived)

    done = subprocess.run(
        [sys.executable, "-m", "headrace", "resume", "run-1"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "run run-1 is not resumed: its record names pipeline.py in " in done.stderr
    assert "headrace run pipeline.py --resume-from run-1 --store " in done.stderr
    assert not (victims / "executed").exists()


def link(name: str, target: str = "thesis") -> Callable[[Path, Path], None]:
    def plant(store: Path, victims: Path) -> None:
        path = store / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.symlink_to(victims / target)

    return plant


def pipe(name: str) -> Callable[[Path, Path], None]:
    def plant(store: Path, victims: Path) -> None:
        (store / name).unlink(missing_ok=True)
        (store / name).parent.mkdir(exist_ok=True)
        os.mkfifo(store / name)

    return plant


LINKS = {
    **{
        name: link(name)
        for name in (
            "artifacts", "artifacts/p", "artifacts/p/Make", "artifacts/p/Make/out", "logs", "logs/run-1", "kept",
            "sources", "cells", "running", "sessions", "starting", "keys", "unpublished", "unpublished/3-abcdefab",
        )
    },
    **{
        name: link(name, "database")
        for name in (
            "metadata.db", "metadata.db-wal", "digests.db", "open.lock", "write.lock", "choice.lock", "gc.lock",
            "gc.json", "place.json", "identity.json", "stamp", "metadata_at",
        )
    },
    **{f"pipe {name}": pipe(name) for name in ("open.lock", "gc.json", "place.json", "identity.json", "keys/x", "stamp")},
}  # fmt: skip


@pytest.mark.parametrize("name", list(LINKS))
def test_links_and_pipes_are_refused(
    name: str, arrived: Path, victims: Path, monkeypatch: pytest.MonkeyPatch
):
    """The reader is told which; nothing is written to where they lead, and nothing waits.

    Who only reads is refused those beside the database: nothing is made in the folders.
    """
    monkeypatch.chdir(arrived)
    LINKS[name](arrived / ".headrace", victims)
    before = content(victims)

    for words in (["runs"], ["gc", "--keep-last", "0"], ["artifacts"]):
        done = CliRunner().invoke(cli, words)
        is_deep = "/" in name and words[0] != "gc"
        if name not in ("identity.json", "pipe keys/x") and not is_deep:
            assert isinstance(done.exception, (errors.HeadraceError, SystemExit)), done.output
            assert done.exit_code
        assert content(victims) == before
    assert not identity.read(str(arrived / ".headrace")) or name in ("identity.json", "pipe keys/x")


def test_a_link_of_ones_own_is_followed(tmp_path: Path):
    """As to a larger disk, in a store that was used here before."""
    store = tmp_path / "store"
    with Store(str(store)).open():
        pass
    shutil.move(store / "artifacts", tmp_path / "large")
    (store / "artifacts").symlink_to(tmp_path / "large")

    with Store(str(store)).open() as opened:
        assert opened.store_id
