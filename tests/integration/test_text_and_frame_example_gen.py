"""Texts, JSON and tables in memory end to end: features, splits, the cache, what cannot be read, stock TFX behind them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from conftest_example_gen import records
from executor_contexts import executor_context
from tfx.components.statistics_gen.executor import Executor as StockStatisticsGen
from tfx.types import standard_artifacts
from tfx.utils import json_utils

from headrace import testing
from headrace.components import DataFrameExampleGen, JsonExampleGen, TextExampleGen
from headrace.errors import MalformedFileError
from headrace.formats import quarantine

ONE = {"splitConfig": {"splits": [{"name": "all", "hashBuckets": 1}]}}


def stock_statistics(examples, folder: Path):
    """What stock StatisticsGen makes of the split `all`."""
    made = standard_artifacts.ExampleStatistics()
    made.uri = str(folder)
    StockStatisticsGen(executor_context(f"{folder}.tmp")).Do(
        {"examples": [examples]}, {"statistics": [made]}, {"exclude_splits": json_utils.dumps([])}
    )
    return tfdv.load_stats_binary(f"{made.uri}/Split-all/FeatureStats.pb").datasets[0]


@pytest.mark.parametrize("payload", ["FORMAT_TF_EXAMPLE", "FORMAT_PARQUET"])
def test_lines_are_those_of_tensorflow_and_what_cannot_be_read_is_set_aside(tmp_path, payload):
    """Read + quarantined = found."""
    folder = tmp_path / "data"
    folder.mkdir()
    lines = [f"{number % 2}\tlínea {number}".encode() for number in range(2_000)]
    lines[700] = b"no label"
    (folder / "a.txt").write_bytes(b"\n".join(lines))
    options = {"label": "first", "output_config": ONE, "num_shards": 2, "output_data_format": payload}

    with pytest.raises(MalformedFileError, match="line 701: has no tab between label and text"):
        testing.run_component(TextExampleGen(str(folder), **options), tmp_path / "store")
    gen = TextExampleGen(str(folder), on_error="quarantine", **options)
    examples = testing.run_component(gen, tmp_path / "store").output("examples")

    assert [item.place for item in quarantine.read(examples.uri)] == ["line 701"]
    summary = examples.get_string_custom_property("headrace_summary")
    assert summary == "all 1,999 rows; 1 unreadable in quarantine"
    if payload == "FORMAT_TF_EXAMPLE":
        read = [tf.train.Example.FromString(record).features.feature for record in records(examples, "all")]
        stock = [line.numpy() for line in tf.data.TextLineDataset(str(folder / "a.txt"))]
        joined = [f["label"].bytes_list.value[0] + b"\t" + f["text"].bytes_list.value[0] for f in read]
        assert sorted(joined) == sorted(line for line in stock if b"\t" in line)


def test_frame_is_read_back_equal_and_known_by_its_content(tmp_path):
    """To stock StatisticsGen and to the cache."""
    chooser = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "fare": chooser.random(3_000),
            "seats": pd.array([None if row % 7 == 0 else row for row in range(3_000)], "Int64"),
            "paid": pd.Categorical(np.array(["cash", "card"])[chooser.integers(0, 2, 3_000)]),
        }
    )

    def run(given):
        gen = DataFrameExampleGen(given, ONE, folder=str(tmp_path / "frames"))
        return testing.run_component(gen, tmp_path / "store")

    first = run(frame)
    examples = first.output("examples")
    rows = testing.read_examples(examples, "all")
    assert [row["fare"][0] for row in rows] == frame["fare"].astype(np.float32).tolist()
    assert [len(row["seats"] or []) for row in rows] == frame["seats"].notna().astype(int).tolist()
    assert [row["paid"][0] for row in rows] == [value.encode() for value in frame["paid"]]

    statistics = stock_statistics(examples, tmp_path / "stock")
    found = {feature.path.step[0]: feature for feature in statistics.features}
    assert found["seats"].num_stats.common_stats.num_missing == frame["seats"].isna().sum()
    assert found["fare"].num_stats.mean == pytest.approx(frame["fare"].mean(), rel=1e-6)
    assert found["paid"].string_stats.unique == 2

    changed = frame.copy()
    changed.loc[5, "fare"] = 0.0
    states = [first, run(frame.copy()), run(changed)]
    assert [each.node.state.value for each in states] == ["done", "cached", "done"]


def test_mapping_of_frames_gives_splits(tmp_path):
    frames = {"train": pd.DataFrame({"x": [1, 2]}), "eval": pd.DataFrame({"x": [3]})}
    gen = DataFrameExampleGen(frames, folder=str(tmp_path / "frames"))
    examples = testing.run_component(gen, tmp_path / "store").output("examples")
    assert [len(records(examples, split)) for split in ("train", "eval")] == [2, 1]


def test_json_is_read_as_pandas_reads_it(tmp_path):
    """Over parts of which the first knows only integers."""
    folder = tmp_path / "data"
    folder.mkdir()
    rows = [{"n": row if row < 900 else row + 0.5, "user": {"name": f"n{row % 3}"}} for row in range(1_000)]
    (folder / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    gen = JsonExampleGen(str(folder), output_config=ONE, num_shards=3)
    examples = testing.run_component(gen, tmp_path / "store").output("examples")

    frame = pd.json_normalize(rows)
    read = pd.DataFrame(testing.read_examples(examples, "all"))
    assert [value[0] for value in read["n"]] == frame["n"].tolist()
    assert [value[0].decode() for value in read["user.name"]] == frame["user.name"].tolist()
    found = {
        feature.path.step[0]: feature for feature in stock_statistics(examples, tmp_path / "stock").features
    }
    assert found["n"].num_stats.mean == pytest.approx(frame["n"].mean())
    assert found["user.name"].string_stats.unique == 3
