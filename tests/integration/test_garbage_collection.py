"""`headrace gc`, on stores that real runs have filled."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nodes
import pytest
from conftest_runs import Run, chain, in_process, open_store, paths, run, states, store
from ml_metadata.proto import metadata_store_pb2
from stored import explain, list_artifacts, list_runs, read_run

from headrace.authoring import Importer, standard_artifacts
from headrace.errors import StoreError
from headrace.store import locks
from headrace.store.garbage import collection
from headrace.store.garbage.collection import Collected, collect, look
from headrace.store.garbage.inventory import take_inventory
from headrace.store.garbage.policy import Keeping
from headrace.store.open.store import Store

_ = (run, store, in_process)  # fixtures


def blessed(model: Any, is_good: bool) -> Any:
    return nodes.Bless(model=model, is_blessed=int(is_good))


def pushed(model: Any, is_good: bool) -> Any:
    return nodes.Push(model=model, is_pushed=int(is_good))


def judged(text: str, judge: Callable[[Any, bool], Any] = blessed) -> list[Any]:
    """A model and what is thought of it: only `"good"` is."""
    model = nodes.MakeModel(text=text)
    return [model, judge(model.outputs["model"], text == "good")]


def test_gc_keeps_the_last_runs_with_all_they_came_from(run: Run, store: str, tmp_path: Path):
    """The last run reuses what the second made; of the first nothing is left but an empty context."""
    old, kept = run(*chain("one")), run(*chain("two"))
    last = run(*chain("two"))
    keeping = Keeping(keep_last=1)

    garbage = look(Store(store), keeping)
    assert {artifact.uri for artifact in garbage.artifacts} == set(paths(old))
    assert garbage.run_ids == (old.run_id,)
    assert sum(artifact.size_bytes for artifact in garbage.artifacts) == len("one") + len("used one")

    collected = collect(Store(store), keeping)

    assert (collected.num_artifacts, collected.num_runs) == (2, 1)
    assert not any(os.path.exists(path) for path in paths(old))
    assert all(os.path.exists(path) for path in paths(kept) + paths(last))
    assert not os.path.exists(Store(store).logs_path(old.run_id))
    # The second run's record stays as long as something that it made does.
    assert [summary.run_id for summary in list_runs(store)] == [last.run_id, kept.run_id]
    with pytest.raises(StoreError, match=f"run '{old.run_id}' was removed from the store .* by headrace gc"):
        read_run(store, old.run_id)
    assert [item.state for item in list_artifacts(store, with_deleted=True)] == ["live"] * 2 + ["deleted"] * 2
    assert collect(Store(store), keeping).num_artifacts == 0


def test_gc_of_a_copied_store_leaves_the_original_alone(run: Run, store: str, tmp_path: Path):
    """ML Metadata keeps absolute places: in the copy they still name the original's files."""
    old, last = run(*chain("one")), run(*chain("two"))
    shutil.copytree(store, tmp_path / "copy" / "store")

    collected = collect(Store(str(tmp_path / "copy" / "store")), Keeping(keep_last=1))

    assert collected.num_artifacts == 2
    assert all(os.path.exists(path) for path in paths(old) + paths(last))
    copied = [path.replace(store, str(tmp_path / "copy" / "store")) for path in paths(old) + paths(last)]
    assert [os.path.exists(path) for path in copied] == [False] * 2 + [True] * 2


def test_what_was_removed_is_made_again_and_no_run_id_comes_back(run: Run, store: str):
    first = run(*chain("one"))
    run(*chain("two"))
    collect(Store(store), Keeping(keep_last=1))

    again = run(*chain("one"))

    assert states(again) == {"Make": "done", "Use": "done"}
    assert explain(store, again.run_id, "Make").outcome == "miss"
    assert again.run_id != first.run_id
    assert list_runs(store)[0].run_id == again.run_id


def test_sqlite_tells_of_a_store_what_ml_metadata_tells(run: Run, store: str):
    """A run that was removed with its artifacts, one that was cached, another runner's, and a part of a run."""
    run(*judged("bad"))
    run(*judged("good"))
    collect(Store(store), Keeping(keep_last=1))
    run(*judged("good"))
    database = open_store(store)
    type_id = database.get_context_type("pipeline_run").id
    inner = metadata_store_pb2.Context(type_id=type_id, name="inner")
    inner.custom_properties["headrace_inner_of"].string_value = "run"
    database.put_contexts([inner, metadata_store_pb2.Context(type_id=type_id, name="foreign")])
    opened = Store(store)

    quick = take_inventory(opened)
    with opened.open():
        assert opened.read_sqlite(lambda database: database) is None
        slow = take_inventory(opened)

    assert quick == slow
    assert [bool(stored.record) for stored in quick.runs] == [False, True, True]
    assert quick.horizon == 6
    assert [artifact.type_name for artifact in quick.artifacts] == ["ModelBlessing", "Model"]
    assert quick.approved == {quick.artifacts[0].artifact_id}
    assert look(Store(store), Keeping(keep_last=0)).run_ids == tuple(stored.run_id for stored in quick.runs)


def test_gc_of_a_store_that_no_run_has_written_to_finds_nothing(store: str):
    """A run that was killed at its first moment leaves an empty database."""
    os.makedirs(store)
    Path(store, "metadata.db").touch()

    assert collect(Store(store), Keeping()) == Collected(num_artifacts=0, num_runs=0, size_bytes=0)


def test_gc_keeps_what_a_living_run_uses(run: Run, store: str, tmp_path: Path):
    old = run(*chain("one"))
    run(*chain("two"))
    opened = Store(store)

    with opened.open(), locks.living_run(opened, old.run_id, str(tmp_path)):
        assert look(Store(store), Keeping(keep_last=1)).artifacts == ()


def test_gc_spares_what_a_run_begins_to_use_while_it_works(run: Run, store: str, monkeypatch: Any):
    """A run that starts between the look and the removal is served by the cache: its artifacts stay whole."""
    old = run(*chain("one"))
    run(*chain("two"))
    find = collection.find_garbage

    def find_and_run(*arguments: Any) -> Any:
        garbage = find(*arguments)
        assert states(run(*chain("one"))) == {"Make": "cached", "Use": "cached"}
        return garbage

    monkeypatch.setattr(collection, "find_garbage", find_and_run)
    collect(Store(store), Keeping(keep_last=1))

    assert all(os.path.exists(path) for path in paths(old))
    assert {item.state for item in list_artifacts(store, with_deleted=True)} == {"live"}


def test_what_a_killed_gc_left_goes_with_the_next(run: Run, store: str, monkeypatch: Any):
    """Killed after ML Metadata was told and before the files were gone: no cache hit, and no files for ever."""
    old = run(*chain("one"))
    run(*chain("two"))

    def die(path: str) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(collection, "_remove", die)
        with pytest.raises(KeyboardInterrupt):
            collect(Store(store), Keeping(keep_last=1))
    assert all(os.path.exists(path) for path in paths(old))
    assert {item.state for item in list_artifacts(store, with_deleted=True)} == {"live", "deleted"}

    collect(Store(store), Keeping(keep_last=1))

    assert not any(os.path.exists(path) for path in paths(old))
    assert not os.path.exists(os.path.join(store, "gc.json"))
    assert len(list_runs(store)) == 1


@pytest.mark.parametrize(
    ("judge", "keeping"),
    [(blessed, Keeping(keep_last=1, keep_blessed=True)), (pushed, Keeping(keep_last=1, keep_pushed=True))],
)
def test_gc_keeps_blessed_or_pushed_models_and_their_origins(
    run: Run, store: str, judge: Callable[[Any, bool], Any], keeping: Keeping
):
    good, bad, last = (run(*judged(text, judge)) for text in ("good", "bad", "last"))

    collect(Store(store), keeping)

    assert all(os.path.exists(path) for path in paths(good) + paths(last))
    assert not any(os.path.exists(path) for path in paths(bad))

    collect(Store(store), Keeping(keep_last=1))
    assert not any(os.path.exists(path) for path in paths(good))


def test_gc_breaks_lineage_only_when_told(run: Run, store: str):
    """Only what the last run reused stays, and not what this was made of."""
    first = run(*chain("one"))
    run(nodes.Make(text="two"))
    make = nodes.Make(text="two")
    run(make, nodes.Use(given=make.outputs["out"]), only=["Use"])
    last_use = read_run(store).node("Use").outputs[0].uri

    kept = {artifact.uri for artifact in look(Store(store), Keeping(keep_last=1)).artifacts}
    broken = {
        artifact.uri for artifact in look(Store(store), Keeping(keep_last=1, break_lineage=True)).artifacts
    }

    assert kept == set(paths(first))
    assert last_use not in broken
    assert broken >= kept


def test_imported_data_are_never_garbage(run: Run, store: str, tmp_path: Path):
    """What an Importer names belongs to somebody else, even where its path looks like an output's."""
    source = tmp_path / "result" / "1"
    source.mkdir(parents=True)
    (source / "text").write_text("mine")
    run(Importer(source_uri=str(source), artifact_type=standard_artifacts.Schema).with_id("Import"))
    run(*chain("one"))

    collect(Store(store), Keeping(keep_last=0))

    assert (source / "text").read_text() == "mine"
