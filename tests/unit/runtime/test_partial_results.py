"""Results that executors keep."""

from __future__ import annotations

import os
import time

import pytest

from headrace.runtime import partial_results
from headrace.runtime.partial_results import PartialResults


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "kept"


@pytest.fixture
def kept(folder):
    return PartialResults(str(folder))


def test_what_was_written_is_found(folder, kept):
    """Under a key of content and everything else."""
    path = kept.path("content", "statistics", "1.16")
    assert not partial_results.is_kept(path)

    partial_results.write(path, b"found")

    assert partial_results.is_kept(kept.path("content", "statistics", "1.16"))
    assert partial_results.read(path) == b"found"
    assert not partial_results.is_kept(kept.path("content", "statistics", "1.21"))
    assert os.listdir(folder) == [os.path.basename(path)]


def test_what_is_kept_in_another_form_is_not_found(kept, monkeypatch):
    """A later Headrace may keep results in the same store, which this one could not read."""
    partial_results.write(kept.path("content", "statistics"), b"found")

    monkeypatch.setattr(partial_results, "FORMAT", partial_results.FORMAT + 1)

    assert not partial_results.is_kept(kept.path("content", "statistics"))


def test_what_other_code_found_is_not_taken_for_ours(folder):
    """A user function, a lookup file or a library that changed makes other results of the same data."""
    today, tomorrow = (
        PartialResults(str(folder), "code of today"),
        PartialResults(str(folder), "code of tomorrow"),
    )
    partial_results.write(today.path("content", "statistics"), b"found")

    assert not partial_results.is_kept(tomorrow.path("content", "statistics"))
    assert partial_results.is_kept(today.path("content", "statistics"))


def test_without_a_folder_or_a_known_content_nothing_is_kept(kept):
    """As under TFX's own runners."""
    assert kept.path("", "statistics") == ""
    path = PartialResults().path("content", "statistics")
    assert (path, partial_results.is_kept(path)) == ("", False)


def test_what_was_not_used_for_longest_makes_room(kept, monkeypatch):
    """Looking at a result counts as use."""
    monkeypatch.setattr(partial_results, "MAX_FOLDER_BYTES", 400)
    paths = [kept.path("content", str(number)) for number in range(3)]
    for age, path in zip((30, 20), paths):
        partial_results.write(path, bytes(100))
        os.utime(path, (age, age))
    assert partial_results.is_kept(paths[0])

    partial_results.write(paths[2], bytes(100))

    assert [os.path.exists(path) for path in paths] == [True, False, True]


def test_a_folder_that_cannot_be_made_keeps_nothing(tmp_path):
    """Keeping is a help, never a reason to fail."""
    (tmp_path / "file").write_text("")
    path = PartialResults(str(tmp_path / "file")).path("content", "statistics")
    partial_results.write(path, b"found")

    assert not partial_results.is_kept(path)


def test_what_a_killed_process_left_goes(folder, kept):
    """The next result that is kept clears it away, and spares what another process writes now."""
    for name, age in (("abandoned", 10_000), ("growing", 0)):
        path = f"{kept.path('content', name)}.unfinished-1"
        os.makedirs(folder, exist_ok=True)
        with open(path, "wb"):
            os.utime(path, (time.time() - age, time.time() - age))

    partial_results.write(kept.path("content", "statistics"), b"found")

    assert sum("unfinished" in name for name in os.listdir(folder)) == 1


def test_checkpoints_are_not_removed_to_make_room(tmp_path, monkeypatch):
    """They are large, and what they hold took long."""
    monkeypatch.setattr(partial_results, "MAX_FOLDER_BYTES", 100)
    checkpoint = tmp_path / f"a{partial_results.CHECKPOINT}"
    with partial_results.written(str(checkpoint)) as file:
        file.write(b"x" * 1000)
    partial_results.write(str(tmp_path / "one"), b"y" * 90)
    partial_results.write(str(tmp_path / "two"), b"y" * 90)
    assert checkpoint.exists()
