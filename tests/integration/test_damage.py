"""Artifacts whose files were damaged after they were written: never served, never read in silence, made again."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nodes
import pytest
from conftest_runs import Command, Run, chain, command, open_store, run, states, store, text_of, workers
from stored import explain

from headrace.authoring import Resolver
from headrace.errors import InputResolutionError

_ = (command, run, store, workers)  # fixtures


def file_of(result, node_id: str) -> Path:
    return Path(result.node(node_id).outputs[0].uri, "text")


@pytest.mark.parametrize("how", ["emptied", "removed", "edited", "added"])
def test_damaged_outputs_are_made_again_and_the_result_is_the_old_one(run: Run, store: str, how: str):
    """The second run says why, and what was made of the good file is served after that."""
    first = run(*chain("one"))
    path = file_of(first, "Make")
    damages = {
        "emptied": lambda: path.write_text(""),
        "removed": path.unlink,
        "edited": lambda: path.write_text("two"),
        "added": lambda: path.with_name("more").write_text("x"),
    }
    damages[how]()

    second = run(*chain("one"))
    third = run(*chain("one"))

    assert states(second) == {"Make": "done", "Use": "cached"}
    assert "made again: its files were damaged: " in second.node("Make").reason
    assert "its files were damaged: " in explain(store, second.run_id, "Make").text
    assert states(third) == {"Make": "cached", "Use": "cached"}
    assert (text_of(third, "Make"), text_of(third, "Use")) == ("one", "used one")


def test_a_touched_copy_is_no_damage(run: Run):
    """The times of the files change when a store is copied; their content does not."""
    first = run(*chain("one"))
    os.utime(file_of(first, "Make"), (1, 1))

    assert states(run(*chain("one"))) == {"Make": "cached", "Use": "cached"}


def test_artifacts_without_recorded_sizes_are_served_as_before(run: Run, store: str):
    first = run(*chain("one"))
    metadata = open_store(store)
    for artifact in metadata.get_artifacts():
        artifact.custom_properties["headrace_files"].string_value = ""
        metadata.put_artifacts([artifact])
    assert file_of(first, "Make").exists()
    del metadata

    assert states(run(*chain("one"))) == {"Make": "cached", "Use": "cached"}


def test_what_a_resolver_finds_is_refused_while_it_is_damaged_and_made_again_by_the_fix(run: Run, store: str):
    """The error names the node and run that made it; after that node ran again, the Resolver finds the new one."""
    from headrace.authoring import Channel, standard_artifacts
    from headrace.components import LatestArtifactStrategy

    def consumer():
        resolver = Resolver(
            strategy_class=LatestArtifactStrategy, given=Channel(type=standard_artifacts.Schema)
        ).with_id("resolver")
        return [resolver, nodes.Use(given=resolver.outputs["given"])]

    first = run(nodes.Make(text="one"), name="shared")
    file_of(first, "Make").write_text("")

    with pytest.raises(InputResolutionError) as caught:
        run(*consumer(), name="shared").raise_for_failure()
    assert f"its input 'given', Schema 1, made by Make in run {first.run_id}, is damaged: " in str(
        caught.value
    )
    assert "text is 0 bytes, was 3" in str(caught.value)

    run(nodes.Make(text="one"), name="shared")
    assert text_of(run(*consumer(), name="shared"), "Use") == "used one"


def test_a_partial_run_over_damaged_outputs_says_so(run: Run):
    first = run(*chain("one"))
    file_of(first, "Make").write_text("")

    with pytest.raises(InputResolutionError) as caught:
        run(*chain("one"), from_nodes=["Use"])

    assert f"what Make made in run {first.run_id} is damaged: text is 0 bytes, was 3" in str(caught.value)
    assert states(run(*chain("one")))["Make"] == "done"


def test_resuming_makes_what_is_damaged_again(run: Run):
    first = run(*chain("one"))
    file_of(first, "Make").write_text("")

    resumed = run(*chain("one"), resume_from=first.run_id)

    assert states(resumed) == {"Make": "done", "Use": "cached"}


def test_doctor_reads_everything_and_finds_what_no_stat_tells(run: Run, command: Command):
    """An edit that keeps size and time is found, listed, marked, and made again by the next run."""
    first = run(*chain("one"))
    path = file_of(first, "Make")
    info = path.stat()
    assert command("doctor", "--verify").exit_code == 0
    path.write_text("two")
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))
    assert states(run(*chain("one")))["Make"] == "cached"

    found = command("doctor", "--verify")

    assert found.exit_code == 1
    assert f"Schema 1, made by Make in run {first.run_id}: its content changed" in found.output
    assert "2 artifacts read, 1 damaged." in found.output
    [listed] = json.loads(command("doctor", "--verify", "--json").output)
    assert (listed["artifact_id"], listed["uri"]) == (1, str(path.parent))
    assert states(run(*chain("one"))) == {"Make": "done", "Use": "cached"}
    assert command("doctor", "--verify").exit_code == 0
