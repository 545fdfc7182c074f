"""Every stage that runs on Beam, one after the other, on taxi rows::

    python tests/integration/portable_stages.py FOLDER DATA MODEL BEAM_ARGUMENT...

DATA is a folder with a CSV, MODEL that of a Model artifact; outputs go to FOLDER/{stage}/{output key}.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from conftest_serving import model_artifact
from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
from tfx.proto import bulk_inferrer_pb2
from tfx.types import standard_artifacts

from headrace.authoring import Channel
from headrace.components import BulkInferrer, CsvExampleGen, Evaluator, SchemaGen, StatisticsGen, Transform
from headrace.components.bulk_inferrer.executor import Executor as InferrerExecutor
from headrace.components.evaluator.executor import Executor as EvaluatorExecutor
from headrace.components.example_gen.csv_executor import Executor as CsvExecutor
from headrace.components.schema_gen.executor import Executor as SchemaExecutor
from headrace.components.statistics_gen.executor import Executor as StatisticsExecutor
from headrace.components.transform.executor import Executor as TransformExecutor

_TAXI_FUNCTION = "tfx.examples.chicago_taxi_pipeline.taxi_utils_native_keras.preprocessing_fn"
_EVALUATION = {
    "model_specs": [{"preprocessing_function_names": ["transform_features"], "label_key": "big_tip"}],
    "metrics_specs": [{"metrics": [{"class_name": "ExampleCount"}, {"class_name": "AUC"}]}],
    "slicing_specs": [{}, {"feature_keys": ["trip_start_hour"]}],
}


def main(folder: str, data: str, model: str, beam: list[str]) -> None:
    """Run the stages."""

    def run(stage: str, executor: Any, component: Any, **inputs: Any) -> Any:
        print(f"{stage} begins", flush=True)
        return _execute(executor, component, inputs, os.path.join(folder, stage), beam)

    examples = run("examples", CsvExecutor, CsvExampleGen(input_base=data))["examples"]
    statistics = run("statistics", StatisticsExecutor, StatisticsGen(_channel("Examples")), examples=examples)
    schema = run(
        "schema",
        SchemaExecutor,
        SchemaGen(_channel("ExampleStatistics")),
        statistics=statistics["statistics"],
    )["schema"]
    transform = Transform(_channel("Examples"), _channel("Schema"), preprocessing_fn=_TAXI_FUNCTION)
    run("transform", TransformExecutor, transform, examples=examples, schema=schema)
    evaluator = Evaluator(_channel("Examples"), _channel("Model"), eval_config=_EVALUATION)
    made = model_artifact(model)
    run("evaluator", EvaluatorExecutor, evaluator, examples=examples, model=made)
    inferrer = BulkInferrer(
        _channel("Examples"),
        _channel("Model"),
        data_spec=bulk_inferrer_pb2.DataSpec(example_splits=["eval"]),
    )
    run("inferrer", InferrerExecutor, inferrer, examples=examples, model=made)


def _channel(kind: str) -> Any:
    return Channel(type=getattr(standard_artifacts, kind))


def _execute(executor: Any, component: Any, inputs: dict[str, Any], folder: str, beam: list[str]) -> Any:
    """Run an executor on a component's properties; return its outputs by key."""
    outputs = {}
    for key, channel in component.outputs.items():
        outputs[key] = channel.type()
        outputs[key].uri = os.path.join(folder, key)
        os.makedirs(outputs[key].uri)
    context = BaseBeamExecutor.Context(
        tmp_dir=os.path.join(folder, "tmp"), unique_id="1", beam_pipeline_args=beam
    )
    properties = {key: value for key, value in component.exec_properties.items() if value is not None}
    executor(context).Do(
        {key: [artifact] for key, artifact in inputs.items()},
        {key: [artifact] for key, artifact in outputs.items()},
        properties,
    )
    return outputs


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
