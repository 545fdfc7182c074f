"""Write what a session ran as a pipeline file, with the functions of its cells in files beside it."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.authoring import BaseNode, tfx_internals
from headrace.authoring.node_options import options_of
from headrace.errors import DefinitionError
from headrace.files import addresses, create_text, open_text
from headrace.notebook import names, upstream
from headrace.notebook.code import Code, Writer
from headrace.store.open.store import DEFAULT_PATH
from headrace.usercode import cells, functions

_TEMPLATE = '''"""{title}

Run it with: {command}
"""

from __future__ import annotations

{imports}


def create_pipeline() -> Pipeline:
    """Return the pipeline."""
{body}
'''
_INDENT = "    "


@dataclass(frozen=True)
class PipelineArguments:
    """What the session's pipeline was made with, and the store as a person would name it."""

    name: str
    root: str
    metadata_connection_config: Any
    beam_pipeline_args: tuple[str, ...]
    store: str


def write(path: str, components: Sequence[BaseNode], arguments: PipelineArguments) -> str:
    """Write the pipeline of `components` to `path` and return it.

    Raises:
        DefinitionError: If there are no components, or an argument has no form in Python.
    """
    if not components:
        raise DefinitionError(
            "there is nothing to export: no component was run in this context.",
            "run components first: context.run(component).",
        )
    path = addresses.local_path(path, "the exported file")
    if not os.path.basename(path).removesuffix(".py").isidentifier() or not path.endswith(".py"):
        raise DefinitionError(
            f"'{path}' is not a name for a Python module.", "give a name such as 'pipeline.py'."
        )
    exporter = _Exporter(path, components)
    text = exporter.text(arguments)
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, exist_ok=True)
    for name, source in exporter.modules.items():
        _write(os.path.join(folder, f"{name}.py"), source)
    _write(path, text)
    return path


def _in_docstring(text: str) -> str:
    """Write a text so that it neither ends a docstring nor starts an escape in it."""
    return text.replace("\\", "\\\\").replace('"', '\\"') if '"""' in text or "\\" in text else text


def _write(path: str, text: str) -> None:
    with create_text(path) as file:
        file.write(text)


class _Exporter:
    """One export.

    Attributes:
        modules: Texts of the modules beside the pipeline file, by name. They are what the cells were kept as,
            letter for letter: the cache knows a function by its file's text.
    """

    def __init__(self, path: str, components: Sequence[BaseNode]) -> None:
        self._path = path
        self._stem = os.path.basename(path).removesuffix(".py")
        self._components = _in_order(components)
        self._names: dict[str, str] = {}
        for component in self._components:
            self._names[str(component.id)] = _unused(names.new_name(component), self._names.values())
        self.modules: dict[str, str] = {}
        self._writer = Writer(self._names, self._function, self._class_module)

    def text(self, arguments: PipelineArguments) -> str:
        """Return the pipeline file."""
        body = [self._assignment(component) for component in self._components]
        for component in self._components:
            for node in sorted(component.upstream_nodes, key=lambda other: str(other.id)):
                body.append(
                    f"{self._names[str(component.id)]}.add_upstream_node({self._names[str(node.id)]})"
                )
        body.append(f"return {self._pipeline(arguments)}")
        store = "" if arguments.store == DEFAULT_PATH else f" --store {shlex.quote(arguments.store)}"
        return _TEMPLATE.format(
            title=_in_docstring(f"The pipeline '{arguments.name}', exported from an interactive session."),
            command=_in_docstring(f"headrace run {shlex.quote(self._path)}{store}"),
            imports=self._writer.import_lines(),
            body="\n".join(f"{_INDENT}{line}" if line else "" for part in body for line in part.split("\n")),
        )

    def _pipeline(self, arguments: PipelineArguments) -> str:
        self._writer.add_import("from headrace.authoring import Pipeline")
        given: dict[str, Any] = {}
        if arguments.root:
            given["pipeline_root"] = arguments.root
        if arguments.metadata_connection_config is not None:
            given["metadata_connection_config"] = arguments.metadata_connection_config
        given["components"] = [Code(name) for name in self._names.values()]
        if arguments.beam_pipeline_args:
            given["beam_pipeline_args"] = list(arguments.beam_pipeline_args)
        return self._writer.call("Pipeline", [arguments.name], given, "the pipeline")

    def _assignment(self, component: BaseNode) -> str:
        kind = type(component)
        where = str(component.id)
        conditions = upstream.conditions(component)
        if conditions:
            raise DefinitionError(
                f"{where}: it is under a condition, which an export does not write.",
                "make and run it outside of `with Cond(...)`, or write the pipeline by hand.",
            )
        positional, named = tfx_internals.construction_of(component)
        given = {
            name: value
            for name, value in named.items()
            # The arguments that were left out are left out again.
            if value is not None
        }
        text = self._writer.call(self._writer.class_name(kind, where), positional, given, where)
        asked = options_of(component).given
        if asked:
            self._writer.add_import("from headrace import options")
        suffix = "" if where == kind.__name__ else f".with_id({self._writer.value(where, where)})"
        assignment = f"{self._names[where]} = {text}{suffix}"
        if asked:
            call = self._writer.call("options", [Code(self._names[where])], asked, where)
            assignment = f"{assignment}\n{call}"
        stale = [
            str(node.id)
            for node in upstream.producers(component, lambda node_id: None)
            if node not in self._components
        ]
        if not stale:
            return assignment
        return f"# In the session, this ran on an older {', '.join(stale)}.\n{assignment}"

    def _function(self, function: Any, where: str) -> Code | str:
        """The text of a user function: `module:function`, or a file beside the pipeline file."""
        if function.__module__ != "__main__":
            return functions.to_text(function)
        reference = functions.parse(cells.kept_text(function))
        with open_text(reference.place) as file:
            source = file.read()
        if not cells.is_kept(reference.place):
            return str(reference)
        module = self._add_module(reference.name, source)
        self._writer.add_import("import os")
        self._writer.add_constant("HERE = os.path.dirname(os.path.abspath(__file__))")
        return Code(f'f"{{HERE}}/{module}.py:{reference.name}"')

    def _class_module(self, name: str, where: str) -> str:
        """The module beside the pipeline file that defines a class or function component of `__main__`."""
        return self._add_module(name, cells.source([name], where))

    def _add_module(self, name: str, source: str) -> str:
        module = f"{self._stem}_{name}"
        number = 2
        while self.modules.get(module, source) != source:
            module = f"{self._stem}_{name}_{number}"
            number += 1
        self.modules[module] = source
        return module


def _in_order(components: Sequence[BaseNode]) -> list[BaseNode]:
    """Order components so that each follows what it takes from; else as they ran."""
    by_id = {str(component.id): component for component in components}
    ordered: dict[str, BaseNode] = {}

    def visit(component: BaseNode) -> None:
        for producer in upstream.producers(component, by_id.get):
            needed = by_id.get(str(producer.id))
            if needed is not None and str(needed.id) not in ordered:
                visit(needed)
        ordered[str(component.id)] = component

    for component in components:
        visit(component)
    return list(ordered.values())


def _unused(name: str, taken: Iterable[str]) -> str:
    used = set(taken)
    stem = re.sub(r"_\d+$", "", name)
    number = 2
    while name in used:
        name = f"{stem}_{number}"
        number += 1
    return name
