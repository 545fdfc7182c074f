"""The taxi pipeline with the nodes, steps, batches and metrics of TFX's own example, for the comparison.

Features and model are those of the ready pipeline, which also measures more, tries the model as a server would
and infers.
"""

from __future__ import annotations

import os

from headrace.authoring import Channel, standard_artifacts
from headrace.authoring.pipeline import Pipeline
from headrace.components import (
    CsvExampleGen,
    Evaluator,
    ExampleValidator,
    LatestBlessedModelStrategy,
    Pusher,
    Resolver,
    SchemaGen,
    StatisticsGen,
    Trainer,
    Transform,
)

_THRESHOLD = {
    "value_threshold": {"lower_bound": 0.6},
    "change_threshold": {"direction": "HIGHER_IS_BETTER", "absolute": -1e-10},
}
_EVAL_CONFIG = {
    "model_specs": [
        {
            "signature_name": "serving_default",
            "label_key": "tips_xf",
            "preprocessing_function_names": ["transform_features"],
        }
    ],
    "slicing_specs": [{}],
    "metrics_specs": [{"metrics": [{"class_name": "BinaryAccuracy", "threshold": _THRESHOLD}]}],
}


def create_pipeline(*, data_root: str, push_to: str) -> Pipeline:
    """Return the pipeline.

    Args:
        data_root: Folder of the CSV.
        push_to: Folder into which a blessed model is pushed.
    """
    example_gen = CsvExampleGen(input_base=data_root)
    examples = example_gen.outputs["examples"]
    statistics_gen = StatisticsGen(examples=examples)
    statistics = statistics_gen.outputs["statistics"]
    schema_gen = SchemaGen(statistics=statistics, infer_feature_shape=True)
    schema = schema_gen.outputs["schema"]
    transform = Transform(
        examples=examples,
        schema=schema,
        preprocessing_fn="headrace.pipelines.taxi.features:preprocessing_fn",
    )
    trainer = Trainer(
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        schema=schema,
        build_model="headrace.pipelines.taxi.model:build_model",
        label="tips",
        batch_size=40,
        train_args={"num_steps": 1000},
        eval_args={"num_steps": 150},
    )
    baseline = Resolver(
        strategy_class=LatestBlessedModelStrategy,
        model=Channel(type=standard_artifacts.Model),
        model_blessing=Channel(type=standard_artifacts.ModelBlessing),
    ).with_id("LatestBlessedModel")
    evaluator = Evaluator(
        examples=examples,
        model=trainer.outputs["model"],
        baseline_model=baseline.outputs["model"],
        eval_config=_EVAL_CONFIG,
    )
    pusher = Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        push_destination={"filesystem": {"base_directory": os.path.abspath(push_to)}},
    )
    validator = ExampleValidator(statistics=statistics, schema=schema)
    return Pipeline(
        "taxi",
        components=[
            example_gen,
            statistics_gen,
            schema_gen,
            validator,
            transform,
            trainer,
            baseline,
            evaluator,
            pusher,
        ],
    )
