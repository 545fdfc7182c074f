"""What garbage collection keeps, as tables: runs, lineage, models, and what is not the store's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from small_stores import IMPORTER, SmallStore, node_record

from headrace.store.garbage.inventory import take_inventory
from headrace.store.garbage.policy import Keeping, find_garbage
from headrace.store.open.store import Store


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallStore]:
    with Store(str(tmp_path / "store")).open() as opened:
        yield SmallStore(opened)


def place(small: SmallStore, node: str, key: str, execution_id: int) -> Path:
    return Path(small.store.artifacts_path) / "p" / node / key / str(execution_id)


def made(
    small: SmallStore, run_id: str, node: str, inputs: list[int], type_name: str = "Schema", **properties: Any
) -> int:
    """An artifact at the place where a runner puts the only output of a node's next execution."""
    next_id = len(small.mlmd.get_executions()) + 1
    artifact = small.artifact(place(small, node, "out", next_id), type_name, **properties)
    execution = small.execution({"out": [artifact]}, {"given": inputs}, run_id=run_id, node=f"p.{node}")
    assert execution == next_id
    return artifact


def finished(small: SmallStore, run_id: str, state: str, artifacts: list[int], pipeline: str = "p") -> None:
    """A run whose nodes made these artifacts."""
    output = {"key": "out", "type_name": "Schema", "uri": "", "summary": ""}
    nodes = [node_record(f"N{a}", outputs=[{**output, "artifact_id": a}]) for a in artifacts]
    small.record(run_id, state, nodes, pipeline_name=pipeline)


def garbage(small: SmallStore, **keeping: Any) -> Any:
    return find_garbage(small.store, Keeping(**keeping), take_inventory(Store(small.store.path)))


def removed(small: SmallStore, **keeping: Any) -> list[int]:
    return sorted(artifact.artifact_id for artifact in garbage(small, **keeping).artifacts)


@pytest.mark.parametrize(
    ("keep_last", "expected"), [(0, [1, 2, 3, 4]), (1, [1, 3]), (2, [1]), (3, [1]), (4, []), (9, [])]
)
def test_the_newest_runs_and_the_newest_good_one_keep_what_they_made(
    small: SmallStore, keep_last: int, expected: list[int]
):
    """Run 2 is the newest good one, run 4 failed, run 3 too; run 1 is old."""
    for run_id, state in [("r1", "succeeded"), ("r2", "succeeded"), ("r3", "failed"), ("r4", "failed")]:
        finished(small, run_id, state, [made(small, run_id, "N", [])])

    assert removed(small, keep_last=keep_last) == expected


def test_pipelines_do_not_push_out_each_others_runs(small: SmallStore):
    """None of them succeeded, so that each is kept for being the newest alone."""
    for number in range(4):
        finished(small, f"r{number}", "failed", [made(small, f"r{number}", "N", [])], "ab"[number % 2])

    assert removed(small, keep_last=1) == [1, 2]


def test_what_kept_artifacts_came_from_stays_to_the_last_step(small: SmallStore):
    """Unless lineage is broken on purpose; the runs behind it stay in the list then, or go."""
    first = made(small, "r1", "A", [])
    second = made(small, "r1", "B", [first])
    other = made(small, "r1", "C", [])
    finished(small, "r1", "succeeded", [first, second, other])
    finished(small, "r2", "succeeded", [made(small, "r2", "D", [second])])

    assert removed(small, keep_last=1) == [other]
    assert garbage(small, keep_last=1).run_ids == ()
    assert removed(small, keep_last=1, break_lineage=True) == [first, second, other]
    assert garbage(small, keep_last=1, break_lineage=True).run_ids == ("r1",)


def test_a_run_that_is_not_over_keeps_what_it_uses_and_makes(
    small: SmallStore, monkeypatch: pytest.MonkeyPatch
):
    """Its record tells no outputs yet; breaking lineage takes nothing from it but what it only used."""
    old = made(small, "r1", "A", [])
    finished(small, "r1", "succeeded", [old])
    new = made(small, "r2", "B", [])
    small.execution({}, {"given": [old]}, run_id="r2", node="p.C")
    small.record("r2", "running", [], pipeline_name="p")
    monkeypatch.setattr("headrace.store.locks.living_runs", lambda store: ["r2"])

    assert removed(small, keep_last=0) == []
    assert removed(small, keep_last=0, break_lineage=True) == [old]
    assert garbage(small, keep_last=0).living_executions == frozenset({2, 3})
    monkeypatch.setattr("headrace.store.locks.living_runs", lambda store: [])
    assert removed(small, keep_last=0) == [old, new]


def test_blessed_and_pushed_models_are_kept_where_asked_for(small: SmallStore):
    """With the model that a blessing is about, and what the model came from; not what was not blessed."""
    rows = made(small, "r1", "Rows", [], "Examples")
    good = made(small, "r1", "Good", [rows], "Model")
    blessing = made(small, "r1", "Blessing", [good], "ModelBlessing", blessed=1)
    pushed = made(small, "r1", "Pushed", [good], "PushedModel", pushed=1)
    bad = made(small, "r1", "Bad", [rows], "Model")
    refusal = made(small, "r1", "Refusal", [bad], "ModelBlessing", blessed=0)
    unpushed = made(small, "r1", "Unpushed", [bad], "PushedModel", pushed=0)
    finished(small, "r1", "succeeded", [rows, good, blessing, pushed, bad, refusal, unpushed])

    every = [rows, good, blessing, pushed, bad, refusal, unpushed]
    assert removed(small, keep_last=0) == every
    assert removed(small, keep_last=0, keep_blessed=True) == [pushed, bad, refusal, unpushed]
    assert removed(small, keep_last=0, keep_pushed=True) == [blessing, bad, refusal, unpushed]
    assert removed(small, keep_last=0, keep_blessed=True, break_lineage=True) == [
        rows,
        pushed,
        bad,
        refusal,
        unpushed,
    ]


def test_what_an_importer_names_is_never_garbage(small: SmallStore, tmp_path: Path):
    """Wherever it lies, also at a path that looks like an output's; nor is what no runner put into the store."""
    for _ in range(7):
        small.execution(run_id="r0")
    outside = small.artifact(tmp_path / "data" / "out" / "8")
    assert small.execution({"out": [outside]}, run_id="r1", type_name=IMPORTER) == 8
    plain = small.artifact(tmp_path / "data")
    small.execution({"out": [plain]}, run_id="r1", type_name=IMPORTER)
    inside = small.artifact(Path(small.store.artifacts_path) / "notes")
    small.execution({"out": [inside]}, run_id="r1")
    finished(small, "r1", "succeeded", [outside, plain, inside])

    assert removed(small, keep_last=0) == []


def test_files_that_an_importer_names_in_the_store_stay_while_that_is_needed(small: SmallStore):
    """Two artifacts have one place: the one that was made there is old, the one that was imported is needed."""
    old = made(small, "r1", "Trainer", [], "Model")
    finished(small, "r1", "succeeded", [old])
    imported = small.artifact(place(small, "Trainer", "out", 1), "Model")
    small.execution({"out": [imported]}, run_id="r2", type_name=IMPORTER)
    finished(small, "r2", "succeeded", [imported])

    assert removed(small, keep_last=1) == []


def test_a_run_is_gone_when_nothing_it_made_is_left(small: SmallStore):
    """What it took from the cache was made by others, and holds nothing."""
    first = made(small, "r1", "A", [])
    finished(small, "r1", "succeeded", [first])
    small.record("r2", "succeeded", [node_record("A", "cached")], pipeline_name="p")
    finished(small, "r3", "succeeded", [made(small, "r3", "B", [first])])

    found = garbage(small, keep_last=1)

    assert found.run_ids == ("r2",)
    assert (found.kept_artifacts, found.kept_runs) == (2, 2)


def test_broken_off_work_is_of_use_as_long_as_a_run_stays_that_may_go_on_with_it(small: SmallStore):
    """The time from which checkpoints stay is the start of the oldest run that is kept and has not succeeded."""
    for run_id, state in [("r1", "failed"), ("r2", "succeeded")]:
        finished(small, run_id, state, [made(small, run_id, "N", [])])
    assert garbage(small, keep_last=1).unfinished_since is None
    assert garbage(small, keep_last=2).unfinished_since is not None
