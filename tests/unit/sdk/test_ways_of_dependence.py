"""Ways in which a function `f` depends on the code of its project, and what looks like one and is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.sdk import sources

WAYS = [
    pytest.param(
        {"m.py": "def make(k):\n    def inner(x):\n        return x*k\n    return inner\nf = make(3)\n"},
        "m.py",
        "make(3)",
        "make(4)",
        id="closure",
    ),
    pytest.param(
        {"m.py": "def make(k):\n    def inner(x):\n        return x*k\n    return inner\nf = make(3)\n"},
        "m.py",
        "x*k",
        "x+k",
        id="closure",
    ),
    pytest.param(
        {
            "m.py": "import functools\nfrom c import K as z\ndef g(x, k):\n    return x*k\nh = functools.partial(g, k=z)\ndef f():\n    return h(2)\n",
            "c.py": "K = 1\nL = 2\n",
        },
        "c.py",
        "K = 1",
        "K = 4",
        id="partial imported const",
    ),
    pytest.param(
        {
            "m.py": "from d import times\n@times(2)\ndef f(x):\n    return x\n",
            "d.py": "TABLE={'a':1}\ndef times(n):\n    def d(fn):\n        return lambda x: n*fn(x)*TABLE['a']\n    return d\n",
        },
        "d.py",
        "'a':1",
        "'a':2",
        id="decorator imported",
    ),
    pytest.param(
        {
            "m.py": "from d import times\n@times(2)\ndef f(x):\n    return x\n",
            "d.py": "TABLE={'a':1}\ndef times(n):\n    def d(fn):\n        return lambda x: n*fn(x)*TABLE['a']\n    return d\n",
        },
        "m.py",
        "times(2)",
        "times(3)",
        id="decorator imported",
    ),
    pytest.param(
        {
            "m.py": "from conf import Conf\nCONF = Conf()\ndef f():\n    return CONF.rate\n",
            "conf.py": "from dataclasses import dataclass\n@dataclass\nclass Conf:\n    rate: int = 1\n",
        },
        "conf.py",
        "int = 1",
        "int = 2",
        id="dataclass of other module",
    ),
    pytest.param(
        {
            "m.py": "import reg\nimport plug\ndef f(x):\n    return reg.OPS['a'](x)\n",
            "reg.py": "OPS = {}\n",
            "plug.py": "import reg\nreg.OPS['a'] = lambda x: x+1\n",
        },
        "plug.py",
        "x+1",
        "x+2",
        id="dict filled in other module",
    ),
    pytest.param(
        {
            "m.py": "import reg\nimport plug\ndef f(x):\n    return reg.OPS['a'](x)\n",
            "reg.py": "OPS = {}\ndef add(fn):\n    OPS[fn.__name__] = fn\n    return fn\n",
            "plug.py": "import reg\n@reg.add\ndef a(x):\n    return x+1\n",
        },
        "plug.py",
        "x+1",
        "x+2",
        id="registry decorator in other module",
    ),
    pytest.param(
        {
            "m.py": "import reg\nimport plug\ndef f(x):\n    return reg.OPS['a'](x)\n",
            "reg.py": "OPS = {}\ndef add(fn):\n    OPS[fn.__name__] = fn\n    return fn\n",
            "plug.py": "from reg import add\n@add\ndef a(x):\n    return x+1\n",
        },
        "plug.py",
        "x+1",
        "x+2",
        id="registry decorator in other module, from-import",
    ),
    pytest.param(
        {
            "m.py": "import reg\nimport plug\ndef f(x):\n    return reg.OPS['a'](x)\ndef g():\n    return plug.other()\n",
            "reg.py": "OPS = {}\ndef add(fn):\n    OPS[fn.__name__] = fn\n    return fn\n",
            "plug.py": "from reg import add\n@add\ndef a(x):\n    return x+1\ndef other():\n    return 1\n",
        },
        "plug.py",
        "x+1",
        "x+2",
        id="registry plug used elsewhere too",
    ),
    pytest.param(
        {
            "m.py": "import base\nimport plug\ndef f(x):\n    return base.Base.known['A']().go(x)\n",
            "base.py": "class Base:\n    known = {}\n    def __init_subclass__(cls, **kw):\n        Base.known[cls.__name__] = cls\n",
            "plug.py": "from base import Base\nclass A(Base):\n    def go(self, x):\n        return x+1\n",
        },
        "plug.py",
        "x+1",
        "x+2",
        id="__init_subclass__ registry",
    ),
    pytest.param(
        {
            "m.py": "class Base: pass\nclass A(Base):\n    k = 1\ndef f():\n    return [c.k for c in Base.__subclasses__()]\n"
        },
        "m.py",
        "k = 1",
        "k = 2",
        id="__subclasses__",
    ),
    pytest.param(
        {
            "m.py": "class M(type):\n    known={}\n    def __new__(m,n,b,d):\n        c=super().__new__(m,n,b,d); M.known[n]=c; return c\nclass A(metaclass=M):\n    k = 1\ndef f():\n    return M.known['A'].k\n"
        },
        "m.py",
        "k = 1",
        "k = 2",
        id="metaclass registry",
    ),
    pytest.param(
        {
            "m.py": "from g import g\nimport gi\ndef f(x):\n    return g(x)\n",
            "g.py": "import functools\n@functools.singledispatch\ndef g(x):\n    return 1\n",
            "gi.py": "from g import g\n@g.register\ndef _(x: int):\n    return 2\n",
        },
        "gi.py",
        "return 2",
        "return 3",
        id="singledispatch other module",
    ),
    pytest.param(
        {
            "m.py": "import pkg\ndef f():\n    return pkg.RATE\n",
            "pkg/__init__.py": "from .settings import *\n",
            "pkg/settings.py": "RATE = 1\nOTHER = 2\n",
        },
        "pkg/settings.py",
        "RATE = 1",
        "RATE = 9",
        id="star re-export",
    ),
    pytest.param(
        {
            "m.py": "import pkg\ndef f():\n    return pkg.RATE\n",
            "pkg/__init__.py": "def __getattr__(n):\n    import importlib\n    return getattr(importlib.import_module('.settings', __name__), n)\n",
            "pkg/settings.py": "RATE = 1\nOTHER = 2\n",
        },
        "pkg/settings.py",
        "RATE = 1",
        "RATE = 9",
        id="lazy __getattr__",
    ),
    pytest.param(
        {"m.py": "L = [1]\nM = L\nM.append(4)\ndef f():\n    return L\n"},
        "m.py",
        "append(4)",
        "append(5)",
        id="global list changed via alias",
    ),
    pytest.param(
        {"m.py": "L = [1]\ndef fill(x):\n    x.append(4)\nfill(L)\ndef f():\n    return L\n"},
        "m.py",
        "append(4)",
        "append(5)",
        id="global list changed via function",
    ),
    pytest.param(
        {"m.py": "K = 1\ndef setk():\n    global K\n    K = 2\nsetk()\ndef f():\n    return K\n"},
        "m.py",
        "K = 2",
        "K = 3",
        id="global rebound in function called",
    ),
    pytest.param(
        {
            "m.py": "from base import Base\nclass A(Base):\n    pass\ndef f():\n    return A().go()\n",
            "base.py": "from deep import K\nclass Base:\n    def go(self):\n        return K\n",
            "deep.py": "K = 1\n",
        },
        "deep.py",
        "K = 1",
        "K = 2",
        id="inherited from other module",
    ),
    pytest.param(
        {
            "m.py": "import json\nimport patch\ndef f():\n    return json.loads('2')\n",
            "patch.py": "import json\njson.loads = lambda s: 1\n",
        },
        "patch.py",
        "lambda s: 1",
        "lambda s: 2",
        id="monkeypatch via imported module",
    ),
    pytest.param(
        {
            "m.py": "import patch\npatch.install()\ndef f():\n    return 1\n",
            "patch.py": "K = 1\ndef install():\n    import json\n    json.K = K\n",
        },
        "patch.py",
        "K = 1",
        "K = 2",
        id="patched by function call at import",
    ),
    pytest.param(
        {"m.py": 'def g():\n    """one"""\ndef f():\n    return g.__doc__\n'},
        "m.py",
        "one",
        "two",
        id="docstring used",
    ),
    pytest.param(
        {"m.py": "'''one'''\ndef f():\n    return __doc__\n"}, "m.py", "one", "two", id="module doc"
    ),
    pytest.param(
        {
            "m.py": "import a\nimport b\ndef f():\n    return a.K\n",
            "a.py": "K = 1\n",
            "b.py": "import a\ndef go():\n    a.K = 5\ngo()\n",
        },
        "b.py",
        "= 5",
        "= 6",
        id="other module patches a via function",
    ),
    pytest.param(
        {
            "m.py": "from conf import C\ndef setup():\n    C.rate = 3\nsetup()\ndef f():\n    return C.rate\n",
            "conf.py": "class _C: pass\nC = _C()\nC.rate = 1\n",
        },
        "m.py",
        "= 3",
        "= 4",
        id="conf object set in function called in main",
    ),
    pytest.param(
        {
            "m.py": "import a\nimport b\ndef f():\n    return a.x() - b.x()\n",
            "a.py": "def x():\n    return 1\n",
            "b.py": "def x():\n    return 2\n",
        },
        "swap:a.py:b.py",
        "",
        "",
        id="swap of modules",
    ),
    pytest.param(
        {
            "m.py": "import subprocess, sys\ndef f():\n    return subprocess.check_output([sys.executable, 'tool.py'])\n",
            "tool.py": "print(1)\n",
        },
        "tool.py",
        "1",
        "2",
        id="subprocess of a script",
    ),
    pytest.param(
        {
            "m.py": "import subprocess, sys\ndef f():\n    return subprocess.check_output([sys.executable, '-m', 'tool'])\n",
            "tool.py": "print(1)\n",
        },
        "tool.py",
        "1",
        "2",
        id="subprocess of a module -m",
    ),
    pytest.param(
        {
            "m.py": "import l\ndef f():\n    return l.x()\n",
            "real.py": "def x():\n    return 1\n",
            "l.py": "->real.py",
        },
        "real.py",
        "return 1",
        "return 2",
        id="symlinked module",
    ),
    pytest.param(
        {
            "m.py": "import fast\ndef f():\n    return fast.go()\n",
            "fast.cpython-310-x86_64-linux-gnu.so": "1",
        },
        "fast.cpython-310-x86_64-linux-gnu.so",
        "1",
        "2",
        id="cython/pyx so module",
    ),
    pytest.param(
        {
            "m.py": "try:\n    import fast as impl\nexcept ImportError:\n    import slow as impl\ndef f():\n    return impl.go()\n",
            "slow.py": "def go():\n    return 1\n",
        },
        "fast.py",
        "",
        "def go():\n    return 2\n",
        id="new module appears that shadows",
    ),
]

NONE = [
    pytest.param(
        {"m.py": 'def f():\n    """one"""\n    return 1\n'}, "m.py", "one", "two", id="own docstring"
    ),
    pytest.param(
        {
            "m.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from other import T\ndef f(x: 'T'):\n    return x\n",
            "other.py": "class T:\n    k=1\n",
        },
        "other.py",
        "k=1",
        "k=2",
        id="type hints only import",
    ),
    pytest.param(
        {
            "m.py": "from utils import timed\n@timed\ndef f():\n    return 1\n@timed\ndef g():\n    return 1\n",
            "utils.py": "import functools, time\ndef timed(fn):\n    @functools.wraps(fn)\n    def inner(*a):\n        s = time.time()\n        out = fn(*a)\n        print(time.time()-s)\n        return out\n    return inner\n",
        },
        "m.py",
        "def g():\n    return 1",
        "def g():\n    return 2",
        id="unused sibling decorated pure",
    ),
    pytest.param(
        {
            "m.py": "def timed(fn):\n    def inner(*a):\n        return fn(*a)\n    return inner\n@timed\ndef f():\n    return 1\n@timed\ndef g():\n    return 1\n"
        },
        "m.py",
        "def g():\n    return 1",
        "def g():\n    return 2",
        id="own pure decorator sibling",
    ),
    pytest.param(
        {
            "m.py": "import keras\nclass A(keras.layers.Layer):\n    k=1\nclass B(keras.layers.Layer):\n    k=1\ndef f():\n    return A()\n"
        },
        "m.py",
        "class B(keras.layers.Layer):\n    k=1",
        "class B(keras.layers.Layer):\n    k=2",
        id="keras class siblings",
    ),
    pytest.param(
        {
            "m.py": "import abc\nclass Base(abc.ABC):\n    @abc.abstractmethod\n    def go(self): ...\nclass A(Base):\n    def go(self): return 1\nclass B(Base):\n    def go(self): return 1\ndef f():\n    return A()\n"
        },
        "m.py",
        "class B(Base):\n    def go(self): return 1",
        "class B(Base):\n    def go(self): return 2",
        id="abc siblings",
    ),
    pytest.param(
        {
            "m.py": "import a\ndef f():\n    return a.x()\n",
            "a.py": "def x():\n    return 1\n",
            "b.py": "y = 1\n",
        },
        "m.py",
        "import a\n",
        "import a\nfrom b import y\nprint(y)\n",
        id="new unrelated import of project module",
    ),
    pytest.param(
        {
            "m.py": "import a\ndef f():\n    return a.x()\n",
            "a.py": "def x():\n    return 1\n",
            "b.py": "y = 1\n",
        },
        "m.py",
        "import a\n",
        "import a\nimport b\nz = b.y\n",
        id="new unrelated import of project module",
    ),
    pytest.param(
        {
            "m.py": "import headrace\nfrom headrace.sdk import Pipeline\nepochs = 3\ndef f():\n    return 1\npipeline = Pipeline('p', components=[], x=epochs)\nheadrace.run(pipeline)\n"
        },
        "m.py",
        "epochs = 3",
        "epochs = 4",
        id="top-level pipeline",
    ),
    pytest.param(
        {
            "m.py": "import headrace\nfrom headrace.sdk import Pipeline\nepochs = 3\ndef f():\n    return 1\npipeline = Pipeline('p', components=[], x=epochs)\nheadrace.run(pipeline)\n"
        },
        "m.py",
        "'p'",
        "'q'",
        id="top-level pipeline",
    ),
    pytest.param({"m.py": "def f():\n    return 1\n"}, "m.py", "\n", "\r\n", id="line endings"),
    pytest.param(
        {"m.py": "import sys, os\nsys.path.insert(0, os.path.dirname(__file__))\ndef f():\n    return 1\n"},
        "m.py",
        "def f",
        "X = 1\ndef f",
        id="sys.path insert",
    ),
    pytest.param(
        {
            "m.py": "import reg\nimport plug\ndef f(x):\n    return reg.OPS['a'](x)\ndef g():\n    return plug.other()\n",
            "reg.py": "OPS = {}\ndef add(fn):\n    OPS[fn.__name__] = fn\n    return fn\n",
            "plug.py": "from reg import add\n@add\ndef a(x):\n    return x+1\ndef other():\n    return 1\n",
        },
        "plug.py",
        "return 1",
        "return 2",
        id="registry plug used elsewhere too",
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


@pytest.mark.parametrize(("files", "file", "old", "new"), WAYS)
def test_code_that_decides_what_the_function_does_counts(
    folder: Path, files: dict[str, str], file: str, old: str, new: str
):
    """An edit there makes another digest."""
    make(folder, files)
    before = digest(folder)

    change(folder, file, old, new)

    assert digest(folder) != before


@pytest.mark.parametrize(("files", "file", "old", "new"), NONE)
def test_code_that_decides_nothing_does_not_count(
    folder: Path, files: dict[str, str], file: str, old: str, new: str
):
    """An edit there runs nothing."""
    make(folder, files)
    before = digest(folder)

    change(folder, file, old, new)

    assert digest(folder) == before
