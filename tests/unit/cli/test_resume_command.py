"""`headrace resume`: the earlier run's pipeline and settings, in its folder."""

from __future__ import annotations

import os
import sys
import types

import pytest

from headrace.orchestration.events import RunResult


@pytest.fixture
def earlier(project, monkeypatch):
    """A store whose run was started by `headrace run demo.py --set train_steps=7` in the project."""
    run = RunResult("2026-11-21-1", "demo", (), 1.0, "")
    run.parameters["configuration"] = {
        "pipeline": "demo.py",
        "parameters": {"train_steps": 7},
        "fail": "fast",
    }
    run.parameters["folder"] = str(project)
    module = types.ModuleType("headrace.metadata.runs")
    module.read_run = lambda store, run_id: run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "headrace.metadata.runs", module)
    return run


def test_the_run_goes_on_with_its_settings(engine, project, earlier, headrace, monkeypatch, tmp_path_factory):
    """From any folder; what is said anew counts more."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)

    result = headrace("resume", "--store", "s", "--workers", "3", "--quiet")

    assert result.exit_code == 0, result.output
    (keywords,) = engine.keywords
    assert keywords["resume_from"] == "2026-11-21-1"
    assert (keywords["fail_fast"], keywords["max_workers"]) == (True, 3)
    assert keywords["store"] == str(elsewhere / "s")
    assert engine.pipelines[0].parameters["train_steps"] == 7
    assert os.getcwd() == str(project)


def test_a_run_of_another_kind_is_refused(engine, earlier, headrace):
    """Its pipeline was made by a script that nobody knows here."""
    earlier.parameters["configuration"] = {}

    result = headrace("resume")

    assert (result.exit_code, result.stderr) == (
        2,
        "ConfigError: run 2026-11-21-1 was not started by headrace run, so its pipeline is not known here.\n"
        "  Fix: start it the same way again: what it finished is served from the cache.\n",
    )
