"""`headrace explain` on stores that real runs have filled, and what is said to names that are not there."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nodes
import pytest
from conftest_runs import Command, Run, chain, command, run, store, workers
from stored import explain, list_artifacts, read_lineage

from headrace.errors import StoreError, UnknownNodeError

_ = (command, run, store, workers)  # fixtures


def test_explain_names_the_changed_parameter_and_who_made_the_changed_input(run: Run, store: str):
    first = run(*chain("one"))
    second = run(*chain("one"))
    third = run(*chain("two"))

    assert explain(store, first.run_id, "Make").outcome == "first"
    hit = explain(store, second.run_id, "Use")
    assert (hit.outcome, hit.compared_run) == ("hit", first.run_id)
    assert hit.text == f"same code, parameters and inputs as in run {first.run_id} (execution 2)."

    miss = explain(store, third.run_id, "Make")
    [parameter] = miss.differences
    assert (miss.outcome, miss.compared_run) == ("miss", first.run_id)
    assert (parameter.kind, parameter.name, parameter.old, parameter.new) == (
        "parameter",
        "text",
        "one",
        "two",
    )

    [given] = explain(store, third.run_id, "Use").differences
    assert (given.kind, given.name, given.note) == ("input", "given", "Make ran again and made other content")
    assert [(item["node_id"], item["run_id"]) for item in given.old] == [("Make", first.run_id)]
    assert [(item["node_id"], item["run_id"]) for item in given.new] == [("Make", third.run_id)]


def test_explain_shows_the_changed_source_lines_of_an_imported_module(
    run: Run, store: str, tmp_path: Path, command: Command
):
    """The user's file did not change; the project module that it imports did."""
    features, layers = tmp_path / "features.py", tmp_path / "layers.py"
    features.write_text("import layers\n\n\ndef f():\n    return layers.g()\n")
    layers.write_text("def g():\n    return 1\n")
    first = run(nodes.Make(text=str(features)))
    layers.write_text("def g():\n    return 2\n")
    second = run(nodes.Make(text=str(features)))

    [code] = explain(store, second.run_id, "Make").differences
    [file] = code.files
    assert (code.kind, code.name, file.name, file.change) == ("code", "text", "layers.py", "changed")
    assert file.lines[2:] == ("@@ -1,2 +1,2 @@", " def g():", "-    return 1", "+    return 2")

    shown = command("explain", second.run_id, "Make").output
    assert shown.splitlines() == [
        f"✓ Make of run {second.run_id} not cached: compared with its nearest earlier execution, "
        f"in run {first.run_id} (execution 1).",
        "  code of text changed",
        "    layers.py",
        "      @@ -1,2 +1,2 @@",
        "       def g():",
        "      -    return 1",
        "      +    return 2",
    ]
    assert json.loads(command("explain", "latest", "Make", "--json").output)["outcome"] == "miss"


def test_explain_says_when_the_cache_had_no_part_in_it(run: Run, store: str):
    """Switched off, failed, skipped: each with its own reason."""
    off = run(*chain(), cache=False)
    make = nodes.Make()
    fail = nodes.Fail(given=make.outputs["out"])
    failed = run(make, fail, nodes.Use(given=fail.outputs["out"]))
    again = run(make := nodes.Make(text="other"), nodes.Fail(given=make.outputs["out"]))

    assert explain(store, off.run_id, "Make").text == "the cache was switched off for this run."
    assert explain(store, failed.run_id, "Fail").outcome == "first"
    assert explain(store, failed.run_id, "Use").text == "upstream Fail failed"
    assert explain(store, again.run_id, "Fail").outcome == "first"


def test_explain_names_what_is_gone(run: Run, store: str):
    first = run(*chain())
    uri = first.node("Make").outputs[0].uri
    os.remove(os.path.join(uri, "text"))
    os.rmdir(uri)
    second = run(*chain())

    assert explain(store, second.run_id, "Make").text == (
        f"run {first.run_id} made the same (execution 1), but {uri} is gone."
    )


def test_unknown_names_are_answered_with_those_there_are(run: Run, store: str):
    result = run(*chain())

    with pytest.raises(UnknownNodeError) as node:
        explain(store, "latest", "make")
    with pytest.raises(StoreError) as missing_run:
        explain(store, result.run_id + "0", "Make")
    with pytest.raises(StoreError) as output:
        read_lineage(store, "latest/Make.ou")
    with pytest.raises(StoreError) as kind:
        list_artifacts(store, type_name="Shema")

    assert str(node.value) == (
        f"run {result.run_id} has no node 'make'. It has 'Make', 'Use'.\n"
        "  Fix: did you mean 'Make'? Correct the name."
    )
    assert f"did you mean '{result.run_id}'?" in str(missing_run.value)
    assert str(output.value) == (
        f"Make of run {result.run_id} has no output 'ou'. It has 'out'.\n"
        "  Fix: did you mean 'out'? Write RUN/NODE.key."
    )
    assert "did you mean 'Schema'?" in str(kind.value)
