"""`headrace run` with a fake engine: what is shown, what the engine is given, how it exits."""

from __future__ import annotations

import json
import re

import pytest

from headrace.cli.commands.run import run_command
from headrace.cli.pipelines.command_line import Command, apply_options
from headrace.cli.pipelines.command_runs import exit_code
from headrace.config.document import Document
from headrace.errors import CycleError, StoreError
from headrace.orchestration.events import NodeResult, NodeState, RunResult
from headrace.run_options import OPTIONS, RunOptions, Ways


def test_a_run_in_a_pipe_prints_one_line_per_change_and_a_table(engine, project, headrace):
    """The reader of a CI log sees each start and end, then what was made and what to try next."""
    result = headrace("run", "demo.py")

    assert result.exit_code == 0, result.output
    lines = [re.sub(r"^ *[\d.]+ s  ", "", line) for line in result.output.splitlines()]
    assert lines == [
        "demo.py: loading",
        "demo 2026-11-21-1: 2 nodes, log .headrace/logs/2026-11-21-1",
        "ExampleGen: started",
        "ExampleGen: done in 3.1 s: train 9,998 rows",
        "Trainer: started",
        "Trainer: done in 2.0 s",
        "demo 2026-11-21-1 done in 41 s: 2 ran",
        "",
        "   Node        State   Time  Made",
        "✓  ExampleGen  ran    3.1 s  train 9,998 rows",
        "✓  Trainer     ran    2.0 s",
        "",
        "Next     headrace show 2026-11-21-1",
        "         headrace runs",
    ]


def test_a_pipe_gets_no_control_characters(engine, project, headrace, monkeypatch):
    """Also not where a CI service asks for colours."""
    monkeypatch.setenv("FORCE_COLOR", "1")

    output = headrace("run", "demo.py").output

    assert not re.findall(r"[\x00-\x09\x0b-\x1a\x1c-\x1f]|\x1b\[[^m]*[A-Za-ln-z]", output)


def test_a_failed_run_shows_error_fix_and_log_and_exits_1(engine, project, headrace):
    """Below the table stands what stopped the run."""
    engine.ending = NodeState.FAILED

    result = headrace("run", "demo.py", "--quiet")

    assert result.exit_code == 1
    assert result.output == (
        "demo 2026-11-21-1 failed after 41 s: 1 ran, 1 failed\n"
        "TrainingError: Trainer: the loss became NaN at step 7.\n"
        "  Fix: lower the learning rate.\n"
        "Log      logs/Trainer.log\n"
        "\n"
    )


def test_a_failed_run_offers_to_resume(engine, project, headrace):
    """The store is named where it is not the usual one."""
    engine.ending = NodeState.FAILED

    assert headrace("run", "demo.py").output.endswith(
        "Next     headrace resume 2026-11-21-1\n         headrace show 2026-11-21-1\n         headrace runs\n"
    )
    assert headrace("run", "demo.py", "--store", "my store").output.endswith(
        "Next     headrace resume 2026-11-21-1 --store 'my store'\n"
        "         headrace show 2026-11-21-1 --store 'my store'\n"
        "         headrace runs --store 'my store'\n"
    )


def test_a_cancelled_run_exits_130(engine, project, headrace):
    """As shells expect of what Ctrl-C ended."""
    engine.ending = NodeState.CANCELLED

    assert headrace("run", "demo.py").exit_code == 130


def test_ctrl_c_before_the_engine_answers_exits_130(engine, project, headrace):
    """No traceback, no 'Aborted!'."""
    engine.raises = KeyboardInterrupt()

    result = headrace("run", "demo.py", "--quiet")

    assert (result.exit_code, result.output) == (130, "Cancelled.\n")


@pytest.mark.parametrize(
    ("error", "code"), [(CycleError("A waits for A.", "cut it."), 2), (StoreError("the disk is full."), 1)]
)
def test_errors_are_printed_without_a_traceback(engine, project, headrace, error, code):
    """A wrong definition exits 2, a run that could not do its work exits 1."""
    engine.raises = error

    result = headrace("run", "demo.py", "--quiet")

    assert result.exit_code == code
    assert result.stderr == f"{type(error).__name__}: {error}\n"


def test_an_unexpected_error_names_the_file_with_its_traceback(engine, project, headrace):
    """Short on the screen, whole in a file."""
    engine.raises = LookupError("no such thing")

    result = headrace("run", "demo.py", "--quiet")

    assert result.exit_code == 1
    first, second = result.stderr.splitlines()
    assert first == "Headrace stopped on an error it did not expect: LookupError: no such thing"
    path = re.fullmatch(r"  The traceback is in (.*); --debug shows it here\.", second)
    assert path is not None
    with open(path[1], encoding="utf-8") as file:
        assert "conftest.py" in file.read()


def test_debug_shows_the_traceback(engine, project, headrace):
    """On the screen, in place of the file."""
    engine.raises = LookupError("no such thing")

    result = headrace("--debug", "run", "demo.py", "--quiet")

    assert result.stderr.startswith("Traceback (most recent call last):")
    assert result.stderr.endswith("LookupError: no such thing\n")


def test_a_dry_run_shows_the_plan_with_reasons(engine, project, headrace, monkeypatch):
    """Nothing ran, and the command that would run it is given."""
    monkeypatch.setattr("sys.argv", ["headrace", "run", "demo.py", "--dry-run"])

    result = headrace("run", "demo.py", "--dry-run")

    assert result.exit_code == 0
    assert result.output == (
        "demo plan: 1 would run, 1 cached\n"
        "\n"
        "   Node        Plan       Why\n"
        "≡  ExampleGen  cached     same inputs as execution 1\n"
        "▸  Trainer     would run  parameter train_steps changed\n"
        "\n"
        "Next     headrace run demo.py\n"
    )


def test_options_reach_the_engine(engine, project, headrace):
    """Each option says what its argument of `headrace.run` says; what is for one run is not recorded as a setting."""
    headrace(
        *("run", "demo.py", "--from", "A", "--from", "B", "--to", "C", "--only", "D", "--store", "s"),
        *("--no-cache", "--workers", "3", "--fail", "fast", "--set", "train_steps=7", "--run-id", "nightly"),
        *("--beam-pipeline-args", "--x", "--beam-pipeline-args", "--y"),
    )

    assert engine.options == [
        RunOptions(
            run_id="nightly",
            store="s",
            cache=False,
            workers=3,
            fail="fast",
            from_nodes=("A", "B"),
            to_nodes=("C",),
            only=("D",),
            beam_pipeline_args=("--x", "--y"),
        )
    ]
    assert engine.internal[0]["configuration"] == {
        "pipeline": "demo.py",
        "parameters": {"train_steps": 7},
        "store": "s",
        "cache": False,
        "workers": 3,
        "fail": "fast",
        "beam_pipeline_args": ["--x", "--y"],
        "from": ["A", "B"],
        "to": ["C"],
        "only": ["D"],
    }
    assert engine.pipelines[0].parameters["train_steps"] == 7


@pytest.mark.parametrize("option", ["--store", "--run-id", "--resume-from", "--base-run"])
def test_an_empty_option_is_no_option_left_out(engine, project, headrace, option: str):
    """A variable of the shell that is not set would start another run than the one that is meant."""
    result = headrace("run", "demo.py", f"{option}=")

    assert (result.exit_code, f"{option} was given" in result.output) == (2, True)


def test_the_command_line_wins_over_set_and_set_over_the_file(engine, project, headrace):
    """The nearer to the run something is said, the more it counts."""
    (project / "c.yaml").write_text(
        "pipeline: demo.py\nworkers: 1\nstore: file\nparameters:\n  train_steps: 1\n  push_to: there\n"
    )

    result = headrace(
        *("run", "--config", "c.yaml", "--set", "train_steps=2", "--set", "run.workers=2"),
        *("--set", "run.store=set", "--workers", "3"),
    )

    assert result.exit_code == 0, result.output
    assert engine.pipelines[0].parameters == {"train_steps": 2, "push_to": "there", "min_accuracy": 0.5}
    assert (engine.options[0].workers, engine.options[0].store) == (3, "set")


def test_what_a_script_says_gives_way_to_the_command_line(engine, project, headrace):
    """Its other options stay, under whatever name."""
    (project / "script.py").write_text(
        "import headrace\n\nheadrace.run('pipeline', workers=7, cache=False, fail_fast=True, show=False)\n"
        "headrace.Runner(workers=7).run('another', dry_run=True)\n"
    )

    with pytest.warns(DeprecationWarning, match="'fail_fast' is called 'fail' now"):
        result = headrace("run", "script.py", "--workers", "3", "--store", "s")

    assert result.exit_code == 0, result.output
    assert engine.pipelines == ["pipeline", "another"]
    assert [(one.workers, one.cache, one.fail, one.store) for one in engine.options] == [
        (3, False, "fast", "s"),
        (3, None, "late", "s"),
    ]
    assert engine.internal[0]["script"] == str(project / "script.py")
    assert "demo plan: 1 would run, 1 cached" in result.stdout


def test_a_cache_that_a_file_switches_off_is_switched_on_again(engine, project, headrace):
    (project / "c.yaml").write_text("pipeline: demo.py\ncache: false\n")

    for words in ([], ["--cache"], ["--set", "run.cache=true"]):
        assert headrace("run", "--config", "c.yaml", *words).exit_code == 0

    assert [options.cache for options in engine.options] == [False, True, True]


def test_what_messages_name_as_the_place_of_a_setting_is_an_option_that_there_is():
    """With the word that was typed, of a switch too."""
    given = {
        option.name: False if option.name == "cache" else ("x",)
        for option in OPTIONS
        if option.ways is Ways.EVERYWHERE
    }
    document = Document()

    apply_options(document, Command(options=given))

    flags = {
        flag for parameter in run_command.params for flag in (*parameter.opts, *parameter.secondary_opts)
    }
    assert set(document.origins.values()) <= flags
    assert document.origin(("cache",)) == "--no-cache"
    assert document.origin(("from",)) == "--from"


def test_the_result_as_json_is_all_that_reaches_standard_output(engine, project, headrace):
    """What the pipeline's file prints is no part of it; progress and table are on standard error."""
    with open(project / "demo.py", "a") as file:
        file.write("\nprint('loaded')\n")

    result = headrace("run", "demo.py", "--json")
    data = json.loads(result.stdout)

    assert (data["format"], data["run_id"], data["is_success"]) == (1, "2026-11-21-1", True)
    assert [node["state"] for node in data["nodes"]] == ["done", "done"]
    assert all(words in result.stderr for words in ("loaded", "Trainer: started", "headrace runs"))

    planned = headrace("run", "demo.py", "--json", "--dry-run", "--quiet")
    data = json.loads(planned.stdout)
    assert (data["is_plan"], [node["state"] for node in data["nodes"]]) == (True, ["cached", "waiting"])


def test_a_failed_run_as_json_exits_1(engine, project, headrace):
    engine.ending = NodeState.FAILED

    result = headrace("run", "demo.py", "--json", "--quiet")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["nodes"][1]["error"]["type"] == "TrainingError"
    assert "the loss became NaN" in result.stderr


def test_an_unknown_parameter_is_refused_with_the_likely_one(engine, project, headrace):
    """The place where it was written comes first."""
    result = headrace("run", "demo.py", "--set", "train_step=5", "--quiet")

    assert result.exit_code == 2
    assert result.stderr == (
        "ConfigError: --set train_step=5: pipeline 'demo.py' has no parameter 'train_step'. It has "
        "'min_accuracy', 'push_to', 'train_steps'.\n"
        "  Fix: did you mean 'train_steps'? Correct or remove it.\n"
    )


def test_no_pipeline_at_all_says_what_to_give(engine, project, headrace, monkeypatch):
    """Neither the command line nor a file named one."""
    monkeypatch.setattr("headrace.cli.pipelines.pipeline_source.find_ready_pipelines", list)

    result = headrace("run")

    assert result.exit_code == 2
    assert result.stderr == (
        "ConfigError: no pipeline is named, and this folder has neither a headrace.yaml that names one nor a "
        "pipeline.py. Ready pipelines are none.\n"
        "  Fix: give one, such as: headrace run pipeline.py; or make one of your own: headrace new NAME --data FILE "
        "--label COLUMN\n"
    )


def test_a_folder_with_a_project_inside_says_where_to_go(engine, project, headrace):
    """The nearest thing that the person can have meant."""
    (project / "wine").mkdir()
    (project / "wine" / "headrace.yaml").write_text("pipeline: pipeline.py\n")

    result = headrace("run")

    assert result.exit_code == 2
    assert "Fix: go to a project's folder: cd wine; or give one" in result.stderr


def test_a_folders_own_configuration_is_used_where_none_is_named(engine, project, headrace):
    """`headrace run` alone; with a pipeline, the file of the folder does not count."""
    (project / "headrace.yaml").write_text("pipeline: demo.py\nparameters:\n  train_step: 5\n")

    alone, named = headrace("run"), headrace("run", "demo.py")

    assert "headrace.yaml:3: pipeline 'demo.py' has no parameter 'train_step'" in alone.stderr
    assert named.exit_code == 0


def test_a_folders_own_pipeline_is_found_without_a_configuration(engine, project, headrace):
    """The file `pipeline.py`, and parameters are set as ever."""
    (project / "pipeline.py").write_text((project / "demo.py").read_text())

    assert headrace("run").exit_code == 0
    assert "no parameter 'train_step'" in headrace("run", "--set", "train_step=5").stderr


def test_an_unknown_command_gets_a_suggestion(headrace):
    """Usage errors exit 2."""
    result = headrace("rnu")

    assert result.exit_code == 2
    assert "Error: There is no command 'rnu'. Did you mean 'run'?" in result.stderr


@pytest.mark.parametrize(
    ("state", "stopped_by", "code"),
    [
        (NodeState.DONE, 0, 0),
        (NodeState.NOT_SELECTED, 0, 0),
        (NodeState.FAILED, 0, 1),
        (NodeState.WAITING, 0, 1),
        (NodeState.CANCELLED, 0, 130),
        (NodeState.CANCELLED, 2, 130),
        (NodeState.CANCELLED, 15, 143),
        (NodeState.FAILED, 15, 143),
        (NodeState.DONE, 2, 130),
    ],
)
def test_the_exit_code_says_how_the_runs_ended(state: NodeState, stopped_by: int, code: int):
    """A signal comes first: who sent it knows why the run is not done."""
    good = RunResult("1", "demo", (NodeResult("A", NodeState.DONE),), 1.0, "")
    other = RunResult("2", "demo", (NodeResult("A", state),), 1.0, "", stopped_by=stopped_by)

    assert exit_code([good, other]) == code
