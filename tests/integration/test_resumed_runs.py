"""Runs that do a part only: selected nodes, what a failed run left, nothing at all."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import nodes
import pytest
from conftest_runs import Run, chain, open_store, run, run_python, states, store, text_of, workers
from stored import list_runs, read_run

import headrace
from headrace.authoring import options
from headrace.errors import InputResolutionError, StoreError

_ = (run, store, workers)  # fixtures


def test_a_partial_run_reuses_what_it_leaves_out(run: Run):
    run(*chain("one"))
    second = run(*chain("two"), only=["Use"], cache=False)

    assert states(second) == {"Make": "not selected", "Use": "done"}
    assert second.node("Make").reason.startswith("outputs of run ")
    assert text_of(second, "Use") == "used one"

    again = run(*chain("two"), only=["Make"], base_run=second.run_id)
    assert states(again) == {"Make": "done", "Use": "not selected"}
    assert text_of(again, "Use") == "used one"

    based = run(*chain("three"), only=["Use"], cache=False, base_run=second.run_id)
    assert text_of(based, "Use") == "used one", "the base run took over what an earlier one had made"


def test_a_partial_run_without_earlier_outputs_is_refused(run: Run):
    assert states(run(*chain(), only=["Use"], dry_run=True)) == {"Make": "not selected", "Use": "skipped"}
    with pytest.raises(InputResolutionError) as caught:
        run(*chain(), only=["Use"])

    assert str(caught.value) == (
        "this partial run leaves out Make, and no earlier run made its outputs.\n"
        "  Fix: run the whole pipeline once, or select Make too."
    )


def test_a_dry_run_says_what_would_happen_and_records_nothing(run: Run, store: str):
    def build(text: str) -> list[Any]:
        make = nodes.Make(text="same").with_id("Kept")
        return [make, nodes.Make(text=text).with_id("Changed"), nodes.Use(given=make.outputs["out"])]

    run(*build("one"))
    before = len(open_store(store).get_executions())
    result = run(*build("two"), dry_run=True)

    assert states(result) == {"Changed": "waiting", "Kept": "cached", "Use": "cached"}
    assert len(open_store(store).get_executions()) == before


def test_a_node_with_its_cache_off_runs_each_time_and_the_plan_says_so(run: Run):
    """Options are part of no cache key: without them the same node is served from what it made with them."""

    def build(**asked: Any) -> list[Any]:
        make = options(nodes.Make(text="clock"), **asked)
        return [make, nodes.Use(given=make.outputs["out"])]

    run(*build(cache=False, retries=1))
    plan = run(*build(cache=False, retries=1), cache=True, dry_run=True)
    again = run(*build(cache=False, retries=1), cache=True)

    assert plan.node("Make").reason == "the cache is off for this node; 1 retry"
    assert plan.node("Use").reason.startswith("would run, or be cached if Make")
    assert states(again) == {"Make": "done", "Use": "cached"}
    assert states(run(*build())) == {"Make": "cached", "Use": "cached"}
    assert run(*build(), cache=False, dry_run=True).node("Use").reason == "the cache is off for this run"


def test_resuming_runs_what_is_missing_and_nothing_else(run: Run, store: str, tmp_path: Path):
    """The cache is off: what the failed run finished is reused because that run finished it."""

    def build() -> list[Any]:
        make = nodes.Make()
        flaky = nodes.FailTimes(counter=str(tmp_path / "counter"), times=1)
        return [make, flaky, nodes.Use(given=flaky.outputs["out"])]

    first = run(*build(), cache=False)
    with pytest.raises(StoreError, match="no run 'nope'"):
        run(*build(), cache=False, resume_from="nope")
    second = run(*build(), cache=False, resume_from="latest")

    assert states(first) == {"Make": "done", "FailTimes": "failed", "Use": "skipped"}
    assert states(second) == {"Make": "cached", "FailTimes": "done", "Use": "done"}
    assert second.node("Make").reason == f"finished in run {first.run_id}"
    assert text_of(second, "Use") == "used at last"

    third = run(*build(), cache=False, resume_from="latest")
    assert states(third) == dict.fromkeys(("Make", "FailTimes", "Use"), "cached")
    with headrace.open_store(store) as opened:
        assert opened.graph(second).edges == opened.graph(third).edges == (("FailTimes", "Use"),)


FLAKY = """
import sys
sys.path.insert(0, {folder!r})
import nodes
from headrace.authoring import Pipeline

def create_pipeline(*, times: int = 1):
    make = nodes.Make()
    flaky = nodes.FailTimes(counter="counter", times=times)
    return Pipeline("flaky", components=[make, flaky, nodes.Use(given=flaky.outputs["out"])])
"""


def test_a_failure_ends_with_the_command_that_resumes_and_it_works_from_elsewhere(tmp_path: Path):
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    project.mkdir()
    elsewhere.mkdir()
    (project / "flaky.py").write_text(FLAKY.format(folder=str(Path(__file__).parent)))

    failed = run_python(project, "-m", "headrace", "run", "flaky.py", "--no-cache", "--set", "times=1")
    run_id = list_runs(str(project / ".headrace"))[0].run_id
    resumed = run_python(elsewhere, "-m", "headrace", "resume", run_id, "--store", str(project / ".headrace"))

    assert failed.returncode == 1
    fixes = [line for line in failed.stdout.splitlines() if line.startswith("  Fix: ")]
    assert [line.endswith(f", then run: headrace resume {run_id}") for line in fixes] == [True], failed.stdout
    assert failed.stdout.count("headrace resume") == 1
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    result = read_run(str(project / ".headrace"))
    assert states(result) == {"Make": "cached", "FailTimes": "done", "Use": "done"}


def test_the_run_of_a_plain_script_is_resumed_too(tmp_path: Path):
    (tmp_path / "flaky.py").write_text(
        FLAKY.format(folder=str(Path(__file__).parent))
        + textwrap.dedent(
            """
            if __name__ == "__main__":
                import headrace
                headrace.run(create_pipeline(), cache=False)
            """
        )
    )
    failed = run_python(tmp_path, "flaky.py")
    resumed = run_python(tmp_path, "-m", "headrace", "resume")

    assert "then run: headrace resume" in failed.stderr
    assert failed.returncode == 1
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    result = read_run(str(tmp_path / ".headrace"))
    assert states(result) == {"Make": "cached", "FailTimes": "done", "Use": "done"}
