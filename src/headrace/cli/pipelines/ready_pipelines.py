"""The pipelines that ship with Headrace, known by reading their files: nothing is imported."""

from __future__ import annotations

import ast
import os
import re
from dataclasses import dataclass

import headrace
from headrace.files import names_in, open_file

CREATE_FUNCTION = "create_pipeline"


@dataclass(frozen=True)
class Parameter:
    """A parameter of `create_pipeline`, as written: type, default and meaning, from the docstring, may be empty."""

    name: str
    type_text: str
    default_text: str
    meaning: str = ""

    @property
    def is_required(self) -> bool:
        """Whether the pipeline cannot be made without it."""
        return not self.default_text


@dataclass(frozen=True)
class ReadyPipeline:
    """A pipeline in the folder `pipelines/`.

    Attributes:
        name: Its folder's name, which `headrace run` takes.
        description: The first line of its module's docstring.
        parameters: What its `create_pipeline` takes.
        folder: Where its files lie.
    """

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    folder: str = ""

    @property
    def module(self) -> str:
        """The module that defines it."""
        return f"headrace.pipelines.{self.name}.pipeline"


def find_ready_pipelines() -> list[ReadyPipeline]:
    """Return the pipelines that ship with Headrace, by name."""
    folder = os.path.join(os.path.dirname(os.path.abspath(headrace.__file__)), "pipelines")
    found = []
    for name in names_in(folder) if os.path.isdir(folder) else []:
        path = os.path.join(folder, name, "pipeline.py")
        if os.path.isfile(path):
            with open_file(path) as file:
                tree = ast.parse(file.read(), filename=path)
            description = (ast.get_docstring(tree) or "").partition("\n")[0]
            function = find_function(tree, CREATE_FUNCTION)
            parameters = read_parameters(function) if function is not None else ()
            found.append(ReadyPipeline(name, description, parameters, os.path.dirname(path)))
    return found


def find_function(tree: ast.Module, name: str) -> ast.FunctionDef | None:
    """Return the function of this name at the top level of a module, if there is one."""
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
    return next(functions, None)


def read_parameters(function: ast.FunctionDef) -> tuple[Parameter, ...]:
    """Return a function's named parameters as they are written."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    meanings = read_meanings(ast.get_docstring(function) or "")
    missing: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    defaults = [*missing, *arguments.defaults, *arguments.kw_defaults]
    return tuple(
        Parameter(
            argument.arg,
            ast.unparse(argument.annotation) if argument.annotation else "",
            ast.unparse(default) if default is not None else "",
            meanings.get(argument.arg, ""),
        )
        for argument, default in zip([*positional, *arguments.kwonlyargs], defaults)
    )


def read_meanings(docstring: str) -> dict[str, str]:
    """Return what the `Args:` of a docstring in Google's form say about each parameter, each on one line."""
    _, _, behind = docstring.partition("Args:\n")
    meanings: dict[str, str] = {}
    name = ""
    for line in behind.splitlines():
        if line.strip() and not line.startswith(" "):
            break
        begins = re.match(r"    (\w+)(?: \([^)]*\))?: (.*)", line)
        if begins:
            name = begins.group(1)
            meanings[name] = begins.group(2).strip()
        elif name and line.strip():
            meanings[name] += f" {line.strip()}"
    return meanings
