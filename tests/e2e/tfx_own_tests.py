"""A pytest plugin that puts Headrace's classes where TFX's own tests expect TFX's."""

from __future__ import annotations

import importlib
from typing import Any

from absl import flags

# What a test module of TFX reads from a module of TFX, and what it finds there instead.
REPLACED = {
    "tfx.components.example_gen.csv_example_gen.component.CsvExampleGen": "headrace.components.CsvExampleGen",
    "tfx.components.example_gen.import_example_gen.component.ImportExampleGen": (
        "headrace.components.ImportExampleGen"
    ),
    "tfx.components.example_gen.csv_example_gen.executor.Executor": (
        "headrace.components.example_gen.csv_executor.Executor"
    ),
    "tfx.components.example_gen.import_example_gen.executor.Executor": (
        "headrace.components.example_gen.import_executor.Executor"
    ),
    "tfx.components.example_gen.custom_executors.parquet_executor.Executor": (
        "headrace.components.example_gen.parquet_executor.Executor"
    ),
    "tfx.components.example_gen.driver.FileBasedDriver": "headrace.components.example_gen.driver.Driver",
    "tfx.components.schema_gen.import_schema_gen.component.ImportSchemaGen": (
        "headrace.components.ImportSchemaGen"
    ),
    "tfx.components.schema_gen.import_schema_gen.executor.Executor": (
        "headrace.components.import_schema_gen.executor.Executor"
    ),
    **{
        f"tfx.components.{folder}.component.{name}": f"headrace.components.{name}"
        for folder, name in (
            ("statistics_gen", "StatisticsGen"),
            ("schema_gen", "SchemaGen"),
            ("example_validator", "ExampleValidator"),
            ("transform", "Transform"),
            ("trainer", "Trainer"),
            ("tuner", "Tuner"),
            ("evaluator", "Evaluator"),
            ("infra_validator", "InfraValidator"),
            ("pusher", "Pusher"),
            ("bulk_inferrer", "BulkInferrer"),
        )
    },
    **{
        f"tfx.components.{folder}.executor.{name}": f"headrace.components.{folder}.executor.Executor"
        for folder, name in (
            ("statistics_gen", "Executor"),
            ("schema_gen", "Executor"),
            ("example_validator", "Executor"),
            ("transform", "Executor"),
            ("trainer", "GenericExecutor"),
            ("tuner", "Executor"),
            ("evaluator", "Executor"),
            ("infra_validator", "Executor"),
            ("pusher", "Executor"),
            ("bulk_inferrer", "Executor"),
        )
    },
}

# Cases that are not run, each with its reason.
LEFT_OUT: dict[str, str] = {}


def pytest_configure(config: Any) -> None:
    """Replace the classes; parse no flags of absl's."""
    if not flags.FLAGS.is_parsed():
        flags.FLAGS(["pytest"])
    _allow_functions_that_do_not_exist()
    for path, ours in REPLACED.items():
        module, _, name = path.rpartition(".")
        our_module, _, our_name = ours.rpartition(".")
        setattr(importlib.import_module(module), name, getattr(importlib.import_module(our_module), our_name))


def _allow_functions_that_do_not_exist() -> None:
    """TFX's tests of declarations name files that are nowhere; Headrace looks for them at once."""
    from headrace.sdk import functions

    functions.check = lambda *arguments: None
    functions.source_path = lambda *arguments: None


def pytest_collection_modifyitems(config: Any, items: list[Any]) -> None:
    """Deselect what is left out."""
    left_out = [item for item in items if name_of(item) in LEFT_OUT]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if name_of(item) not in LEFT_OUT]


def name_of(item: Any) -> str:
    """Return `folder/module/case` of a collected test, below `tfx/components`."""
    module = item.module.__name__.removeprefix("tfx.components.").replace(".", "/")
    return f"{module}/{item.name}"
