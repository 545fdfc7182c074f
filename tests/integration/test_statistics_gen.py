"""StatisticsGen: what stock TFX computes, from the same Examples."""

from __future__ import annotations

import inspect
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow_data_validation as tfdv
from data_validation import (
    example,
    execute,
    in_files,
    odd_records,
    statistics_of,
    taxi_records,
)
from google.protobuf import text_format
from google.protobuf.descriptor import FieldDescriptor
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.statistics_gen import executor as stock
from tfx.types.standard_artifacts import ExampleStatistics
from tfx_bsl.public.proto import slicing_spec_pb2

from headrace.components.statistics_gen.executor import Executor
from headrace.components.statistics_gen.option_names import PLAIN_OPTIONS
from headrace.errors import DataError, DefinitionError, MalformedFileError, UnknownSplitError
from headrace.formats import descriptions, protos
from headrace.testing import make_examples, make_schema

_FLOATS = (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT)


def _assert_close(ours: Any, theirs: Any, where: str = "") -> None:
    """Equal messages; `mean`, `std_dev` and weighted sums may differ in how floats were added up."""
    assert {f.name for f, _ in ours.ListFields()} == {f.name for f, _ in theirs.ListFields()}, where
    for field, value in theirs.ListFields():
        mine, here = getattr(ours, field.name), f"{where}.{field.name}"
        if field.label == FieldDescriptor.LABEL_REPEATED and field.message_type is not None:
            assert len(mine) == len(value), here
            for index, (left, right) in enumerate(zip(mine, value)):
                _assert_close(left, right, f"{here}[{index}]")
        elif field.message_type is not None:
            _assert_close(mine, value, here)
        elif field.type in _FLOATS and field.name in ("mean", "std_dev"):
            assert mine == pytest.approx(value, rel=1e-9, nan_ok=True), here
        elif field.type in _FLOATS and isinstance(value, float) and math.isnan(value):
            assert math.isnan(mine), here
        else:
            assert mine == value, here


def _assert_statistics_equal(ours: Any, theirs: Any) -> None:
    """Compare dataset by dataset and feature by feature; stock's order of both is not defined."""
    mine = {dataset.name: dataset for dataset in ours.datasets}
    assert list(mine) == sorted(mine, key=lambda name: (name != "All Examples", name))
    assert set(mine) == {dataset.name for dataset in theirs.datasets}
    for dataset in theirs.datasets:
        left = mine[dataset.name]
        left_features = {tuple(f.path.step): f for f in left.features}
        right_features = {tuple(f.path.step): f for f in dataset.features}
        assert list(left_features) == sorted(right_features)
        assert left.num_examples == dataset.num_examples
        for path, feature in right_features.items():
            _assert_close(left_features[path], feature, "/".join(path))


def _compare(
    folder: Path, examples: Any, splits: tuple[str, ...], schema: Any = None, **parameters: Any
) -> Any:
    inputs = {"examples": examples, "schema": schema}
    ours = execute(Executor, folder / "ours", inputs, "statistics", ExampleStatistics, parameters)
    theirs = execute(stock.Executor, folder / "stock", inputs, "statistics", ExampleStatistics, parameters)
    for split in splits:
        _assert_statistics_equal(statistics_of(ours, split), statistics_of(theirs, split))
    return ours, theirs


@pytest.fixture(scope="module")
def odd_examples(tmp_path_factory: pytest.TempPathFactory) -> Any:
    records = odd_records()
    return make_examples(tmp_path_factory.mktemp("odd"), {"train": records, "eval": records[:300]})


@pytest.fixture(scope="module")
def small_taxi(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return make_examples(tmp_path_factory.mktemp("small"), {"train": taxi_records(1_000)})


def test_taxi_statistics_and_properties_equal_stock(tmp_path):
    """Two splits: equal protos, and the same artifact properties."""
    records = taxi_records(4_000)
    examples = make_examples(
        tmp_path / "examples", {"train": records[:2_500], "eval": records[2_500:]}, span=3
    )

    ours, theirs = _compare(tmp_path, examples, ("train", "eval"), exclude_splits="[]")

    assert ours.split_names == theirs.split_names
    assert ours.span == theirs.span == 3
    for key in ("stats_dashboard_link", "sample_rate_by_split"):
        assert ours.mlmd_artifact.custom_properties[key] == theirs.mlmd_artifact.custom_properties[key]
    assert (
        ours.get_string_custom_property("headrace_summary")
        == "train 2,500 rows, eval 1,500 rows; 18 features"
    )


def test_odd_values_equal_stock(tmp_path, odd_examples):
    """Missing, multi-valued and empty features, unicode, huge integers, NaN and infinities."""
    _compare(tmp_path, odd_examples, ("train",), exclude_splits='["eval"]')


def test_schema_and_options_equal_stock(tmp_path, odd_examples):
    """A categorical integer and a bytes feature from the schema input; bounds from the options."""
    schema = make_schema(
        tmp_path / "schema",
        'feature { name: "count" type: INT int_domain { is_categorical: true } }\n'
        'feature { name: "raw" type: BYTES image_domain {} }\n'
        'feature { name: "city" type: BYTES }\n',
    )
    options = tfdv.StatsOptions(num_top_values=3, num_rank_histogram_buckets=5, num_histogram_buckets=4)

    _compare(
        tmp_path,
        odd_examples,
        ("train", "eval"),
        schema,
        stats_options_json=options.to_json(),
        exclude_splits="[]",
    )


def test_options_may_be_a_mapping(tmp_path, small_taxi):
    """Of the arguments of `tfdv.StatsOptions`; all that are named are there."""
    options = {
        "num_top_values": 3,
        "feature_allowlist": ["payment_type", "fare"],
        "slicing_config": {"slicing_specs": [{"feature_keys": ["payment_type"]}]},
    }
    config = slicing_spec_pb2.SlicingConfig()
    config.slicing_specs.add(feature_keys=["payment_type"])
    same = tfdv.StatsOptions(**{**options, "slicing_config": config}).to_json()
    made = [
        execute(
            Executor,
            tmp_path / name,
            {"examples": small_taxi},
            "statistics",
            ExampleStatistics,
            {"stats_options_json": text},
        )
        for name, text in (("plain", json.dumps(options)), ("object", same))
    ]

    assert statistics_of(made[0], "train") == statistics_of(made[1], "train")
    assert set(PLAIN_OPTIONS) - set(inspect.signature(tfdv.StatsOptions).parameters) <= {
        "experimental_slice_sqls"
    }
    with pytest.raises(DefinitionError, match="num_histogram_buckets"):
        execute(
            Executor,
            tmp_path / "wrong",
            {"examples": small_taxi},
            "statistics",
            ExampleStatistics,
            {"stats_options_json": '{"num_histogram_buckets": 0}'},
        )


def test_slices_equal_stock(tmp_path, small_taxi):
    config = slicing_spec_pb2.SlicingConfig()
    config.slicing_specs.add(feature_keys=["payment_type"])
    options = tfdv.StatsOptions(slicing_config=config, feature_allowlist=["payment_type", "fare", "company"])

    ours, _ = _compare(tmp_path, small_taxi, ("train",), stats_options_json=options.to_json())

    names = [dataset.name for dataset in statistics_of(ours, "train").datasets]
    assert names[0] == "All Examples"
    assert "payment_type_Cash" in names


def test_sketches_and_semantic_domains_equal_stock(tmp_path, odd_examples):
    options = tfdv.StatsOptions(use_sketch_based_topk_uniques=True, enable_semantic_domain_stats=True)

    _compare(
        tmp_path, odd_examples, ("eval",), exclude_splits='["train"]', stats_options_json=options.to_json()
    )


def test_weights_are_left_to_tfdv(tmp_path, small_taxi):
    options = tfdv.StatsOptions(
        weight_feature="trip_start_hour", feature_allowlist=["trip_start_hour", "company"]
    )

    ours = execute(
        Executor,
        tmp_path,
        {"examples": small_taxi},
        "statistics",
        ExampleStatistics,
        {"stats_options_json": options.to_json()},
    )

    [dataset] = statistics_of(ours, "train").datasets
    assert dataset.weighted_num_examples > dataset.num_examples == 1_000
    assert dataset.features[0].string_stats.HasField("weighted_string_stats")


def test_files_of_a_split_merge_to_what_one_file_gives(tmp_path):
    records = taxi_records(3_000)
    one = make_examples(tmp_path / "one", {"train": records})
    many = make_examples(tmp_path / "many", {"train": in_files(records, 7)})

    found = [
        statistics_of(
            execute(Executor, tmp_path / name, {"examples": item}, "statistics", ExampleStatistics), "train"
        )
        for name, item in (("a", one), ("b", many))
    ]

    _assert_statistics_equal(*found)


def test_the_table_of_numbers_lies_beside_tfdvs_file(tmp_path):
    """Of all files of a split; one of text has none, nor a number that is a category."""
    order = np.random.default_rng(0).permutation(1_000)
    rows = [
        example(skewed=[0.0 if n < 720 else 1_000.0], even=[int(n)], text=[b"a"], code=[int(n % 3)])
        for n in order
    ]
    schema = make_schema(
        tmp_path / "schema", 'feature { name: "code" type: INT int_domain { is_categorical: true } }\n'
    )
    inputs = {"examples": make_examples(tmp_path / "rows", {"train": in_files(rows, 3)}), "schema": schema}

    made = execute(Executor, tmp_path, inputs, "statistics", ExampleStatistics)

    found = descriptions.read(f"{made.uri}/Split-train")
    assert {name: one.quartiles for name, one in found.items()} == {
        "skewed": (0, 0, 1_000),
        "even": (249.75, 499.5, 749.25),
    }
    assert found["even"].deviation == pytest.approx(np.arange(1_000).std(ddof=1))
    kept = descriptions.read_distributions(f"{made.uri}/Split-train")
    assert {name: (len(one.values), one.total) for name, one in kept.items()} == {
        "skewed": (2, 1_000),
        "even": (1_000, 1_000),
    }


def test_samples_and_bytes_are_the_same_each_time(tmp_path, small_taxi):
    parameters = {"sample_rate_by_split": '{"train": 0.3}'}
    outputs = [
        execute(
            Executor, tmp_path / name, {"examples": small_taxi}, "statistics", ExampleStatistics, parameters
        )
        for name in ("a", "b")
    ]

    files = [Path(output.uri, "Split-train", "FeatureStats.pb").read_bytes() for output in outputs]
    assert files[0] == files[1]
    assert 250 < statistics_of(outputs[0], "train").datasets[0].num_examples < 350


def _fail(tmp_path: Path, kind: type[Exception], examples: Any, **parameters: Any) -> str:
    with pytest.raises(kind) as caught:
        execute(
            Executor, tmp_path / "out", {"examples": examples}, "statistics", ExampleStatistics, parameters
        )
    return str(caught.value)


def test_unknown_split_says_what_exists(tmp_path, small_taxi):
    assert _fail(tmp_path, UnknownSplitError, small_taxi, exclude_splits='["trian"]') == (
        "statistics_gen: exclude_splits: there is no split 'trian'. Examples artifact 0 has splits 'train'.\n"
        "  Fix: did you mean 'train'? Correct the name, or add an output split named 'trian' to ExampleGen."
    )


def test_no_split_left_says_so(tmp_path, small_taxi):
    assert _fail(tmp_path, DefinitionError, small_taxi, exclude_splits='["train"]') == (
        "statistics_gen: no split is left. The examples have splits 'train', and exclude_splits names 'train'.\n"
        "  Fix: take a split out of exclude_splits."
    )


def test_an_empty_split_has_statistics_of_no_row_and_a_warning(tmp_path):
    """As under stock TFX the nodes behind go on; the summary says which split, and what to do."""
    examples = make_examples(tmp_path / "examples", {"train": [example(a=[1])], "eval": []})

    made = execute(Executor, tmp_path / "made", {"examples": examples}, "statistics", ExampleStatistics)

    (dataset,) = statistics_of(made, "eval").datasets
    assert dataset.num_examples == 0
    assert made.get_string_custom_property("headrace_summary") == (
        "train 1 rows, eval 0 rows; 1 features; warning: no row in 'eval': change the output splits of ExampleGen, or "
        "exclude_splits=['eval']"
    )


def test_a_label_gets_lifts(tmp_path):
    """`label_feature`: how much more often a value stands beside each label than alone."""
    rows = [example(y=[b"a"], c=[b"x"]), example(y=[b"b"], c=[b"z"]), example(y=[b"a"], c=[b"x"])] * 4
    options = tfdv.StatsOptions(
        schema=text_format.Parse(
            'feature { name: "y" type: BYTES } feature { name: "c" type: BYTES }', schema_pb2.Schema()
        ),
        label_feature="y",
    )
    made = execute(
        Executor,
        tmp_path / "made",
        {"examples": make_examples(tmp_path / "examples", {"train": rows})},
        "statistics",
        ExampleStatistics,
        {"stats_options_json": options.to_json()},
    )

    lifts = statistics_of(made, "train").datasets[0].cross_features
    by_value = {
        (lift.y_string, value.x_string): value.lift
        for cross in lifts
        for lift in cross.categorical_cross_stats.lift.lift_series
        for value in lift.lift_values
    }
    assert by_value[("a", "x")] == pytest.approx(1.5)
    assert by_value[("b", "z")] == pytest.approx(3.0)


def test_stats_options_that_do_not_parse_are_shown(tmp_path, small_taxi):
    assert _fail(tmp_path, DefinitionError, small_taxi, stats_options_json="{nonsense") == (
        "statistics_gen: stats_options_json does not parse: Expecting property name enclosed in double quotes: "
        "line 1 column 2 (char 1). Given: '{nonsense'.\n"
        "  Fix: give stats_options as a tfdv.StatsOptions, or as the text of its to_json()."
    )


def test_unknown_key_of_stats_options_is_named(tmp_path, small_taxi):
    message = _fail(tmp_path, DefinitionError, small_taxi, stats_options_json='{"num_top_value": 3}')

    assert message.startswith(
        "statistics_gen: stats_options_json has an unknown key 'num_top_value'. There are '"
    )
    assert message.endswith(
        "  Fix: did you mean 'num_top_values'? The text must be what to_json() of a tfdv.StatsOptions gives."
    )


def test_two_schemas_are_refused(tmp_path, small_taxi):
    schema = make_schema(tmp_path / "schema", 'feature { name: "fare" type: FLOAT }\n')
    options = tfdv.StatsOptions(schema=protos.read_schema(schema))

    with pytest.raises(DefinitionError) as caught:
        execute(
            Executor,
            tmp_path / "out",
            {"examples": small_taxi, "schema": schema},
            "statistics",
            ExampleStatistics,
            {"stats_options_json": options.to_json()},
        )

    assert str(caught.value) == (
        "statistics_gen: both the input 'schema' and stats_options hold a schema.\n  Fix: give one of them."
    )


def test_feature_of_two_types_is_named(tmp_path):
    """In two files of one split, where TFDV finds out only when it merges them."""
    records = [example(a=[1])] * 10 + [example(a=[1.5])] * 10
    examples = make_examples(tmp_path / "examples", {"train": in_files(records, 2)})

    assert _fail(tmp_path, DataError, examples) == (
        "split 'train': feature 'a' has values of two types in different rows.\n"
        "  Fix: give 'a' one type where the data is written, and run ExampleGen again."
    )


def test_damaged_file_is_named_without_beam_words(tmp_path):
    examples = make_examples(tmp_path / "examples", {"train": [example(a=[1])] * 100})
    [path] = Path(examples.uri, "Split-train").iterdir()
    path.write_bytes(path.read_bytes()[:40])

    message = _fail(tmp_path, MalformedFileError, examples)

    assert message.startswith(f"{path}: ")
    assert "while running" not in message
