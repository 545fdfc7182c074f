"""Artifacts of types of which TFX makes no class: they are shown with their files, as those of any unknown type."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner
from small_stores import SmallStore, node_record

from headrace.cli.main import cli
from headrace.store.open.store import Store


@pytest.fixture
def odd_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run made artifact 1, whose type has no name and a property of no kind."""
    monkeypatch.chdir(tmp_path)
    with Store(".headrace").open() as opened:
        small = SmallStore(opened)
        artifact = small.artifact(tmp_path / "odd", "Odd", note="kept")
        made = small.execution({"odd": [artifact]}, run_id="run-1", node="p.Node")
        output = {"key": "odd", "type_name": "", "artifact_id": artifact, "uri": str(tmp_path / "odd")}
        node = node_record("Node", outputs=[{**output, "summary": ""}], execution_id=made, log_path="log")
        small.record("run-1", nodes=[node], pipeline_name="p")
    with contextlib.closing(sqlite3.connect(".headrace/metadata.db")) as database, database:
        [(kind,)] = database.execute("SELECT id FROM Type WHERE name = 'Odd'").fetchall()
        database.execute("UPDATE Type SET name = '' WHERE id = ?", (kind,))
        database.execute("INSERT INTO TypeProperty VALUES (?, 'odd', 0)", (kind,))


@pytest.mark.parametrize(
    "arguments",
    [("show", "1"), ("show", "1", "--html", "page"), ("report", "run-1", "--out", "page"), ("lineage", "1")],
    ids=" ".join,
)
def test_a_type_without_a_name_is_shown(odd_types: None, arguments: tuple[str, ...]):
    """No command fails for it, and the file is named."""
    shown = CliRunner().invoke(cli, list(arguments), catch_exceptions=False)

    assert shown.exit_code == 0, shown.output
    text = Path("page").read_text() if "page" in arguments else shown.output
    assert "odd" in text
    assert "unnamed 1" in text or arguments[0] == "lineage"
