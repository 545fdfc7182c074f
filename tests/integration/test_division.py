"""ExampleGens whose rows are divided by what all of them hold: real files, written and read back."""

from __future__ import annotations

import gzip
import json
import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from conftest_example_gen import data, deterministic, files, records, run  # noqa: F401

from headrace import splits
from headrace.components import CsvExampleGen, ImportExampleGen, ParquetExampleGen
from headrace.components.example_gen import csv_executor, driver, import_executor, parquet_executor
from headrace.errors import DataError, DefinitionError, EmptyDataError
from headrace.formats import divisions
from headrace.formats.examples import tfrecord
from headrace.runtime.context import SUMMARY_PROPERTY

_SHARES = {"train": 3, "valid": 1, "test": 1}


def _frame(num_rows=400):
    chooser = np.random.default_rng(3)
    return pd.DataFrame(
        {
            "id": np.arange(num_rows),
            "quality": chooser.choice([3, 4, 5, 6, 7, 8], num_rows, p=[0.02, 0.05, 0.4, 0.38, 0.13, 0.02]),
            "patient": [f"paciente {one}" for one in chooser.integers(0, 30, num_rows)],
            "time": pd.date_range("2013-10-01", periods=num_rows, freq="h").strftime("%Y-%m-%d %H:%M"),
            "set": chooser.choice(["TRAIN", "TEST"], num_rows, p=[0.7, 0.3]),
            "alcohol": chooser.random(num_rows).round(3),
        }
    )


def _csv(folder, frame, name="a.csv"):
    frame.to_csv(folder / name, index=False)


def _rows(examples, split):
    """The rows of a split as a frame, by TensorFlow's own reader."""
    rows = []
    for record in records(examples, split):
        features = tf.train.Example.FromString(record).features.feature
        rows.append(
            {
                name: next(iter(getattr(value, value.WhichOneof("kind")).value), None)
                for name, value in features.items()
                if value.WhichOneof("kind")
            }
        )
    return pd.DataFrame(rows)


def _run(folder, target, kind=CsvExampleGen, executor=csv_executor.Executor, **options):
    return run(executor, kind(input_base=str(folder), **options), target)


@pytest.mark.parametrize("num_shards", [1, 3])
def test_each_class_has_its_share_whatever_the_number_of_files(data, tmp_path, num_shards):  # noqa: F811
    """Within one row; the same rows in each split for any number of shards and order of files."""
    frame = _frame()
    for number in range(4):
        _csv(data, frame[number * 100 : number * 100 + 100], f"{'cadb'[number]}.csv")
    options = {"splits": _SHARES, "split_by": splits.stratify("quality")}
    examples = _run(data, tmp_path / "out", num_shards=num_shards, **options)
    found = {name: _rows(examples, name) for name in _SHARES}
    assert sorted(pd.concat(found.values())["id"]) == list(range(400))
    for quality, count in frame["quality"].value_counts().items():
        for name, weight in _SHARES.items():
            assert abs((found[name]["quality"] == quality).sum() - count * weight / 5) < 1

    division = divisions.read(examples.uri)
    assert division.rows == {name: len(rows) for name, rows in found.items()}
    assert division.split_by == {"stratify": "quality"}
    assert division.classes.rows["train"] == found["train"]["quality"].value_counts().sort_index().tolist()
    other = tmp_path / "whole"
    other.mkdir()
    _csv(other, frame)
    alone = _run(other, tmp_path / "alone", **options)
    for name in _SHARES:
        assert sorted(found[name]["id"]) == sorted(_rows(alone, name)["id"])


def test_shuffle_divides_boston_housing_as_keras_does(data, tmp_path):  # noqa: F811
    """404 and 102 rows: shuffled row numbers, cut; `keras.datasets.boston_housing.load_data`'s definition."""
    frame = pd.DataFrame({"row": np.arange(506), "medv": np.linspace(5, 50, 506)})
    _csv(data, frame)
    examples = _run(
        data, tmp_path / "out", splits={"train": 0.8, "test": 0.2}, split_by="shuffle(seed=113)", num_shards=3
    )
    order = np.arange(506)
    np.random.RandomState(113).shuffle(order)
    assert sorted(_rows(examples, "train")["row"]) == sorted(order[:404])
    assert sorted(_rows(examples, "test")["row"]) == sorted(order[404:])
    summary = examples.get_string_custom_property(SUMMARY_PROPERTY)
    assert summary == "train 404 rows, test 102 rows; shuffle(seed=113)"


def test_hash_by_splits_is_that_of_output_config(data, tmp_path):  # noqa: F811
    """The very same bytes, and how it was divided beside them."""
    _csv(data, _frame().rename(columns={"quality": "Label"}))
    buckets = [{"name": "train", "hash_buckets": 4}, {"name": "eval", "hash_buckets": 1}]
    for number, (given, config) in enumerate(
        [
            ({"splits": {"train": 0.8, "eval": 0.2}}, {"splits": buckets}),
            (
                {"splits": {"train": 4, "eval": 1}, "split_by": {"hash": "patient"}},
                {"splits": buckets, "partition_feature_name": "patient"},
            ),
        ]
    ):
        ours = _run(data, tmp_path / f"ours{number}", **given)
        tfx = _run(data, tmp_path / f"tfx{number}", output_config={"split_config": config})
        made = files(ours.uri)
        division = json.loads(made.pop(divisions.FILE))
        assert made == files(tfx.uri)
        assert division["classes"]["feature"] == "Label"
        assert sum(map(sum, division["classes"]["rows"].values())) == 400


def test_groups_stay_together(data, tmp_path):  # noqa: F811
    """And the shares that were reached are said."""
    _csv(data, _frame())
    examples = _run(data, tmp_path / "out", splits=_SHARES, split_by=splits.group("patient"), num_shards=2)
    found = {name: set(_rows(examples, name)["patient"]) for name in _SHARES}
    assert sum(map(len, found.values())) == len(set.union(*found.values())) == 30
    division = divisions.read(examples.uri)
    assert all(abs(division.rows[name] - 400 * weight / 5) <= 2 for name, weight in _SHARES.items())
    assert "30 groups: " in examples.get_string_custom_property(SUMMARY_PROPERTY)


@pytest.mark.parametrize("payload", ["FORMAT_TF_EXAMPLE", "FORMAT_PARQUET"])
def test_time_keeps_its_gap_and_counts_what_lies_in_it(data, tmp_path, payload):  # noqa: F811
    """The newest rows to the last split."""
    frame = _frame()
    _csv(data, frame.sample(frac=1, random_state=1))
    examples = _run(
        data,
        tmp_path / "out",
        splits=_SHARES,
        split_by=splits.time("time", gap="24h"),
        output_data_format=payload,
    )
    if payload == "FORMAT_PARQUET":
        found = {
            name: [
                cell[0].decode() for cell in pq.read_table(f"{examples.uri}/Split-{name}")["time"].to_pylist()
            ]
            for name in _SHARES
        }
    else:
        found = {name: [cell.decode() for cell in _rows(examples, name)["time"]] for name in _SHARES}
    times = {name: pd.to_datetime(cells) for name, cells in found.items()}
    assert times["train"].max() + pd.Timedelta("24h") == times["valid"].min()
    assert times["valid"].max() + pd.Timedelta("24h") == times["test"].min()
    division = divisions.read(examples.uri)
    assert list(division.excluded.values()) == [23, 23]
    assert sum(division.rows.values()) + 46 == 400


def test_a_column_names_the_split_and_is_dropped(data, tmp_path):  # noqa: F811
    """With the names that it is given, from a packed file too."""
    frame = _frame()
    (data / "a.csv.gz").write_bytes(gzip.compress(frame.to_csv(index=False).encode()))
    way = splits.column("set", names={"TRAIN": "train", "TEST": "test"}, drop=True)
    examples = _run(data, tmp_path / "out", split_by=way)
    assert json.loads(examples.split_names) == ["test", "train"]
    for value, name in way.option("names").items():
        assert sorted(_rows(examples, name)["id"]) == sorted(frame["id"][frame["set"] == value])
        assert "set" not in _rows(examples, name)


def test_tfrecords_and_parquet_are_divided_as_csv_is(data, tmp_path):  # noqa: F811
    """By a feature of tf.Examples and a column of a table; Parquet that stays Parquet, too."""
    frame = _frame()
    pq.write_table(pa.Table.from_pandas(frame), data / "a.parquet")
    way = splits.time("time", gap="2h")
    read = _run(
        data, tmp_path / "read", ParquetExampleGen, parquet_executor.Executor, splits=_SHARES, split_by=way
    )
    kept = _run(
        data,
        tmp_path / "kept",
        ImportExampleGen,
        import_executor.Executor,
        payload_format="FORMAT_PARQUET",
        splits=_SHARES,
        split_by=way,
    )
    again = tmp_path / "records"
    again.mkdir()
    with tfrecord.Writer(str(again / "a.gz")) as writer:
        for name in _SHARES:
            writer.write(records(read, name))
    third = _run(
        again,
        tmp_path / "third",
        ImportExampleGen,
        import_executor.Executor,
        splits=_SHARES,
        split_by=splits.time("time"),
    )
    for name in _SHARES:
        ids = sorted(_rows(read, name)["id"])
        assert ids == sorted(pq.read_table(f"{kept.uri}/Split-{name}")["id"].to_pylist())
    assert sum(divisions.read(third.uri).rows.values()) == 398


def test_sequence_examples_are_divided_by_their_context(data, tmp_path):  # noqa: F811
    """What stays the same over a sequence; and the feature can be left out."""
    protos = []
    for number in range(20):
        proto = tf.train.SequenceExample()
        proto.context.feature["set"].bytes_list.value.append(b"ab"[number % 2 :][:1])
        proto.feature_lists.feature_list["x"].feature.add().int64_list.value.append(number)
        protos.append(proto.SerializeToString())
    with tfrecord.Writer(str(data / "a.gz")) as writer:
        writer.write(protos)
    examples = _run(
        data,
        tmp_path / "out",
        ImportExampleGen,
        import_executor.Executor,
        payload_format="FORMAT_TF_SEQUENCE_EXAMPLE",
        split_by=splits.column("set", drop=True),
    )
    found = [tf.train.SequenceExample.FromString(one) for one in records(examples, "b")]
    assert [one.feature_lists.feature_list["x"].feature[0].int64_list.value[0] for one in found] == list(
        range(1, 20, 2)
    )
    assert not found[0].context.feature


def test_folders_are_splits(data, tmp_path):  # noqa: F811
    """Whatever they are called; files beside them are said."""
    for name in ("train", "val", "notes"):
        (data / name).mkdir()
    frame = _frame(20)
    _csv(data / "train", frame[:15])
    _csv(data / "val", frame[15:])
    _csv(data, frame, "beside.csv")
    (data / "notes" / "readme.txt").write_text("nothing")
    component = CsvExampleGen(
        input_base=str(data),
        input_config={"splits": [{"name": "all", "pattern": "*.csv"}]},
        split_by="folders",
    )
    resolved = driver.Driver(None).resolve_exec_properties(dict(component.exec_properties), None, None)
    examples = run(csv_executor.Executor, component, tmp_path / "out", **resolved)
    assert json.loads(examples.split_names) == ["train", "val"]
    assert [len(_rows(examples, name)) for name in ("train", "val")] == [15, 5]
    assert "1 file lies beside the folders" in examples.get_string_custom_property(SUMMARY_PROPERTY)


@pytest.mark.parametrize(
    ("text", "way", "error", "message"),
    [
        (
            "a,b\n1,2\n",
            splits.stratify("c"),
            DefinitionError,
            "csv_executor: stratify(\"c\"): the rows have no feature 'c'.",
        ),
        ("a,b\n", splits.stratify("a"), EmptyDataError, "hold no rows."),
        ("a,b\n1,2\n", splits.shuffle(), DataError, "no row would go into 'train', 'valid'"),
        (
            "t\n2013-01-01\n2013-13-01\n",
            splits.time("t"),
            DataError,
            "'2013-13-01' in row 2 of the input is no date",
        ),
    ],
)
def test_what_cannot_be_divided_leaves_nothing(data, tmp_path, text, way, error, message):  # noqa: F811
    """Neither folders nor files of splits."""
    (data / "a.csv").write_text(text)
    with pytest.raises(error) as caught:
        _run(data, tmp_path / "out", splits=_SHARES, split_by=way)
    assert message.removeprefix("csv_executor: ") in str(caught.value)
    assert os.listdir(tmp_path / "out") == []


@pytest.mark.parametrize(
    "way", [splits.by_hash(), splits.shuffle(seed=1), splits.by_hash("patient")], ids=str
)
@pytest.mark.parametrize("order", [("train", "test"), ("test", "train")], ids=" ".join)
def test_one_of_several_input_splits_is_divided(data, tmp_path, way, order):  # noqa: F811
    """The one that has a name of the splits, as if it were alone; the others stay as they are."""
    frame = _frame()
    _csv(data, frame[:300], "train.csv")
    _csv(data, frame[300:], "test.csv")
    asked = {"splits": {"train": 3, "valid": 1}, "split_by": way, "num_shards": 2}
    inputs = [{"name": name, "pattern": f"{name}.csv"} for name in order]

    examples = _run(data, tmp_path / "out", input_config={"splits": inputs}, **asked)

    alone = {"splits": [{"name": "all", "pattern": "train.csv"}]}
    expected = _run(data, tmp_path / "alone", input_config=alone, **asked)
    for split in ("train", "valid"):
        assert sorted(records(examples, split)) == sorted(records(expected, split))
    assert sorted(_rows(examples, "test")["id"]) == list(range(300, 400))
    assert "test as given" in examples.get_string_custom_property(SUMMARY_PROPERTY)
    assert divisions.read(examples.uri).rows["test"] == 100
