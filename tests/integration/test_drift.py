"""Drift from the newest span before: what is found, what is not, and that it is found again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from conftest_runs import Run, in_process, run, states, store
from data_validation import TAXI_CSV, example, execute
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tfx.components.statistics_gen import executor as stock
from tfx.types.standard_artifacts import ExampleAnomalies, ExampleStatistics

from headrace.components import CsvExampleGen, ExampleValidator, SchemaGen, StatisticsGen
from headrace.components.example_validator.executor import Executor
from headrace.components.statistics_gen.executor import Executor as StatisticsExecutor
from headrace.errors import AnomaliesError, DefinitionError
from headrace.formats import artifacts, drift, protos
from headrace.reports.artifacts import anomalies as page
from headrace.reports.blocks.blocks import Table
from headrace.reports.blocks.pages import walk
from headrace.testing import make_examples, make_schema

_ = (run, store, in_process)  # fixtures

_INFO = anomalies_pb2.AnomalyInfo


def statistics(folder: Path, rows: pd.DataFrame, span: int, executor: Any = StatisticsExecutor) -> Any:
    """Statistics of one split, `train`."""
    records = [
        example(**{name: _value(row[name]) for name in rows.columns}) for row in rows.to_dict("records")
    ]
    examples = make_examples(folder / "rows", {"train": records}, span=span)
    return execute(executor, folder, {"examples": examples}, "statistics", ExampleStatistics)


def _value(value: Any) -> list[Any] | None:
    if isinstance(value, str):
        return [value.encode()]
    return None if pd.isna(value) else [float(value)]


def schema_of(rows: pd.DataFrame) -> str:
    kinds = {name: "BYTES" if rows[name].dtype == object else "FLOAT" for name in rows.columns}
    return "".join(f'feature {{ name: "{name}" type: {kind} }}\n' for name, kind in kinds.items())


def wine(num_rows: int = 1_600) -> pd.DataFrame:
    """Measurements as of wines: no two features hang together, so each is found or not by itself."""
    random = np.random.default_rng(5)
    columns = {
        "alcohol": random.normal(10.4, 1.06, num_rows).round(1),
        "chlorides": random.lognormal(-2.5, 0.35, num_rows).round(3),
        "residual_sugar": random.lognormal(0.8, 0.45, num_rows).round(1),
        "quality": random.choice([3, 4, 5, 6, 7, 8], num_rows, p=[0.01, 0.03, 0.42, 0.4, 0.12, 0.02]),
        "colour": random.choice(["red", "white", "rosé"], num_rows, p=[0.6, 0.35, 0.05]),
    }
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def spans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The same wines in two spans of 800; in the second, alcohol is higher by one."""
    folder, rows = tmp_path_factory.mktemp("spans"), wine()
    first, second = rows[::2], rows[1::2].copy()
    moved = second.assign(alcohol=second["alcohol"] + 1)
    return {
        "schema": make_schema(folder / "schema", schema_of(rows)),
        "first": statistics(folder / "1", first, 1),
        "same": statistics(folder / "2", second, 2),
        "moved": statistics(folder / "3", moved, 2),
        "stock": statistics(folder / "4", first, 1, stock.Executor),
        "gaps": statistics(
            folder / "5", second.assign(colour=second["colour"].where(second.index % 3 > 0)), 2
        ),
        "pale": statistics(
            folder / "6", second.assign(colour=second["colour"].where(second.index % 3 > 0, "white")), 2
        ),
    }


def validate(
    folder: Path, spans: dict[str, Any], now: str, before: str | None = "first", **given: Any
) -> Any:
    inputs = {
        "statistics": spans[now],
        "schema": spans["schema"],
        "baseline_statistics": spans[before] if before else None,
    }
    parameters = {"exclude_splits": "[]", "fail_on": "never", "baseline": "previous", **given}
    return execute(Executor, folder / "out", inputs, "anomalies", ExampleAnomalies, parameters)


def found_in(output: Any) -> dict[str, list[int]]:
    found = protos.read_anomalies(output, "train").anomaly_info
    return {name: [reason.type for reason in info.reason] for name, info in found.items()}


@pytest.mark.parametrize(
    ("measure", "kind"),
    [
        ("ks", _INFO.COMPARATOR_L_INFTY_HIGH),
        ("bins", _INFO.COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH),
    ],
)
def test_only_what_moved_is_found(tmp_path: Path, spans: dict[str, Any], measure: str, kind: int):
    """With value, noise, threshold and the bins that moved most, in the text and in the file beside."""
    output = validate(tmp_path, spans, "moved", drift_measure=measure)

    assert found_in(output) == {"alcohol": [kind]}
    text = protos.read_anomalies(output, "train").anomaly_info["alcohol"].description
    for part in ("from span 1", "chance reaches 0.", "with 800 and 800 values", "Moved most: above 11."):
        assert part in text
    measured = drift.read(artifacts.split_path(output, "train"))
    assert measured is not None
    assert [one.feature for one in measured.measurements if one.is_over] == ["alcohol"]
    assert {one.feature for one in measured.measurements} == set(wine(10).columns)
    assert validate(tmp_path / "same", spans, "same", drift_measure=measure) is not None
    assert found_in(validate(tmp_path / "again", spans, "same", drift_measure=measure)) == {}


def test_ks_is_measured_on_the_values_themselves(tmp_path: Path, spans: dict[str, Any]):
    from scipy.stats import ks_2samp

    rows = wine()
    output = validate(tmp_path, spans, "moved")

    measured = drift.read(artifacts.split_path(output, "train"))
    assert measured is not None
    values = {one.feature: one.value for one in measured.measurements}
    for name in ("chlorides", "quality", "residual_sugar"):
        assert values[name] == pytest.approx(ks_2samp(rows[name][::2], rows[name][1::2]).statistic, abs=1e-6)
    proto = protos.read_anomalies(output, "train")
    recorded = {info.path.step[0]: info.drift_measurements[0].value for info in proto.drift_skew_info}
    assert recorded["alcohol"] == pytest.approx(values["alcohol"])


def test_thresholds_name_features_and_a_name_that_is_not_there_is_told(tmp_path: Path, spans: dict[str, Any]):
    assert found_in(validate(tmp_path / "1", spans, "moved", drift='{"chlorides": 0.1}')) == {}
    assert found_in(validate(tmp_path / "2", spans, "moved", drift='{"alcohol": 0.9}')) == {}
    assert list(found_in(validate(tmp_path / "3", spans, "moved", drift="0.2"))) == ["alcohol"]
    for number, measure in enumerate(("ks", "tfdv")):
        with pytest.raises(DefinitionError, match="drift names the feature 'alcool'") as caught:
            validate(
                tmp_path / f"typo-{number}", spans, "moved", drift='{"alcool": 0.1}', drift_measure=measure
            )
        assert "did you mean 'alcohol'?" in caught.value.fix


def test_what_only_one_span_has_is_missing_in_the_other(tmp_path: Path, spans: dict[str, Any]):
    """A column that went, one that came, one whose numbers became NaN; thresholds may name them."""
    rows = wine()[1::2]
    changed = rows.drop(columns=["chlorides"]).assign(sweetness=1.0)
    now = {**spans, "now": statistics(tmp_path / "now", changed, 2)}

    found = found_in(validate(tmp_path / "1", now, "now", drift='{"chlorides": 0.1, "sweetness": 0.1}'))

    assert _INFO.COMPARATOR_L_INFTY_HIGH in found["chlorides"]
    assert _INFO.COMPARATOR_L_INFTY_HIGH in found["sweetness"]

    records = [example(**_features(row, number)) for number, row in enumerate(rows.to_dict("records"))]
    examples = make_examples(tmp_path / "nan", {"train": records}, span=2)
    nan = execute(
        StatisticsExecutor, tmp_path / "nan-out", {"examples": examples}, "statistics", ExampleStatistics
    )
    output = validate(tmp_path / "2", {**spans, "now": nan}, "now")
    assert list(found_in(output)) == ["alcohol"]
    text = protos.read_anomalies(output, "train").anomaly_info["alcohol"].description
    assert "share of rows without a value changed by 0.500" in text


def _features(row: dict[str, Any], number: int) -> dict[str, Any]:
    """A row whose alcohol is NaN in every other one."""
    found = {name: _value(value) for name, value in row.items()}
    return {**found, "alcohol": [float("nan")]} if number % 2 else found


def test_spans_that_are_divided_otherwise(tmp_path: Path, spans: dict[str, Any]):
    """A split that the span before does not have is no error of who asked for that span; a feature may stand in one."""
    rows = [
        example(**{name: _value(value) for name, value in row.items()}) for row in wine().to_dict("records")
    ]
    plain = [example(chlorides=[0.1])] * 5
    examples = make_examples(tmp_path / "rows", {"test": plain, "train": rows}, span=2)
    now = execute(
        StatisticsExecutor, tmp_path / "now", {"examples": examples}, "statistics", ExampleStatistics
    )
    for number, measure in enumerate(("ks", "bins", "tfdv")):
        output = validate(
            tmp_path / str(number),
            {**spans, "now": now},
            "now",
            drift='{"colour": 0.2}',
            drift_measure=measure,
        )
        summary = str(output.get_string_custom_property("headrace_summary"))
        assert "drift not checked in 'test': span 1 has no such split" in summary
        noted = drift.read(artifacts.split_path(output, "test"))
        assert noted is not None
        assert list(noted.notes) == ["drift not checked in 'test': span 1 has no such split"]


def test_too_few_rows_for_any_drift_are_said(tmp_path: Path, spans: dict[str, Any]):
    """Of three rows no distance is beyond chance: that nothing is found says nothing."""
    rows = wine()[1::2]
    few = {**spans, "few": statistics(tmp_path / "few", rows[:3].assign(alcohol=99.0), 2)}
    more = {**spans, "more": statistics(tmp_path / "more", rows[:30].assign(alcohol=99.0), 2)}

    one = validate(tmp_path / "1", few, "few")
    other = validate(tmp_path / "2", more, "more")

    assert found_in(one) == {}
    summary = str(one.get_string_custom_property("headrace_summary"))
    assert "train: too few values to tell drift from chance in 'alcohol'" in summary
    assert list(found_in(other)) == ["alcohol"]
    assert "too few" not in str(other.get_string_custom_property("headrace_summary"))


def test_what_stops_a_pipeline_says_where_the_threshold_is(tmp_path: Path, spans: dict[str, Any]):
    """It is not in the schema, of which the message tells otherwise."""
    with pytest.raises(AnomaliesError) as caught:
        validate(tmp_path, spans, "moved", fail_on="any")
    assert (
        "or give the feature a higher threshold in drift={...}; or pass fail_on='never'" in caught.value.fix
    )


def test_missing_values_and_categories_drift(tmp_path: Path, spans: dict[str, Any]):
    """A third without a colour; a third that became white."""
    gaps = validate(tmp_path / "gaps", spans, "gaps")
    pale = validate(tmp_path / "pale", spans, "pale")

    assert found_in(gaps) == {"colour": [_INFO.COMPARATOR_L_INFTY_HIGH]}
    assert (
        "share of rows without a value"
        in protos.read_anomalies(gaps, "train").anomaly_info["colour"].description
    )
    assert found_in(pale) == {"colour": [_INFO.COMPARATOR_NORMALIZED_ABSOLUTE_DIFFERENCE_HIGH]}
    assert "white: " in protos.read_anomalies(pale, "train").anomaly_info["colour"].description


def test_tfdvs_own_distances_where_they_are_asked_for(tmp_path: Path, spans: dict[str, Any]):
    output = validate(tmp_path, spans, "moved", drift_measure="tfdv")

    kinds = {
        info.path.step[0]: info.drift_measurements[0].type
        for info in protos.read_anomalies(output, "train").drift_skew_info
    }
    assert kinds == {"alcohol": 2, "chlorides": 2, "quality": 2, "residual_sugar": 2, "colour": 1}
    assert "alcohol" in found_in(output)
    assert drift.read(artifacts.split_path(output, "train")) is None


def test_a_baseline_of_stock_tfx_is_compared_as_far_as_it_is_known(tmp_path: Path, spans: dict[str, Any]):
    """Its file keeps ten buckets: what they leave open is taken off, and said."""
    output = validate(tmp_path, spans, "moved", "stock")

    assert list(found_in(output)) == ["alcohol"]
    assert "keep ten buckets of numbers" in str(output.get_string_custom_property("headrace_summary"))
    assert found_in(validate(tmp_path / "same", spans, "same", "stock")) == {}


def test_the_first_span_has_nothing_to_compare_with_and_says_so(tmp_path: Path, spans: dict[str, Any]):
    output = validate(tmp_path, spans, "first", None, fail_on="any")

    assert output.get_string_custom_property("headrace_summary") == (
        "no anomalies; drift not checked: no span before 1 in this pipeline"
    )


def test_the_page_shows_all_that_was_measured(tmp_path: Path, spans: dict[str, Any]):
    class Subject:
        artifact = validate(tmp_path, spans, "moved")
        inputs: dict[str, Any] = {}

    tables = {block.caption: block for block in walk(page.render(Subject)) if isinstance(block, Table)}  # type: ignore[arg-type]

    assert list(tables) == ["Anomalies", "Drift"]
    # No rule of the schema's is broken.
    assert tables["Anomalies"].cells[0][3].text == "the threshold of its distance, below"
    shown = tables["Drift"]
    assert list(shown.columns[:5]) == ["feature", "measure", "value", "noise", "threshold"]
    assert [cell.text for cell in shown.cells[0]][::5] == ["alcohol", "drift"]
    assert "Compared with span 1." in shown.footnote


def _taxi() -> pd.DataFrame:
    return pd.read_csv(TAXI_CSV)[["fare", "trip_miles", "trip_start_hour", "tips", "payment_type"]]


def test_fares_that_rose_by_a_fifth_are_seen_in_three_hundred_rows(tmp_path: Path):
    """Ten draws, each seen; without a difference none is."""
    rows = _taxi()
    before = statistics(tmp_path / "before", rows.sample(3_000, random_state=0), 1)
    schema = make_schema(tmp_path / "schema", schema_of(rows))
    for seed in range(1, 6):
        some = rows.sample(300, random_state=seed)
        for name, part in (("same", some), ("rose", some.assign(fare=some["fare"] * 1.2))):
            folder = tmp_path / f"{name}-{seed}"
            now = statistics(folder, part, 2)
            output = validate(folder, {"now": now, "before": before, "schema": schema}, "now", "before")
            assert list(found_in(output)) == (["fare"] if name == "rose" else []), (name, seed)


def pipeline(data: Path, span: int, fail_on: str) -> list[Any]:
    rows = CsvExampleGen(
        input_base=str(data),
        input_config={"splits": [{"name": "train", "pattern": "span-{SPAN}/*.csv"}]},
        output_config={"split_config": {"splits": [{"name": "train", "hash_buckets": 1}]}},
        range_config={"static_range": {"start_span_number": span, "end_span_number": span}},
    )
    statistics_gen = StatisticsGen(examples=rows.outputs["examples"])
    schema = SchemaGen(statistics=statistics_gen.outputs["statistics"])
    check = ExampleValidator(
        statistics=statistics_gen.outputs["statistics"],
        schema=schema.outputs["schema"],
        baseline="previous",
        fail_on=fail_on,
    )
    return [rows, statistics_gen, schema, check]


def test_the_same_is_found_again(run: Run, tmp_path: Path):
    """A second time, from the cache, without it, and resumed; with `fail_on` each try stops."""
    rows = wine()
    for span, part in ((1, rows[::2]), (2, rows[1::2].assign(alcohol=rows["alcohol"][1::2] + 1))):
        (tmp_path / f"span-{span}").mkdir()
        part.to_csv(tmp_path / f"span-{span}" / "wine.csv", index=False)

    def summary(result: Any) -> str:
        (node,) = [one for one in result.nodes if one.node_id == "ExampleValidator"]
        return node.outputs[0].summary

    first = run(*pipeline(tmp_path, 1, "never"))
    second = run(*pipeline(tmp_path, 2, "never"))
    cached = run(*pipeline(tmp_path, 2, "never"))
    again = run(*pipeline(tmp_path, 2, "never"), cache=False)

    assert summary(first) == "no anomalies; drift not checked: no span before 1 in this pipeline"
    assert [summary(one) for one in (second, cached, again)] == [
        "train 1 anomaly: alcohol (Drift from the baseline)"
    ] * 3
    assert set(states(cached).values()) == {"cached"}

    stopped = run(*pipeline(tmp_path, 2, "error"))
    tried = run(*pipeline(tmp_path, 2, "error"))
    resumed = run(*pipeline(tmp_path, 2, "error"), resume_from=tried.run_id)
    assert [states(one)["ExampleValidator"] for one in (stopped, tried, resumed)] == ["failed"] * 3
