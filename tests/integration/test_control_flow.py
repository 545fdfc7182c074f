"""Control flow that TFX's DSL can declare: loops, conditions, values from upstream, triggers, exit handlers."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import nodes
import pytest
import stored
from conftest_runs import Run, in_process, run, states, store, texts

import headrace
from headrace.authoring import Pipeline
from headrace.authoring.light import authoring
from headrace.errors import DuplicateNodeError

with authoring():
    from tfx.dsl.control_flow.for_each import ForEach
    from tfx.dsl.experimental.conditionals.conditional import Cond
    from tfx.dsl.experimental.node_execution_options import utils
    from tfx.proto.orchestration import pipeline_pb2
    from tfx.types.channel_utils import union

_ = (run, store, in_process)  # fixtures


COMPLETED = pipeline_pb2.NodeExecutionOptions.ALL_UPSTREAM_NODES_COMPLETED
LIFETIME_END = pipeline_pb2.NodeExecutionOptions.LIFETIME_END_WHEN_SUBGRAPH_CANNOT_PROGRESS


def test_for_each_runs_a_node_for_each_artifact_and_gathers_what_it_made(run: Run):
    def build(*given: str) -> list[Any]:
        makes = [nodes.Make(text=text).with_id(f"Make{index}") for index, text in enumerate(given)]
        gathered = union([make.outputs["out"] for make in makes])
        with ForEach(gathered) as each:
            use = nodes.Use(given=each)
        return [*makes, use, nodes.Join(given=use.outputs["out"])]

    first, second = run(*build("a", "b", "c")), run(*build("a", "b", "changed"))

    assert sorted(texts(first, "Use")) == ["used a", "used b", "used c"]
    assert texts(first, "Join") == ["used a+used b+used c"]
    assert states(second) == {
        "Make0": "cached",
        "Make1": "cached",
        "Make2": "done",
        "Use": "done",
        "Join": "done",
    }
    assert texts(second, "Join") == ["used a+used b+used changed"]


def test_a_false_condition_skips_and_is_named(run: Run):
    decide = nodes.Number(value=3)
    with Cond(decide.outputs["out"].future()[0].value > 5):
        guarded = nodes.Make()
    with Cond(decide.outputs["out"].future()[0].value == 3):
        taken = nodes.Make().with_id("Taken")
    after = nodes.Use(given=guarded.outputs["out"])

    result = run(decide, guarded, taken, after)

    assert result.is_success
    assert states(result) == {"Number": "done", "Make": "skipped", "Taken": "done", "Use": "skipped"}
    assert result.node("Make").reason == 'condition is false: Number.out[0].value > "5"'
    assert result.node("Use").reason == "upstream Make was skipped"


def test_a_parameter_may_come_from_an_upstream_value(run: Run):
    number = nodes.Number(value=7)
    make = nodes.Repeat(count=number.outputs["out"].future()[0].value)

    result = run(number, make)

    assert texts(result, "Repeat") == ["xxxxxxx"]


def test_an_optional_input_may_be_missing(run: Run):
    number = nodes.Number(value=0)
    with Cond(number.outputs["out"].future()[0].value == 1):
        make = nodes.Make()

    result = run(number, make, nodes.Maybe(given=make.outputs["out"]), nodes.Maybe().with_id("Alone"))

    assert states(result) == {"Number": "done", "Make": "skipped", "Maybe": "done", "Alone": "done"}
    assert texts(result, "Maybe") == ["nothing"]


def test_an_exit_handler_learns_how_the_run_ended(tmp_path: Path):
    from tfx.orchestration.kubeflow.decorators import FinalStatusStr

    def handle(*components: Any) -> dict[str, Any]:
        handler = nodes.AtExit(final_status=FinalStatusStr())
        runner = headrace.Runner(store=str(tmp_path / "store"), show=False)
        runner.set_exit_handler([handler])
        with contextlib.suppress(headrace.errors.HeadraceError):
            runner.run(Pipeline("test", components=list(components)))
        result = stored.read_run(str(tmp_path / "store"))
        status: dict[str, Any] = json.loads(texts(result, "AtExit")[0])
        return status

    make = nodes.Make()
    failed = handle(make, nodes.Fail(given=make.outputs["out"]))
    assert (failed["state"], "nothing good" in failed["error"]["message"]) == ("FAILED", True)
    assert handle(nodes.Make())["state"] == "SUCCEEDED"


def test_an_exit_handler_needs_an_id_of_its_own(run: Run):
    with pytest.raises(DuplicateNodeError, match="a node and an exit handler have the id 'Make'"):
        run(nodes.Make(), exit_handlers=[nodes.Make()])


def test_trigger_strategies_and_optional_success(run: Run):
    make = nodes.Make()
    fail = nodes.Fail(given=make.outputs["out"])
    fail.with_node_execution_options(utils.NodeExecutionOptions(success_optional=True))
    dependent = nodes.Maybe(given=fail.outputs["out"])
    after = nodes.Make(text="after").with_id("After")
    after.add_upstream_node(fail)
    always = nodes.Make(text="cleanup").with_id("Always")
    always.add_upstream_node(after)
    always.with_node_execution_options(utils.NodeExecutionOptions(trigger_strategy=COMPLETED))
    end = nodes.Make(text="end").with_id("End")
    end.add_upstream_node(after)
    end.with_node_execution_options(
        utils.NodeExecutionOptions(trigger_strategy=LIFETIME_END, lifetime_start="Make")
    )

    result = run(make, fail, dependent, after, always, end)

    assert states(result) == {
        "Make": "done",
        "Fail": "failed",
        "Maybe": "done",
        "After": "skipped",
        "Always": "done",
        "End": "done",
    }
    assert result.is_success
    assert result.failed == ()
