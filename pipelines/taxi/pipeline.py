"""Chicago taxi: will the passenger tip more than a fifth of the fare? From CSV to a pushed model.

The data are the 15,002 trips that the `tfx` wheel carries; features and model are those of TFX's own taxi
example.
"""

from __future__ import annotations

import importlib.util
import os

from headrace.authoring import Pipeline
from headrace.components import (
    BulkInferrer,
    CsvExampleGen,
    Evaluator,
    ExampleValidator,
    InfraValidator,
    Pusher,
    SchemaGen,
    StatisticsGen,
    Trainer,
    Transform,
    latest_blessed_model,
)


def create_pipeline(
    *,
    data_root: str | None = None,
    push_to: str = "serving/taxi",
    train_steps: int = 1000,
    eval_steps: int = 150,
    batch_size: int = 40,
    min_accuracy: float = 0.6,
    min_change: float = -0.01,
    fail_on: str = "never",
    max_load_seconds: float = 60.0,
) -> Pipeline:
    """Return the taxi pipeline.

    Args:
        data_root: Folder of CSV files with the columns of the taxi data; default, the data in the tfx wheel.
        push_to: Folder into which blessed models are pushed, each as a new version; a relative one starts
            at the working directory.
        train_steps: Batches to train on.
        eval_steps: Batches of an evaluation during training.
        batch_size: Trips in a batch.
        min_accuracy: Accuracy from which a model is blessed.
        min_change: The least that accuracy may differ from the latest blessed model's; -0.01 lets it fall by
            a hundredth.
        fail_on: Which anomalies stop the pipeline; see `ExampleValidator`.
        max_load_seconds: Bound on the time in which a server loads the model.
    """
    example_gen = CsvExampleGen(input_base=data_root or taxi_data_root())
    examples = example_gen.outputs.examples
    statistics_gen = StatisticsGen(examples=examples)
    schema_gen = SchemaGen(statistics=statistics_gen.outputs.statistics, infer_feature_shape=True)
    example_validator = ExampleValidator(
        statistics=statistics_gen.outputs.statistics, schema=schema_gen.outputs.schema, fail_on=fail_on
    )
    transform = Transform(
        examples=examples,
        schema=schema_gen.outputs.schema,
        preprocessing_fn="headrace.pipelines.taxi.features:preprocessing_fn",
    )
    trainer = Trainer(
        examples=transform.outputs.transformed_examples,
        transform_graph=transform.outputs.transform_graph,
        schema=schema_gen.outputs.schema,
        build_model="headrace.pipelines.taxi.model:build_model",
        label="tips",
        batch_size=batch_size,
        train_args={"num_steps": train_steps},
        eval_args={"num_steps": eval_steps},
    )
    baseline = latest_blessed_model()
    evaluator = Evaluator(
        examples=examples,
        model=trainer.outputs.model,
        baseline_model=baseline.outputs.model,
        eval_config=eval_config(min_accuracy, min_change),
    )
    infra_validator = InfraValidator(
        model=trainer.outputs.model,
        examples=examples,
        request_spec={"num_examples": 10},
        max_load_seconds=max_load_seconds,
    )
    pusher = Pusher(
        model=trainer.outputs.model,
        model_blessing=evaluator.outputs.blessing,
        infra_blessing=infra_validator.outputs.blessing,
        push_destination={"filesystem": {"base_directory": os.path.abspath(push_to)}},
    )
    bulk_inferrer = BulkInferrer(
        examples=examples,
        model=trainer.outputs.model,
        model_blessing=evaluator.outputs.blessing,
        data_spec={"example_splits": ["eval"]},
    )
    return Pipeline(
        "taxi",
        components=[
            example_gen,
            statistics_gen,
            schema_gen,
            example_validator,
            transform,
            trainer,
            baseline,
            evaluator,
            infra_validator,
            pusher,
            bulk_inferrer,
        ],
    )


def eval_config(min_accuracy: float, min_change: float) -> dict[str, object]:
    """Return what the Evaluator measures, overall and for each hour, and what it asks for overall."""
    threshold = {
        "value_threshold": {"lower_bound": min_accuracy},
        "change_threshold": {"direction": "HIGHER_IS_BETTER", "absolute": min_change},
    }
    # A plain threshold would hold in every slice, the small and noisy ones too.
    accuracy = {
        "class_name": "BinaryAccuracy",
        "per_slice_thresholds": [{"slicing_specs": [{}], "threshold": threshold}],
    }
    return {
        "model_specs": [
            {
                "signature_name": "serving_default",
                "label_key": "tips_xf",
                "preprocessing_function_names": ["transform_features"],
            }
        ],
        "slicing_specs": [{}, {"feature_keys": ["trip_start_hour"]}],
        "metrics_specs": [{"metrics": [accuracy, {"class_name": "AUC"}, {"class_name": "ExampleCount"}]}],
    }


def taxi_data_root() -> str:
    """Return the folder of the taxi CSV in the `tfx` wheel, found without importing `tfx`."""
    spec = importlib.util.find_spec("tfx")
    folders = list(spec.submodule_search_locations or []) if spec else []
    return os.path.join(*folders[:1], "examples", "chicago_taxi_pipeline", "data", "simple")
