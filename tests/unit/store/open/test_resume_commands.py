"""What a failure says of how to go on."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headrace.authoring.light import authoring
from headrace.errors import DefinitionError
from headrace.orchestration import resume_commands
from headrace.orchestration.engine.engine import Engine, RunSettings
from headrace.run_options import RunOptions
from headrace.store.open.store import DEFAULT_PATH, Store

with authoring():
    from tfx.proto.orchestration import pipeline_pb2

BY_COMMAND = {"configuration": {"pipeline": "p.py"}, "script": ""}
BY_SCRIPT = {"configuration": {}, "script": "/p.py"}


@pytest.mark.parametrize(
    ("store", "details", "command"),
    [
        (DEFAULT_PATH, BY_COMMAND, "headrace resume r"),
        (DEFAULT_PATH, BY_SCRIPT, "headrace resume r"),
        ("s", BY_COMMAND, "headrace resume r --store s"),
        ("my store", BY_SCRIPT, "headrace resume r --store 'my store'"),
        ("s", {"configuration": {}, "script": ""}, ""),
    ],
)
def test_the_command_names_the_store_where_it_is_not_the_usual_one(
    store: str, details: dict[str, Any], command: str
):
    """Without it, the command would look for the run in another store."""
    assert resume_commands.resume_command("r", store, details) == command


def test_nodes_and_result_of_a_run_tell_the_same_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A dry run works on a copy of the store, and is nothing to go on with."""
    monkeypatch.chdir(tmp_path)
    store, workers = Store("s"), SimpleNamespace()
    settings = RunSettings(RunOptions(workers=1), details=BY_COMMAND)
    engine = Engine(pipeline_pb2.Pipeline(), [], store, "", settings)

    assert engine.context(store, "r", workers).resume_command == "headrace resume r --store s"
    assert engine._result("r").resume_command == "headrace resume r --store s"
    assert engine.context(Store("copy"), "r", workers).resume_command == ""


@pytest.mark.parametrize(
    ("fix", "told"),
    [
        ("", "run: headrace resume r"),
        ("correct it", "correct it, then run: headrace resume r"),
        ("correct it.", "correct it. Then run: headrace resume r"),
        ("run: headrace resume r", "run: headrace resume r"),
    ],
)
def test_the_command_ends_the_fix(fix: str, told: str):
    error = resume_commands.with_command(DefinitionError("wrong", fix), "headrace resume r")

    assert (type(error), error.problem, error.fix) == (DefinitionError, "wrong", told)


def test_without_a_command_the_error_stays_as_it_is():
    error = DefinitionError("wrong", "correct it")

    assert resume_commands.with_command(error, "") is error
