"""What a function `f` of a small project depends on, and what looks so and is none: the tables in `dependence/`.

A row is a project, as texts by path (`->other.txt` is a link to it), and edits of it, each tried alone: `in` a file
`old` becomes `new`, a file is made (`make`, `text`), two files change places (`swap`), one gets another name (`move`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from headrace.usercode import sources

_TABLES = Path(__file__).parent / "dependence"


def rows(table: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load((_TABLES / f"{table}.yaml").read_text(encoding="utf-8")))


def edits(*tables: str) -> list[Any]:
    """The parameters of a test: a project and one edit of it."""
    return [
        pytest.param(row["files"], edit, id=f"{row['name']}: {next(iter(edit.values()))}")
        for table in tables
        for row in rows(table)
        for edit in row["edits"]
    ]


def make(project: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("->"):
            path.symlink_to(project / text[2:])
        else:
            path.write_text(text, encoding="latin-1" if "coding: latin-1" in text else "utf-8")


def change(project: Path, edit: Mapping[str, Any]) -> None:
    if "in" in edit:
        path = project / edit["in"]
        text = path.read_text(encoding="utf-8")
        assert edit["old"] in text
        path.write_text(text.replace(edit["old"], edit["new"], 1), encoding="utf-8")
    elif "make" in edit:
        assert not (project / edit["make"]).exists()
        make(project, {edit["make"]: edit["text"]})
    else:
        one, other = (project / name for name in edit.get("swap") or edit["move"])
        moved = one.rename(project / "moved")
        if "swap" in edit:
            other.rename(one)
        moved.rename(other)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose name has a pattern's characters."""
    folder = tmp_path / "my [1] project"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    return folder


def usage(project: Path) -> sources.Usage:
    return sources.usage(str(project / "m.py"), "", ["f"])


@pytest.mark.parametrize(("files", "edit"), edits("code_that_counts", "files_that_are_read"))
def test_what_decides_what_the_function_does_counts(
    project: Path, files: dict[str, str], edit: dict[str, Any]
):
    """An edit there makes another digest."""
    make(project, files)
    before = usage(project).digest

    change(project, edit)

    assert usage(project).digest != before


@pytest.mark.parametrize(("files", "edit"), edits("code_that_does_not_count", "files_that_are_written"))
def test_what_decides_nothing_does_not_count(project: Path, files: dict[str, str], edit: dict[str, Any]):
    """An edit there runs nothing; nor does what the function writes itself."""
    make(project, files)
    before = usage(project).digest

    change(project, edit)

    assert usage(project).digest == before


@pytest.mark.parametrize("files", [pytest.param(row["files"], id=row["name"]) for row in rows("variables")])
def test_variables_that_the_function_reads_are_named(
    project: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str]
):
    make(project, files)
    monkeypatch.setenv("DATA_SET", "1")
    monkeypatch.setenv("DATA_SET_OF_ANOTHER", "1")

    assert usage(project).environment == {"DATA_SET"}
