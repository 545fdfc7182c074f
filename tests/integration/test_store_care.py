"""Explain, lineage, difference, list and garbage collection, on stores that real runs have filled."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nodes
import pytest
from click.testing import CliRunner, Result

import headrace
from headrace.cli.main import cli
from headrace.errors import StoreError, UnknownNodeError
from headrace.metadata import collection, locks
from headrace.metadata.catalog import list_artifacts
from headrace.metadata.collection import collect, look
from headrace.metadata.comparison import compare_runs
from headrace.metadata.explanation import explain
from headrace.metadata.garbage import Keeping
from headrace.metadata.lineage import read_lineage
from headrace.metadata.results import RunResult
from headrace.metadata.runs import list_runs, read_run
from headrace.metadata.store import Store
from headrace.sdk import Importer, Pipeline, standard_artifacts

Run = Callable[..., RunResult]


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "store")


@pytest.fixture
def run(store: str) -> Run:
    """Run components in a store of this test."""

    def run_components(*components: Any, name: str = "test", **options: Any) -> RunResult:
        options.setdefault("max_workers", 1)
        return headrace.run(Pipeline(name, components=list(components)), store=store, show=False, **options)

    return run_components


@pytest.fixture
def headrace_command(store: str) -> Callable[..., Result]:
    def invoke(*words: str) -> Result:
        return CliRunner().invoke(cli, [*words, "--store", store])

    return invoke


def chain(text: str = "one") -> list[Any]:
    make = nodes.Make(text=text)
    return [make, nodes.Use(given=make.outputs["out"])]


def by_node(result: RunResult) -> dict[str, str]:
    return {node.node_id: node.state.value for node in result.nodes}


def states(result: RunResult) -> list[str]:
    return [node.state.value for node in result.nodes]


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
    run: Run, store: str, tmp_path: Path, headrace_command: Callable[..., Result]
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

    shown = headrace_command("explain", second.run_id, "Make").output
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
    assert json.loads(headrace_command("explain", "latest", "Make", "--json").output)["outcome"] == "miss"


def test_explain_says_when_the_cache_had_no_part_in_it(run: Run, store: str):
    """Switched off, failed, skipped: each with its own reason."""
    off = run(*chain(), enable_cache=False)
    make = nodes.Make()
    fail = nodes.Fail(given=make.outputs["out"])
    failed = run(make, fail, nodes.Use(given=fail.outputs["out"]))
    again = run(make := nodes.Make(text="other"), nodes.Fail(given=make.outputs["out"]))

    assert (
        explain(store, off.run_id, "Make").text
        == "the cache was switched off for this node, by the pipeline."
    )
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


def test_lineage_goes_up_to_the_source_and_down_to_the_last_use(
    run: Run, store: str, headrace_command: Callable[..., Result]
):
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
    by_uri = headrace_command("lineage", first.node("Make").outputs[0].uri)
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
    assert [(item.place.node_id, item.key, item.state, item.size_bytes) for item in listed] == [
        ("Use", "out", "live", len("used one")),
        ("Make", "out", "live", len("one")),
    ]
    assert [item.place.pipeline_name for item in list_artifacts(store, pipeline_name="other")] == [
        "other"
    ] * 2
    assert len(list_artifacts(store, limit=3)) == 3
    assert list_artifacts(os.path.join(store, "nowhere")) == []


def test_diff_shows_parameters_states_and_contents(
    run: Run, store: str, headrace_command: Callable[..., Result]
):
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
    same = headrace_command("diff", first.run_id, read_run(store, first.run_id).run_id)
    assert "computed the same" in same.output
    shown = headrace_command("diff", first.run_id, "latest")
    assert shown.exit_code == 0, shown.output
    assert "parameter text changed" in shown.output
    assert json.loads(headrace_command("diff", first.run_id, "latest", "--json").output)["metrics"] == []


def paths(result: RunResult) -> list[str]:
    return [output.uri for node in result.nodes for output in node.outputs]


def test_gc_keeps_the_last_runs_with_all_they_came_from(run: Run, store: str, tmp_path: Path):
    """The last run reuses what the second made; of the first nothing is left but an empty context."""
    old, kept = run(*chain("one")), run(*chain("two"))
    last = run(*chain("two"))
    keeping = Keeping(keep_last=1)

    garbage = look(Store(store), keeping)
    assert {artifact.uri for artifact in garbage.artifacts} == set(paths(old))
    assert garbage.run_ids == (old.run_id,)
    assert sum(artifact.size_bytes for artifact in garbage.artifacts) == len("one") + len("used one")

    collected = collect(Store(store), keeping)

    assert (collected.num_artifacts, collected.num_runs) == (2, 1)
    assert not any(os.path.exists(path) for path in paths(old))
    assert all(os.path.exists(path) for path in paths(kept) + paths(last))
    assert not os.path.exists(Store(store).logs_path(old.run_id))
    # The second run's record stays as long as something that it made does.
    assert [summary.run_id for summary in list_runs(store)] == [last.run_id, kept.run_id]
    with pytest.raises(StoreError, match=f"run '{old.run_id}' was removed from the store .* by headrace gc"):
        read_run(store, old.run_id)
    assert [item.state for item in list_artifacts(store, with_deleted=True)] == ["live"] * 2 + ["deleted"] * 2
    assert collect(Store(store), keeping).num_artifacts == 0


def test_what_was_removed_is_made_again_and_no_run_id_comes_back(run: Run, store: str):
    first = run(*chain("one"))
    run(*chain("two"))
    collect(Store(store), Keeping(keep_last=1))

    again = run(*chain("one"))

    assert states(again) == ["done", "done"]
    assert explain(store, again.run_id, "Make").outcome == "miss"
    assert again.run_id != first.run_id
    assert list_runs(store)[0].run_id == again.run_id


def test_gc_keeps_what_a_living_run_uses(run: Run, store: str, tmp_path: Path):
    old = run(*chain("one"))
    run(*chain("two"))
    opened = Store(store)

    with opened.open(), locks.living_run(opened, old.run_id, str(tmp_path)):
        assert look(Store(store), Keeping(keep_last=1)).artifacts == ()


def test_gc_spares_what_a_run_begins_to_use_while_it_works(run: Run, store: str, monkeypatch: Any):
    """A run that starts between the look and the removal is served by the cache: its artifacts stay whole."""
    old = run(*chain("one"))
    run(*chain("two"))
    find = collection.find_garbage

    def find_and_run(*arguments: Any) -> Any:
        garbage = find(*arguments)
        assert states(run(*chain("one"))) == ["cached", "cached"]
        return garbage

    monkeypatch.setattr(collection, "find_garbage", find_and_run)
    collect(Store(store), Keeping(keep_last=1))

    assert all(os.path.exists(path) for path in paths(old))
    assert {item.state for item in list_artifacts(store, with_deleted=True)} == {"live"}


def test_what_a_killed_gc_left_goes_with_the_next(run: Run, store: str, monkeypatch: Any):
    """Killed after ML Metadata was told and before the files were gone: no cache hit, and no files for ever."""
    old = run(*chain("one"))
    run(*chain("two"))

    def die(path: str) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(collection, "_remove", die)
        with pytest.raises(KeyboardInterrupt):
            collect(Store(store), Keeping(keep_last=1))
    assert all(os.path.exists(path) for path in paths(old))
    assert {item.state for item in list_artifacts(store, with_deleted=True)} == {"live", "deleted"}

    collect(Store(store), Keeping(keep_last=1))

    assert not any(os.path.exists(path) for path in paths(old))
    assert not os.path.exists(os.path.join(store, "gc.json"))
    assert len(list_runs(store)) == 1


def blessed(model: Any, is_good: bool) -> Any:
    return nodes.Bless(model=model, is_blessed=int(is_good))


def pushed(model: Any, is_good: bool) -> Any:
    return nodes.Push(model=model, is_pushed=int(is_good))


@pytest.mark.parametrize(
    ("judge", "keeping"),
    [(blessed, Keeping(keep_last=1, keep_blessed=True)), (pushed, Keeping(keep_last=1, keep_pushed=True))],
)
def test_gc_keeps_blessed_or_pushed_models_and_their_origins(
    run: Run, store: str, judge: Callable[[Any, bool], Any], keeping: Keeping
):
    def judged(text: str) -> list[Any]:
        model = nodes.MakeModel(text=text)
        return [model, judge(model.outputs["model"], text == "good")]

    good, bad, last = run(*judged("good")), run(*judged("bad")), run(*judged("last"))

    collect(Store(store), keeping)

    assert all(os.path.exists(path) for path in paths(good) + paths(last))
    assert not any(os.path.exists(path) for path in paths(bad))

    collect(Store(store), Keeping(keep_last=1))
    assert not any(os.path.exists(path) for path in paths(good))


def test_gc_breaks_lineage_only_when_told(run: Run, store: str):
    """Only what the last run reused stays, and not what this was made of."""
    first = run(*chain("one"))
    run(nodes.Make(text="two"))
    make = nodes.Make(text="two")
    run(make, nodes.Use(given=make.outputs["out"]), only=["Use"])
    last_use = read_run(store).node("Use").outputs[0].uri

    kept = {artifact.uri for artifact in look(Store(store), Keeping(keep_last=1)).artifacts}
    broken = {
        artifact.uri for artifact in look(Store(store), Keeping(keep_last=1, break_lineage=True)).artifacts
    }

    assert kept == set(paths(first))
    assert last_use not in broken
    assert broken >= kept


def test_imported_data_are_never_garbage(run: Run, store: str, tmp_path: Path):
    """What an Importer names belongs to somebody else, even where its path looks like an output's."""
    source = tmp_path / "result" / "1"
    source.mkdir(parents=True)
    (source / "text").write_text("mine")
    run(Importer(source_uri=str(source), artifact_type=standard_artifacts.Schema).with_id("Import"))
    run(*chain("one"))

    collect(Store(store), Keeping(keep_last=0))

    assert (source / "text").read_text() == "mine"


FLAKY = """
import sys
sys.path.insert(0, {folder!r})
import nodes
from headrace.sdk import Importer, Pipeline, standard_artifacts

def create_pipeline(*, times: int = 1):
    make = nodes.Make()
    flaky = nodes.FailTimes(counter="counter", times=times)
    return Pipeline("flaky", components=[make, flaky, nodes.Use(given=flaky.outputs["out"])])
"""


def headrace_process(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "headrace", *words],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_a_failure_ends_with_the_command_that_resumes_and_it_works_from_elsewhere(tmp_path: Path):
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    project.mkdir()
    elsewhere.mkdir()
    (project / "flaky.py").write_text(FLAKY.format(folder=str(Path(__file__).parent)))

    failed = headrace_process(project, "run", "flaky.py", "--no-cache", "--set", "times=1")
    run_id = list_runs(str(project / ".headrace"))[0].run_id
    resumed = headrace_process(elsewhere, "resume", run_id, "--store", str(project / ".headrace"))

    assert failed.returncode == 1
    fixes = [line for line in failed.stdout.splitlines() if line.startswith("  Fix: ")]
    assert [line.endswith(f", then run: headrace resume {run_id}") for line in fixes] == [True], failed.stdout
    assert failed.stdout.count("headrace resume") == 1
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    result = read_run(str(project / ".headrace"))
    assert by_node(result) == {"Make": "cached", "FailTimes": "done", "Use": "done"}


def test_the_run_of_a_plain_script_is_resumed_too(tmp_path: Path):
    (tmp_path / "flaky.py").write_text(
        FLAKY.format(folder=str(Path(__file__).parent))
        + textwrap.dedent(
            """
            if __name__ == "__main__":
                import headrace
                headrace.run(create_pipeline(), enable_cache=False)
            """
        )
    )
    failed = subprocess.run(
        [sys.executable, "flaky.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    resumed = headrace_process(tmp_path, "resume")

    assert "then run: headrace resume" in failed.stderr
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    result = read_run(str(tmp_path / ".headrace"))
    assert by_node(result) == {"Make": "cached", "FailTimes": "done", "Use": "done"}


def test_logs_prints_what_a_node_wrote(run: Run, headrace_command: Callable[..., Result]):
    make = nodes.Make()
    run(make, nodes.Fail(given=make.outputs["out"]))

    assert "nothing good comes of this" in headrace_command("logs", "latest", "Fail").output
