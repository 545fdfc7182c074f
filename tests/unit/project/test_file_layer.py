"""Users' data and artifacts are reached through `headrace.files` alone: where another module opens, lists or replaces
files itself, an address such as `s3://bucket/data` would be taken for a folder of this machine.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]

# What `headrace.files` is for, by the names under which Python has it.
REACHING = frozenset(
    {
        "open",
        "io.open",
        "glob.glob",
        "glob.iglob",
        "os.walk",
        "os.scandir",
        "os.listdir",
        "os.replace",
        "os.rename",
        "shutil.copy",
        "shutil.copy2",
        "shutil.copyfile",
        "shutil.copytree",
        "shutil.move",
        "shutil.rmtree",
    }
)

# Who may reach files itself, and why. A folder stands for all that is in it.
EXCEPTIONS = {
    "headrace/files": "it is the layer",
    "headrace/store": "its own records, which are on this machine, each in the form that its locks and kills need",
    "headrace/usercode": "Python's import system reads the user's code from this machine, and this reads it again",
    "headrace/orchestration/engine": "logs of nodes, which processes of this machine append to",
    "headrace/orchestration/runners": "logs, the user's script as Python starts it, and what the kernel tells",
    "headrace/runtime/partial_results.py": "what executors keep in the store, whose oldest files go",
    "headrace/runtime/processes": "what the kernel tells of processes, and their logs",
    "headrace/ui": "the process's own streams",
    "headrace/cli/machine": "what this machine is",
    "headrace/cli/failures.py": "a descriptor of a temporary file",
    "headrace/components/pusher/versions.py": "a rename that must not replace what is there",
}


def _called(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and dotted name of each call, and of each function that is passed on."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.lineno, node.func.id
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.lineno, f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def reached(text: str) -> list[tuple[int, str]]:
    """Return line and name of what reaches files in a module."""
    return [(line, name) for line, name in _called(ast.parse(text)) if name in REACHING]


def _modules() -> dict[str, str]:
    """The text of each module, by its path below the import path."""
    found = {}
    for start, folder in (
        ("headrace", ROOT / "src/headrace"),
        *((f"headrace/{n}", ROOT / n) for n in ("components", "pipelines")),
    ):
        for path in sorted(folder.rglob("*.py")):
            if not path.is_symlink():
                found[f"{start}/{path.relative_to(folder)}"] = path.read_text(encoding="utf-8")
    return found


def _exception(module: str) -> str:
    """The exception that a module falls under; empty where it falls under none."""
    return next((name for name in EXCEPTIONS if module == name or module.startswith(f"{name}/")), "")


def test_files_are_reached_through_one_package():
    """The reader sees module, line and name: `headrace.files` has the same for paths and addresses."""
    assert [
        f"{module}:{line}: {name}"
        for module, text in _modules().items()
        if not _exception(module)
        for line, name in reached(text)
    ] == []


def test_no_exception_is_left_over():
    """What no longer needs one is held to the rule."""
    used = {_exception(module) for module, text in _modules().items() if reached(text)}

    assert sorted(EXCEPTIONS.keys() - used) == []


@pytest.mark.parametrize(
    "text",
    [
        "open(path)",
        "with open(path) as file: pass",
        "import os\nfor a in os.walk(path): pass",
        "from os import walk",
        "from shutil import copytree as copy",
        "def push(copy=shutil.copytree): pass",
    ],
)
def test_each_way_to_reach_files_is_seen(text: str):
    assert len(reached(text)) == 1


@pytest.mark.parametrize(
    "text", ["store.open()", "webbrowser.open(page)", "files.open_file(path)", "os.path.join(a)"]
)
def test_what_only_looks_like_it_is_not_taken_for_it(text: str):
    assert reached(text) == []
