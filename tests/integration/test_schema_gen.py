"""SchemaGen and ImportSchemaGen: stock TFX's schema, from the same statistics."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from data_validation import (
    example,
    execute,
    odd_records,
    taxi_records,
)
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import statistics_pb2
from tensorflow_metadata.proto.v0.schema_pb2 import Schema as SchemaProto
from tfx.components.schema_gen import executor as stock
from tfx.components.schema_gen.import_schema_gen import executor as stock_import
from tfx.components.statistics_gen import executor as stock_statistics
from tfx.types.standard_artifacts import ExampleStatistics, Schema

from headrace.components.import_schema_gen.executor import Executor as ImportExecutor
from headrace.components.schema_gen.executor import Executor
from headrace.components.statistics_gen.executor import Executor as StatisticsExecutor
from headrace.errors import DefinitionError, MalformedFileError, MissingFileError, UnknownSplitError
from headrace.formats import protos
from headrace.testing import make_examples, make_statistics


@pytest.fixture(scope="module")
def statistics(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Statistics of the same examples by Headrace and by stock TFX."""
    folder = tmp_path_factory.mktemp("statistics")
    splits = {"train": taxi_records(1_000), "eval": odd_records()}
    examples = make_examples(folder / "examples", splits)
    return {
        name: execute(executor, folder / name, {"examples": examples}, "statistics", ExampleStatistics)
        for name, executor in (("ours", StatisticsExecutor), ("stock", stock_statistics.Executor))
    }


def _infer(executor: Any, folder: Path, statistics: Any, **parameters: Any) -> str:
    schema = execute(executor, folder, {"statistics": statistics}, "schema", Schema, parameters)
    return Path(schema.uri, "schema.pbtxt").read_text()


_PARAMETERS = [{}, {"infer_feature_shape": 0}, {"exclude_splits": '["train"]'}]


def _by_name(text: str) -> SchemaProto:
    schema = text_format.Parse(text, SchemaProto())
    for repeated in (schema.feature, schema.string_domain):
        repeated.sort(key=lambda item: item.name)
    return schema


@pytest.mark.parametrize("parameters", _PARAMETERS)
def test_schema_equals_stock_from_the_same_statistics(tmp_path, statistics, parameters):
    """Byte for byte."""
    expected = _infer(stock.Executor, tmp_path / "stock", statistics["stock"], **parameters)

    assert _infer(Executor, tmp_path / "ours", statistics["stock"], **parameters) == expected


@pytest.mark.parametrize("parameters", _PARAMETERS)
def test_schema_equals_stock_whoever_computed_the_statistics(tmp_path, statistics, parameters):
    """Save for order: stock's features come in the order in which its batches, sized by time, met them."""
    expected = _infer(stock.Executor, tmp_path / "stock", statistics["stock"], **parameters)
    found = _infer(Executor, tmp_path / "ours", statistics["ours"], **parameters)

    assert _by_name(found) == _by_name(expected)


def test_unknown_split_says_what_exists(tmp_path, statistics):
    with pytest.raises(UnknownSplitError) as caught:
        _infer(Executor, tmp_path, statistics["ours"], exclude_splits='["evl"]')

    assert str(caught.value) == (
        "schema_gen: exclude_splits: there is no split 'evl'. ExampleStatistics artifact 0 has splits 'eval', "
        "'train'.\n"
        "  Fix: did you mean 'eval'? Correct the name, or add an output split named 'evl' to ExampleGen."
    )


def test_no_split_left_says_so(tmp_path, statistics):
    with pytest.raises(DefinitionError) as caught:
        _infer(Executor, tmp_path, statistics["ours"], exclude_splits='["eval", "train"]')

    assert str(caught.value) == (
        "schema_gen: no split is left to infer a schema from. The statistics have splits 'eval', 'train', and "
        "exclude_splits names 'eval', 'train'.\n"
        "  Fix: take a split out of exclude_splits."
    )


def test_missing_statistics_file_is_named(tmp_path, statistics):
    lost = ExampleStatistics()
    lost.uri, lost.split_names = str(tmp_path / "lost"), '["train"]'

    with pytest.raises(MissingFileError) as caught:
        _infer(Executor, tmp_path / "out", lost)

    assert str(caught.value) == (
        f"there is no file {tmp_path}/lost/Split-train/FeatureStats.pb.\n  Fix: run the node that makes it again."
    )


def _import(folder: Path, path: Path, executor: Any = ImportExecutor) -> Any:
    return execute(executor, folder, {}, "schema", Schema, {"schema_file": str(path)})


def test_imported_schema_is_a_copy_as_in_stock(tmp_path):
    """Comments are kept."""
    text = '# checked by hand\nfeature { name: "fare" type: FLOAT }\n'
    path = tmp_path / "given.pbtxt"
    path.write_text(text)

    ours = _import(tmp_path / "ours", path)
    theirs = _import(tmp_path / "stock", path, stock_import.Executor)

    assert os.listdir(ours.uri) == os.listdir(theirs.uri) == ["schema.pbtxt"]
    assert Path(ours.uri, "schema.pbtxt").read_text() == Path(theirs.uri, "schema.pbtxt").read_text() == text
    assert ours.get_string_custom_property("headrace_summary") == "1 feature"


def test_missing_schema_file_is_named(tmp_path):
    with pytest.raises(MissingFileError) as caught:
        _import(tmp_path, tmp_path / "no.pbtxt")

    assert caught.value.problem == (
        f"import_schema_gen: schema_file '{tmp_path}/no.pbtxt' is not a file (looked in {os.getcwd()})."
    )


def test_malformed_schema_file_names_the_line(tmp_path):
    path = tmp_path / "schema.pbtxt"
    path.write_text('feature {\n  name: "fare"\n  typ: FLOAT\n}\n')

    with pytest.raises(MalformedFileError) as caught:
        _import(tmp_path / "out", path)

    assert str(caught.value).startswith(f"import_schema_gen: {path}:3: not a Schema in text form: ")
    assert "typ" in str(caught.value)
    assert str(caught.value).endswith("\n  Fix: correct that line.")


def test_schema_file_without_a_feature_is_refused(tmp_path):
    path = tmp_path / "schema.pbtxt"
    path.write_text("")

    with pytest.raises(MalformedFileError) as caught:
        _import(tmp_path / "out", path)

    assert str(caught.value) == (
        f"import_schema_gen: {path} is a Schema without any feature.\n"
        "  Fix: give a file with features, such as the schema.pbtxt that SchemaGen wrote."
    )


def test_a_split_without_rows_says_nothing_of_any_feature(tmp_path, statistics):
    """The schema is that of the other splits, whichever comes first; the summary names the empty one."""
    nothing = statistics_pb2.DatasetFeatureStatisticsList()
    nothing.datasets.add()
    train = protos.read_statistics(statistics["ours"], "train")
    alone = make_statistics(tmp_path / "alone", {"train": train})
    given = make_statistics(tmp_path / "given", {"empty": nothing, "train": train})

    made = execute(Executor, tmp_path / "made", {"statistics": given}, "schema", Schema)

    assert Path(made.uri, "schema.pbtxt").read_text() == _infer(Executor, tmp_path / "other", alone)
    assert made.get_string_custom_property("headrace_summary").endswith(
        "; warning: no row in 'empty', so nothing is inferred from it"
    )


def test_a_feature_that_splits_disagree_about_is_said_to_be_put_aside(tmp_path):
    """TFDV marks it DEPRECATED, and it silently leaves the pipeline."""
    rows = {"train": [example(a=[1], b=[2])] * 5, "eval": [example(a=[b"n/a"], b=[2])] * 5}
    examples = make_examples(tmp_path / "examples", rows)
    given = execute(
        StatisticsExecutor, tmp_path / "statistics", {"examples": examples}, "statistics", ExampleStatistics
    )

    made = execute(Executor, tmp_path / "made", {"statistics": given}, "schema", Schema)

    assert made.get_string_custom_property("headrace_summary") == (
        "2 features; warning: the splits disagree about the type of 'a', marked DEPRECATED, which no later node reads"
    )
