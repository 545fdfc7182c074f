"""Texts in code that name files among other things, or in pieces."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.sdk import sources

NAMING = {
    "list with semicolons": "NAMES = 'data/x.txt;data/y.txt'\ndef f():\n    return [open(n).read() for n in NAMES.split(';')]\n",
    "list with blanks": "NAMES = 'data/x.txt data/y.txt'.split()\ndef f():\n    return [open(n).read() for n in NAMES]\n",
    "list of lines": "NAMES = '''\ndata/x.txt\ndata/y.txt\n'''\ndef f():\n    return [open(n).read() for n in NAMES.split()]\n",
    "JSON": "import json\nSPEC = json.loads('{\"a\": [\"data/x.txt\"]}')\ndef f():\n    return open(SPEC['a'][0]).read()\n",
    "address": "import sqlite3\ndef f():\n    return sqlite3.connect('file:data/x.txt?mode=ro', uri=True)\n",
    "bytes": "def f():\n    return open(b'data/x.txt').read()\n",
    "percent signs": "def f():\n    return open('%s/%s.txt' % ('data', 'x')).read()\n",
    "percent sign and name": "def f():\n    return open('data/%(n)s.txt' % {'n': 'x'}).read()\n",
    "template": "from string import Template\ndef f():\n    return open(Template('data/${n}.txt').substitute(n='x')).read()\n",
    "folder above": "import os\ndef f():\n    return open(os.path.join(os.path.dirname(__file__), 'data', os.pardir, 'data', 'x.txt')).read()\n",
    "tree that is copied": "import shutil\ndef f(there):\n    shutil.copytree('data', there)\n",
}
NOT_NAMING = {
    "sentence": "def f():\n    raise ValueError('no row; see data/x.txt for the names')\n",
    "documentation": "def f():\n    'data/x.txt data/y.txt'\n",
}


def digests(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(folder)
    (folder / "data").mkdir()
    (folder / "data" / "y.txt").write_text("")
    (folder / "m.py").write_text(code)
    found = []
    for text in ("one", "another"):
        (folder / "data" / "x.txt").write_text(text)
        found.append(sources.usage(str(folder / "m.py"), "", ["f"]).digest)
    return found


@pytest.mark.parametrize("way", NAMING)
def test_a_file_that_a_text_names_in_some_way_counts(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    before, after = digests(NAMING[way], tmp_path, monkeypatch)
    assert before != after


@pytest.mark.parametrize("way", NOT_NAMING)
def test_a_file_that_is_only_spoken_of_does_not_count(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    before, after = digests(NOT_NAMING[way], tmp_path, monkeypatch)
    assert before == after
