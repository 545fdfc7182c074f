"""Records of runs and of ingredients that are damaged, from elsewhere, or of a later version."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stored
from hypothesis import given
from hypothesis import strategies as st
from small_stores import SmallStore

from headrace.errors import HeadraceError, StoreError
from headrace.runtime.implementation import Implementation
from headrace.store import locks, records
from headrace.store.garbage import collection
from headrace.store.garbage.policy import Keeping
from headrace.store.open.store import Store
from headrace.store.read import run_records
from headrace.store.records import RECORD_PROPERTY

OUTPUT = {"key": "out", "type_name": "Schema", "artifact_id": 1, "uri": "/a", "summary": ""}
NODE = {"node_id": "N", "state": "failed", "outputs": [OUTPUT], "error": ["ExecutorError", "N failed.", ""]}
RUN = {
    "pipeline_name": "p",
    "state": "failed",
    "started": "2026-11-21T10:00:00+00:00",
    "seconds": 1.0,
    "nodes": [NODE],
    "details": {},
}
DAMAGED = {
    "nothing": "",
    "half": json.dumps(RUN)[:40],
    "deep": "[" * 100_000,
    "list": "[]",
    "no nodes": json.dumps({**RUN, "nodes": None}),
    "odd node": json.dumps({**RUN, "nodes": [5]}),
    "odd state": json.dumps({**RUN, "nodes": [{**NODE, "state": "flying"}]}),
    "odd output": json.dumps({**RUN, "nodes": [{**NODE, "outputs": [{**OUTPUT, "artifact_id": "1"}]}]}),
    "odd error": json.dumps({**RUN, "nodes": [{**NODE, "error": "N failed."}]}),
    "odd time": json.dumps({**RUN, "started": "yesterday"}),
    "no zone": json.dumps({**RUN, "started": "2026-11-21T10:00:00"}),
    "odd number": json.dumps({**RUN, "format": "one"}),
    "odd details": json.dumps({**RUN, "details": "python run.py"}),
}
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*RUN, *NODE, "sources"]), inner)
    ),
)


@pytest.mark.parametrize("number", [{}, {"format": 0}, {"format": records.RUN_FORMAT}])
def test_a_record_is_read_as_it_was_written(number: dict[str, int]):
    """That of 0.1.0 has no number."""
    assert records.parse_run(json.dumps({**number, **RUN})) == {"format": 0, **number, **RUN}


@pytest.mark.parametrize("name", list(DAMAGED))
def test_a_record_of_another_form_is_none(name: str):
    assert records.parse_run(DAMAGED[name]) is None


@given(_json)
def test_no_text_raises(value: Any):
    """Whatever a stranger wrote there."""
    text = json.dumps(value)
    records.parse_run(text)
    what = records.parse_ingredients(text)
    assert all(isinstance(files, dict) for files in what.get("sources", {}).values())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(str(tmp_path / "store")).open() as opened:
        yield opened


@pytest.mark.parametrize("name", [name for name in DAMAGED if name])
def test_one_damaged_record_hides_no_other_run(store: Store, name: str):
    """Lists, one run, cleaning up after it, and garbage collection: it counts as a run of another runner."""
    small = SmallStore(store)
    small.record("good")
    small.set_property("bad", RECORD_PROPERTY, DAMAGED[name])

    assert {run.run_id: run.state for run in stored.list_runs(store.path)} == {
        "good": "succeeded",
        "bad": "unknown",
    }
    assert stored.read_run(store.path, "bad").run_id == "bad"
    assert run_records.mark_crashed(store, "bad") == []
    assert locks.mend(store) == []
    assert collection.look(Store(store.path), Keeping()).kept_runs == 2


def test_a_record_with_a_newer_number_is_refused_and_hides_no_other_run(store: Store):
    """What it means is not known: it is not shown half, and what it may need is not removed."""
    small = SmallStore(store)
    small.record("good")
    small.record("newer", "running", format=records.RUN_FORMAT + 1)

    assert {run.run_id: run.state for run in stored.list_runs(store.path)} == {
        "good": "succeeded",
        "newer": "unknown",
    }
    run_records.mark_crashed(store, "newer")
    for refused in (
        lambda: stored.read_run(store.path, "newer"),
        lambda: collection.look(Store(store.path), Keeping()),
    ):
        with pytest.raises(StoreError, match=r"run 'newer' of .* was recorded by a newer Headrace") as caught:
            refused()
        assert "upgrade" in caught.value.fix
    with store.handle() as handle:
        context = handle.store.get_context_by_type_and_name("pipeline_run", "newer")
    record = json.loads(context.custom_properties[RECORD_PROPERTY].string_value)
    assert (record["format"], record["state"]) == (records.RUN_FORMAT + 1, "running")


def test_what_a_later_version_adds_to_a_record_is_passed_over(store: Store):
    """Also an error of a kind that this one does not have, or that is none."""
    node = {**NODE, "seconds": 1.0, "error": ["did_you_mean", "N failed.", "try"], "new": 1}
    SmallStore(store).record("run", "failed", [{**node, "outputs": [{**OUTPUT, "new": 1}]}])

    [read] = stored.read_run(store.path, "run").nodes

    assert type(read.error) is HeadraceError
    assert read.outputs[0].uri == "/a"


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        ({"name": "stock", "reason": "why"}, Implementation("stock", "why")),
        ({"name": "own", "new": 1}, Implementation("own")),
        (None, Implementation()),
        ("stock", Implementation()),
    ],
)
def test_which_implementation_ran_is_read_as_it_was_written(
    store: Store, recorded: Any, expected: Implementation
):
    """Nothing is said of it in a record of an earlier version."""
    node = {**NODE, "seconds": 1.0, "implementation": recorded}
    SmallStore(store).record("run", "failed", [node])

    [read] = stored.read_run(store.path, "run").nodes

    assert read.implementation == expected
