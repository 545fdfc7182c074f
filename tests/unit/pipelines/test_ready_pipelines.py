"""The ready pipelines as they are declared: nothing is run, and nothing heavy is loaded."""

from __future__ import annotations

import ast
import csv
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.authoring import compiler
from headrace.pipelines.penguin import pipeline as penguin
from headrace.pipelines.taxi import pipeline as taxi

ROOT = Path(__file__).resolve().parents[3]


def _nodes(pipeline: Any) -> dict[str, Any]:
    """Compile, and return the nodes of the IR by id."""
    ir = compiler.compile_pipeline(pipeline)
    return {node.pipeline_node.node_info.id: node.pipeline_node for node in ir.nodes}


def _header(folder: str, name: str) -> list[str]:
    with open(os.path.join(folder, name), newline="") as file:
        return next(csv.reader(file))


def test_taxi_goes_from_csv_to_a_pushed_model_and_predictions():
    """Every component that a pipeline needs from data to serving is in it."""
    assert set(_nodes(taxi.create_pipeline())) == {
        "CsvExampleGen",
        "StatisticsGen",
        "SchemaGen",
        "ExampleValidator",
        "Transform",
        "Trainer",
        "LatestBlessedModel",
        "Evaluator",
        "InfraValidator",
        "Pusher",
        "BulkInferrer",
    }


def test_penguin_searches_hyperparameters_under_a_given_schema():
    """It shows what taxi does not: a schema under review and a Tuner."""
    nodes = _nodes(penguin.create_pipeline())

    assert {"ImportSchemaGen", "Tuner"} <= set(nodes)
    assert "best_hyperparameters" in str(nodes["Trainer"].inputs)


@pytest.mark.parametrize("module", [taxi, penguin])
def test_models_are_compared_with_the_latest_blessed_one(module: Any):
    """The Evaluator's baseline comes from the Resolver."""
    evaluator = _nodes(module.create_pipeline())["Evaluator"]

    assert "LatestBlessedModel" in evaluator.upstream_nodes
    assert "baseline_model" in evaluator.inputs.inputs


@pytest.mark.parametrize(
    ("module", "metric"), [(taxi, "BinaryAccuracy"), (penguin, "SparseCategoricalAccuracy")]
)
def test_thresholds_hold_over_all_rows_and_not_in_each_slice(module: Any, metric: str):
    """A slice of a dozen rows must not decide whether a model is blessed."""
    (specs,) = module.eval_config(0.7, -0.02)["metrics_specs"]
    accuracy = specs["metrics"][0]

    assert accuracy["class_name"] == metric
    assert accuracy["per_slice_thresholds"] == [
        {
            "slicing_specs": [{}],
            "threshold": {
                "value_threshold": {"lower_bound": 0.7},
                "change_threshold": {"direction": "HIGHER_IS_BETTER", "absolute": -0.02},
            },
        }
    ]


@pytest.mark.parametrize("module", [taxi, penguin])
def test_a_relative_push_folder_starts_at_the_working_directory(
    module: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The path is made absolute where the person who gave it stands."""
    monkeypatch.chdir(tmp_path)

    pusher = _nodes(module.create_pipeline(push_to="models/mine"))["Pusher"]

    assert f'"{tmp_path}/models/mine"' in str(pusher.parameters).replace("\\", "")


def test_taxi_data_are_found_in_the_tfx_package():
    """The CSV of TFX's own example, and nothing beside it."""
    folder = taxi.taxi_data_root()

    assert os.listdir(folder) == ["data.csv"]
    assert {"trip_miles", "fare", "tips", "company"} <= set(_header(folder, "data.csv"))


def test_penguin_schema_names_the_columns_of_the_data():
    """Schema and CSV have the same features."""
    text = (ROOT / "pipelines" / "penguin" / "schema.pbtxt").read_text()
    schema = text_format.Parse(text, schema_pb2.Schema())

    columns = _header(penguin.penguin_data_root(), "penguins.csv")

    assert [feature.name for feature in schema.feature] == columns


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("pipelines/*/pipeline.py")), ids=lambda path: path.parent.name
)
def test_a_pipeline_needs_nothing_of_tfx_itself(path: Path):
    """It is what a user copies: components and plain values."""
    imported = {
        alias.name if isinstance(node, ast.Import) else node.module or ""
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }

    assert {name.split(".")[0] for name in imported} <= {"__future__", "headrace", *sys.stdlib_module_names}
