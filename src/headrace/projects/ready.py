"""A ready pipeline as a project of its own: its files, changed to name each other and their data beside them."""

from __future__ import annotations

import ast
import importlib
import os
import re
from collections.abc import Mapping, Sequence
from functools import partial

from headrace import __version__
from headrace.errors import DefinitionError
from headrace.files import copy_file, names_in, read_text
from headrace.projects import literals, notebook
from headrace.projects.data_project import DataPlace
from headrace.projects.making import Plan
from headrace.projects.naming import Place
from headrace.projects.rendering import render

_DATA_ENDINGS = (".csv", ".csv.gz", ".parquet", ".jsonl", ".zip", ".txt")
_SHOWN_OUTPUTS = ("statistics", "anomalies", "transform_graph", "model_run", "evaluation")


def plan_copy(place: Place, module: str, description: str) -> Plan:
    """Plan a copy of a ready pipeline, with its data.

    Args:
        place: Where it goes.
        module: The module that defines it, such as `headrace.pipelines.taxi.pipeline`.
        description: What it does, in a sentence.

    Raises:
        DefinitionError: If its data are not on this machine.
    """
    loaded = importlib.import_module(module)
    folder, package = os.path.dirname(str(loaded.__file__)), module.rpartition(".")[0]
    sources = {
        name: read_text(os.path.join(folder, name))
        for name in names_in(folder)
        if name != "__init__.py" and os.path.splitext(name)[1] in (".py", ".pbtxt")
    }
    texts = {
        name: own_text(text, package, place.name) if name.endswith(".py") else text
        for name, text in sources.items()
    }
    data = _data_files(loaded, sources["pipeline.py"])
    nodes = loaded.create_pipeline().components
    values = {
        "name": place.name,
        "version": __version__,
        "ready": package.rpartition(".")[2],
        "description": description,
        "files": sorted(name for name in texts if name.endswith(".py")),
        "data_files": [os.path.basename(path) for path in data],
        "parameters": _parameters(sources["pipeline.py"]),
        "data_is_inside": True,
        "epochs_name": _short_run(sources["pipeline.py"])[0],
        "short_epochs": _short_run(sources["pipeline.py"])[1],
        "line_length": 110,
    }
    texts |= {
        path: render(template, values)
        for path, template in {
            "headrace.yaml": "headrace.yaml",
            "pyproject.toml": "pyproject.toml",
            "tests/test_pipeline.py": "test_ready.py",
            "README.md": "README_ready.md",
            "requirements.txt": "requirements.txt",
            ".gitignore": "gitignore",
            ".github/workflows/pipeline.yml": "workflow.yml",
        }.items()
    }
    texts["notebook.ipynb"] = notebook.write_notebook(_cells(place.name, description, nodes))
    shown = ", ".join(os.path.basename(path) for path in data)
    return Plan(place, texts, DataPlace("data", True, f"`data/` holds {shown}."), partial(_copy, data))


def own_text(text: str, package: str, name: str) -> str:
    """Return a module's text with the package's name taken out, its data beside it, and another pipeline's name.

    Args:
        text: A module of a ready pipeline.
        package: The package that it is of, such as `headrace.pipelines.taxi`.
        name: Of the new pipeline.
    """
    escaped = re.escape(package)
    text = re.sub(rf"^from {escaped} import (\w+)", r"import \1", text, flags=re.M)
    text = re.sub(rf"\b{escaped}\.", "", text)
    text = re.sub(r"(; default, )the [^.\n]*\.", r"\1`data/` beside this file.", text)
    lines = text.splitlines()
    for node in sorted(ast.walk(ast.parse(text)), key=lambda one: -getattr(one, "lineno", 0)):
        if isinstance(node, ast.FunctionDef) and node.name.endswith("data_root"):
            returned = '    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")'
            lines[node.body[0].lineno - 1 : node.end_lineno] = [
                '    """Return the folder of the data, beside this file."""',
                returned,
            ]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Pipeline":
            first = node.args[0]
            line = lines[first.lineno - 1]
            lines[first.lineno - 1] = (
                line[: first.col_offset] + literals.python(name) + line[first.end_col_offset :]
            )
    text = "\n".join(lines) + "\n"
    if not re.search(r"importlib\.util\.\w", text):
        text = text.replace("import importlib.util\n", "")
    return text


def _data_files(module: object, text: str) -> list[str]:
    """Return the data of a ready pipeline: the files of its folder that it names, or all where it names none."""
    roots = [getattr(module, name) for name in vars(module) if name.endswith("data_root")]
    folder = roots[0]() if roots else ""
    names = (
        [name for name in names_in(folder) if name.endswith(_DATA_ENDINGS)] if os.path.isdir(folder) else []
    )
    named = [name for name in names if f'"{name}"' in text]
    if roots and not names:
        raise DefinitionError(
            f"the data of this pipeline are not on this machine: there is none in '{folder}'.",
            "install the package that brings them again: pip install --force-reinstall headrace",
        )
    return [os.path.join(folder, name) for name in named or names]


def _copy(paths: Sequence[str], folder: str) -> None:
    for path in paths:
        copy_file(path, os.path.join(folder, "data", os.path.basename(path)))


def _parameters(text: str) -> Mapping[str, object]:
    """Return parameters with plain defaults, but those that say where the data are."""
    tree = ast.parse(text)
    function = next(
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "create_pipeline"
    )
    pairs = zip(function.args.kwonlyargs, function.args.kw_defaults)
    return {
        argument.arg: ast.literal_eval(default)
        for argument, default in pairs
        if default is not None and not argument.arg.endswith("data_root")
    }


def _short_run(text: str) -> tuple[str, int]:
    """Return the parameter, and its value, that make a run short."""
    known = _parameters(text)
    return next(
        ((name, value) for name, value in (("train_steps", 50), ("epochs", 2)) if name in known),
        ("epochs", 2),
    )


def _cells(name: str, description: str, nodes: Sequence[object]) -> list[notebook.Cell]:
    cells = notebook.opening_cells(name, description)
    for node in nodes:
        node_id = str(getattr(node, "id", ""))
        outputs = getattr(node, "outputs", {})
        shown = next((key for key in _SHOWN_OUTPUTS if key in outputs), None)
        lines = [f'context.run(nodes["{node_id}"])']
        if shown:
            lines.append(f'context.show(nodes["{node_id}"].outputs["{shown}"])')
        cells += [("markdown", f"## {node_id}"), ("code", "\n".join(lines))]
    return cells
