"""What a worker of Beam found and its parent never got: an error, in every component, and never fewer rows.

And what it found twice counts once.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from conftest_example_gen import run
from conftest_serving import model_artifact
from conftest_transform import (
    odd_records,
    odd_schema,
    transform,
)
from data_validation import (
    execute,
    in_files,
)
from evaluated_rows import config
from evaluation import evaluate
from tfx.types.standard_artifacts import ExampleStatistics, InferenceResult

from headrace.components import CsvExampleGen
from headrace.components.bulk_inferrer.executor import Executor as InferrerExecutor
from headrace.components.example_gen.csv_executor import Executor as CsvExecutor
from headrace.components.statistics_gen.executor import Executor as StatisticsExecutor
from headrace.errors import ExecutorError
from headrace.runtime.shared_folder import SharedFolder
from headrace.testing import make_examples, make_schema

# The component of each stage, and what the line about its output says.
_STAGES = {
    "WriteSplits": ("example_gen", "train 20 rows"),
    "MergeAndWrite": ("statistics_gen", "train 20 rows"),
    "pass 1": ("transform", "train 20 rows"),
    "apply": ("transform", "train 20 rows"),
    "Predict": ("bulk_inferrer", "20 predictions"),
    "EvaluateFile": ("evaluator", "20 examples"),
}


class _Length(tf.Module):
    """A model without weights."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(self, examples: Any) -> Any:
        return {"length": tf.cast(tf.strings.length(examples), tf.float32)}


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Twenty rows in two files."""
    return make_examples(tmp_path_factory.mktemp("examples"), {"train": in_files(odd_records(20), 2)})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("model")
    module = _Length()
    tf.saved_model.save(
        module, f"{path}/Format-Serving", signatures={"serving_default": module.serve.get_concrete_function()}
    )
    return model_artifact(path)


def _summary(artifact: Any) -> str:
    return str(artifact.get_string_custom_property("headrace_summary"))


@pytest.fixture
def components(tmp_path: Path, examples: Any, model: Any) -> dict[str, Callable[[], str]]:
    """Runs each component; returns the line about its output."""

    def example_gen() -> str:
        data = tmp_path / "data"
        data.mkdir()
        for name in ("a", "b"):
            (data / f"{name}.csv").write_text("x\n" + "1\n" * 10)
        output = '{"split_config": {"splits": [{"name": "train", "hash_buckets": 1}]}}'
        component = CsvExampleGen(input_base=str(data))
        return _summary(run(CsvExecutor, component, tmp_path / "rows", output_config=output))

    def statistics_gen() -> str:
        folder = tmp_path / "statistics"
        found = execute(StatisticsExecutor, folder, {"examples": examples}, "statistics", ExampleStatistics)
        return _summary(found)

    def transforming() -> str:
        schema = make_schema(tmp_path / "schema", odd_schema())
        made = transform(
            tmp_path / "transform", examples, schema, "transform_functions.one_pass", disable_statistics=1
        )
        return made.summary("transformed_examples")

    def bulk_inferrer() -> str:
        inputs = {"examples": examples, "model": model}
        given = {"data_spec": "{}", "model_spec": "{}"}
        folder = tmp_path / "inferrer"
        return _summary(execute(InferrerExecutor, folder, inputs, "inference_result", InferenceResult, given))

    def evaluator() -> str:
        asked = config("x", "x", "MeanPrediction", slicing_specs=[{}])
        evaluation, _ = evaluate(
            tmp_path / "evaluator", asked, {"examples": [examples]}, example_splits='["train"]'
        )
        return _summary(evaluation)

    return {
        "example_gen": example_gen,
        "statistics_gen": statistics_gen,
        "transform": transforming,
        "bulk_inferrer": bulk_inferrer,
        "evaluator": evaluator,
    }


@pytest.mark.parametrize("stage", _STAGES)
def test_a_lost_result_fails_the_node(
    stage: str, components: dict[str, Callable[[], str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stage is named; that of the last file is lost."""
    component, _ = _STAGES[stage]
    keep = SharedFolder.keep

    def lose(shared: SharedFolder[Any], index: int, result: Any) -> None:
        if index < shared.num_results - 1 or f"'{stage}'" not in shared.stage:
            keep(shared, index, result)

    monkeypatch.setattr(SharedFolder, "keep", lose)

    with pytest.raises(ExecutorError) as caught:
        components[component]()

    assert caught.value.problem.startswith(f"{component}: Beam stage '{stage}': the results of 1 of ")


@pytest.mark.parametrize("component", dict.fromkeys(name for name, _ in _STAGES.values()))
def test_what_was_done_twice_counts_once(
    component: str, components: dict[str, Callable[[], str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where Beam does a bundle again."""
    keep = SharedFolder.keep

    def keep_twice(shared: SharedFolder[Any], index: int, result: Any) -> None:
        keep(shared, index, result)
        keep(shared, index, result)

    monkeypatch.setattr(SharedFolder, "keep", keep_twice)

    (expected,) = {text for name, text in _STAGES.values() if name == component}
    assert expected in components[component]()
