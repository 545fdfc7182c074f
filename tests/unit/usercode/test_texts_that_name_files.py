"""Texts in code that name files among other things, or in pieces."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.usercode import outside, sources

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


def test_code_that_lists_some_folder_and_speaks_of_everybodys_reads_no_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The root of all files, the temporary folder and what holds the project are no data of a node."""
    project = tmp_path / "home" / "project"
    project.mkdir(parents=True)
    (tmp_path / "home" / "other.txt").write_text("other")
    monkeypatch.chdir(project)
    texts = ["/", "/tmp", "/proc", str(tmp_path / "home")]
    (project / "m.py").write_text(
        f"import os\nPLACES = {texts}\ndef f(x):\n    return os.listdir(x), PLACES\n"
    )

    found = sources.usage(str(project / "m.py"), "", ["f"])

    assert list(found.files) == [str(project / "m.py")]


def test_of_a_folder_without_end_a_limited_number_of_files_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(outside, "MAX_FILES", 3)
    (tmp_path / "data").mkdir()
    for number in range(5):
        (tmp_path / "data" / f"{number}.txt").write_text("x")

    assert len(list(outside.files_below(str(tmp_path / "data")))) == 3


def test_a_linked_folder_in_a_folder_that_code_lists_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.txt").write_text("one")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "linked").symlink_to(tmp_path / "elsewhere")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.py").write_text(
        "import os\ndef f():\n    return list(os.walk('data', followlinks=True))\n"
    )
    before = sources.usage(str(tmp_path / "m.py"), "", ["f"]).digest

    (tmp_path / "elsewhere" / "x.txt").write_text("another")

    assert sources.usage(str(tmp_path / "m.py"), "", ["f"]).digest != before


def test_a_text_that_no_name_can_be_is_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Half of a pair of surrogates cannot be encoded, so it names neither a file nor a variable."""
    monkeypatch.chdir(tmp_path)
    code = "import os\ndef f():\n    os.environ.clear()\n    open('\\ud800/x.txt')\n    return os.listdir('\\ud800')\n"
    (tmp_path / "m.py").write_text(code)

    assert sources.usage(str(tmp_path / "m.py"), "", ["f"]).digest
