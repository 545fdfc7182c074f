"""A whole file with what it uses: which files count, and that neither their place nor their time does."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from headrace.usercode import sources


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "features.py").write_text("import layers\nimport json\n\ndef f():\n    return layers.g()\n")
    (folder / "layers.py").write_text("def g():\n    return 1\n")
    (folder / "unrelated.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(str(folder))
    return folder


def test_a_file_and_what_it_imports_count_and_nothing_else_does(project: Path):
    found = sources.usage(str(project / "features.py")).files

    assert {Path(path).name for path in found} == {"features.py", "layers.py"}


def test_touching_a_file_changes_nothing(project: Path):
    before = sources.usage(str(project / "features.py")).digest

    os.utime(project / "features.py", (1, 1))

    assert sources.usage(str(project / "features.py")).digest == before


def test_moving_the_folder_changes_nothing(project: Path, monkeypatch: pytest.MonkeyPatch):
    before = sources.usage(str(project / "features.py")).digest
    moved = project.parent / "moved"

    shutil.move(project, moved)
    monkeypatch.syspath_prepend(str(moved))

    assert sources.usage(str(moved / "features.py")).digest == before


def test_relative_imports_are_followed(project: Path):
    package = project / "package"
    package.mkdir()
    (package / "__init__.py").write_text("import os\nos.environ.setdefault('A', '1')\n")
    (package / "a.py").write_text("from . import b\nfrom .c import value\n\nused = b, value\n")
    (package / "b.py").write_text("x = 1\n")
    (package / "c.py").write_text("value = 1\n")

    found = sources.usage(str(package / "a.py"), "package.a").files

    assert {Path(path).name for path in found} == {"__init__.py", "a.py", "b.py", "c.py"}


def test_a_circle_of_imports_ends(project: Path):
    (project / "layers.py").write_text("import features\n\ndef g():\n    return features.f\n")

    assert len(sources.usage(str(project / "features.py")).files) == 2


def test_the_libraries_that_a_file_imports_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Not the standard library, nor modules of the project, nor what is not loaded here."""
    monkeypatch.delitem(sys.modules, "pandas", raising=False)
    path = tmp_path / "script.py"
    path.write_text("import json\nimport headrace\nimport a_library_not_loaded\nfrom _pytest import nodes\n")

    assert sources.loaded_libraries(str(path)) == ["_pytest", "_pytest.nodes"]
