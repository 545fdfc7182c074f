"""What a function is made of: which edits of a project change its digest, and which do not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from headrace.files import payloads
from headrace.usercode import sources

SCRIPT = '''"""A pipeline in one file."""

from __future__ import annotations

import os
from pathlib import Path

import headrace
import layers
from settings import RATE, unused
from pack.tools import clean as tidy

HERE = Path(__file__).parent
FEATURES = ["a", "b"]
FEATURES.append("c")
TABLE = {}
LIMIT = 3
NAMES = "names.txt"


def scale(value, by=LIMIT):
    return value * by * RATE


class Base:
    depth = 2


class Net(Base):
    def build(self):
        return layers.dense(self.depth)


def decorate(function):
    return function


@decorate
def preprocessing_fn(inputs):
    """Make features."""
    examples = {name: scale(inputs[name]) for name in FEATURES}
    words = open("words.txt").read()
    more = (HERE / "data" / "more.txt").read_text()
    names = Path(NAMES)
    return examples, tidy(words), more, Net(), names, os.environ.get("HEADRACE_TEST_MODE")


def register(function):
    TABLE[function.__name__] = function
    return function


@register
def registered():
    return 1


def raise_limit():
    global LIMIT
    LIMIT = LIMIT * 2


def metrics():
    return ["auc"]


def other():
    return LIMIT + 1


examples = headrace.CsvExampleGen(input_base="data")
evaluator = headrace.Evaluator(metrics=metrics(), features=FEATURES)
headrace.run(headrace.Pipeline("p", [examples, evaluator], fn=preprocessing_fn), limit=LIMIT)

if __name__ == "__main__":
    print("run")
'''
FILES = {
    "script.py": SCRIPT,
    "layers.py": "import math\nWIDTH = 4\n\ndef dense(depth):\n    return WIDTH * depth\n\ndef conv():\n    return 1\n",
    "settings.py": "RATE = 0.5\nunused = 1\nother = 2\n",
    "pack/__init__.py": "VERSION = 1\n",
    "pack/tools.py": "from . import inner\n\ndef clean(text):\n    return inner.strip(text)\n\ndef dirty():\n    return 0\n",
    "pack/inner.py": "def strip(text):\n    return text.strip()\n",
    "data/more.txt": "more\n",
    "data/unnamed.txt": "unnamed\n",
    "words.txt": "words\n",
    "names.txt": "names\n",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def usage(project: Path, text: str = "script.py", name: str = "preprocessing_fn") -> sources.Usage:
    return sources.function_usage(f"{project / text}:{name}", "test")


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("script.py", 'print("run")\n', 'print("run")\n# a comment at the end\n'),
        ("script.py", '    """Make features."""\n', '    """Make features."""\n    # a comment inside\n'),
        ("script.py", "value * by * RATE", "(value*by *  RATE)"),
        ("script.py", "LIMIT = 3\n", "\n\nLIMIT   =   3\n"),
        ("script.py", '["auc"]', '["auc", "loss"]'),
        ("script.py", "return LIMIT + 1", "return LIMIT + 2"),
        ("script.py", 'input_base="data"', 'input_base="elsewhere"'),
        ("script.py", "metrics=metrics()", "metrics=other()"),
        ("script.py", ", limit=LIMIT)", ", limit=LIMIT, show=False)"),
        ("script.py", "import headrace\n", "import headrace\nfrom settings import other as more\n"),
        ("script.py", "def other():", "def another():\n    return 1\n\n\ndef other():"),
        ("script.py", "from settings import RATE, unused", "from settings import unused, RATE"),
        (
            "layers.py",
            "WIDTH = 4\n\ndef dense(depth):\n    return WIDTH * depth",
            "def dense(depth):\n    return WIDTH * depth\n\nWIDTH = 4",
        ),
        ("layers.py", "return 1", "return 2"),
        ("layers.py", "import math\n", "import math  # unused\n"),
        ("settings.py", "other = 2", "other = 3"),
        ("pack/__init__.py", "VERSION = 1", "VERSION = 2"),
        ("pack/tools.py", "return 0", "return 1"),
        ("data/unnamed.txt", "unnamed", "changed"),
    ],
)
def test_what_a_function_does_not_use_does_not_count(project: Path, file: str, old: str, new: str):
    before = usage(project).digest

    edit(project / file, old, new)

    assert usage(project).digest == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("script.py", "for name in FEATURES", "for name in FEATURES[:1]"),
        ("script.py", '["a", "b"]', '["a"]'),
        ("script.py", 'FEATURES.append("c")', 'FEATURES.append("d")'),
        ("script.py", "LIMIT = 3", "LIMIT = 4"),
        ("script.py", "by=LIMIT", "by=LIMIT + 1"),
        ("script.py", "value * by * RATE", "value + by * RATE"),
        ("script.py", "depth = 2", "depth = 3"),
        ("script.py", "class Net(Base)", "class Net(object)"),
        ("script.py", "    return function\n\n\n@decorate", "    return list(function)\n\n\n@decorate"),
        ("script.py", "@decorate\n", ""),
        ("script.py", "import layers", "import settings as layers"),
        ("script.py", "HERE = Path(__file__).parent", "HERE = Path(__file__).parent.parent"),
        ("script.py", 'NAMES = "names.txt"', 'NAMES = "words.txt"'),
        ("script.py", "import headrace\n", "import headrace\nimport random\nrandom.seed(3)\n"),
        ("script.py", "import headrace\n", 'import headrace\nos.environ["TF_X"] = "1"\n'),
        ("script.py", "LIMIT = 3\n", "LIMIT = 3\nLIMIT += 1\n"),
        ("script.py", "LIMIT = 3\n", "LIMIT = 3\nfor LIMIT in range(5):\n    pass\n"),
        ("script.py", "class Net(Base):", "Base.depth = 5\n\n\nclass Net(Base):"),
        ("script.py", "    return 1\n\n\ndef raise_limit", "    return 2\n\n\ndef raise_limit"),
        ("script.py", "TABLE = {}\n", "TABLE = {}\nscale = lambda value: value\n"),
        ("script.py", "LIMIT * 2", "LIMIT * 3"),
        ("script.py", "LIMIT = 3\n", "if RATE:\n    LIMIT = 3\nelse:\n    LIMIT = 4\n"),
        ("script.py", "def scale(value, by=LIMIT):", "def scale(value, by=LIMIT, *, more=LIMIT):"),
        ("script.py", "for name in FEATURES", "for name in FEATURES if name in globals()"),
        ("layers.py", "WIDTH = 4", "WIDTH = 5"),
        ("layers.py", "WIDTH * depth", "WIDTH + depth"),
        ("layers.py", "import math\n", "import math\nmath.pi = 3\n"),
        ("settings.py", "RATE = 0.5", "RATE = 0.25"),
        ("settings.py", "RATE = 0.5", "RATE = 0.5\nRATE = RATE * 2"),
        ("script.py", "class Net(Base)", "LIMIT = 5\n\n\nclass Net(Base)"),
        ("pack/__init__.py", "VERSION = 1", 'import sys\nsys.path.append("x")\n'),
        ("pack/tools.py", "inner.strip(text)", "inner.strip(text + '')"),
        ("pack/inner.py", "text.strip()", "text.lstrip()"),
        ("data/more.txt", "more", "less"),
        ("words.txt", "words", "other words"),
        ("names.txt", "names", "other names"),
    ],
)
def test_what_a_function_uses_counts(project: Path, file: str, old: str, new: str):
    before = usage(project).digest

    edit(project / file, old, new)

    assert usage(project).digest != before


@pytest.mark.parametrize(
    "line",
    [
        "exec('x = 1')",
        "globals()['scale']",
        "eval('scale')",
        "sys.modules[__name__]",
        "importlib.import_module('layers')",
        "getattr(importlib, 'import_module')('layers')",
        "load('layers')",
    ],
)
def test_code_that_may_reach_anything_counts_with_its_whole_file(project: Path, line: str):
    """An edit that no name leads to changes the digest then."""
    header = "import importlib\nimport sys\nfrom importlib import import_module as load\n\n"
    text = f"{header}def f():\n    return {line}\n\n\ndef g():\n    return 1\n"
    (project / "dynamic.py").write_text(text)
    before = usage(project, "dynamic.py", "f").digest

    edit(project / "dynamic.py", "return 1", "return 2")

    assert usage(project, "dynamic.py", "f").digest != before


@pytest.mark.parametrize("name", ["'layers'", "f'{NAME}'"])
def test_modules_imported_by_name_count_whole(project: Path, name: str):
    text = f"import importlib\n\nNAME = 'layers'\n\n\ndef f():\n    return importlib.import_module({name})\n"
    (project / "dynamic.py").write_text(text)
    before = usage(project, "dynamic.py", "f").digest

    edit(project / "layers.py", "return 1", "return 2")

    assert usage(project, "dynamic.py", "f").digest != before


@pytest.mark.parametrize(
    "text",
    [
        "from layers import *\n\n\ndef f():\n    return dense(1)\n",
        "import layers\n\n\ndef f(name):\n    return getattr(layers, name)\n",
        "import layers\n\n\ndef f():\n    return vars(layers)\n",
        "def f():\n    import layers as n\n    return n\n",
        "def f():\n    from layers import conv\n    return conv()\n",
        "import layers.conv\n",
        "from outer import conv\n\n\ndef f():\n    return conv()\n",
        "def f():\n    return later()\n\n\nfrom layers import conv as later\n",
        "try:\n    from layers import conv\nexcept ImportError:\n    conv = None\n\n\ndef f():\n    return conv()\n",
        "import layers\n\nconv = layers.conv\n\n\ndef f():\n    return conv()\n",
    ],
)
def test_ways_to_come_to_another_module(project: Path, text: str):
    (project / "outer.py").write_text("from layers import conv\n")
    (project / "ways.py").write_text(text if "def f" in text else f"{text}\ndef f():\n    pass\n")
    before = usage(project, "ways.py", "f").digest

    edit(project / "layers.py", "return 1", "return 2")

    assert (usage(project, "ways.py", "f").digest != before) == ("layers.conv" not in text or "= " in text)


@pytest.mark.parametrize(
    ("body", "file", "counts"),
    [
        ("open('words.txt').read()", "words.txt", True),
        ("open('made.txt', 'w').write('x')", "made.txt", False),
        ("lookup(deferred_vocab_filename_tensor='words.txt')", "words.txt", True),
        ("os.path.join(os.path.dirname(__file__), 'data', 'more.txt')", "data/more.txt", True),
        ("open(os.path.dirname(os.path.abspath(__file__)) + '/data/more.txt')", "data/more.txt", True),
        ("open(f'{FOLDER}/more.txt')", "data/more.txt", True),
        ("pathlib.Path(FOLDER, 'more.txt').read_text()", "data/more.txt", True),
        ("pathlib.Path(__file__).with_name('words.txt')", "words.txt", True),
        ("os.listdir('data')", "data/unnamed.txt", True),
        ("glob.glob('data/*.txt')", "data/unnamed.txt", True),
        ("sorted(pathlib.Path(FOLDER).glob('*.txt'))", "data/unnamed.txt", True),
        ("inputs['data']", "data/unnamed.txt", False),
        ("FOLDER == 'data'", "data/unnamed.txt", False),
        ("frame.to_csv('made.txt')", "made.txt", False),
    ],
)
def test_data_files_that_code_names_count_by_content(project: Path, body: str, file: str, counts: bool):
    text = (
        f"import glob\nimport os\nimport pathlib\n\nFOLDER = 'data'\n\n\ndef f(inputs):\n    return {body}\n"
    )
    (project / "reads.py").write_text(text)
    before = usage(project, "reads.py", "f").digest

    (project / file).write_text("something else\n")

    assert (usage(project, "reads.py", "f").digest != before) is counts


@pytest.mark.parametrize("place", ["/proc", "/sys/", "/dev"])
def test_folders_of_the_kernel_have_no_content(project: Path, place: str):
    """Code that looks through the processes of the machine is not made of their memory."""
    (project / "looks.py").write_text(f"import os\n\n\ndef f():\n    return os.listdir('{place}')\n")

    assert [Path(path).name for path in usage(project, "looks.py", "f").files] == ["looks.py"]


def test_folders_of_the_kernel_have_no_content_below_others(project: Path, monkeypatch: pytest.MonkeyPatch):
    """`/` is listed without them."""
    monkeypatch.setattr(payloads, "KERNEL_FOLDERS", (f"{project}/data/kernel/",))
    (project / "data" / "kernel").mkdir()
    (project / "data" / "kernel" / "memory").touch()
    (project / "looks.py").write_text("import os\n\n\ndef f():\n    return os.listdir('data')\n")

    found = {Path(path).name for path in usage(project, "looks.py", "f").files}

    assert found == {"looks.py", "more.txt", "unnamed.txt"}


def test_a_pipe_in_a_folder_has_no_content(project: Path):
    """Whoever opened it would wait for ever."""
    os.mkfifo(project / "data" / "pipe")
    (project / "looks.py").write_text("import os\n\n\ndef f():\n    return os.listdir('data')\n")

    found = {Path(path).name for path in usage(project, "looks.py", "f").files}

    assert found == {"looks.py", "more.txt", "unnamed.txt"}


def test_a_file_that_appears_counts(project: Path):
    (project / "words.txt").unlink()
    before = usage(project).digest

    (project / "words.txt").write_text("")

    assert usage(project).digest != before


def test_environment_command_line_and_libraries_are_named(project: Path):
    text = (
        "import argparse\nimport _pytest.nodes\nimport os\nfrom _pytest import config\n\n"
        "MODE = os.environ['HEADRACE_TEST_MODE']\nARGS = argparse.ArgumentParser().parse_args()\n\n\n"
        "def f():\n    return MODE, ARGS, os.getenv('OTHER'), config.Config, _pytest.nodes\n\n\ndef g():\n    return 1\n"
    )
    (project / "reads.py").write_text(text)

    found, none = usage(project, "reads.py", "f"), usage(project, "reads.py", "g")

    assert found.environment == {"HEADRACE_TEST_MODE", "OTHER"}
    assert found.reads_arguments
    assert {name.partition(".")[0] for name in found.libraries} >= {"_pytest"}
    assert (none.environment, none.reads_arguments) == (set(), False)


def test_the_kept_text_is_what_counts_of_the_file(project: Path):
    """The explanation of a miss shows these lines and their comments, and nothing else of the file."""
    found = usage(project)

    assert found.files[str(project / "settings.py")].text == "RATE = 0.5\n"
    assert found.files[str(project / "layers.py")].text == (
        "WIDTH = 4\ndef dense(depth):\n    return WIDTH * depth\n"
    )
    assert "metrics" not in found.files[str(project / "script.py")].text


def test_lines_are_counted_as_python_counts_them(project: Path):
    """A form feed between definitions, as in old GNU style, ends no line."""
    (project / "old.py").write_text("K = 1\n\f\ndef f():\n    return K\n\f\ndef g():\n    return 2\n")

    found = usage(project, "old.py", "f")

    assert found.files[str(project / "old.py")].text == "K = 1\ndef f():\n    return K\n"


def test_a_module_of_the_project_hides_one_of_the_standard_library(project: Path):
    (project / "statistics.py").write_text("def mean(values):\n    return 1\n")
    (project / "uses.py").write_text("import statistics\n\n\ndef f():\n    return statistics.mean([])\n")
    before = usage(project, "uses.py", "f").digest

    edit(project / "statistics.py", "return 1", "return 2")

    assert usage(project, "uses.py", "f").digest != before
    assert "statistics" in sys.stdlib_module_names


def test_code_that_is_not_python_counts_by_its_bytes(project: Path):
    (project / "broken.py").write_text("def f(:\n")
    before = sources.usage(str(project / "broken.py")).digest

    (project / "broken.py").write_text("def f(:\n\n")

    assert sources.usage(str(project / "broken.py")).digest != before
