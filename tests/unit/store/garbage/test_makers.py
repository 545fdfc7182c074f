"""Which execution made an artifact, where several published it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from store.store_records import CACHED, COMPLETE, RUNNING, add_artifact, add_execution, add_output

from headrace.authoring.light import authoring
from headrace.store.garbage import collection
from headrace.store.garbage.inventory import take_inventory
from headrace.store.garbage.policy import Keeping
from headrace.store.open.store import Store
from headrace.store.read import executions, graph, ownership

with authoring():
    from ml_metadata.proto import metadata_store_pb2 as proto


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(str(tmp_path / "store")).open() as opened:
        yield opened


@pytest.mark.parametrize(
    ("publishers", "maker"),
    [
        (["made"], 1),
        (["cached", "made"], 2),
        (["cached", "made", "cached"], 2),
        (["made", "made"], 1),
        (["handed on", "made"], 2),
        (["cached", "cached"], 1),
        (["handed on", "cached"], 1),
    ],
)
def test_the_maker_is_who_made_it(tmp_path: Path, publishers: list[str], maker: int):
    """Of two executions that want the same at once, the one that began first may wait for the other's output."""
    path = str(tmp_path / "store")
    with Store(path).open() as store:
        artifact = add_artifact(store, "/x")
        for how in publishers:
            execution = add_execution(store, CACHED if how == "cached" else COMPLETE, f"run-{how}")
            kind = proto.Event.INTERNAL_OUTPUT if how == "handed on" else proto.Event.OUTPUT
            add_output(store, execution, artifact, kind=kind)
        with store.handle() as handle:
            links = graph.links_of_artifacts(handle, [artifact])
        assert graph.origins(links)[artifact].execution_id == maker
        assert executions.run_of(store, maker) == f"run-{publishers[maker - 1]}"
        by_mlmd = take_inventory(store)
    by_tables = take_inventory(Store(path))

    assert [(made.execution_id, made.key) for made in by_mlmd.makers.values()] == [(maker, "out")]
    assert [(made.execution_id, made.key) for made in by_tables.makers.values()] == [(maker, "out")]
    assert by_mlmd.imports == by_tables.imports == set()


def output(store: Store, uri: str, kind: str = "Maker") -> int:
    """An output with its files, made by an execution of its own; the execution's id."""
    execution = add_execution(store, COMPLETE, kind=kind)
    path = uri.format(id=execution)
    os.makedirs(path, exist_ok=True)
    add_output(store, execution, add_artifact(store, path))
    return execution


def test_what_a_look_finds_is_what_is_removed(store: Store, tmp_path: Path):
    """Whatever is named like an output: by an Importer, elsewhere, in another's root, or for another execution."""
    inside, mine = store.artifacts_path, str(tmp_path / "mine")
    ownership.claim(store, str(tmp_path / "claimed"), 1)
    output(store, f"{inside}/p/Make/out/{{id}}")
    gone = [f"{inside}/p/Make/out/1"]
    for uri, kind, is_gone in [
        (f"{tmp_path}/claimed/Make/out/{{id}}", "Maker", True),
        (f"{inside}/p/Make/out/{{id}}", ownership.IMPORTER_TYPE, False),
        (f"{inside}/p/Make/other/{{id}}", "Maker", False),
        (f"{inside}/p/Make/out/{{id}}7", "Maker", False),
        (f"{mine}/Make/out/{{id}}", "Maker", False),
        (f"{tmp_path}/claimed/Make/out/1", "Maker", False),
        (f"{inside}/../../mine/out/{{id}}", "Maker", False),
    ]:
        execution = output(store, uri, kind)
        if is_gone:
            gone.append(uri.format(id=execution))
    add_output(store, add_execution(store, CACHED), 1)
    before = {path for path in tmp_path.rglob("*") if path.is_dir() and path.name.isdigit()}
    keeping = Keeping(keep_last=0)

    found = collection.look(Store(store.path), keeping)
    collected = collection.collect(Store(store.path), keeping)

    assert sorted(artifact.uri for artifact in found.artifacts) == sorted(gone)
    assert collected.num_artifacts == len(gone)
    assert {path for path in before if not path.exists()} == {Path(uri) for uri in gone}
    assert collection.look(Store(store.path), keeping).artifacts == ()


def test_what_an_importer_names_stays_with_what_it_lies_in(store: Store):
    """An Importer may name an output, a file deep in one, or a folder that holds several; the run that uses it lives."""
    for name in ("whole", "part", "above", "free"):
        output(store, f"{store.artifacts_path}/p/{name}/out/{{id}}")
    execution = add_execution(store, RUNNING, "kept", kind=ownership.IMPORTER_TYPE)
    root = f"{store.artifacts_path}/p"
    for uri in (f"{root}/whole/out/1/", f"{root}/part/out/2/Format-Serving", f"{root}/above"):
        add_output(store, execution, add_artifact(store, uri))

    found = collection.look(Store(store.path), Keeping(keep_last=1))

    assert [artifact.uri for artifact in found.artifacts] == [f"{root}/free/out/4"]


@pytest.mark.parametrize(
    "journal",
    [
        "",
        "nonsense",
        "{}",
        '[["x"]]',
        "[[]]",
        "null",
        "[99999999999999999999]",
        "[" * 100_000,
        '[[1, "{mine}"], [2, "{mine}"]]',
    ],
)
def test_a_journal_that_is_damaged_or_from_elsewhere_does_no_harm(store: Store, tmp_path: Path, journal: str):
    """Files of what is DELETED go all the same, from where the database says that they are, and from nowhere else."""
    mine = tmp_path / "mine"
    mine.mkdir()
    execution = output(store, f"{store.artifacts_path}/p/Make/out/{{id}}")
    with store.handle() as handle:
        [artifact] = handle.store.get_artifacts()
        artifact.state = proto.Artifact.DELETED
        handle.store.put_artifacts([artifact])
    add_output(store, execution, add_artifact(store, mine, proto.Artifact.DELETED))
    Path(store.path, "gc.json").write_text(journal.replace("{mine}", str(mine)))

    collection.collect(Store(store.path), Keeping())

    assert mine.exists()
    assert not os.path.exists(f"{store.artifacts_path}/p/Make/out/{execution}")
    assert not os.path.exists(os.path.join(store.path, "gc.json"))


def test_a_journal_that_is_a_folder_does_no_harm(store: Store):
    os.makedirs(os.path.join(store.path, "gc.json", "x"))

    collection.collect(Store(store.path), Keeping())
    collection.collect(Store(store.path), Keeping())


def test_logs_are_removed_in_the_store_alone(store: Store, tmp_path: Path):
    """A run's name and the folder of logs may come from elsewhere."""
    mine = tmp_path / "mine"
    for name in ("thesis", "run"):
        (mine / name).mkdir(parents=True)
    os.symlink(mine, os.path.join(store.path, "logs"))
    for run_id in ("../../mine/thesis", "thesis", "run"):
        add_execution(store, COMPLETE, run_id)

    collection.collect(Store(store.path), Keeping(keep_last=0))

    assert sorted(os.listdir(mine)) == ["run", "thesis"]
