"""The taxi pipeline from components of either kind: stock ones and Headrace's take the same arguments."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import stock_taxi
import swap_module
import tfx.v1 as tfx
from tfx.orchestration import metadata
from tfx.proto import bulk_inferrer_pb2, pusher_pb2, trainer_pb2

import headrace.components as headrace_components
from headrace.pipelines.taxi.pipeline import taxi_data_root

NAMES = (
    *("CsvExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "Transform", "Tuner", "Trainer"),
    *("Evaluator", "Pusher", "BulkInferrer"),
)
STOCK: dict[str, Any] = {name: getattr(tfx.components, name) for name in NAMES}
HEADRACE: dict[str, Any] = {name: getattr(headrace_components, name) for name in NAMES}
_EVERY_OTHER = NAMES[1::2]
_THE_REST = ("ExampleValidator", "Transform", "Pusher", "BulkInferrer")


def mix(ours: Iterable[str]) -> dict[str, Any]:
    """Return the class of each component: Headrace's for those named, else the stock one."""
    return {**STOCK, **{name: HEADRACE[name] for name in ours}}


# Together they have each connection of the pipeline twice: from a stock component to ours, and from ours to a stock one.
MIXES = {
    "stock reads first": mix(_EVERY_OTHER),
    "ours reads first": mix(set(NAMES) - set(_EVERY_OTHER)),
    "stock reads the rest": mix(_THE_REST),
    "ours reads the rest": mix(set(NAMES) - set(_THE_REST)),
}


@pytest.fixture(scope="module", autouse=True)
def beam_in_process() -> Iterator[None]:
    """Stock components get no Beam arguments: TFX would package its own source for each of them."""
    with pytest.MonkeyPatch.context() as patch:
        stock_taxi.use_beam_in_process(patch)
        yield


def write_rows(folder: Path, num_rows: int = 1000) -> str:
    """Write the first rows of the taxi data into a folder of their own."""
    folder.mkdir(parents=True)
    with open(os.path.join(taxi_data_root(), "data.csv"), encoding="utf-8") as source:
        (folder / "data.csv").write_text("".join(source.readlines()[: num_rows + 1]))
    return str(folder)


@dataclass(frozen=True)
class Project:
    """A folder with data, a store and what the pipelines make."""

    folder: Path
    data: str

    def nodes(self, kinds: Mapping[str, Any]) -> dict[str, Any]:
        """Return all components by name, each of the class that `kinds` says."""
        nodes: dict[str, Any] = {}

        def add(name: str, **arguments: Any) -> Any:
            nodes[name] = kinds[name](**arguments)
            return nodes[name].outputs

        examples = add("CsvExampleGen", input_base=self.data)["examples"]
        statistics = add("StatisticsGen", examples=examples)["statistics"]
        schema = add("SchemaGen", statistics=statistics, infer_feature_shape=True)["schema"]
        add("ExampleValidator", statistics=statistics, schema=schema)
        transformed = add(
            "Transform",
            examples=examples,
            schema=schema,
            preprocessing_fn=f"{swap_module.__name__}.preprocessing_fn",
        )
        steps = {
            "train_args": trainer_pb2.TrainArgs(num_steps=20),
            "eval_args": trainer_pb2.EvalArgs(num_steps=3),
            "examples": transformed["transformed_examples"],
            "transform_graph": transformed["transform_graph"],
        }
        tuned = add("Tuner", tuner_fn=f"{swap_module.__name__}.tuner_fn", **steps)
        model = add(
            "Trainer",
            run_fn=f"{swap_module.__name__}.run_fn",
            hyperparameters=tuned["best_hyperparameters"],
            **steps,
        )["model"]
        blessing = add("Evaluator", examples=examples, model=model, eval_config=_eval_config())["blessing"]
        destination = pusher_pb2.PushDestination.Filesystem(base_directory=str(self.folder / "serving"))
        add(
            "Pusher",
            model=model,
            model_blessing=blessing,
            push_destination=pusher_pb2.PushDestination(filesystem=destination),
        )
        add(
            "BulkInferrer",
            examples=examples,
            model=model,
            model_blessing=blessing,
            data_spec=bulk_inferrer_pb2.DataSpec(example_splits=["eval"]),
        )
        return nodes

    def pipeline(self, kinds: Mapping[str, Any]) -> Any:
        """Return the pipeline of all components."""
        config = metadata.sqlite_metadata_connection_config(str(self.folder / "metadata.db"))
        return tfx.dsl.Pipeline(
            "swaps",
            pipeline_root=str(self.folder / "root"),
            components=list(self.nodes(kinds).values()),
            metadata_connection_config=config,
            enable_cache=True,
        )


def _eval_config() -> Any:
    import tensorflow_model_analysis as tfma

    threshold = tfma.MetricThreshold(value_threshold=tfma.GenericValueThreshold(lower_bound={"value": 0.1}))
    return tfma.EvalConfig(
        model_specs=[
            tfma.ModelSpec(
                signature_name="serving_default",
                label_key=swap_module.LABEL,
                preprocessing_function_names=["transform_features"],
            )
        ],
        slicing_specs=[tfma.SlicingSpec()],
        metrics_specs=[
            tfma.MetricsSpec(metrics=[tfma.MetricConfig(class_name="BinaryAccuracy", threshold=threshold)])
        ],
    )
