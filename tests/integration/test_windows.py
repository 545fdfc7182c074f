"""Windows over series: no look into the future, groups apart, gaps told, and the same of raw rows when serving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from headrace.authoring import Channel, standard_artifacts
from headrace.components import Windows
from headrace.components.windows import executor
from headrace.components.windows.spool import Spool
from headrace.errors import DataError, DefinitionError, EmptyDataError
from headrace.features import series_lookup, windows
from headrace.features.series import read
from headrace.testing import channel, make_examples, read_examples, run_component

ASKED = windows(
    time="time", value="temp", lags=[0, 1, 5], horizon=3, rolling={"mean": [4], "std": [4]}, group="place"
)


def series(count: int = 120, places: tuple[str, ...] = ("a", "b"), start: str = "2013-01-01") -> pd.DataFrame:
    """Hourly values of places, in random order, with another column."""
    random = np.random.default_rng(0)
    times = pd.date_range(start, periods=count, freq="h")
    parts = [
        pd.DataFrame(
            {
                "time": times.strftime("%Y-%m-%dT%H:%M:%S"),
                "place": place,
                "temp": np.round(random.normal(20 * number, 3, count), 2),
                "wind": np.arange(count) % 7,
            }
        )
        for number, place in enumerate(places)
    ]
    return pd.concat(parts).sample(frac=1, random_state=1).reset_index(drop=True)


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """In an order that does not depend on that of the rows."""
    return frame.sort_values([*ASKED.group, "time"]).reset_index(drop=True)


def test_lags_and_rolling_means_are_those_of_pandas():
    """Shifted and rolled within each group."""
    frame = series()
    made = plain(ASKED.rows(frame))
    ordered = frame.sort_values(["place", "time"])
    by_place = ordered.groupby("place")["temp"]
    expected = ordered[["time", "place", "wind"]].copy()
    for lag in (0, 1, 5):
        expected[f"temp_lag_{lag}"] = by_place.shift(lag)
    expected["temp_mean_4"] = by_place.transform(lambda values: values.rolling(4).mean())
    expected["temp_std_4"] = by_place.transform(lambda values: values.rolling(4).std())
    expected["temp_ahead_3"] = by_place.shift(-3)
    expected = plain(expected.dropna())
    assert list(made.columns) == [*expected.columns]
    pd.testing.assert_frame_equal(made, expected, check_exact=False, rtol=1e-9)


def test_what_comes_later_changes_no_feature():
    """Values after a time are replaced by nonsense: what is known at it stays, what is to be predicted does not."""
    frame = series()
    cut = sorted(frame["time"].unique())[60]
    other = frame.copy()
    other.loc[other["time"] > cut, "temp"] = 1e9
    before, after = (plain(ASKED.rows(one)).loc[lambda rows: rows["time"] <= cut] for one in (frame, other))
    features = ["time", "place", *ASKED.features]
    pd.testing.assert_frame_equal(before[features], after[features])
    assert (after.loc[after["time"] == cut, ASKED.target] == 1e9).all()


def test_groups_do_not_mix():
    """What happens in one place changes nothing in another."""
    frame = series()
    alone = ASKED.rows(frame[frame["place"] == "b"])
    both = ASKED.rows(frame)
    pd.testing.assert_frame_equal(plain(alone), plain(both[both["place"] == "b"]))


@pytest.mark.parametrize("gaps", ["leave_out", "last"])
def test_serving_gives_the_features_of_training(gaps: str):
    """Of the raw rows up to a time, at every time; also where some are missing."""
    frame = series(40).drop(index=[3, 17, 30]).reset_index(drop=True)
    asked = read({**vars(ASKED), "gaps": gaps})
    trained = asked.rows(frame)
    for time in sorted(trained["time"].unique())[::5]:
        expected = trained[trained["time"] == time]
        served = asked.latest(frame[frame["time"] <= time])
        served = served[(served["time"] == time) & served["place"].isin(expected["place"])]
        pd.testing.assert_frame_equal(
            served.sort_values("place").reset_index(drop=True),
            expected.drop(columns=asked.target).sort_values("place").reset_index(drop=True),
        )


def test_a_gap_leaves_out_the_windows_that_need_it():
    """By time, and not by row: the row before a gap is no lag of the one after it."""
    frame = series(30, ("a",)).sort_values("time").reset_index(drop=True)
    asked = windows(time="time", value="temp", lags=[0, 2], horizon=1)
    missing = frame.drop(index=[10]).reset_index(drop=True)
    times = set(frame["time"])
    made = set(asked.rows(missing)["time"])
    needed = {frame["time"][row] for row in (9, 10, 12, 0, 1, 29)}
    assert made == times - needed
    filled = windows(time="time", value="temp", lags=[0, 2], horizon=1, gaps="last").rows(missing)
    row = filled[filled["time"] == frame["time"][12]].iloc[0]
    assert row["temp_lag_2"] == frame["temp"][9]
    # What stands for a missing value is never to be predicted.
    assert frame["time"][9] not in set(filled["time"])


@pytest.mark.parametrize("unit", ["s", "ms"])
def test_times_may_be_numbers(unit: str):
    """As ExampleGen leaves them."""
    frame = series(30, ("a",))
    size = {"s": 10**9, "ms": 10**6}[unit]
    counted = frame.assign(
        time=pd.to_datetime(frame["time"]).to_numpy().astype("datetime64[ns]").astype(int) // size
    )
    asked = read({**vars(ASKED), "unit": unit, "group": ()})
    of_text = read({**vars(ASKED), "group": ()})
    np.testing.assert_array_equal(asked.rows(counted)["temp_lag_5"], of_text.rows(frame)["temp_lag_5"])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"value": "tmp"}, "there is no column 'tmp'"),
        ({"value": "place"}, "holds something that is no number"),
        ({"time": "place"}, "holds something that is no time"),
        ({"step": "an hour"}, "step 'an hour' is no time"),
        ({"step": "7h"}, "does not lie so after"),
    ],
)
def test_rows_that_are_no_series_are_told(change: dict[str, Any], told: str):
    """With the column, and what it holds."""
    asked = read({**vars(ASKED), "group": (), **change})
    with pytest.raises(DataError) as caught:
        asked.rows(series(30, ("a",)))
    assert told in str(caught.value)


def test_two_values_at_one_time_are_told():
    """As of two places that nothing tells apart."""
    asked = read({**vars(ASKED), "group": ()})
    with pytest.raises(DataError) as caught:
        asked.rows(series(30))
    assert caught.value.problem.startswith(
        "windows: 30 rows have a time of 'time' that another row has with another value, such as 2013-01-01T00:00:00"
    )
    assert "group" in caught.value.fix


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"lags": [-1]}, "lag -1 lies after the time"),
        ({"lags": [], "rolling": {}}, "neither lags nor rolling"),
        ({"horizon": 0}, "horizon is 0"),
        ({"rolling": {"median": [3]}}, "rolling asks for 'median'"),
        ({"gaps": "interpolate"}, "gaps is 'interpolate'"),
        ({"group": "time"}, "name one column twice"),
        ({"horizons": 3}, "unexpected keyword argument 'horizons'"),
    ],
)
def test_windows_that_cannot_be_are_refused(change: dict[str, Any], told: str):
    """When they are declared."""
    with pytest.raises(DefinitionError) as caught:
        read({**vars(ASKED), **change})
    assert told in str(caught.value)


def run(tmp_path: Path, frame: pd.DataFrame, asked: Any, **given: Any) -> Any:
    """The component on rows that an ExampleGen divided at random."""
    rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    examples = make_examples(tmp_path / "rows", {"train": rows[::2], "eval": rows[1::2]})
    return run_component(Windows(channel(examples), asked, **given), tmp_path / "store")


def test_the_component_divides_by_time_and_leaves_the_past_alone(tmp_path: Path):
    """No row of a later split uses a time that an earlier one was to predict, or one before it."""
    frame = series()
    result = run(tmp_path, frame, ASKED, splits={"train": 2, "valid": 1, "eval": 1})
    made = result.output("windowed_examples")
    hour = pd.Timedelta("1h")
    last_target = pd.Timestamp.min
    total = 0
    for split in ("train", "valid", "eval"):
        rows = read_examples(made, split)
        times = pd.to_datetime([row["time"][0].decode() for row in rows])
        assert times.is_monotonic_increasing
        assert (times - ASKED.reach * hour).min() > last_target
        last_target = (times + ASKED.horizon * hour).max()
        total += len(rows)
    expected = ASKED.rows(frame)
    between = len(expected) - total
    # Two cuts, eight steps each, in two places.
    assert between == 2 * 2 * (ASKED.reach + ASKED.horizon)
    told = made.get_string_custom_property("headrace_summary")
    assert told.endswith(f"a step is 01:00:00; {between} rows between the splits left out")
    assert read(made.get_string_custom_property("windows")) == ASKED


def test_the_component_makes_what_the_function_does(tmp_path: Path):
    """All columns of a row; what is missing in others stays so; a row without value is a gap that is told."""
    frame = series(60, ("a",))
    frame.loc[frame["time"] == "2013-01-02T01:00:00", "temp"] = np.nan
    frame.loc[3, "wind"] = np.nan
    twice = pd.concat([frame, frame.iloc[[5]]])
    made = run(tmp_path, twice, ASKED, splits={"all": 1}).output("windowed_examples")
    rows = {row["time"][0].decode(): row for row in read_examples(made, "all")}
    expected = ASKED.rows(frame)
    assert sorted(rows) == sorted(expected["time"])
    for _, one in expected.iterrows():
        row = rows[one["time"]]
        assert "temp" not in row
        for name in (*ASKED.features, ASKED.target):
            np.testing.assert_allclose(row[name][0], one[name], rtol=1e-5)
        assert (row.get("wind") or [None])[0] == (None if pd.isna(one["wind"]) else one["wind"])
    told = made.get_string_custom_property("headrace_summary")
    assert "; 1 gaps, 1 times missing; 1 rows that came twice left out" in told


def test_parts_of_a_long_series_and_of_many_batches_make_the_same(tmp_path: Path, monkeypatch: Any):
    """With gaps; some columns are not in all batches, and rows are read in another order than they came in."""
    frame = series(90).drop(index=[5, 50, 51]).reset_index(drop=True)
    frame.loc[:99, "wind"] = np.nan
    asked = read({**vars(ASKED), "gaps": "last"})
    whole = run(tmp_path / "whole", frame, asked).output("windowed_examples")
    expected = [read_examples(whole, split) for split in ("train", "eval")]
    in_memory = asked.rows(frame)
    monkeypatch.setattr(series_lookup, "_BLOCK_ROWS", 7)
    monkeypatch.setattr(executor, "_BATCH_ROWS", 11)
    read_batches = executor.examples.read_record_batches
    monkeypatch.setattr(
        executor.examples, "read_record_batches", lambda *given: read_batches(*given, batch_rows=10)
    )
    parts = run(tmp_path / "parts", frame, asked).output("windowed_examples")
    assert [read_examples(parts, split) for split in ("train", "eval")] == expected
    assert {bool(row.get("wind")) for row in expected[0]} == {True, False}
    pd.testing.assert_frame_equal(asked.rows(frame), in_memory)


def test_a_column_of_two_types_is_told(tmp_path: Path):
    """With both, and its name."""
    spool = Spool(str(tmp_path), "Windows")
    batches = [pa.record_batch([pa.array(values)], ["wind"]) for values in ([[1]], [None], [["strong"]])]
    with pytest.raises(
        DataError, match="column 'wind' holds list<item: string> in one split or span and list"
    ):
        spool.fill(batches)


def test_too_few_rows_are_told(tmp_path: Path):
    """With what is left out between splits."""
    with pytest.raises(EmptyDataError, match="none of 8 rows has a whole window of 6 steps"):
        run(tmp_path / "one", series(4), ASKED)
    with pytest.raises(
        EmptyDataError, match="no window is left for split 'train', of 8: between two splits 8 steps"
    ):
        run(tmp_path / "two", series(12), ASKED)


def test_the_declaration_is_checked():
    """Before a run."""
    examples = Channel(type=standard_artifacts.Examples)
    with pytest.raises(DefinitionError, match="the share of split 'eval' is 0"):
        Windows(examples, ASKED, splits={"train": 1, "eval": 0})


@pytest.mark.parametrize(
    "change",
    [
        {"lags": "3"},
        {"lags": [1.5]},
        {"lags": None},
        {"lags": True},
        {"lags": -1},
        {"lags": 10**9},
        {"horizon": "3"},
        {"horizon": 10**20},
        {"rolling": "mean"},
        {"rolling": {"mean": None}},
        {"group": ""},
        {"group": 5},
        {"step": 5},
        {"unit": "weeks"},
        {"time": ""},
        {"value": None},
    ],
    ids=str,
)
def test_an_argument_of_another_kind_is_named(change: dict[str, Any]):
    """At once, with what was given, whatever it is."""
    (name,) = change
    with pytest.raises(DefinitionError, match=f"^windows: {name}"):
        windows(**{"time": "time", "value": "temp", "lags": 2, "horizon": 1, **change})


@pytest.mark.parametrize("given", [5, None, "x", [1], {"foo": 1}])
def test_windows_that_are_none_are_refused(given: Any):
    """Where the pipeline is written."""
    with pytest.raises(DefinitionError, match=r"^windows: "):
        Windows(Channel(type=standard_artifacts.Examples), windows=given)
