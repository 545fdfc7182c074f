"""One stage of the taxi pipeline in this process, with stock TFX's executor or with Headrace's.

::

    python tests/benchmarks/stage_process.py stock|ours STAGE FOLDER

FOLDER holds `data/` with the CSV; a stage's outputs go to FOLDER/{side}/{stage}, its inputs are Headrace's
outputs of the stages before it, for both sides. The last line printed is JSON with the seconds that the
executor took, and what it used of the processors. Both sides get the same properties, those of Headrace's
declaration. In the environment, BENCH_PAYLOAD names another payload for Headrace's examples, and BENCH_DATA
says that the data are not the taxi's.
"""

from __future__ import annotations

import glob
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from measurement import processor_seconds

_TAXI_FUNCTION = "tfx.examples.chicago_taxi_pipeline.taxi_utils_native_keras.preprocessing_fn"
_OTHER_FUNCTION = "other_features.preprocessing_fn"
_TRAIN_STEPS = 300
SPLITS = ("train", "eval")
PAYLOADS = ("FORMAT_TF_EXAMPLE", "FORMAT_PARQUET")


@dataclass(frozen=True)
class Stage:
    """How to run a stage.

    Attributes:
        stock: Path of stock TFX's executor class.
        ours: Path of Headrace's.
        declare: Returns Headrace's component, given the folder.
        inputs: For each input key, the stage and the output key that it comes from.
        outputs: For each output key, the artifact type.
    """

    stock: str
    ours: str
    declare: Callable[[str], Any]
    inputs: dict[str, tuple[str, str]]
    outputs: dict[str, str]


def _empty(kind: str) -> Any:
    from headrace.authoring import Channel, standard_artifacts

    return Channel(type=getattr(standard_artifacts, kind))


def _csv_example_gen(folder: str) -> Any:
    from tfx.proto import example_gen_pb2

    from headrace.components import CsvExampleGen

    # A declaration is the same for each format of files; `_executor_path` sees to the rest.
    payload = example_gen_pb2.PayloadFormat.Value(os.environ.get("BENCH_PAYLOAD", PAYLOADS[0]))
    return CsvExampleGen(input_base=os.path.join(folder, "data"), output_data_format=payload)


def _statistics_gen(folder: str) -> Any:
    from headrace.components import StatisticsGen

    return StatisticsGen(examples=_empty("Examples"))


def _schema_gen(folder: str) -> Any:
    from headrace.components import SchemaGen

    # The taxi function wants dense tensors; other data may have several values in a row.
    is_dense = not os.environ.get("BENCH_DATA")
    return SchemaGen(statistics=_empty("ExampleStatistics"), infer_feature_shape=is_dense)


def _transform(folder: str) -> Any:
    from headrace.components import Transform

    function = _OTHER_FUNCTION if os.environ.get("BENCH_DATA") else _TAXI_FUNCTION
    return Transform(examples=_empty("Examples"), schema=_empty("Schema"), preprocessing_fn=function)


def _trainer(folder: str) -> Any:
    from tfx.proto import trainer_pb2

    from headrace.components import Trainer

    return Trainer(
        examples=_empty("Examples"),
        transform_graph=_empty("TransformGraph"),
        schema=_empty("Schema"),
        build_model="headrace.pipelines.taxi.model:build_model",
        label="tips",
        batch_size=40,
        train_args=trainer_pb2.TrainArgs(num_steps=_TRAIN_STEPS),
        eval_args=trainer_pb2.EvalArgs(num_steps=20),
    )


def _evaluator(folder: str) -> Any:
    from headrace.components import Evaluator
    from headrace.pipelines.taxi.pipeline import eval_config

    return Evaluator(examples=_empty("Examples"), model=_empty("Model"), eval_config=eval_config(0.6, -0.01))


STAGES = {
    "CsvExampleGen": Stage(
        "tfx.components.example_gen.csv_example_gen.executor.Executor",
        "headrace.components.example_gen.csv_executor.Executor",
        _csv_example_gen,
        {},
        {"examples": "Examples"},
    ),
    "StatisticsGen": Stage(
        "tfx.components.statistics_gen.executor.Executor",
        "headrace.components.statistics_gen.executor.Executor",
        _statistics_gen,
        {"examples": ("CsvExampleGen", "examples")},
        {"statistics": "ExampleStatistics"},
    ),
    "SchemaGen": Stage(
        "tfx.components.schema_gen.executor.Executor",
        "headrace.components.schema_gen.executor.Executor",
        _schema_gen,
        {"statistics": ("StatisticsGen", "statistics")},
        {"schema": "Schema"},
    ),
    "Transform": Stage(
        "tfx.components.transform.executor.Executor",
        "headrace.components.transform.executor.Executor",
        _transform,
        {"examples": ("CsvExampleGen", "examples"), "schema": ("SchemaGen", "schema")},
        {
            "transform_graph": "TransformGraph",
            "transformed_examples": "Examples",
            "updated_analyzer_cache": "TransformCache",
            "pre_transform_schema": "Schema",
            "pre_transform_stats": "ExampleStatistics",
            "post_transform_schema": "Schema",
            "post_transform_stats": "ExampleStatistics",
            "post_transform_anomalies": "ExampleAnomalies",
        },
    ),
    "Trainer": Stage(
        "",
        "headrace.components.trainer.executor.Executor",
        _trainer,
        {
            "examples": ("Transform", "transformed_examples"),
            "transform_graph": ("Transform", "transform_graph"),
            "schema": ("SchemaGen", "schema"),
        },
        {"model": "Model", "model_run": "ModelRun"},
    ),
    "Evaluator": Stage(
        "tfx.components.evaluator.executor.Executor",
        "headrace.components.evaluator.executor.Executor",
        _evaluator,
        {"examples": ("CsvExampleGen", "examples"), "model": ("Trainer", "model")},
        {"evaluation": "ModelEvaluation", "blessing": "ModelBlessing"},
    ),
}


def artifact(kind: str, uri: str) -> Any:
    """Return an artifact as the stage before would have published it."""
    from tfx.types import artifact_utils, standard_artifacts

    made = getattr(standard_artifacts, kind)()
    made.uri = uri
    if kind in ("Examples", "ExampleStatistics"):
        made.split_names = artifact_utils.encode_split_names(list(SPLITS))
    if kind == "Examples":
        # Transform makes tf.Examples whatever it reads.
        is_raw = uri.rstrip("/").endswith("/CsvExampleGen/examples")
        payload = os.environ.get("BENCH_PAYLOAD", PAYLOADS[0]) if is_raw else PAYLOADS[0]
        made.set_string_custom_property("payload_format", payload)
        made.set_string_custom_property("file_format", "tfrecords_gzip")
    return made


def _executor_path(side: str, name: str, folder: str) -> str:
    """The executor's class; that of CsvExampleGen becomes another where the data are Parquet files."""
    path = STAGES[name].ours if side == "ours" else STAGES[name].stock
    if name == "CsvExampleGen" and glob.glob(os.path.join(folder, "data", "*.parquet")):
        path = path.replace("csv_executor", "parquet_executor")
        path = path.replace("csv_example_gen.executor", "custom_executors.parquet_executor")
    return path


def execute(side: str, name: str, folder: str) -> dict[str, float]:
    """Run the executor; returns the seconds of imports and of the execution."""
    stage = STAGES[name]
    started = time.perf_counter()
    declared = stage.declare(folder).exec_properties
    # As the driver hands them on: without those that were not given.
    properties = {key: value for key, value in declared.items() if value is not None}
    module, _, class_name = _executor_path(side, name, folder).rpartition(".")
    executor_class = getattr(importlib.import_module(module), class_name)
    from tfx.dsl.components.base.base_beam_executor import BaseBeamExecutor
    from tfx.dsl.components.base.base_executor import BaseExecutor

    from headrace.runtime import services
    from headrace.runtime.processes.side_processes import SideProcesses, num_processors

    home = os.path.join(folder, side, name)
    options: dict[str, Any] = {"tmp_dir": os.path.join(home, "tmp"), "unique_id": "1"}
    if issubclass(executor_class, BaseBeamExecutor):
        if side == "stock":
            options["make_beam_pipeline_fn"] = _stock_pipeline
        context: Any = BaseBeamExecutor.Context(**options)
    else:
        context = BaseExecutor.Context(**options)
    inputs = {
        key: [artifact(STAGES[source].outputs[output], os.path.join(folder, "ours", source, output))]
        for key, (source, output) in stage.inputs.items()
    }
    outputs: dict[str, Any] = {}
    for key, kind in stage.outputs.items():
        outputs[key] = [artifact(kind, os.path.join(home, key))]
        os.makedirs(outputs[key][0].uri)
    lent = services.Services()
    if side == "ours":
        # As Headrace's workers do when a node starts.
        lent = services.Services(side_processes=SideProcesses(num_processors()))
    used = processor_seconds(os.getpid())
    begun = time.perf_counter()
    with services.lent(lent):
        executor_class(context).Do(inputs, outputs, properties)
    seconds = time.perf_counter() - begun
    return {
        "import_seconds": begun - started,
        "seconds": seconds,
        "processor_seconds": processor_seconds(os.getpid()) - used,
    }


def _stock_pipeline() -> Any:
    """Beam in this process. Its bare default would try to download another runner at every run."""
    import apache_beam as beam
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner

    return beam.Pipeline(runner=FnApiRunner())


if __name__ == "__main__":
    found = execute(*sys.argv[1:4])
    print(json.dumps(found), flush=True)
    # TensorFlow's teardown is not part of the stage.
    os._exit(0)
