"""Palmer penguins: which of three species is it? With a search for hyperparameters and a schema under review.

The data are the 344 penguins of the package `palmerpenguins`, missing measurements included.
"""

from __future__ import annotations

import importlib.util
import os
from typing import Any

from headrace.authoring import Pipeline
from headrace.components import (
    CsvExampleGen,
    Evaluator,
    ExampleValidator,
    ImportSchemaGen,
    InfraValidator,
    Pusher,
    StatisticsGen,
    Trainer,
    Transform,
    Tuner,
    latest_blessed_model,
)

_BUILD_MODEL = "headrace.pipelines.penguin.model:build_model"


def create_pipeline(
    *,
    data_root: str | None = None,
    push_to: str = "serving/penguin",
    max_trials: int = 4,
    trial_epochs: int = 20,
    epochs: int = 60,
    batch_size: int = 16,
    min_accuracy: float = 0.9,
    min_change: float = -0.02,
    fail_on: str = "never",
) -> Pipeline:
    """Return the penguin pipeline.

    Args:
        data_root: Folder with a `penguins.csv`; default, the one of the package palmerpenguins.
        push_to: Folder into which blessed models are pushed, each as a new version; a relative one starts
            at the working directory.
        max_trials: Models that the Tuner trains.
        trial_epochs: Passes over the data in each trial.
        epochs: Passes over the data in training; fewer where the loss stops falling.
        batch_size: Penguins in a batch.
        min_accuracy: Accuracy from which a model is blessed.
        min_change: The least that accuracy may differ from the latest blessed model's.
        fail_on: Which anomalies stop the pipeline; see `ExampleValidator`.
    """
    # The package's folder holds the raw notes as well: only this file is read.
    only_this = {"splits": [{"name": "all", "pattern": "penguins.csv"}]}
    example_gen = CsvExampleGen(input_base=data_root or penguin_data_root(), input_config=only_this)
    examples = example_gen.outputs.examples
    statistics_gen = StatisticsGen(examples=examples)
    schema_gen = ImportSchemaGen(schema_file=os.path.join(os.path.dirname(__file__), "schema.pbtxt"))
    schema = schema_gen.outputs.schema
    example_validator = ExampleValidator(
        statistics=statistics_gen.outputs.statistics, schema=schema, fail_on=fail_on
    )
    transform = Transform(
        examples=examples,
        schema=schema,
        preprocessing_fn="headrace.pipelines.penguin.features:preprocessing_fn",
    )
    training: dict[str, Any] = {
        "examples": transform.outputs.transformed_examples,
        "transform_graph": transform.outputs.transform_graph,
        "schema": schema,
        "build_model": _BUILD_MODEL,
        "label": "species",
        "batch_size": batch_size,
    }
    tuner = Tuner(
        **training,
        search_space={"units": [8, 16], "learning_rate": [0.003, 0.01]},
        max_trials=max_trials,
        epochs=trial_epochs,
    )
    trainer = Trainer(**training, hyperparameters=tuner.outputs.best_hyperparameters, epochs=epochs)
    baseline = latest_blessed_model()
    evaluator = Evaluator(
        examples=examples,
        model=trainer.outputs.model,
        baseline_model=baseline.outputs.model,
        eval_config=eval_config(min_accuracy, min_change),
        schema=schema,
    )
    infra_validator = InfraValidator(
        model=trainer.outputs.model, examples=examples, request_spec={"num_examples": 10}
    )
    pusher = Pusher(
        model=trainer.outputs.model,
        model_blessing=evaluator.outputs.blessing,
        infra_blessing=infra_validator.outputs.blessing,
        push_destination={"filesystem": {"base_directory": os.path.abspath(push_to)}},
    )
    return Pipeline(
        "penguin",
        components=[
            example_gen,
            statistics_gen,
            schema_gen,
            example_validator,
            transform,
            tuner,
            trainer,
            baseline,
            evaluator,
            infra_validator,
            pusher,
        ],
    )


def eval_config(min_accuracy: float, min_change: float) -> dict[str, object]:
    """Return what the Evaluator measures, overall and for each island, and what it asks for overall."""
    threshold = {
        "value_threshold": {"lower_bound": min_accuracy},
        "change_threshold": {"direction": "HIGHER_IS_BETTER", "absolute": min_change},
    }
    # A plain threshold would hold in every slice, the small and noisy ones too.
    accuracy = {
        "class_name": "SparseCategoricalAccuracy",
        "per_slice_thresholds": [{"slicing_specs": [{}], "threshold": threshold}],
    }
    return {
        "model_specs": [
            {
                "signature_name": "serving_default",
                "label_key": "species_xf",
                "preprocessing_function_names": ["transform_features"],
            }
        ],
        "slicing_specs": [{}, {"feature_keys": ["island"]}],
        "metrics_specs": [{"metrics": [accuracy, {"class_name": "ExampleCount"}]}],
    }


def penguin_data_root() -> str:
    """Return the folder of the penguin CSV, found without importing its package, which imports pandas."""
    spec = importlib.util.find_spec("palmerpenguins")
    folders = list(spec.submodule_search_locations or []) if spec else []
    return os.path.join(*folders[:1], "data")
