"""What is recorded of the command that started a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.orchestration.engine.provenance import provenance


@pytest.mark.parametrize(
    ("command", "recorded"),
    [
        ("headrace run taxi --set steps=3", "headrace run taxi --set steps=3"),
        ("headrace run taxi --set 'note=two words'", "headrace run taxi --set 'note=two words'"),
        ("headrace run taxi --set db_password=hunter2", "headrace run taxi --set 'db_password=***'"),
        ("context.run(make)", "context.run(make)"),
        ('context.run("make)', 'context.run("make)'),
    ],
)
def test_a_command_is_recorded_as_it_was_given_without_its_secrets(
    tmp_path: Path, command: str, recorded: str
):
    """A call in a notebook is no command line, and stays as it was typed."""
    assert provenance(command, str(tmp_path))["command"] == recorded
