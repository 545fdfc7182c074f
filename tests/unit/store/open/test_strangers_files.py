"""Small files of a store that a stranger wrote: none of them keeps the store from being used."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.store import locks
from headrace.store.open.store import Store

NONSENSE = {
    "deep": "[" * 100_000,
    "empty": "",
    "number": "5",
    "list": "[[]]",
    "object": '{"id": [], "path": {}}',
}


@pytest.mark.parametrize("content", list(NONSENSE.values()), ids=list(NONSENSE))
@pytest.mark.parametrize(
    "name",
    [
        "identity.json",
        "place.json",
        "running/run",
        "sessions/0123456789abcdef",
        "unpublished/7-01234567/outputs.json",
        "unpublished/99999999999999999999-01234567/outputs.json",
        "artifacts/.headrace-root/0123456789abcdef",
    ],
)
def test_nonsense_in_a_file_stops_nothing(tmp_path: Path, name: str, content: str):
    path = tmp_path / "store"
    with Store(str(path)).open():
        pass
    file = path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)

    with Store(str(path)).open() as store:
        locks.mend(store)
        assert locks.living_runs(store) == []
        with locks.living_run(store, "next", str(tmp_path / "root")):
            pass
