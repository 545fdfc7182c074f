"""Lineage, lists of runs and artifacts, differences and logs, on stores that real runs have filled."""

from __future__ import annotations

import json

import nodes
from conftest_runs import Command, Run, chain, command, run, states, store, workers
from stored import compare_runs, list_artifacts, list_runs, read_lineage, read_run

_ = (command, run, store, workers)  # fixtures


def test_runs_are_listed_and_read_back(run: Run, store: str):
    make = nodes.Make()
    result = run(make, nodes.Fail(given=make.outputs["out"]))

    [summary] = list_runs(store)
    assert (summary.run_id, summary.state) == (result.run_id, "failed")
    assert (summary.num_nodes, summary.num_failed) == (2, 1)
    read = read_run(store)
    assert states(read) == states(result)
    assert str(read.node("Fail").error) == str(result.node("Fail").error)


def test_lineage_goes_up_to_the_source_and_down_to_the_last_use(run: Run, store: str, command: Command):
    """A run that was served from the cache adds nothing: it made nothing."""
    first = run(*chain())
    run(*chain())
    made, used = (node.outputs[0].artifact_id for node in first.nodes)

    up = read_lineage(store, f"{first.run_id}/Use.out", down=False).up
    down = read_lineage(store, str(made), up=False).down

    assert up is not None
    assert down is not None
    [maker] = up.executions
    assert (maker.place.node_id, [child.artifact.artifact_id for child in maker.artifacts]) == ("Use", [made])
    assert [e.place.node_id for e in maker.artifacts[0].executions] == ["Make"]
    [user] = down.executions
    assert (user.place.node_id, [child.artifact.artifact_id for child in user.artifacts]) == ("Use", [used])
    by_uri = command("lineage", first.node("Make").outputs[0].uri)
    assert by_uri.output.splitlines()[2:] == [
        "made by",
        f"└── Make  run {first.run_id}",
        "used by",
        f"└── Use  run {first.run_id}",
        f"    └── out: Schema {used}",
    ]


def test_artifacts_are_listed_with_their_makers(run: Run, store: str):
    first = run(*chain("one"))
    run(*chain("two"), name="other")

    listed = list_artifacts(store, run_id=first.run_id)
    assert [(item.node_id, item.key, item.state, item.size_bytes) for item in listed] == [
        ("Use", "out", "live", len("used one")),
        ("Make", "out", "live", len("one")),
    ]
    assert [item.pipeline_name for item in list_artifacts(store, pipeline_name="other")] == ["other"] * 2
    assert len(list_artifacts(store, limit=3)) == 3


def test_diff_shows_parameters_states_and_contents(run: Run, store: str, command: Command):
    first = run(*chain("one"), configuration={"pipeline": "p.py", "parameters": {"text": "one"}})
    run(*chain("one"))
    second = run(*chain("two"), configuration={"pipeline": "p.py", "parameters": {"text": "two"}})

    found = compare_runs(store, first.run_id, second.run_id)

    assert [(change.name, change.old, change.new) for change in found.settings] == [
        ("configuration.parameters.text", "one", "two")
    ]
    make, use = found.nodes
    assert [(d.kind, d.old, d.new) for d in make.differences] == [("parameter", "one", "two")]
    assert (make.is_equal, use.is_equal) == (False, False)
    assert len(found.payloads) == 2
    same = command("diff", first.run_id, read_run(store, first.run_id).run_id)
    assert "computed the same" in same.output
    shown = command("diff", first.run_id, "latest")
    assert shown.exit_code == 0, shown.output
    assert "parameter text changed" in shown.output
    assert json.loads(command("diff", first.run_id, "latest", "--json").output)["metrics"] == []


def test_logs_prints_what_a_node_wrote(run: Run, command: Command):
    make = nodes.Make()
    run(make, nodes.Fail(given=make.outputs["out"]))

    assert "nothing good comes of this" in command("logs", "latest", "Fail").output
