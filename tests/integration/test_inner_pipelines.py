"""Pipelines within a pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nodes
import stored
from conftest_runs import Run, in_process, run, states, store, texts

from headrace.authoring import Pipeline
from headrace.authoring.light import authoring

with authoring():
    from tfx.dsl.experimental.conditionals.conditional import Cond
    from tfx.orchestration.pipeline import PipelineInputs

_ = (run, store, in_process)  # fixtures


def inner(name: str, given: Any, fails: bool = False) -> Pipeline:
    inputs = PipelineInputs({"given": given})
    use = nodes.Use(given=inputs["given"])
    last = (nodes.Fail if fails else nodes.Use)(given=use.outputs["out"]).with_id("Last")
    return Pipeline(
        name,
        components=[use, last, nodes.Make(text="aside")],
        inputs=inputs,
        outputs={"out": last.outputs["out"]},
    )


def test_inner_pipelines_run_with_their_inputs_and_outputs(run: Run, tmp_path: Path):
    def build() -> list[Any]:
        make = nodes.Make(text="seed")
        first = inner("first", make.outputs["out"])
        second = inner("second", first.outputs["out"])
        return [make, first, second, nodes.Use(given=second.outputs["out"])]

    result, again = run(*build()), run(*build())

    assert result.is_success
    parts = ("_begin", ".Make", ".Use", ".Last", "_end")
    assert list(states(result)) == [
        "Make",
        *(f"first{part}" for part in parts),
        *(f"second{part}" for part in parts),
        "Use",
    ]
    assert texts(result, "Use") == ["used used used used used seed"]
    executed = {name for name, state in states(again).items() if state == "done"}
    assert executed == {"first_begin", "first_end", "second_begin", "second_end"}
    assert [summary.run_id for summary in stored.list_runs(str(tmp_path / "store"))] == [
        again.run_id,
        result.run_id,
    ]
    assert states(stored.read_run(str(tmp_path / "store"))) == states(again)


def test_a_failure_in_an_inner_pipeline_stops_what_follows_it(run: Run):
    make = nodes.Make(text="seed")
    failing = inner("failing", make.outputs["out"], fails=True)
    after = nodes.Use(given=failing.outputs["out"])

    result = run(make, failing, after)

    assert states(result)["failing.Last"] == "failed"
    assert result.node("failing_end").reason == "upstream failing.Last failed"
    assert result.node("Use").reason == "upstream failing.Last failed"


def test_a_condition_on_an_inner_pipeline_skips_all_of_it(run: Run):
    make, number = nodes.Make(text="seed"), nodes.Number(value=0)
    with Cond(number.outputs["out"].future()[0].value == 1):
        pipeline = inner("guarded", make.outputs["out"])

    result = run(make, number, pipeline)

    assert {name for name, state in states(result).items() if state == "skipped"} == {
        "guarded_begin",
        "guarded.Use",
        "guarded.Last",
        "guarded.Make",
        "guarded_end",
    }
    assert result.node("guarded_begin").reason == 'condition is false: Number.out[0].value == "1"'
    assert result.node("guarded.Make").reason == "upstream guarded_begin was skipped"
