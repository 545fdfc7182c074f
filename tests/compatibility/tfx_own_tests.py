"""A pytest plugin that puts Headrace's classes where TFX's own tests expect TFX's, and what runs tests with it."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
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

_WORDING = "asserts the wording of TFX's message; Headrace's own tests assert Headrace's"
_INTERNALS = "calls or mocks private methods of TFX's executor"

# Cases that are not run, each with its reason.
LEFT_OUT = {
    "statistics_gen/executor_test/testDoWithSchemaAndStatsOptions": (
        "fails with TFX's executor too: TFDV's lift statistics break Beam's type check"
    ),
    **{
        f"tuner/executor_test/{name}": (
            "fails with TFX's executor too: makes a Keras 2 model, and KerasTuner takes Keras 3 alone"
        )
        for name in (
            "testDoWithCustomSplits",
            "testDoWithModuleFile",
            "testDoWithTunerFn",
            "testMultipleArtifacts",
        )
    },
    "pusher/component_test/testConstruct_NoModelAndNoInfraBlessing_Fails": _WORDING,
    "pusher/executor_test/testDo_NoModel": _WORDING,
    "pusher/executor_test/testDo_InfraBlessingAsModel_FailIfNoWarmup": _WORDING,
    **dict.fromkeys(
        (
            "transform/component_test/test_construct_with_cache_disabled",
            "transform/component_test/test_construct_with_force_tf_compat_v1_override",
            "transform/component_test/test_construct_with_materialization_disabled",
            "transform/component_test/test_construct_with_stats_disabled",
        ),
        "names a function without its module, which nothing could import",
    ),
    "example_gen/driver_test/testResolveExecProperties": _WORDING,
    "schema_gen/import_schema_gen/executor_test/testMissingSchemaFile": _WORDING,
    "schema_gen/import_schema_gen/executor_test/testInvalidOutput": _WORDING,
    **{
        f"example_validator/executor_test/{name}": (
            "asserts that Do returns a message; Headrace's sets the artifacts, which every launcher of TFX's takes"
        )
        for name in ("testDoNo_anomalies", "testDoCustom_validation")
    },
    "example_gen/driver_test/testDriverRunFn": (
        "asserts the check sums of TFX's fingerprint; Headrace's holds a digest of the content"
    ),
    **{
        f"example_gen/component_test/{name}": "about the base classes FileBasedExampleGen, which stay TFX's own"
        for name in ("testConstructSubclassFileBased", "testConstructCustomExecutor")
    },
    **{
        f"infra_validator/executor_test/{name}": f"{_INTERNALS}, and TensorFlow Serving's clients"
        for name in (
            *("testDo_BlessedIfEventuallyNoError", "testDo_BlessedIfNoError", "testDo_MakeSavedModelWarmup"),
            *("testDo_NotBlessedIfError", "testDo_NotBlessedIfErrorContinues"),
            *("testDo_WarmupNotCreatedWithoutRequests", "testSignalHandling"),
            *(
                "testValidateOnce_LoadAndQuery_FailIfSendRequestsRaises",
                "testValidateOnce_LoadAndQuery_Succeed",
            ),
            *("testValidateOnce_LoadOnly_FailIfClientWaitRaises", "testValidateOnce_LoadOnly_Succeed"),
            "testValidateOnce_LoadOnly_FailIfRunnerWaitRaises",
        )
    },
}


def pytest_configure(config: Any) -> None:
    """Replace the classes; parse no flags of absl's."""
    if not flags.FLAGS.is_parsed():
        flags.FLAGS(["pytest"])
    _allow_functions_that_do_not_exist()
    for path, ours in REPLACED.items():
        module, _, name = path.rpartition(".")
        our_module, _, our_name = ours.rpartition(".")
        setattr(importlib.import_module(module), name, getattr(importlib.import_module(our_module), our_name))
    _add_what_the_tests_of_pusher_call()


def _add_what_the_tests_of_pusher_call() -> None:
    """TFX's tests compare what was pushed with the folder that TFX's executor says it takes the model from."""
    from tfx.components.pusher import executor
    from tfx.types import standard_component_specs
    from tfx.utils import path_utils

    class Executor(executor.Executor):
        def GetModelPath(self, inputs: Any) -> str:
            if standard_component_specs.MODEL_KEY in inputs:
                [model] = inputs[standard_component_specs.MODEL_KEY]
                return path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model))
            [blessing] = inputs[standard_component_specs.INFRA_BLESSING_KEY]
            return path_utils.stamped_model_path(blessing.uri)

    executor.Executor = Executor


def _allow_functions_that_do_not_exist() -> None:
    """TFX's tests of declarations name files that are nowhere; Headrace looks for them at once."""
    from headrace.usercode import functions

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


def assert_they_pass(modules: Mapping[str, int], folder: Path) -> None:
    """Run TFX's test modules in a process of their own, with this plugin.

    Args:
        modules: Their names below `tfx.components`, and how many cases of each run at least.
        folder: Where they run.
    """
    # The models of TFX's tests are Keras 2.
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent), "TF_USE_LEGACY_KERAS": "1"}
    # Options that are meant for the tests outside, such as a plugin of theirs.
    environment.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tfx_own_tests", "-p", "no:cacheprovider"]
        + ["-c", os.devnull, "--rootdir", str(folder), "--pyargs"]
        + [f"tfx.components.{module}" for module in modules],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    [passed] = re.findall(r"(\d+) passed", done.stdout)
    assert int(passed) >= sum(modules.values()), done.stdout[-2000:]
