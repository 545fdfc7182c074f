"""What README calls public is there, and nothing more is offered."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import headrace

README = Path(__file__).parents[2] / "README.md"


def _table() -> dict[str, list[str]]:
    """The modules of README's table, and the words in code beside each row's."""
    section = README.read_text().partition("## What is public\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`headrace.*?) \| (.*) \|$", section, re.MULTILINE)
    return {
        module: re.findall(r"`(\w+)`", words)
        for modules, words in rows
        for module in re.findall(r"`([\w.]+)`", modules)
    }


def test_each_module_exists_and_says_what_it_is():
    found = _table()

    assert len(found) > 5
    for name in found:
        assert importlib.import_module(name).__doc__, name


def test_an_editor_offers_what_the_table_names():
    """Beside it stand former names, which warn."""
    modules = {name.split(".")[1] for name in _table() if name.count(".") == 1}
    offered = {name for name in dir(headrace) if not name.startswith("__")}

    assert offered == {*_table()["headrace"], *modules, "with_resources"}
    for name in offered:
        assert getattr(headrace, name).__doc__, name


def test_modules_are_there_without_an_import_of_their_own():
    source = "import headrace; print(headrace.errors.DataError.__name__, headrace.testing.channel.__name__)"
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stdout == "DataError channel\n", done.stderr
