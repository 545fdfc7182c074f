"""Pipelines whose nodes fail while they run: many mistakes in each, so that a test starts workers once."""

from __future__ import annotations

from headrace.authoring import Pipeline
from headrace.authoring.light import authoring
from headrace.components import (
    CsvExampleGen,
    ExampleValidator,
    ImportSchemaGen,
    SchemaGen,
    StatisticsGen,
    Trainer,
    Transform,
)
from headrace.pipelines.taxi.pipeline import taxi_data_root

with authoring():
    from tfx.proto import trainer_pb2

BAD_FILES = ("empty", "only_header", "ragged", "column_twice", "not_utf8", "missing")


def bad_files() -> Pipeline:
    """A reader for each folder in `BAD_FILES`, and a good one with what depends on it."""
    readers = [CsvExampleGen(input_base=f"data/{name}").with_id(name) for name in BAD_FILES]
    late = CsvExampleGen(input_base="data/late_type").with_id("late_type")
    statistics = StatisticsGen(examples=late.outputs["examples"])
    below = StatisticsGen(examples=readers[2].outputs["examples"]).with_id("below_ragged")
    return Pipeline("files", components=[*readers, late, statistics, below])


def good_file() -> Pipeline:
    """The good part of `bad_files`."""
    late = CsvExampleGen(input_base="data/late_type").with_id("late_type")
    return Pipeline("files", components=[late, StatisticsGen(examples=late.outputs["examples"])])


def _trainer(examples, transform, build_model: str) -> Trainer:
    return Trainer(
        examples=transform.outputs["transformed_examples"],
        transform_graph=transform.outputs["transform_graph"],
        build_model=f"bad_models:{build_model}",
        label="label_xf",
        batch_size=40,
        train_args=trainer_pb2.TrainArgs(num_steps=20),
        eval_args=trainer_pb2.EvalArgs(num_steps=2),
    ).with_id(build_model)


def _validated(name: str, statistics: StatisticsGen) -> list:
    schema = ImportSchemaGen(schema_file=f"schemas/{name}.pbtxt").with_id(f"schema_{name}")
    validator = ExampleValidator(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"], fail_on="error"
    ).with_id(f"validate_{name}")
    return [schema, validator]


def bad_code(fix: str = "") -> Pipeline:
    """Schemas that the data contradict, and user functions that raise.

    Args:
        fix: `"all"` leaves every failing node out.
    """
    examples = CsvExampleGen(input_base="data/taxi")
    statistics = StatisticsGen(examples=examples.outputs["examples"])
    schema = SchemaGen(statistics=statistics.outputs["statistics"], infer_feature_shape=True)
    good = Transform(
        examples=examples.outputs["examples"],
        schema=schema.outputs["schema"],
        preprocessing_fn="bad_features:preprocessing_fn",
    )
    nodes = [examples, statistics, schema, good, _trainer(examples, good, "build_model")]
    if fix == "all":
        return Pipeline("code", components=nodes)
    for name, function in (("feature_missing", "use_surcharge"), ("other_type", "use_payment")):
        imported, validator = _validated(name, statistics)
        nodes += [imported, validator]
        nodes.append(
            Transform(
                examples=examples.outputs["examples"],
                schema=imported.outputs["schema"],
                preprocessing_fn=f"bad_features:{function}",
            ).with_id(f"transform_{name}")
        )
    for name in ("raise_in_python", "raise_in_tensorflow"):
        nodes.append(
            Transform(
                examples=examples.outputs["examples"],
                schema=schema.outputs["schema"],
                preprocessing_fn=f"bad_features:{name}",
            ).with_id(name)
        )
    for name in ("build_raising", "build_mismatched", "build_exploding"):
        nodes.append(_trainer(examples, good, name))
    return Pipeline("code", components=nodes)


def at_root(root: str) -> Pipeline:
    """One component that writes all taxi data below `root`."""
    return Pipeline("disk", pipeline_root=root, components=[CsvExampleGen(input_base=taxi_data_root())])
