"""What a training that was killed left behind goes with the runs that could go on with it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from headrace.store.garbage import collection
from headrace.store.open.store import Store


@pytest.mark.parametrize(
    ("since", "left"),
    [
        (None, ["result"]),
        (150.0, ["b.checkpoint", "result"]),
        (50.0, ["a.checkpoint", "b.checkpoint", "result"]),
    ],
)
def test_checkpoints_older_than_the_runs_that_stay_are_removed(
    tmp_path: Path, since: float | None, left: list[str]
):
    """Results beside them are not touched."""
    with Store(str(tmp_path / "store")).open() as store:
        folder = Path(store.kept_path)
        folder.mkdir(parents=True, exist_ok=True)
        for name, changed in (("a.checkpoint", 100), ("b.checkpoint", 200), ("result", 1)):
            (folder / name).write_bytes(b"x" * 10)
            os.utime(folder / name, (changed, changed))
        size = collection._remove_checkpoints(store, since)
        assert sorted(os.listdir(folder)) == left
        assert (size > 0) == (len(left) < 3)
