"""The declarations of StatisticsGen, SchemaGen, ImportSchemaGen and ExampleValidator: light, and stock's."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from headrace import checks
from headrace.authoring import Channel, Importer, Pipeline, generations, standard_artifacts
from headrace.authoring.compiler import compile_pipeline
from headrace.components.example_validator import ExampleValidator, validation_config
from headrace.components.example_validator.validation_config import CustomValidationConfig
from headrace.components.import_schema_gen import ImportSchemaGen
from headrace.components.schema_gen import SchemaGen
from headrace.components.statistics_gen import StatisticsGen
from headrace.errors import DefinitionError, UnsupportedFeatureError

_HEAVY = ("tensorflow", "apache_beam", "tensorflow_data_validation", "pyarrow", "numpy", "pandas")


def _examples() -> Channel:
    return Channel(type=standard_artifacts.Examples)


def _statistics() -> Channel:
    return Channel(type=standard_artifacts.ExampleStatistics)


def _schema() -> Channel:
    return Channel(type=standard_artifacts.Schema)


def test_declarations_load_no_heavy_library():
    modules = ("statistics_gen", "schema_gen", "import_schema_gen", "example_validator", "cleaner")
    imports = "; ".join(f"import headrace.components.{name}.component" for name in modules)
    code = f"import sys; {imports}; print([name for name in {_HEAVY!r} if name in sys.modules])"

    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert printed.strip() == "[]"


def test_types_in_the_store_are_those_of_stock_tfx():
    assert StatisticsGen.get_class_type() == "tfx.components.statistics_gen.component.StatisticsGen"
    assert SchemaGen.get_class_type() == "tfx.components.schema_gen.component.SchemaGen"
    assert (
        ImportSchemaGen.get_class_type()
        == "tfx.components.schema_gen.import_schema_gen.component.ImportSchemaGen"
    )
    assert ExampleValidator.get_class_type() == "tfx.components.example_validator.component.ExampleValidator"


def test_parameters_keep_the_encodings_of_stock_tfx():
    statistics = StatisticsGen(_examples(), exclude_splits=["eval"])
    schema = SchemaGen(_statistics(), infer_feature_shape=False)
    anomalies = ExampleValidator(_statistics(), _schema())

    assert statistics.exec_properties == {
        "stats_options_json": None,
        "exclude_splits": '["eval"]',
        "sample_rate_by_split": None,
    }
    assert schema.exec_properties == {"infer_feature_shape": 0, "exclude_splits": "[]"}
    assert anomalies.exec_properties["exclude_splits"] == "[]"
    assert anomalies.exec_properties["fail_on"] == "never"


def test_stats_options_that_have_no_json_form_are_refused():
    class Options:
        def to_json(self) -> str:
            raise ValueError("StatsOptions cannot be converted with generators.")

    with pytest.raises(DefinitionError) as caught:
        StatisticsGen(_examples(), stats_options=Options())

    assert str(caught.value) == (
        "StatisticsGen: stats_options, of type Options, cannot be kept as JSON: StatsOptions cannot be "
        "converted with generators.\n"
        "  Fix: give a tfdv.StatsOptions without generators, slice functions and per_feature_stats_config; "
        "slice by slicing_config or experimental_slice_sqls."
    )


def test_stats_options_may_be_given_as_text():
    component = StatisticsGen(_examples(), stats_options='{"TYPE_NAME": "StatsOptions"}')

    assert component.exec_properties["stats_options_json"] == '{"TYPE_NAME": "StatsOptions"}'


def test_unknown_fail_on_is_refused():
    with pytest.raises(DefinitionError) as caught:
        ExampleValidator(_statistics(), _schema(), fail_on="eror")

    assert str(caught.value) == (
        "ExampleValidator: fail_on is 'eror'. It can be 'any', 'error', 'never'.\n"
        "  Fix: did you mean 'error'? Leave it out, and anomalies stop nothing."
    )


@pytest.mark.skipif(not generations.HAS_CUSTOM_VALIDATION, reason="TFDV has no custom validation")
def test_where_tfdv_has_custom_validation_a_config_of_another_import_of_the_proto_is_taken():
    """A user imports the proto from TFDV, whose class may be another than the one loaded without TFDV."""
    foreign_class = validation_config._load_alone().CustomValidationConfig
    foreign = foreign_class()
    foreign.feature_validations.add(dataset_name="train")

    converted = validation_config.convert(foreign)

    assert foreign_class is not CustomValidationConfig
    assert isinstance(converted, CustomValidationConfig)
    assert converted.feature_validations[0].dataset_name == "train"


def test_where_tfdv_has_no_custom_validation_a_config_is_refused(monkeypatch):
    monkeypatch.setattr(generations, "HAS_CUSTOM_VALIDATION", False)

    with pytest.raises(UnsupportedFeatureError) as caught:
        ExampleValidator(_statistics(), _schema(), custom_validation_config=object())

    assert str(caught.value) == (
        "ExampleValidator: custom_validation_config is given, and the installed TensorFlow Data Validation has "
        "no custom validation.\n"
        "  Fix: leave it out, and state the conditions in the schema (domains, presence, comparators); or run on "
        "TFX 1.16."
    )


def test_a_pipeline_of_them_compiles(tmp_path):
    examples = Importer(source_uri=str(tmp_path), artifact_type=standard_artifacts.Examples).with_id(
        "examples"
    )
    earlier = Importer(source_uri=str(tmp_path), artifact_type=standard_artifacts.ExampleStatistics)
    statistics = StatisticsGen(examples.outputs["result"])
    schema = SchemaGen(statistics.outputs["statistics"])
    imported = ImportSchemaGen(str(tmp_path / "schema.pbtxt"))
    config = None
    if generations.HAS_CUSTOM_VALIDATION:
        config = CustomValidationConfig()
        config.feature_validations.add(dataset_name="train")
    anomalies = ExampleValidator(
        statistics.outputs["statistics"],
        imported.outputs["schema"],
        custom_validation_config=config,
        baseline_statistics=earlier.with_id("earlier").outputs["result"],
        baseline_split="train",
        fail_on="any",
    )
    pipeline = Pipeline(
        "p", str(tmp_path), components=[examples, earlier, statistics, schema, imported, anomalies]
    )

    compiled = compile_pipeline(pipeline)

    ids = {node.pipeline_node.node_info.id for node in compiled.nodes}
    assert {"StatisticsGen", "SchemaGen", "ImportSchemaGen", "ExampleValidator"} <= ids


def test_checks_of_rows_need_no_statistics():
    component = ExampleValidator(examples=_examples(), checks=[checks.duplicates()], fail_on="error")

    assert set(component.inputs) == {"examples"}
    assert json.loads(component.exec_properties["checks"]) == [checks.duplicates()]


def test_without_checks_an_example_validator_records_what_it_did():
    component = ExampleValidator(statistics=_statistics(), schema=_schema())

    assert set(component.inputs) == {"statistics", "schema"}
    assert "checks" not in component.exec_properties
    assert component.executor_spec.class_path == "headrace.components.example_validator.executor.Executor"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"checks": [checks.duplicates()]}, "checks is given, and examples is not"),
        ({"examples": True}, "examples is given, and checks is not"),
        ({"examples": True, "checks": []}, "checks is [], no list of checks"),
        (
            {"examples": True, "checks": [checks.duplicates()], "statistics": True},
            "statistics is given, and the",
        ),
        ({}, "input 'statistics' is missing"),
    ],
)
def test_checks_and_what_they_look_at_come_together(arguments, problem):
    channels = {"examples": _examples, "statistics": _statistics}
    given = {name: channels[name]() if value is True else value for name, value in arguments.items()}

    with pytest.raises(DefinitionError) as caught:
        ExampleValidator(**given)

    assert f"ExampleValidator: {problem}" in caught.value.problem
