"""Parquet files that are damaged, in whatever way, end in one kind of error."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import MalformedFileError
from headrace.formats import parquet_files

_NUM_ROWS = 50


def _read(path):
    return [row for batch in parquet_files.read_batches(str(path), 20) for row in batch.to_pylist()]


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A file of three row groups, and its rows."""
    path = tmp_path_factory.mktemp("parquet") / "good.parquet"
    table = pa.table(
        {
            "number": list(range(_NUM_ROWS)),
            "text": [f"t{row % 7}" for row in range(_NUM_ROWS)],
            "list": [[0.5] * (row % 3) for row in range(_NUM_ROWS)],
        }
    )
    pq.write_table(table, path, row_group_size=18)
    return path, table.to_pylist()


def test_rows_are_read_in_batches(good):
    """All of them, or those of some row groups."""
    path, rows = good
    assert _read(path) == rows
    some = parquet_files.read_batches(str(path), 5, row_groups=[1])
    assert [row for batch in some for row in batch.to_pylist()] == rows[18:36]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"some text of some length", b"PAR1" * 20])
def test_what_is_no_parquet_file_is_named(tmp_path, content):
    """An empty file too."""
    path = tmp_path / "a.parquet"
    path.write_bytes(content)
    with pytest.raises(MalformedFileError) as caught:
        parquet_files.open_file(str(path))
    assert caught.value.problem.startswith(f"{path} is not a Parquet file, or damaged: ")
    assert caught.value.fix == "give Parquet files, or a pattern that leaves this file out."


def test_a_file_that_is_missing_stays_the_systems_error(tmp_path):
    """Whoever looked for it says more."""
    with pytest.raises(FileNotFoundError):
        parquet_files.open_file(str(tmp_path / "none.parquet"))


def test_two_columns_of_one_name_are_refused(tmp_path):
    """With their places."""
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table([pa.array([1])] * 3, names=["x", "y", "x"]), path)
    with pytest.raises(MalformedFileError) as caught:
        _read(path)
    assert caught.value.problem == f"{path} has 2 columns named 'x' (columns 1, 3 of 3)."


class _Short:
    """A file whose reader ends before the last row, as Arrow's does where a column is cut short."""

    def __init__(self, file):
        self._file = file
        self.metadata = file.metadata

    def iter_batches(self, batch_size, row_groups):
        yield from (batch.slice(1) for batch in self._file.iter_batches(batch_size, row_groups))


def test_a_row_group_that_ends_early_is_damaged(good):
    """Fewer rows than its footer says are no success."""
    path, _ = good
    short = _Short(parquet_files.open_file(str(path)))
    with pytest.raises(MalformedFileError) as caught:
        list(parquet_files.read_batches(str(path), 100, file=short))
    assert caught.value.problem == (
        f"{path}: row group 0 is damaged: it says that it has 18 rows, and 17 can be read."
    )


@given(st.floats(0, 1, exclude_max=True))
def test_a_file_cut_anywhere_is_refused(good, tmp_path_factory, place):
    """In its footer, its pages, or after its first bytes."""
    path, _ = good
    data = path.read_bytes()
    cut = tmp_path_factory.mktemp("cut") / "cut.parquet"
    cut.write_bytes(data[: int(place * len(data))])
    with pytest.raises(MalformedFileError):
        _read(cut)
