"""Packages that lie beside a module file, of which only a worker learns when it loads that file."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.usercode import sources

WAYS = {
    "relative import": "from .b import K\ndef g():\n    return K\n",
    "import from the package": "from . import b\ndef g():\n    return b.K\n",
    "absolute import": "import q.b\ndef g():\n    return q.b.K\n",
    "import in a function": "def g():\n    from q.b import K\n    return K\n",
    "import by name": "import importlib\ndef g():\n    return importlib.import_module('q.b').K\n",
    "import of a neighbour of the package": "from n import K\ndef g():\n    return K\n",
    "path": "from .b import P\ndef g():\n    return open(P).read()\n",
}


@pytest.mark.parametrize("way", WAYS)
def test_they_count_though_their_folder_is_not_on_the_import_path(way: str, tmp_path: Path):
    files = {
        "m.py": "from q.a import g\ndef f():\n    return g()\n",
        "n.py": "K = 1\n",
        "q/__init__.py": "",
        "q/a.py": WAYS[way],
        "q/b.py": f"K = 1\nP = {str(tmp_path / 'n.py')!r}\n",
    }
    (tmp_path / "q").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    before = sources.usage(str(tmp_path / "m.py"), "", ["f"]).digest

    for name in ("n.py", "q/b.py"):
        (tmp_path / name).write_text(files[name].replace("K = 1", "K = 2"))

    assert sources.usage(str(tmp_path / "m.py"), "", ["f"]).digest != before
