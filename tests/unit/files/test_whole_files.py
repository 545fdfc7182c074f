"""Files that are there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.files import whole_files


def test_a_file_takes_its_place_when_it_is_whole(tmp_path: Path) -> None:
    """Until then the earlier one stands there."""
    path = tmp_path / "file"
    path.write_bytes(b"before")

    with whole_files.written(str(path)) as file:
        file.write(b"af")
        assert path.read_bytes() == b"before"
        file.write(b"ter")

    assert path.read_bytes() == b"after"
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_on_the_way_changes_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")

    def write() -> None:
        with whole_files.written(str(path)) as file:
            file.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()

    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_two_writers_of_one_file_have_files_of_their_own(tmp_path: Path) -> None:
    """Such as two workers with one process id on two machines: the last one that is whole stands."""
    path = str(tmp_path / "file")

    with whole_files.written(path) as first:
        first.write(b"fir")
        with whole_files.written(path) as second:
            second.write(b"second")
        assert Path(path).read_bytes() == b"second"
        first.write(b"st")

    assert Path(path).read_bytes() == b"first"
