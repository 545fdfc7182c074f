"""A config of TFDV's custom validation, for Headrace's components and stock TFX's mixed in one pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import stock_taxi
import tfx.v1 as tfx
from data_validation import (
    taxi_records,
)
from tfx.orchestration import metadata

from headrace.authoring import generations
from headrace.components.example_validator import ExampleValidator
from headrace.components.schema_gen import SchemaGen
from headrace.components.statistics_gen import StatisticsGen
from headrace.formats import protos
from headrace.testing import make_examples

_STOCK = (tfx.components.StatisticsGen, tfx.components.SchemaGen, tfx.components.ExampleValidator)


def _run(folder: Path, source: str, kinds: tuple[Any, Any, Any], **parameters: Any) -> Path:
    examples = tfx.dsl.Importer(
        source_uri=source,
        artifact_type=tfx.types.standard_artifacts.Examples,
        properties={"split_names": '["train"]'},
    ).with_id("examples")
    statistics = kinds[0](examples=examples.outputs["result"])
    schema = kinds[1](statistics=statistics.outputs["statistics"])
    anomalies = kinds[2](
        statistics=statistics.outputs["statistics"],
        schema=schema.outputs["schema"],
        **parameters,
    )
    tfx.orchestration.LocalDagRunner().run(
        tfx.dsl.Pipeline(
            pipeline_name="swap",
            pipeline_root=str(folder / "root"),
            metadata_connection_config=metadata.sqlite_metadata_connection_config(
                str(folder / "metadata.db")
            ),
            components=[examples, statistics, schema, anomalies],
        )
    )
    [found] = (folder / "root" / "ExampleValidator" / "anomalies").glob("*/Split-train/SchemaDiff.pb")
    return found


@pytest.mark.skipif(not generations.HAS_CUSTOM_VALIDATION, reason="TFDV has no custom validation")
@pytest.mark.parametrize(
    "kinds",
    [
        (StatisticsGen, _STOCK[1], ExampleValidator),
        (_STOCK[0], SchemaGen, _STOCK[2]),
    ],
)
def test_where_tfdv_has_custom_validation_each_takes_a_config_of_it(tmp_path, kinds, monkeypatch):
    """Through TFX's own launcher."""
    from tensorflow_data_validation.anomalies.proto import custom_validation_config_pb2

    stock_taxi.use_beam_in_process(monkeypatch)
    source = make_examples(tmp_path / "examples", {"train": taxi_records(500)}).uri
    config = custom_validation_config_pb2.CustomValidationConfig()
    validation = config.feature_validations.add()
    validation.feature_path.step.append("fare")
    validation.validations.add(
        sql_expression="feature.num_stats.max > 1e9", severity=2, description="high fares"
    )

    path = _run(tmp_path, source, kinds, custom_validation_config=config)

    info = protos.read_binary(str(path), protos.anomalies_pb2.Anomalies).anomaly_info
    assert list(info) == ["fare"]
    assert info["fare"].short_description == "high fares"
