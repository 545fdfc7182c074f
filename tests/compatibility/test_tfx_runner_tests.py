"""TFX's own tests of its runners, with Headrace in the runner's place.

Their executors note in a list of the test process that they ran. Headrace's run in processes of their own, so
here the runner notes it: the nodes that were executed, in the order in which they ended.
"""

from __future__ import annotations

import unittest
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import headrace
from headrace.orchestration.events import NodeFinished, NodeState
from headrace.orchestration.plan.pipeline_graph import plan_nodes

Record = Callable[[str], None]


def make_runner(store: Path, record: Record) -> Callable[..., headrace.Runner]:
    def listen(event: object) -> None:
        if isinstance(event, NodeFinished) and event.result.state is NodeState.DONE:
            record(event.result.node_id)

    def runner(*_: Any, **__: Any) -> headrace.Runner:
        # One node at a time: the tests compare an order that they know from a runner that does so.
        return headrace.Runner(store=str(store), listener=listen, workers=1)

    return runner


def run_test_case(case: type[unittest.TestCase]) -> unittest.TestResult:
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    return result


def check(result: unittest.TestResult, num_tests: int) -> None:
    problems = [text for _, text in (*result.failures, *result.errors)]
    assert not problems, "\n".join(problems)
    assert result.testsRun >= num_tests


def local_dag_runner_module() -> tuple[ModuleType, Callable[[ModuleType], Record]]:
    from tfx.orchestration.local import local_dag_runner_test

    return (
        local_dag_runner_test,
        lambda m: lambda name: m._executed_components.append(f"_FakeComponent.{name}"),
    )


def local_pipeline_module() -> tuple[ModuleType, Callable[[ModuleType], Record]]:
    from tfx.orchestration.local import local_pipeline_test

    return local_pipeline_test, lambda m: lambda name: m.LocalDagRunnerTest.RAN_COMPONENTS.append(name)


@pytest.mark.long
@pytest.mark.parametrize("load", [local_dag_runner_module, local_pipeline_module])
def test_the_tests_of_local_dag_runner_pass(
    load: Callable[[], tuple[ModuleType, Callable[[ModuleType], Record]]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    module, make_record = load()
    runner = make_runner(tmp_path / "store", make_record(module))
    monkeypatch.setattr(module.local_dag_runner, "LocalDagRunner", runner)

    check(run_test_case(module.LocalDagRunnerTest), num_tests=2)


def test_the_compiled_pipeline_of_beam_dag_runners_tests_is_read_alike():
    """Those tests replace the runner's inner class and look at what it is given: here, what the plan holds."""
    from tfx.orchestration.beam import beam_dag_runner_test as module
    from tfx.proto.orchestration import pipeline_pb2
    from tfx.utils import io_utils

    testdata = Path(module.__file__).parent / "testdata" / "pipeline_for_beam_dag_runner_test.pbtxt"
    for config in (module._LOCAL_DEPLOYMENT_CONFIG, module._INTERMEDIATE_DEPLOYMENT_CONFIG):
        ir = io_utils.parse_pbtxt_file(str(testdata), pipeline_pb2.Pipeline())
        ir.deployment_config.Pack(config)
        planned = {node.node_id: node for node in plan_nodes(ir)}

        assert [name for name in planned if name != "my_importer"] == [
            "my_example_gen",
            "my_transform",
            "my_trainer",
        ]
        assert planned["my_example_gen"].executor_spec.class_path == "tfx.components.example_gen_executor"
        assert planned["my_example_gen"].driver_spec.class_path == "tfx.components.example_gen_driver"
        assert planned["my_transform"].driver_spec is None
        assert planned["my_trainer"].executor_spec.image == "path/to/docker/image"
        assert planned["my_importer"].executor_spec is None
