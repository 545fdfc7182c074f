"""The describe view: pandas' `describe()` of the rows that an ExampleGen read."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from data_validation import example, execute, in_files
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from rich.console import Console
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.components.statistics_gen import executor as stock
from tfx.types.standard_artifacts import ExampleStatistics

import headrace
from headrace.components.statistics_gen.executor import Executor
from headrace.errors import UnknownSplitError
from headrace.formats import contents
from headrace.formats.artifacts import split_path
from headrace.reports.artifacts import descriptions
from headrace.reports.blocks.blocks import Report, Table
from headrace.reports.blocks.texts import print_report
from headrace.statistics import numbers
from headrace.statistics.description_rows import describe_split
from headrace.testing import make_examples, make_statistics

_BOSTON = Path(__file__).parents[1] / "data" / "boston_housing.csv"
# Four columns of 506 tracts (Harrison and Rubinfeld 1978, out of mlxtend 0.24.0), and the table of the 404 training rows
# that Keras' `boston_housing.load_data()` gives.
_HOUSING = {
    "crim": [404, 3.745111, 9.240734, 0.006320, 0.081437, 0.268880, 3.674808, 88.9762],
    "zn": [404, 11.480198, 23.767711, 0, 0, 0, 12.5, 100],
    "indus": [404, 11.104431, 6.811308, 0.46, 5.13, 9.69, 18.1, 27.74],
    "chas": [404, 0.061881, 0.241238, 0, 0, 0, 0, 1],
}
_ROWS = ["count", "mean", "std", "min", "25%", "50%", "75%", "max"]


def statistics(folder: Path, splits: dict[str, Any], executor: Any = Executor) -> ExampleStatistics:
    examples = make_examples(folder / "rows", splits)
    return execute(executor, folder, {"examples": examples}, "statistics", ExampleStatistics)


def test_the_table_of_boston_housing(tmp_path: Path):
    """Keras' split: shuffled with seed 113, four fifths of the rows, in whatever files."""
    table = pd.read_csv(_BOSTON)
    order = np.arange(len(table))
    np.random.RandomState(113).shuffle(order)
    train = table.iloc[order[: int(len(table) * 0.8)]]
    assert len(train) == 404
    records = [example(**{name: [float(row[name])] for name in _HOUSING}) for row in train.to_dict("records")]

    found = headrace.describe(statistics(tmp_path, {"train": in_files(records, 5)}), "train")

    for name, wanted in _HOUSING.items():
        # Six digits of each number, as the table is printed.
        assert [float(found[name][row]) for row in _ROWS] == pytest.approx(wanted, rel=2e-6, abs=5e-7), name


def test_a_third_quartile_that_no_decile_knows(tmp_path: Path):
    """72 % zeros and 28 % thousands: 75 % is 1,000, in the table and in the text."""
    records = [example(x=[0.0 if n < 720 else 1_000.0]) for n in range(1_000)]
    made = statistics(tmp_path, {"train": records})

    assert headrace.describe(made, "train")["x"][["25%", "50%", "75%"]].tolist() == [0, 0, 1_000]
    (table,) = descriptions.render(made, ["train"])
    assert isinstance(table, Table)
    assert [cell.text for cell in table.cells[0]] == [
        "x", "1,000", "0", "280", "449.224", "0", "0", "0", "1,000", "1,000"
    ]  # fmt: skip
    assert table.footnote == "std is that of a sample (n - 1). Quartiles are exact, interpolated linearly."


columns = st.one_of(
    st.lists(
        st.one_of(st.none(), st.floats(-1e6, 1e6, width=32), st.just(math.nan)), min_size=1, max_size=30
    ),
    st.lists(st.one_of(st.none(), st.integers(-(2**62), 2**62)), min_size=1, max_size=30),
    st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "ñ", ""])), min_size=1, max_size=30),
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(column=columns)
def test_what_pandas_describes(column: list[Any], tmp_path_factory: pytest.TempPathFactory):
    """Numbers and texts with missing values, NaN, one row, no value at all."""
    records = [
        example(x=None if value is None else [value.encode() if isinstance(value, str) else value], row=[1])
        for value in column
    ]
    found = headrace.describe(statistics(tmp_path_factory.mktemp("any"), {"train": records}), "train")
    is_number = not any(isinstance(value, str) for value in column)
    values = [value for value in column if value is not None]
    series = pd.Series(values, dtype=None if values else float)
    theirs = series.astype(float).describe() if is_number else series.describe()
    if "x" not in found or not values:
        return

    mine = found["x"]
    assert mine["count"] == theirs["count"]
    assert mine["missing"] == len(column) - mine["count"]
    if is_number and theirs["count"]:
        near = {"rel": 1e-6, "nan_ok": True, "abs": 1e-6 * max(abs(theirs["min"]), abs(theirs["max"]))}
        for row in _ROWS:
            assert mine[row] == pytest.approx(theirs[row], **near), row
    elif not is_number:
        assert (mine["unique"], mine["freq"]) == (theirs["unique"], theirs["freq"])
        assert values.count(mine["top"]) == theirs["freq"]


def test_statistics_of_stock_tfx_are_approximate_and_say_so(tmp_path: Path):
    """Their file knows the median in part and no quartile; the deviation of a sample follows from that of a population."""
    records = [example(x=[float(n % 97)], t=[b"a" if n % 3 else b"b"]) for n in range(1_000)]
    made = statistics(tmp_path, {"train": records}, stock.Executor)

    found = headrace.describe(made, "train")

    assert found["x"]["std"] == pytest.approx(pd.Series([float(n % 97) for n in range(1_000)]).std())
    assert found["x"]["50%"] == pytest.approx(48, abs=2)
    assert found["x"][["25%", "75%"]].isna().all()
    assert found.attrs["rank_error"] == {"x": None}
    assert found["t"][["count", "unique", "top", "freq"]].tolist() == [1_000, 2, "a", 666]
    table = descriptions.render(made, ["train"])[0]
    assert isinstance(table, Table)
    assert "All are approximate: TFDV, stock TFX or an earlier version" in table.footnote
    assert [table.cells[0][at].text for at in (6, 8)] == ["–", "–"]


def test_beyond_the_limit_the_bound_is_stated_and_nothing_interpolated(tmp_path: Path, monkeypatch: Any):
    """A limit of a hundred stands for the million: what is shown are values of the data."""
    monkeypatch.setattr(numbers, "MAX_EXACT", 100)
    monkeypatch.setattr(numbers, "_MIN_LIMIT", 100)
    values = np.random.default_rng(0).permutation(5_000) * 10.0
    made = statistics(tmp_path, {"train": in_files([example(x=[float(v)]) for v in values], 3)})

    found = headrace.describe(made, "train")
    error = found.attrs["rank_error"]["x"]
    assert 0 < error < 0.5
    for share, row in ((0.25, "25%"), (0.5, "50%"), (0.75, "75%")):
        value = found["x"][row]
        assert value % 10 == 0
        assert abs(value / 50_000 - share) <= error + 1e-3
    assert (found["x"]["min"], found["x"]["max"]) == (0, 49_990)
    table = descriptions.render(made, ["train"])[0]
    assert isinstance(table, Table)
    assert "whose rank is wrong by" in table.footnote


def test_all_splits_stand_side_by_side_and_an_unknown_one_is_named(tmp_path: Path):
    made = statistics(tmp_path, {"train": [example(x=[1.0])], "eval": [example(x=[2.0]), example(x=[4.0])]})

    found = headrace.describe(made)

    assert sorted(found.columns) == [("eval", "x"), ("train", "x")]
    assert found["eval"]["x"]["mean"] == 3
    assert math.isnan(found["train"]["x"]["std"])
    with pytest.raises(UnknownSplitError, match=r"'evl'.*'eval', 'train'"):
        headrace.describe(made, "evl")


def test_no_rows_have_no_table(tmp_path: Path):
    made = make_statistics(tmp_path, {"train": statistics_pb2.DatasetFeatureStatisticsList()})

    assert headrace.describe(made, "train").empty
    assert descriptions.render(made, ["train"]) == []


def test_the_table_fits_eighty_columns(tmp_path: Path):
    """What does not fit beside each other goes on below, with the names of the features."""
    rows = [example(a_feature_with_a_long_name=[float(n) / 7], x=[n * 10**9]) for n in range(1, 50)]
    made = statistics(tmp_path, {"train": rows})
    file = io.StringIO()

    print_report(Console(file=file, width=80), Report("", "", descriptions.render(made, ["train"])))

    lines = file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    names = [line.split()[0] for line in lines if line.strip()]
    assert names.count("a_feature_with_a_long_name") == names.count("feature") > 1
    assert "".join(lines).replace(" ", "").count("25%") == 1


def test_texts_and_pictures_are_known_too(tmp_path: Path):
    """By what they are, in several files as in one; TFDV's file is what it is without them."""
    words = [
        "the",
        "quick",
        "brown",
        "fox",
        "jumps",
        "over",
        "the",
        "lazy",
        "dog",
        "and",
        "a",
        "cat",
        "sees",
        "it",
    ]
    texts = [" ".join([*words[n % 5 :], str(n)]) for n in range(300)]
    pictures = []
    for n in range(300):
        file = io.BytesIO()
        Image.new("RGB", (10 + n % 2, 10)).save(file, "PNG")
        pictures.append(file.getvalue())
    records = [
        example(text=[text.encode()], image=[picture]) for text, picture in zip(texts, pictures, strict=True)
    ]

    made = statistics(tmp_path, {"train": in_files(records, 4), "eval": records[:7]})

    found = contents.read(split_path(made, "train"))
    assert (list(found.texts), list(found.pictures)) == (["text"], ["image"])
    told = found.texts["text"]
    assert (told.count, told.num_sampled, told.frequent[0]) == (300, 300, ("the", 360))
    assert (told.characters[0], told.characters[2]) == (min(map(len, texts)), max(map(len, texts)))
    assert next(iter(told.languages)) == "en"
    assert found.pictures["image"].sizes == (("10 x 10", 150), ("11 x 10", 150))
    stock_made = statistics(
        tmp_path / "stock", {"train": in_files(records, 4), "eval": records[:7]}, stock.Executor
    )
    assert contents.read(split_path(stock_made, "train")) == contents.NOTHING
    assert describe_split(made, "eval").categories[0].top is None
