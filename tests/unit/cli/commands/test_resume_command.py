"""`headrace resume`: the earlier run's pipeline and settings, in its folder."""

from __future__ import annotations

import contextlib
import os
import types

import pytest

from headrace.orchestration.events import RunResult
from headrace.store import session


@pytest.fixture
def earlier(project, monkeypatch):
    """A store whose run was started by `headrace run demo.py --set train_steps=7` in the project."""
    run = RunResult("2026-11-21-1", "demo", (), 1.0, "")
    start = types.SimpleNamespace(
        configuration={"pipeline": "demo.py", "parameters": {"train_steps": 7}, "fail": "fast"},
        pipeline="demo.py",
        folder=str(project),
        is_trusted=True,
    )
    stored = types.SimpleNamespace(run=lambda run_id: run, start=lambda run_id: start)
    monkeypatch.setattr(session, "open_store", lambda path: contextlib.nullcontext(stored))
    return start


def test_the_run_goes_on_with_its_settings(engine, project, earlier, headrace, monkeypatch, tmp_path_factory):
    """From any folder; what is said anew counts more."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)

    result = headrace("resume", "--store", "s", "--workers", "3", "--quiet")

    assert result.exit_code == 0, result.output
    (options,) = engine.options
    assert options.resume_from == "2026-11-21-1"
    assert (options.fail, options.workers) == ("fast", 3)
    assert options.store == str(elsewhere / "s")
    assert engine.pipelines[0].parameters["train_steps"] == 7
    assert os.getcwd() == str(project)


def test_a_run_of_another_kind_is_refused(engine, earlier, headrace):
    """Its pipeline was made by a script that nobody knows here."""
    earlier.configuration, earlier.pipeline = {}, ""

    result = headrace("resume")

    assert (result.exit_code, result.stderr) == (
        2,
        "ConfigError: run 2026-11-21-1 was not started by headrace run, so its pipeline is not known here.\n"
        "  Fix: start it the same way again: what it finished is served from the cache.\n",
    )


def test_what_somebody_else_recorded_is_told_and_not_run(engine, project, earlier, headrace, tmp_path):
    """The reader sees what would be executed, and what to type after reading it; that command works."""
    earlier.is_trusted = False
    earlier.configuration["parameters"]["db_password"] = "***"

    result = headrace("resume", "--store", str(tmp_path / "s"))

    assert (result.exit_code, result.stderr) == (
        2,
        f"ConfigError: run 2026-11-21-1 is not resumed: its record names demo.py in {project}, and this user did not "
        "write it in this store, which is a copy, shared, or from elsewhere.\n"
        f"  Fix: read that code, and if you trust it, run: cd {project} && headrace run demo.py --set train_steps=7 "
        "--set db_password=VALUE --set 'run.fail=\"fast\"' --resume-from 2026-11-21-1 "
        f"--store {tmp_path}/s\n",
    )
    assert engine.options == []

    again = [
        "run",
        "demo.py",
        "--set",
        "train_steps=7",
        "--set",
        'run.fail="fast"',
        "--resume-from",
        "latest",
        "--quiet",
    ]
    result = headrace(*again)
    assert result.exit_code == 0, result.output
    assert engine.options[0].resume_from == "2026-11-21-1"
    assert engine.pipelines[0].parameters["train_steps"] == 7
