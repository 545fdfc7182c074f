"""What the page of statistics says of features, and that it says no more than the statistics hold."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2

from headrace.formats.descriptions import Description
from headrace.reports.artifacts import standing_out, statistics
from headrace.reports.artifacts.feature_statistics import FeatureStatistics, parse


def numbers(deciles: list[float], num_missing: int = 0, num_nan: int = 0, **values: Any) -> FeatureStatistics:
    """A numeric feature of 1,000 rows with these borders of tenths."""
    feature = statistics_pb2.FeatureNameStatistics(name="x", type="FLOAT")
    stats = feature.num_stats
    stats.common_stats.num_non_missing, stats.common_stats.num_missing = 1_000 - num_missing, num_missing
    stats.common_stats.tot_num_values = 1_000 - num_missing
    stats.common_stats.min_num_values = stats.common_stats.max_num_values = 1
    stats.min, stats.max, stats.mean = deciles[0], deciles[-1], sum(deciles) / len(deciles)
    for name, value in values.items():
        setattr(stats, name, value)
    standard = stats.histograms.add(type="STANDARD", num_nan=num_nan)
    standard.buckets.add(low_value=deciles[0], high_value=deciles[-1], sample_count=1_000)
    quantiles = stats.histograms.add(type="QUANTILES")
    for low, high in itertools.pairwise(deciles):
        quantiles.buckets.add(low_value=low, high_value=high, sample_count=100)
    return parse([feature], 1_000)[0]


def texts(counts: dict[str, int], unique: int | None = None) -> FeatureStatistics:
    """A text feature with these values."""
    feature = statistics_pb2.FeatureNameStatistics(name="x", type="STRING")
    stats = feature.string_stats
    total = sum(counts.values())
    stats.common_stats.num_non_missing = stats.common_stats.tot_num_values = total
    stats.common_stats.min_num_values = stats.common_stats.max_num_values = 1
    stats.unique = len(counts) if unique is None else unique
    for label, count in counts.items():
        stats.rank_histogram.buckets.add(label=label, sample_count=count)
    return parse([feature], total)[0]


@pytest.mark.parametrize(
    ("deciles", "share", "shown"),
    [
        # 720 zeros and 280 times 1,000: the third quartile is 1,000, and half of it is nobody's value.
        ([0.0] * 8 + [1_000.0] * 3, 0.75, "0 to 1,000"),
        ([0.0] * 8 + [1_000.0] * 3, 0.25, 0.0),
        ([0.0] * 8 + [1_000.0] * 3, 0.9, 1_000.0),
        ([float(number) for number in range(11)], 0.75, "7 to 8"),
        ([float(number) for number in range(11)], 0.1, 1.0),
        ([float(number) for number in range(5)], 0.25, 1.0),
    ],
)
def test_a_quantile_is_a_border_that_is_known_or_the_two_that_it_lies_between(deciles, share, shown):
    """Nothing is interpolated between deciles and shown as a fact."""
    assert statistics._quantile(deciles, share) == shown


@pytest.mark.parametrize(("percent", "shown"), [(25, 0.0), (75, 1_000.0), (10, 0.0), (90, 1_000.0)])
def test_quartiles_that_are_known_are_shown(percent, shown):
    """In place of the two borders."""
    known = replace(numbers([0.0] * 8 + [1_000.0] * 3), quartiles=(0.0, 1_000.0))

    assert statistics._percentile(known, percent) == shown


@pytest.mark.parametrize(
    ("feature", "remark"),
    [
        (numbers([float(n) for n in range(11)], num_missing=4), "0.4 % missing (4 rows)"),
        (numbers([float(n) for n in range(11)], num_missing=400), "40 % missing (400 rows)"),
        (
            numbers([float(n) for n in range(10)] + [1e9]),
            "values far from all others: 1,000,000,000",
        ),
        (numbers([float(n) for n in range(10)] + [1e9]), "mean 90,909,095, median 0"),
        (
            numbers([-1e9, *[float(n) for n in range(10)]], median=4.5),
            "values far from all others: -1,000,000,000",
        ),
        (numbers([*[float(n) for n in range(10)], math.inf]), "infinite: ∞"),
        (numbers([float(n) for n in range(11)], num_nan=3), "3 values NaN"),
        (numbers([2.0] * 11), "one value only"),
        (numbers([0.0] * 11, num_zeros=900), "90 % zeros"),
        (texts({"1.5": 500, "2": 480, "n/a": 1}), "text where nearly all values are numbers, such as 'n/a'"),
        (texts({f"id{n}": 1 for n in range(200)}), "almost all different (200 of 200)"),
        (texts({"good": 970, "bad": 30}), "unbalanced: 97 % are 'good'"),
        (texts({"good": 500, "bad": 300, "worst": 1}), "a rare value: 'worst' in 1 row"),
    ],
)
def test_what_is_remarkable_is_said(feature, remark):
    """A feature with any of these never stands under a sentence that nothing stands out."""
    line = statistics.one_line({"train": feature}, ["train"])

    assert remark in [text for _, text in line.remarks]


def test_nan_is_missing_in_the_list_as_in_the_table():
    """Of no numbers at all TFDV's file has zeros: they are neither a mean nor a constant."""
    some = numbers([float(n) for n in range(11)], num_nan=250)
    none = numbers([0.0] * 11, num_nan=1_000)

    assert statistics.one_line({"train": some}, ["train"]).values[0] == "25 %"
    line = statistics.one_line({"train": none}, ["train"])
    assert line.values == ["100 %", "–", "–"]
    assert [text for _, text in line.remarks] == ["no values", "1,000 values NaN"]


def test_a_count_of_rows_names_its_split():
    """Where there are several: in all of them together there may be more."""
    few, many = (numbers([float(n) for n in range(11)], num_missing=count) for count in (4, 40))
    rare = texts({"good": 500, "bad": 300, "worst": 1}), texts({"good": 500, "bad": 300})

    found = statistics.one_line({"train": few, "eval": many}, ["train", "eval"]).remarks
    assert "4 % missing (40 rows of eval)" in [text for _, text in found]
    found = statistics.one_line({"train": rare[1], "eval": rare[0]}, ["train", "eval"]).remarks
    assert "a rare value: 'worst' in 1 row of eval" in [text for _, text in found]


@pytest.mark.parametrize(
    "feature",
    [
        numbers([float(n) for n in range(11)]),
        numbers([float(n) for n in range(10)] + [100.0]),
        texts({"red": 10, "green": 20}),
        texts({"1": 10, "2": 20}),
    ],
)
def test_an_ordinary_feature_has_no_remark(feature):
    """A long tail, a code of digits."""
    assert statistics.one_line({"train": feature}, ["train"]).remarks == []


def test_a_mean_that_few_values_move_is_said():
    """A hundred times the quartiles' distance is not reached, but nobody's value lies near the mean."""
    feature = replace(numbers([float(n) for n in range(11)], median=5.0), mean=300.0, quartiles=(2.0, 8.0))

    assert statistics.one_line({"train": feature}, ["train"]).remarks == [
        ("warning", "a few values move the mean: mean 300, median 5")
    ]


def test_an_integer_that_is_always_another_may_be_an_id():
    """A number with a fraction is always another as a rule."""
    table = Description(1_000, 0, 0.0, 1.0, 0, (1, 2, 3), 9, 0.0, distinct=1_000)
    known = replace(numbers([float(n) for n in range(11)]), description=table)

    found = [
        statistics.one_line({"x": replace(known, kind=kind)}, ["x"]).remarks for kind in ("INT", "FLOAT")
    ]

    assert found == [[("info", "almost all different (1,000 of 1,000)")], []]


def test_few_rows_that_differ_by_chance_are_no_finding():
    """Seven of ten beside five of ten is as likely as not."""
    splits = {"train": texts({"a": 5, "b": 5}), "eval": texts({"a": 7, "b": 3})}
    assert statistics.one_line(splits, list(splits)).remarks == []

    many = {"train": texts({"a": 500, "b": 500}), "eval": texts({"a": 700, "b": 300})}
    assert statistics.one_line(many, list(many)).remarks == [("warning", "splits differ: L∞ 0.20")]


def test_every_check_has_a_rule_and_a_name_of_its_own():
    names = [check.name for check in standing_out.CHECKS]

    assert len(set(names)) == len(names) >= 12
    assert all(check.rule.endswith(".") for check in standing_out.CHECKS)


def test_the_rules_of_what_was_found_are_shown():
    seen = [standing_out.Seen({"train": numbers([2.0] * 11, num_missing=1)})]

    assert [name for name, _ in standing_out.rules(seen)] == ["missing values", "constant features"]


def test_the_sentence_on_all_features_claims_what_was_looked_at():
    """One split cannot be unlike another; without rows nothing is good."""
    one = numbers([float(n) for n in range(11)])

    assert statistics._verdict({"x": {"train": one}}, 0, 10).text == (
        "Nothing stands out: no missing values, no constant features."
    )
    assert statistics._verdict({"x": {"train": one, "eval": one}}, 0, 10).text == (
        "Nothing stands out: no missing values, no constant features, splits alike."
    )
    assert statistics._verdict({"x": {"train": one}}, 0, 0).tone == "warning"
    (note,) = statistics._without_rows({"train": 3, "eval": 0})
    assert note.text == "No row in 'eval': nothing is known of it."
