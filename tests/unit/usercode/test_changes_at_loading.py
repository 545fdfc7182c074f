"""What a module changes in another one when it is loaded counts for who uses that, however it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.usercode import sources

SETTER = "cfg = {'rate': 1}\ndef set_rate(v):\n    cfg['rate'] = v\n    return v\n"
USER = "from d import cfg\nimport s\ndef f():\n    return cfg['rate']\n"
CHANGING = {
    "alias": "import d\nc = d.cfg\nc['rate'] = 7\n",
    "alias of an alias": "import d\nb = d\nc = b.cfg\nc['rate'] = 7\n",
    "from-import under another name": "from d import cfg as mine\nother = mine\nother['rate'] = 7\n",
    "in a list": "import d\nx = [d.cfg.update(rate=7)]\n",
    "assigned": "from d import set_rate\n_ = set_rate(7)\n",
    "assigned with a type": "import d\nok: int = d.set_rate(7)\n",
    "in a class": "import d\nclass S:\n    d.cfg['rate'] = 7\n",
    "in a class, by a function": "import d\nclass S:\n    rate = d.set_rate(7)\n",
    "default of an argument": "import d\ndef g(x=d.cfg.update(rate=7)):\n    pass\n",
    "object that is made": "import d\nclass P:\n    def __init__(self, v):\n        d.cfg['rate'] = v\np = P(7)\n",
}
NOT_CHANGING = {
    "reads": "import d\nx = d.cfg.get('rate') or 7\n",
    "in a function that nothing calls": "import d\ndef g():\n    d.cfg['rate'] = 7\n",
    "its own object": "x = {}\nclass S:\n    x['rate'] = 7\n",
    "a plain function": "def plain(v):\n    rows = []\n    rows.append(v)\n    return rows\nx = plain(7)\n",
    "a plain object": "class P:\n    def __init__(self, v):\n        self.v = v\np = P(7)\n",
}


def digests(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    found = []
    for text in (code, code.replace("7", "8")):
        for name, content in {"m.py": USER, "d.py": SETTER, "s.py": text}.items():
            (folder / name).write_text(content)
        found.append(sources.usage(str(folder / "m.py"), "", ["f"]).digest)
    return found


@pytest.mark.parametrize("way", CHANGING)
def test_a_change_of_another_module_counts(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    before, after = digests(CHANGING[way], tmp_path, monkeypatch)
    assert before != after


@pytest.mark.parametrize("way", NOT_CHANGING)
def test_what_changes_no_other_module_does_not_count(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    before, after = digests(NOT_CHANGING[way], tmp_path, monkeypatch)
    assert before == after
