"""Examples as DataFrames, read without TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import headrace
from headrace import testing
from headrace.errors import DefinitionError, UnknownSplitError

TRAIN = [
    {"n": 1, "x": 1.5, "word": "a", "list": [1, 2], "image": b"\xff\xd8", "rare": 7},
    {"n": 2, "x": 2.5, "word": "ñ", "list": [3], "image": b"\xff", "rare": None},
    {"n": 3, "x": None, "word": None, "list": [], "image": b"", "rare": None},
]


@pytest.fixture
def examples(tmp_path: Path) -> Any:
    made = testing.make_examples(tmp_path / "rows", {"train": TRAIN, "eval": TRAIN[:1]})
    return headrace.load(made)


def test_a_split_is_a_frame_with_values_and_lists(examples: Any) -> None:
    """Bytes that are text in all rows come as texts, missing numbers as NaN, and whole ones stay whole."""
    frame = examples.to_pandas("train")

    assert frame["n"].tolist() == [1, 2, 3]
    assert frame["n"].dtype == np.int64
    assert frame["x"].tolist()[:2] == [1.5, 2.5]
    assert np.isnan(frame["x"][2])
    assert frame["word"].tolist() == ["a", "ñ", None]
    assert [list(one) for one in frame["list"]] == [[1, 2], [3], []]
    assert frame["image"].tolist() == [b"\xff\xd8", b"\xff", b""]
    assert frame["rare"][0] == 7
    assert frame["rare"].isna().tolist() == [False, True, True]


def test_all_splits_come_with_their_names(examples: Any) -> None:
    assert examples.splits == ("train", "eval")
    assert examples.to_pandas()["split"].tolist() == ["train"] * 3 + ["eval"]
    assert (examples.num_rows(), examples.num_rows("eval")) == (4, 1)


@pytest.mark.parametrize(("limit", "rows"), [(0, 0), (2, 2), (4, 4), (9, 4)])
def test_a_limit_holds_over_splits(examples: Any, limit: int, rows: int) -> None:
    assert len(examples.to_pandas(limit=limit)) == rows
    assert sum(len(batch) for batch in examples.serialized(limit=limit)) == rows


def test_batches_and_columns(examples: Any) -> None:
    batches = list(examples.batches("train", rows=2, columns=["x", "n"]))

    assert [len(batch) for batch in batches] == [2, 1]
    assert list(batches[0].columns) == ["x", "n"]
    assert pd.concat(batches)["n"].tolist() == [1, 2, 3]


def test_what_is_asked_wrongly_is_told(examples: Any) -> None:
    with pytest.raises(UnknownSplitError, match="no split 'trian'"):
        examples.to_pandas("trian")
    with pytest.raises(DefinitionError) as caught:
        examples.to_pandas("train", columns=["m"])
    assert caught.value.problem.endswith("It has 'image', 'list', 'n', 'rare', 'word', 'x'.")
    for wrong in (-1, 1.5, True):
        with pytest.raises(DefinitionError, match="limit="):
            examples.to_pandas("train", limit=wrong)
    with pytest.raises(DefinitionError, match="rows=0"):
        next(examples.batches("train", rows=0))


def test_parquet_reads_the_same(tmp_path: Path, examples: Any) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = Path(examples.path, "Split-train")
    for file in folder.iterdir():
        file.unlink()
    pq.write_table(pa.table({"n": [1, 2], "x": [0.5, None]}), folder / "data.parquet")
    examples.artifact.set_string_custom_property("payload_format", "FORMAT_PARQUET")

    assert examples.to_pandas("train")["n"].tolist() == [1, 2]
    assert examples.num_rows("train") == 2
    assert len(next(examples.serialized("train"))) == 2


def test_whole_numbers_beyond_floats_keep_their_digits(tmp_path: Path) -> None:
    rows = [{"id": 2**53 + 1}, {"id": None}]
    found = headrace.load(testing.make_examples(tmp_path / "rows", {"all": rows})).to_pandas("all")

    assert found["id"][0] == 2**53 + 1
