"""Pipelines that are refused before anything runs: one function for each mistake."""

from __future__ import annotations

from headrace.authoring import Pipeline
from headrace.components import CsvExampleGen, SchemaGen, StatisticsGen, Trainer, Transform


def _start():
    examples = CsvExampleGen(input_base="data")
    statistics = StatisticsGen(examples=examples.outputs["examples"])
    return examples, statistics, SchemaGen(statistics=statistics.outputs["statistics"])


def missing_module():
    examples, statistics, schema = _start()
    transform = Transform(
        examples=examples.outputs["examples"],
        schema=schema.outputs["schema"],
        preprocessing_fn="bad_featurs:preprocessing_fn",
    )
    return Pipeline("bad", components=[examples, statistics, schema, transform])


def missing_function():
    examples, statistics, schema = _start()
    transform = Transform(
        examples=examples.outputs["examples"],
        schema=schema.outputs["schema"],
        preprocessing_fn="bad_features:preprocesing_fn",
    )
    return Pipeline("bad", components=[examples, statistics, schema, transform])


def missing_module_file():
    examples, statistics, schema = _start()
    trainer = Trainer(
        module_file="no_such_model.py", examples=examples.outputs["examples"], schema=schema.outputs["schema"]
    )
    return Pipeline("bad", components=[examples, statistics, schema, trainer])


def wrong_type():
    examples, statistics, schema = _start()
    SchemaGen(statistics=examples.outputs["examples"])
    return Pipeline("bad", components=[examples, statistics, schema])


def cycle():
    examples, statistics, schema = _start()
    examples.add_upstream_node(schema)
    return Pipeline("bad", components=[examples, statistics, schema])


def one_id_twice():
    examples, statistics, schema = _start()
    again = StatisticsGen(examples=examples.outputs["examples"])
    return Pipeline("bad", components=[examples, statistics, schema, again])


def no_components():
    return Pipeline("bad", components=[])


def good():
    return Pipeline("good", components=[*_start()])
