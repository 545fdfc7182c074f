"""Which implementation ran is on record, and told wherever a run is shown."""

from __future__ import annotations

import json
from pathlib import Path

import nodes
from conftest_runs import Command, Run, command, open_store, run, store, workers
from slow_nodes import Slow
from stored import explain, read_run

import headrace
from headrace.reports.runs.page import run_report
from headrace.runtime.implementation import Implementation
from headrace.store.read.executions import INGREDIENTS_PROPERTY

_ = (command, run, store, workers)  # fixtures

STOCK = Implementation("stock", "it was asked for")
SENTENCE = "ran TFX's own implementation: it was asked for; slower"


def test_a_fall_back_is_recorded_with_its_reason_and_told(run: Run, store: str, command: Command):
    """With the execution, in its log, in what is shown of the run, and again where it comes from the cache."""
    first, second = run(Slow("it was asked for")), run(Slow("it was asked for"))

    [made, cached] = open_store(store).get_executions()
    for execution in (made, cached):
        assert execution.custom_properties["headrace_implementation"].string_value == "stock"
        assert execution.custom_properties["headrace_implementation_reason"].string_value == STOCK.reason
    assert f"Slow: {SENTENCE}" in Path(first.node("Slow").log_path).read_text()
    assert second.node("Slow").state.value == "cached"
    for result in (first, second):
        assert result.node("Slow").implementation == STOCK
        assert read_run(store, result.run_id).node("Slow").implementation == STOCK
        assert explain(store, result.run_id, "Slow").implementation == STOCK
        assert SENTENCE in command("show", result.run_id).output
        assert SENTENCE in command("explain", result.run_id, "Slow").output
        with headrace.open_store(store) as opened:
            blocks = run_report(opened, result.run_id).blocks
        assert any(SENTENCE in getattr(block, "text", "") for block in blocks)
    shown = json.loads(command("show", second.run_id, "--json").output)
    assert shown["nodes"][0]["implementation"] == {"name": "stock", "reason": STOCK.reason}
    explained = json.loads(command("explain", second.run_id, "Slow", "--json").output)
    assert explained["implementation"] == {"name": "stock", "reason": STOCK.reason}


def test_a_node_that_is_finished_again_keeps_what_is_recorded(run: Run, store: str):
    """A resumed run, and one that leaves the node out, publish its outputs anew."""
    slow = Slow("it was asked for")
    first = run(slow, nodes.Fail(given=slow.outputs["out"]))
    slow = Slow("it was asked for")
    resumed = run(slow, nodes.Use(given=slow.outputs["out"]), resume_from=first.run_id)

    assert first.node("Slow").implementation == STOCK
    assert resumed.node("Slow").state.value == "cached"
    assert resumed.node("Slow").implementation == STOCK


def test_the_usual_is_recorded_and_no_word_is_made_of_it(run: Run, store: str, command: Command):
    """Of a component of others nothing is recorded; so it is with what an earlier version recorded."""
    result = run(Slow(""), nodes.Make())

    assert result.node("Slow").implementation == Implementation("own")
    assert result.node("Make").implementation == Implementation()
    assert "slower" not in command("show", result.run_id).output
    shown = json.loads(command("show", result.run_id, "--json").output)
    assert {node["node_id"]: node["implementation"] for node in shown["nodes"]} == {
        "Slow": {"name": "own", "reason": ""},
        "Make": None,
    }
    names = {
        execution.type: set(execution.custom_properties) for execution in open_store(store).get_executions()
    }
    assert "headrace_implementation" not in names["nodes.Make"]
    assert INGREDIENTS_PROPERTY in names["nodes.Make"]
