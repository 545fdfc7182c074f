"""Data files and environment variables that code names in pieces, or in another module than it reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.sdk import sources

READ = [
    pytest.param(
        {
            "m.py": "from conf import load\nT = load('t')\ndef f():\n    return T\n",
            "conf.py": "import json, pathlib\nHERE = pathlib.Path(__file__).parent\ndef load(name):\n    return json.loads((HERE / f'{name}.json').read_text())\n",
            "t.json": "1",
        },
        "t.json",
        "1",
        "2",
        id="json via helper with arg",
    ),
    pytest.param(
        {
            "m.py": "from conf import load\nT = load('t.json')\ndef f():\n    return T\n",
            "conf.py": "import json, pathlib\nHERE = pathlib.Path(__file__).parent / 'data'\ndef load(name):\n    return json.loads((HERE / name).read_text())\n",
            "data/t.json": "1",
        },
        "data/t.json",
        "1",
        "2",
        id="json via helper with full name",
    ),
    pytest.param(
        {
            "m.py": "from importlib import resources\ndef f():\n    return resources.files('pkg').joinpath('t.txt').read_text()\n",
            "pkg/__init__.py": "",
            "pkg/t.txt": "1",
        },
        "pkg/t.txt",
        "1",
        "2",
        id="importlib.resources files",
    ),
    pytest.param(
        {
            "m.py": "import importlib.resources as r\nimport pkg\ndef f():\n    return (r.files(pkg) / 'd' / 't.txt').read_text()\n",
            "pkg/__init__.py": "",
            "pkg/d/t.txt": "1",
        },
        "pkg/d/t.txt",
        "1",
        "2",
        id="importlib.resources files div",
    ),
    pytest.param(
        {
            "m.py": "from importlib.resources import open_text\nimport pkg\ndef f():\n    return open_text(pkg,'t.txt')\n",
            "pkg/__init__.py": "",
            "pkg/t.txt": "1",
        },
        "pkg/t.txt",
        "1",
        "2",
        id="importlib.resources open_text mod",
    ),
    pytest.param(
        {
            "m.py": "from pkg.r import g\ndef f():\n    return g()\n",
            "pkg/__init__.py": "",
            "pkg/r.py": "from importlib.resources import files\ndef g():\n    return files(__package__).joinpath('t.txt').read_text()\n",
            "pkg/t.txt": "1",
        },
        "pkg/t.txt",
        "1",
        "2",
        id="importlib.resources __package__",
    ),
    pytest.param(
        {
            "m.py": "import pkgutil\ndef f():\n    return pkgutil.get_data('pkg','t.txt')\n",
            "pkg/__init__.py": "",
            "pkg/t.txt": "1",
        },
        "pkg/t.txt",
        "1",
        "2",
        id="pkgutil.get_data",
    ),
    pytest.param(
        {
            "m.py": "import os, pkg\ndef f():\n    return open(os.path.join(os.path.dirname(pkg.__file__), 't.txt')).read()\n",
            "pkg/__init__.py": "",
            "pkg/t.txt": "1",
        },
        "pkg/t.txt",
        "1",
        "2",
        id="mod.__file__",
    ),
    pytest.param(
        {
            "m.py": "from settings import DATA\ndef f():\n    return (DATA / 't.txt').read_text()\n",
            "settings.py": "from pathlib import Path\nDATA = Path(__file__).parent / 'd'\n",
            "d/t.txt": "1",
        },
        "d/t.txt",
        "1",
        "2",
        id="path constant of imported module",
    ),
    pytest.param(
        {
            "m.py": "import settings\nimport os\ndef f():\n    return open(os.path.join(settings.DATA, 't.txt')).read()\n",
            "settings.py": "import os\nDATA = os.path.join(os.path.dirname(__file__), 'd')\n",
            "d/t.txt": "1",
        },
        "d/t.txt",
        "1",
        "2",
        id="path constant of imported module attr",
    ),
    pytest.param(
        {
            "m.py": "import os\nclass Conf:\n    base = 'd'\n    name = 't.txt'\ndef f():\n    return open(os.path.join(Conf.base, Conf.name)).read()\n",
            "d/t.txt": "1",
        },
        "d/t.txt",
        "1",
        "2",
        id="path in class attribute",
    ),
    pytest.param(
        {"m.py": "def f():\n    return open('{}/{}.txt'.format('d', 't')).read()\n", "d/t.txt": "1"},
        "d/t.txt",
        "1",
        "2",
        id="path by format",
    ),
    pytest.param(
        {"m.py": "def f():\n    return open('%s/t.txt' % 'd').read()\n", "d/t.txt": "1"},
        "d/t.txt",
        "1",
        "2",
        id="path by percent",
    ),
    pytest.param(
        {
            "m.py": "import os\ndef f(base='d'):\n    return open(os.path.join(base, 't.txt')).read()\n",
            "d/t.txt": "1",
        },
        "d/t.txt",
        "1",
        "2",
        id="path default dir",
    ),
    pytest.param(
        {
            "m.py": "import os\ndef here(name):\n    return os.path.join(os.path.dirname(__file__), 'd', name)\ndef f():\n    return open(here('t.txt')).read()\n",
            "d/t.txt": "1",
        },
        "d/t.txt",
        "1",
        "2",
        id="path by helper in same module",
    ),
    pytest.param(
        {
            "m.py": "import os\ndef f():\n    return [open(os.path.join('d', n)).read() for n in ('t.txt', 'u.txt')]\n",
            "d/t.txt": "1",
            "d/u.txt": "1",
        },
        "d/t.txt",
        "1",
        "2",
        id="path by loop",
    ),
    pytest.param(
        {
            "m.py": "from pathlib import Path\ndef f():\n    return Path(__file__).with_suffix('.json').read_text()\n",
            "m.json": "1",
        },
        "m.json",
        "1",
        "2",
        id="path with_suffix",
    ),
    pytest.param(
        {
            "m.py": "from pathlib import Path\nD = Path('d')\ndef f():\n    return [p.read_text() for p in D.iterdir()]\n",
            "d/t.txt": "1",
        },
        "d/t.txt",
        "1",
        "2",
        id="path join on Path iterdir",
    ),
    pytest.param(
        {
            "m.py": "def f():\n    return open('a.txt').read() + open('b.txt').read()\n",
            "a.txt": "1",
            "b.txt": "2",
        },
        "swap:a.txt:b.txt",
        "",
        "",
        id="swap of data",
    ),
    pytest.param(
        {
            "m.py": "def f():\n    return open('x/a.txt').read() + open('y/a.txt').read()\n",
            "x/a.txt": "1",
            "y/a.txt": "2",
        },
        "swap:x/a.txt:y/a.txt",
        "",
        "",
        id="swap of data in folders",
    ),
    pytest.param(
        {"m.py": "import os\ndef f():\n    return os.listdir('x')\n", "x/a.txt": "1"},
        "move:x/a.txt:x/b.txt",
        "",
        "",
        id="rename data in listed folder",
    ),
    pytest.param(
        {
            "m.py": "import os\nfrom settings import D\ndef f():\n    return os.listdir(D)\n",
            "settings.py": "import os\nD = os.path.join(os.path.dirname(__file__),'x')\n",
            "x/a.txt": "1",
        },
        "x/b.txt",
        "",
        "1",
        id="listing through a module const",
    ),
    pytest.param(
        {
            "m.py": "import os\ndef names(folder):\n    return sorted(os.listdir(folder))\ndef f():\n    return names('x')\n",
            "x/a.txt": "1",
        },
        "x/b.txt",
        "",
        "1",
        id="listing through helper arg",
    ),
    pytest.param(
        {
            "m.py": "import settings\ndef f():\n    return list(settings.D.glob('*.txt'))\n",
            "settings.py": "from pathlib import Path\nD = Path(__file__).parent / 'x'\n",
            "x/a.txt": "1",
        },
        "x/b.txt",
        "",
        "1",
        id="listing by pathlib of module attr",
    ),
    pytest.param(
        {
            "m.py": "import yaml, os\ndef load(name):\n    c = yaml.safe_load(open(os.path.join('conf', name + '.yaml')))\n    return c\ndef f():\n    return load('base')\n",
            "conf/base.yaml": "a: 1",
            "conf/other.yaml": "1",
        },
        "conf/base.yaml",
        "1",
        "2",
        id="hydra like yaml include",
    ),
    pytest.param(
        {"m.py": "import os\ndef f():\n    os.chdir('x')\n    return open('a.txt').read()\n", "x/a.txt": "1"},
        "x/a.txt",
        "1",
        "2",
        id="chdir",
    ),
    pytest.param(
        {
            "m.py": "import json\ndef conf(path):\n    def d(c):\n        c.data = json.load(open(path))\n        return c\n    return d\n@conf('t.json')\nclass A: pass\ndef f():\n    return A.data\n",
            "t.json": "1",
        },
        "t.json",
        "1",
        "2",
        id="class decorator with data file",
    ),
    pytest.param(
        {
            "m.py": "import subprocess\ndef f():\n    return subprocess.check_output('sh tool.sh d/t.txt', shell=True)\n",
            "tool.sh": "echo 1\n",
            "d/t.txt": "1",
        },
        "tool.sh",
        "1",
        "2",
        id="subprocess shell string",
    ),
    pytest.param(
        {
            "m.py": "import subprocess\ndef f():\n    return subprocess.check_output('sh tool.sh d/t.txt', shell=True)\n",
            "tool.sh": "echo 1\n",
            "d/t.txt": "1",
        },
        "d/t.txt",
        "1",
        "2",
        id="subprocess shell string",
    ),
    pytest.param(
        {"m.py": "def f():\n    return open('l.txt').read()\n", "real.txt": "1", "l.txt": "->real.txt"},
        "real.txt",
        "1",
        "2",
        id="symlinked data",
    ),
    pytest.param(
        {
            "m.py": "import shutil\ndef f():\n    shutil.copy('a.txt', 'out/b.txt')\n",
            "a.txt": "1",
            "out/b.txt": "1",
        },
        "a.txt",
        "1",
        "2",
        id="shutil copy dest",
    ),
]

WRITTEN = [
    pytest.param(
        {
            "m.py": "def f():\n    path = 'made.txt'\n    with open(path, 'w') as h:\n        h.write('x')\n",
            "made.txt": "1",
        },
        "made.txt",
        "1",
        "2",
        id="writes via local variable",
    ),
    pytest.param(
        {
            "m.py": "from pathlib import Path\ndef f():\n    p = Path('out') / 'made.txt'\n    p.write_text('x')\n",
            "out/made.txt": "1",
        },
        "out/made.txt",
        "1",
        "2",
        id="writes via Path var",
    ),
    pytest.param(
        {"m.py": "OUT = 'out/made.txt'\ndef f():\n    open(OUT, 'w').write('x')\n", "out/made.txt": "1"},
        "out/made.txt",
        "1",
        "2",
        id="writes via module const",
    ),
    pytest.param(
        {
            "m.py": "import pandas as pd\ndef f():\n    path = 'out/a.csv'\n    pd.DataFrame().to_csv(path, index=False)\n",
            "out/a.csv": "1",
        },
        "out/a.csv",
        "1",
        "2",
        id="writes csv via pandas",
    ),
    pytest.param(
        {
            "m.py": "import logging\nlogging.basicConfig(filename='run.log')\ndef f():\n    return 1\n",
            "run.log": "1",
        },
        "run.log",
        "1",
        "2",
        id="writes log",
    ),
    pytest.param(
        {
            "m.py": "def f():\n    with open('count.txt', mode='a') as h:\n        h.write('x')\n",
            "count.txt": "1",
        },
        "count.txt",
        "1",
        "2",
        id="appends",
    ),
    pytest.param(
        {
            "m.py": "import tensorflow as tf\ndef f():\n    with tf.io.gfile.GFile('out/x.txt','w') as h:\n        h.write('x')\n",
            "out/x.txt": "1",
        },
        "out/x.txt",
        "1",
        "2",
        id="gfile write",
    ),
    pytest.param(
        {
            "m.py": "import tensorflow as tf\ndef f():\n    with tf.io.TFRecordWriter('out/x.tfrecord') as h:\n        h.write(b'x')\n",
            "out/x.tfrecord": "1",
        },
        "out/x.tfrecord",
        "1",
        "2",
        id="TFRecordWriter",
    ),
    pytest.param(
        {
            "m.py": "import zipfile\ndef f():\n    with zipfile.ZipFile('out/a.zip','w') as z:\n        pass\n",
            "out/a.zip": "1",
        },
        "out/a.zip",
        "1",
        "2",
        id="zipfile w",
    ),
    pytest.param(
        {
            "m.py": "import matplotlib.pyplot as plt\nimport os\ndef f(model):\n    path = os.path.join('out', 'fig.png')\n    plt.savefig(path)\n",
            "out/fig.png": "1",
        },
        "out/fig.png",
        "1",
        "2",
        id="plt.savefig var",
    ),
    pytest.param(
        {
            "m.py": "import os, urllib.request\nP = 'cache.csv'\ndef f():\n    if not os.path.exists(P):\n        urllib.request.urlretrieve('http://x', P)\n    return open(P).read()\n",
            "cache.csv": "1",
        },
        "cache.csv",
        "1",
        "2",
        id="download and cache",
    ),
    pytest.param(
        {
            "m.py": "import shutil\ndef f():\n    shutil.copy('a.txt', 'out/b.txt')\n",
            "a.txt": "1",
            "out/b.txt": "1",
        },
        "out/b.txt",
        "1",
        "2",
        id="shutil copy dest",
    ),
]

VARIABLES = [
    pytest.param(
        {"m.py": "from os import getenv as g\ndef f():\n    return g('DATA_SET')\n"},
        id="env var via from os import getenv as g",
    ),
    pytest.param(
        {"m.py": "import os as o\ndef f():\n    return o.environ.get('DATA_SET')\n"},
        id="env var via os alias",
    ),
    pytest.param(
        {"m.py": "import os\nE = os.environ\ndef f():\n    return E.get('DATA_SET')\n"},
        id="env var via environ alias",
    ),
    pytest.param(
        {
            "m.py": "import os\nfrom names import V\ndef f():\n    return os.environ.get(V)\n",
            "names.py": "V = 'DATA_SET'\n",
        },
        id="env var name const in module",
    ),
    pytest.param(
        {
            "m.py": "import os\ndef env(name, default=None):\n    return os.environ.get(name, default)\ndef f():\n    return env('DATA_SET')\n"
        },
        id="env var helper",
    ),
    pytest.param({"m.py": "import os\ndef f():\n    return 'DATA_SET' in os.environ\n"}, id="env var in"),
    pytest.param(
        {"m.py": "import os\ndef f():\n    return os.path.expandvars('$DATA_SET/x')\n"}, id="env expandvars"
    ),
    pytest.param({"m.py": "import os\ndef f():\n    return dict(os.environ)['DATA_SET']\n"}, id="env copy"),
    pytest.param(
        {
            "m.py": "import os\nif os.environ.get('DATA_SET'):\n    from a import go\nelse:\n    from b import go\ndef f():\n    return go()\n",
            "a.py": "def go():\n    return 1\n",
            "b.py": "def go():\n    return 1\n",
        },
        id="conditional import in if",
    ),
]


def make(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("->"):
            path.symlink_to(folder / text[2:])
        else:
            path.write_text(text)


def change(folder: Path, file: str, old: str, new: str) -> None:
    kind, _, pair = file.partition(":")
    if kind == "swap":
        one, other = (folder / name for name in pair.split(":"))
        texts = one.read_text(), other.read_text()
        one.write_text(texts[1])
        other.write_text(texts[0])
    elif kind == "move":
        one, other = (folder / name for name in pair.split(":"))
        one.rename(other)
    else:
        text = (folder / file).read_text() if old else ""
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1) if old else new)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def digest(folder: Path) -> str:
    return sources.usage(str(folder / "m.py"), "", ["f"]).digest


@pytest.mark.parametrize(("files", "file", "old", "new"), READ)
def test_files_that_the_function_reads_count(
    folder: Path, files: dict[str, str], file: str, old: str, new: str
):
    """An edit there makes another digest."""
    make(folder, files)
    before = digest(folder)

    change(folder, file, old, new)

    assert digest(folder) != before


@pytest.mark.parametrize(("files", "file", "old", "new"), WRITTEN)
def test_files_that_the_function_writes_do_not_count(
    folder: Path, files: dict[str, str], file: str, old: str, new: str
):
    """Its own product is no reason to run it again."""
    make(folder, files)
    before = digest(folder)

    change(folder, file, old, new)

    assert digest(folder) == before


@pytest.mark.parametrize("files", VARIABLES)
def test_variables_that_the_function_reads_are_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str]
):
    make(folder, files)
    monkeypatch.setenv("DATA_SET", "1")

    assert "DATA_SET" in sources.usage(str(folder / "m.py"), "", ["f"]).environment
