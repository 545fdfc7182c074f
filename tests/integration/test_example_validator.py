"""ExampleValidator: stock TFX's anomalies, and what Headrace adds: baselines and `fail_on`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tensorflow_data_validation as tfdv
from data_validation import (
    example,
    execute,
    statistics_of,
)
from tensorflow_metadata.proto.v0 import anomalies_pb2, statistics_pb2
from tfx.components.example_validator import executor as stock
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import ExampleAnomalies, ExampleStatistics, Schema

from headrace.authoring import generations
from headrace.components.example_validator.executor import Executor
from headrace.components.statistics_gen.executor import Executor as StatisticsExecutor
from headrace.errors import (
    AnomaliesError,
    DefinitionError,
    MalformedFileError,
    MissingFileError,
    UnknownSplitError,
    UnsupportedFeatureError,
)
from headrace.formats import protos
from headrace.testing import make_artifact, make_examples, make_schema, make_statistics

_SCHEMA = """
feature { name: "fare" type: FLOAT presence { min_fraction: 1 min_count: 1 } shape { dim { size: 1 } } }
feature {
  name: "city" type: BYTES domain: "city" presence { min_count: 1 }
  skew_comparator { infinity_norm { threshold: 0.1 } }
  drift_comparator { infinity_norm { threshold: 0.1 } }
}
string_domain { name: "city" value: "Bonn" value: "Ulm" }
"""
_PLAIN = 'feature { name: "fare" type: FLOAT }\nfeature { name: "city" type: BYTES }\n'


_with_custom_validation = pytest.mark.skipif(
    not generations.HAS_CUSTOM_VALIDATION, reason="TFDV has no custom validation"
)


def _custom_validation_config() -> Any:
    from tensorflow_data_validation.anomalies.proto import custom_validation_config_pb2

    return custom_validation_config_pb2.CustomValidationConfig()


def _rows(num_bonn: int, num_ulm: int) -> list[bytes]:
    return [example(fare=[1.5], city=[b"Bonn"])] * num_bonn + [example(fare=[2.5], city=[b"Ulm"])] * num_ulm


@pytest.fixture(scope="module")
def statistics(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """`good` fits the schema, `skewed` is distributed otherwise, `bad` contradicts the schema."""
    folder = tmp_path_factory.mktemp("statistics")
    bad = [example(fare=[3], town=[b"Jena"], city=[b"Rom"])] * 5
    splits = {"good": _rows(50, 50), "skewed": _rows(90, 10), "bad": bad}
    examples = make_examples(folder / "examples", splits)
    return execute(StatisticsExecutor, folder, {"examples": examples}, "statistics", ExampleStatistics)


def _only(folder: Path, statistics: Any, *splits: str) -> Any:
    return make_statistics(folder, {split: statistics_of(statistics, split) for split in splits})


def _validate(
    folder: Path,
    statistics: Any,
    schema: str,
    executor: Any = Executor,
    baseline: Any = None,
    **parameters: Any,
) -> Any:
    inputs = {
        "statistics": statistics,
        "schema": make_artifact(folder / "schema", Schema, {protos.SCHEMA_FILE: schema}),
        "baseline_statistics": baseline,
    }
    return execute(executor, folder, inputs, "anomalies", ExampleAnomalies, parameters)


def _summary(output: Any) -> str:
    return str(output.get_string_custom_property("headrace_summary"))


def test_anomalies_and_properties_equal_stock(tmp_path, statistics):
    """A missing feature, one of another type, a new one and an unexpected value, as stock finds them."""
    ours = _validate(tmp_path / "ours", statistics, _SCHEMA)
    theirs = _validate(tmp_path / "stock", statistics, _SCHEMA, stock.Executor)

    _assert_same(ours, theirs)


def _assert_same(ours: Any, theirs: Any) -> None:
    for split in ("good", "skewed", "bad"):
        assert protos.read_anomalies(ours, split) == protos.read_anomalies(theirs, split)
    assert ours.split_names == theirs.split_names
    assert ours.span == theirs.span
    blessed = "blessed"
    assert ours.mlmd_artifact.custom_properties[blessed] == theirs.mlmd_artifact.custom_properties[blessed]


@_with_custom_validation
def test_where_tfdv_has_custom_validation_its_anomalies_equal_stock(tmp_path, statistics):
    config = _custom_validation_config()
    validation = config.feature_validations.add()
    validation.feature_path.step.append("fare")
    validation.validations.add(
        sql_expression="feature.type = 1",
        severity=anomalies_pb2.AnomalyInfo.WARNING,
        description="is a number",
    )
    parameters = {"custom_validation_config": config}

    ours = _validate(tmp_path / "ours", statistics, _SCHEMA, **parameters)
    theirs = _validate(tmp_path / "stock", statistics, _SCHEMA, stock.Executor, **parameters)

    _assert_same(ours, theirs)


def test_missing_feature_other_type_and_new_feature_are_found(tmp_path, statistics):
    output = _validate(tmp_path, _only(tmp_path / "bad", statistics, "bad"), _SCHEMA.replace("Ulm", "Rom"))

    found = protos.read_anomalies(output, "bad").anomaly_info
    kinds = anomalies_pb2.AnomalyInfo
    assert [reason.type for reason in found["fare"].reason] == [kinds.UNEXPECTED_DATA_TYPE]
    assert [reason.type for reason in found["town"].reason] == [kinds.SCHEMA_NEW_COLUMN]

    missing = _validate(
        tmp_path / "missing",
        _only(tmp_path / "good", statistics, "good"),
        _SCHEMA + 'feature { name: "tips" type: FLOAT presence { min_fraction: 1 min_count: 1 } }',
    )
    assert _summary(missing) == "good 1 anomaly: tips (Column dropped)"


def test_summary_says_which_features_and_where_there_is_nothing(tmp_path, statistics):
    clean = _validate(tmp_path / "a", statistics, _SCHEMA, exclude_splits='["bad"]')
    mixed = _validate(tmp_path / "b", _only(tmp_path / "c", statistics, "good", "bad"), _SCHEMA)

    assert _summary(clean) == "no anomalies"
    assert _summary(mixed) == (
        "good none, bad 3 anomalies: city (Unexpected string values), fare (Unexpected data type), town (New column)"
    )


def test_baseline_split_finds_skew(tmp_path, statistics):
    """The comparator in the schema decides; the baseline itself is compared with nothing."""
    kept = _only(tmp_path / "kept", statistics, "good", "skewed")

    output = _validate(tmp_path, kept, _SCHEMA, baseline_split="good")

    assert (
        _summary(output)
        == "good none, skewed 1 anomaly: city (High Linfty distance between training and serving)"
    )
    expected = tfdv.validate_statistics(
        statistics_of(kept, "skewed"),
        protos.read_schema(make_schema(tmp_path / "again", _SCHEMA)),
        serving_statistics=statistics_of(kept, "good"),
    )
    assert protos.read_anomalies(output, "skewed") == expected


def test_baseline_statistics_find_drift(tmp_path, statistics):
    """Another span's split of the same name."""
    now = make_statistics(tmp_path / "now", {"train": statistics_of(statistics, "good")})
    before = make_statistics(tmp_path / "before", {"train": statistics_of(statistics, "skewed")})

    output = _validate(tmp_path, now, _SCHEMA, baseline=before)

    assert _summary(output) == "train 1 anomaly: city (High Linfty distance between current and previous)"


def test_a_baseline_of_the_same_statistics_is_no_passing_check(tmp_path, statistics):
    """What a Resolver of the latest statistics finds at the second try; `fail_on` stops then too."""
    now = make_statistics(tmp_path / "now", {"train": statistics_of(statistics, "good")})
    equal = make_statistics(tmp_path / "equal", {"train": statistics_of(statistics, "good")})
    other_span = make_statistics(tmp_path / "other", {"train": statistics_of(statistics, "good")}, span=2)

    for number, baseline in enumerate((now, equal)):
        output = _validate(tmp_path / f"same-{number}", now, _SCHEMA, baseline=baseline)
        assert _summary(output) == "train 1 anomaly: the dataset (Compared with itself)"
        assert (
            "baseline='previous'" in protos.read_anomalies(output, "train").dataset_anomaly_info.description
        )
        with pytest.raises(AnomaliesError, match="baseline_statistics are the statistics under validation"):
            _validate(tmp_path / f"fails-{number}", now, _SCHEMA, baseline=baseline, fail_on="error")
    assert _summary(_validate(tmp_path / "span", now, _SCHEMA, baseline=other_span)) == "no anomalies"


def test_statistics_without_splits_are_told_from_an_unknown_split(tmp_path, statistics):
    """Those of Transform, which a Resolver finds that does not name the producer."""
    now = make_statistics(tmp_path / "now", {"train": statistics_of(statistics, "good")})
    whole = ExampleStatistics()
    whole.uri = str(tmp_path / "whole")

    for given in ({"statistics": now, "baseline": whole}, {"statistics": whole}):
        with pytest.raises(UnknownSplitError, match="name no split: they are of all rows together") as caught:
            _validate(
                tmp_path / str(len(given)), given["statistics"], _SCHEMA, baseline=given.get("baseline")
            )
        assert "producer_component_id='StatisticsGen'" in caught.value.fix


def test_a_split_without_rows_is_said_not_to_be_validated(tmp_path, statistics):
    """As in stock TFX it stops nothing; the summary does not pass over it."""
    nothing = statistics_pb2.DatasetFeatureStatisticsList()
    nothing.datasets.add()
    kept = make_statistics(tmp_path / "kept", {"train": statistics_of(statistics, "good"), "eval": nothing})

    output = _validate(tmp_path, kept, _PLAIN)

    assert _summary(output) == "no anomalies; nothing validated in 'eval': no row"


def test_baseline_that_nothing_compares_with_is_said(tmp_path, statistics):
    kept = _only(tmp_path / "kept", statistics, "good", "skewed")

    output = _validate(tmp_path, kept, _PLAIN, baseline=kept, baseline_split="good")

    assert _summary(output) == (
        "no anomalies; drift not checked: the schema has no drift_comparator; "
        "skew not checked: the schema has no skew_comparator"
    )


def test_fail_on_error_lists_the_anomalies(tmp_path, statistics):
    kept = _only(tmp_path / "kept", statistics, "good", "bad")

    with pytest.raises(AnomaliesError) as caught:
        _validate(tmp_path, kept, _SCHEMA, fail_on="error")

    assert str(caught.value) == (
        "example_validator: 3 anomalies stopped the pipeline (fail_on='error'):\n"
        "    bad: city: Unexpected string values (Examples contain values missing from the schema: Rom (~100%). )\n"
        "    bad: fare: Unexpected data type (Expected data of type: FLOAT but got INT)\n"
        "    bad: town: New column (column in data but not in schema)\n"
        "  Fix: correct the data; or, where the data is right, change the schema to allow it (relax presence, "
        "type, domain or comparator of the feature); or pass fail_on='never' to go on."
    )


@_with_custom_validation
def test_where_tfdv_has_custom_validation_fail_on_tells_warnings_from_errors(tmp_path, statistics):
    config = _custom_validation_config()
    validation = config.feature_validations.add()
    validation.feature_path.step.append("fare")
    validation.validations.add(
        sql_expression="feature.num_stats.max > 100",
        severity=anomalies_pb2.AnomalyInfo.WARNING,
        description="Fares look low.",
    )
    kept = _only(tmp_path / "kept", statistics, "good")

    passed = _validate(tmp_path / "a", kept, _SCHEMA, fail_on="error", custom_validation_config=config)
    with pytest.raises(AnomaliesError) as caught:
        _validate(tmp_path / "b", kept, _SCHEMA, fail_on="any", custom_validation_config=config)

    assert _summary(passed).startswith("good 1 anomaly: fare (")
    assert "1 anomaly stopped the pipeline (fail_on='any')" in str(caught.value)
    assert "Fares look low." in str(caught.value)


def test_more_than_ten_anomalies_are_counted(tmp_path):
    records = [example(**{f"f{index:02}": [index] for index in range(14)})]
    examples = make_examples(tmp_path / "examples", {"train": records})
    statistics = execute(
        StatisticsExecutor, tmp_path / "s", {"examples": examples}, "statistics", ExampleStatistics
    )

    with pytest.raises(AnomaliesError) as caught:
        _validate(tmp_path, statistics, 'feature { name: "f00" type: INT }', fail_on="any")

    assert "13 anomalies stopped the pipeline" in str(caught.value)
    assert "\n    ... and 3 more\n" in str(caught.value)


def _fail(
    folder: Path, kind: type[Exception], statistics: Any, schema: str = _SCHEMA, **parameters: Any
) -> str:
    with pytest.raises(kind) as caught:
        _validate(folder, statistics, schema, **parameters)
    return str(caught.value)


def test_unknown_splits_say_what_exists(tmp_path, statistics):
    excluded = _fail(tmp_path / "a", UnknownSplitError, statistics, exclude_splits='["god"]')
    baseline = _fail(tmp_path / "b", UnknownSplitError, statistics, baseline_split="train")
    other = _only(tmp_path / "other", statistics, "good", "bad")
    drift = _fail(tmp_path / "c", UnknownSplitError, statistics, baseline=other)

    assert excluded.startswith("example_validator: exclude_splits: there is no split 'god'.")
    assert baseline.startswith("example_validator: baseline_split: there is no split 'train'.")
    assert drift == (
        "example_validator: baseline_statistics has no split 'skewed' to compare with. It has splits 'bad', "
        "'good'.\n"
        "  Fix: add exclude_splits=['skewed'], or give statistics of a span that has it."
    )


def test_malformed_schema_names_the_line(tmp_path, statistics):
    message = _fail(tmp_path, MalformedFileError, statistics, "feature {\n  nam: 1\n}\n")

    assert message.startswith(f"{tmp_path}/schema/schema.pbtxt:2: not a Schema in text form: ")


def test_missing_statistics_file_is_named(tmp_path):
    lost = ExampleStatistics()
    lost.uri = str(tmp_path / "lost")
    lost.split_names = artifact_utils.encode_split_names(["train"])

    assert _fail(tmp_path / "out", MissingFileError, lost) == (
        f"there is no file {tmp_path}/lost/Split-train/FeatureStats.pb.\n  Fix: run the node that makes it again."
    )


@_with_custom_validation
def test_where_tfdv_has_custom_validation_an_invalid_config_says_why(tmp_path, statistics):
    text = _fail(tmp_path / "a", DefinitionError, statistics, custom_validation_config="{nonsense")
    config = _custom_validation_config()
    config.feature_validations.add().validations.add(sql_expression="this is no SQL")
    config.feature_validations[0].feature_path.step.append("fare")
    sql = _fail(tmp_path / "b", DefinitionError, statistics, custom_validation_config=config)

    assert text.startswith(
        "example_validator: parameter 'custom_validation_config' is not a CustomValidationConfig: "
    )
    assert sql.startswith("example_validator: custom_validation_config cannot be applied to split 'good': ")


def test_where_tfdv_has_no_custom_validation_a_config_is_refused(tmp_path, statistics, monkeypatch):
    """A pipeline written under the other generation hands it to the executor."""
    monkeypatch.setattr(generations, "HAS_CUSTOM_VALIDATION", False)

    message = _fail(tmp_path, UnsupportedFeatureError, statistics, custom_validation_config="{}")

    assert message.startswith(
        "example_validator: custom_validation_config is given, and the installed TensorFlow Data Validation has "
    )


def test_stock_executor_runs_on_the_parameters_of_ours(tmp_path, statistics):
    output = _validate(
        tmp_path,
        statistics,
        _SCHEMA,
        stock.Executor,
        baseline_split="good",
        fail_on="any",
        exclude_splits="[]",
    )

    assert protos.read_anomalies(output, "good") is not None
