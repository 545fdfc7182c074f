"""The walk from a function through all that it uses: within its file, and through the modules of the project."""

from __future__ import annotations

import ast
import builtins
import os
import sys
from collections.abc import Sequence

from headrace.files import payloads
from headrace.usercode import (
    configurations,
    dynamic_code,
    environment_variables,
    named_files,
    outside,
    parsed_modules,
    registrations,
)
from headrace.usercode.module_files import absolute_name, find_module, import_folder, is_followed
from headrace.usercode.module_parts import Module, Part
from headrace.usercode.outside import Outside
from headrace.usercode.statements import Imported
from headrace.usercode.syntax_trees import DEFINITIONS, IMPORTS, is_docstring
from headrace.usercode.usage import Source, Usage

WHOLE = "*"
# What reads the docstrings of code; elsewhere they are comments.
_DOCSTRINGS = frozenset({"__doc__", "getdoc", "doctest", "docstring", "click", "fire"})
# What reads the text of code, with comments and all.
_SOURCES = frozenset({"getsource", "getsourcelines", "getsourcefile", "getcomments", "linecache"})
# Set by whatever loads a module, not by the module's text.
_MODULE_NAMES = frozenset({"__file__", "__name__", "__doc__", "__package__", "__annotations__"})


class Walk:
    """The files found so far, with the parts of them that count."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._modules: dict[str, str] = {}
        self._parts: dict[str, dict[int, Part]] = {}
        self._imports: dict[str, set[str]] = {}
        self._libraries: set[str] = set()
        self._whole: set[str] = set()
        self._seen: set[tuple[str, str, str]] = set()
        self._places = {os.getcwd()}
        self._outside = Outside()
        self._reads_docstrings = False
        self._reads_sources = False
        self._reads_subclasses = False

    def result(self) -> Usage:
        """Return what was found."""
        self._follow_programs()
        found = self._outside
        environment = set(found.environment)
        if found.reads_environment:
            environment |= environment_variables.among(found.texts)
        files = {path: source for path in self._parts if (source := self._source(path)) is not None}
        for path in self._data_files() - files.keys():
            files[path] = Source(payloads.readable_digest(path))
        return Usage(
            files=files,
            libraries=self._libraries,
            environment=environment,
            reads_arguments=found.reads_arguments,
            destinations=found.mentions.destinations(found.written),
            lists_folders=found.lists_folders,
            names=self._names(list(files)),
        )

    def _data_files(self) -> set[str]:
        found = self._outside
        named = named_files.find(
            found.texts, self._places, found.folders, found.written, lists_folders=found.lists_folders
        )
        read = (found.paths | named) - found.written
        destinations = found.mentions.destinations(found.written)
        more = configurations.named(read, destinations, lists_folders=found.lists_folders)
        return read | {path for path in more if not {path, os.path.basename(path)} & found.written}

    def _names(self, paths: Sequence[str]) -> dict[str, str]:
        """The names under which files count: of modules, and of data files in their common folder."""
        data = [path for path in paths if path not in self._parts]
        common = os.path.commonpath(data) if len(data) > 1 else ""
        return {
            path: self._modules.get(path)
            or (os.path.relpath(path, common) if common else os.path.basename(path))
            for path in paths
            if path != self._root
        }

    def _follow_programs(self) -> None:
        """Count the scripts and modules that code may start in a process of their own, with what these use."""
        seen: set[str] = set()
        while self._outside.starts_programs and self._outside.texts - seen:
            texts = self._outside.texts - seen
            seen |= texts
            self._outside.texts |= {word for text in texts if "\n" not in text for word in text.split()}
            folder = os.getcwd()
            for word in sorted(self._outside.texts):
                path = os.path.join(folder, word)
                if word.endswith(".py") and os.path.isfile(path) and is_followed(path):
                    self.need(os.path.abspath(path), "", WHOLE, ())
                elif word.isidentifier() or word.replace(".", "_").isidentifier():
                    self._need_named(word, os.path.join(folder, "_"))

    def _source(self, path: str) -> Source | None:
        module = _read(path)
        if module is None or module.parts is None or self._reads_sources:
            return Source(payloads.file_digest(path), module.text if module is not None else "")
        parts = list(self._parts[path].values())
        return module.source(parts, sorted(self._imports[path]), has_docstrings=self._reads_docstrings)

    def need(self, path: str, dotted: str, name: str, attributes: Sequence[str]) -> None:
        """Count a global name of a file, and the attributes taken from it; `WHOLE` for the whole file."""
        key = (path, name, attributes[0] if attributes else "")
        if key in self._seen:
            return
        self._seen.add(key)
        self._enter(path, dotted)
        self._places.add(os.path.dirname(path))
        module = _read(path)
        if module is None or module.parts is None:
            return
        if name == WHOLE:
            for part in module.parts:
                self._add(path, dotted, module, part)
            return
        found = module.affecting(name)
        if not found:
            # Made by `import *`, `__getattr__`, or something that does not show.
            self.need(path, dotted, WHOLE, ())
        for part in found:
            if not isinstance(part.node, IMPORTS):
                self._add(path, dotted, module, part)
        for imported in module.imports.get(name, ()):
            self._import(path, dotted, name, imported, attributes)

    def _enter(self, path: str, dotted: str) -> None:
        """Count what a module and the packages above it do when they are loaded."""
        if path in self._parts:
            return
        self._parts[path], self._imports[path] = {}, set()
        self._modules[path] = dotted
        module = _read(path)
        if module is None or module.parts is None:
            return
        self._enter_packages(path, dotted)
        for part in [*module.effects, *registrations.find(module, dotted)]:
            self._add(path, dotted, module, part)
        if self._reads_subclasses:
            self._add_derived(path)
        for part in module.parts:
            if not isinstance(part.node, DEFINITIONS):
                for _, imported in part.imports:
                    self._enter_imported(path, dotted, imported)

    def _enter_packages(self, path: str, dotted: str) -> None:
        parents = dotted.split(".")[:-1] if dotted else []
        for count in range(len(parents), 0, -1):
            parent = ".".join(parents[:count])
            file = find_module(parent, import_folder(path, dotted))
            if file is not None and is_followed(file):
                self._enter(file, parent)

    def _enter_imported(self, path: str, dotted: str, imported: Imported) -> None:
        """Count what a module that another one imports does when it is loaded, whether it is used or not."""
        target = absolute_name(imported.loads or imported.module, dotted, path)
        for name in (target, f"{target}.{imported.name}" if imported.name else ""):
            file = find_module(name, import_folder(path, dotted)) if name else None
            if file is not None and file.endswith(".py") and is_followed(file):
                self._enter(file, name)

    def _add_derived(self, path: str) -> None:
        """Count the classes of a file that derive from others."""
        module = _read(path)
        for part in (module.parts or ()) if module is not None else ():
            if module is not None and isinstance(part.node, ast.ClassDef) and part.node.bases:
                self._add(path, self._modules[path], module, part)

    def _add(self, path: str, dotted: str, module: Module, part: Part) -> None:
        """Count one part of a file, with all that it needs."""
        if id(part) in self._parts[path]:
            return
        if not isinstance(part.node, IMPORTS):
            self._parts[path][id(part)] = part
            self._outside.add(outside.look(module, part, dotted))
            self._look_inside(path, dotted, module, part)
        if dynamic_code.is_dynamic(module, part):
            self._need_all(path, dotted, module)
        chains: dict[str, list[list[str]]] = {}
        for chain in part.chains:
            root, *attributes = chain.split(".")
            chains.setdefault(root, []).append(attributes)
        for name, imported in part.imports:
            # Those of a function's body, or a module that is imported for what it does.
            for attributes in chains.get(name, [[]]):
                self._import(path, dotted, name, imported, attributes, is_entered_only=name not in chains)
        for name in part.needs - _MODULE_NAMES:
            if name in module.bindings:
                for attributes in chains.get(name, [[]]):
                    self.need(path, dotted, name, attributes)
            elif module.has_star and not _is_builtin(name):
                self.need(path, dotted, WHOLE, ())

    def _look_inside(self, path: str, dotted: str, module: Module, part: Part) -> None:
        """Note what a part sees of code without naming it."""
        self._reads_docstrings = self._reads_docstrings or bool(part.words & _DOCSTRINGS)
        self._reads_sources = self._reads_sources or bool(part.words & _SOURCES)
        if "__doc__" in part.needs and module.parts and is_docstring(module.parts[0].node):
            self._add(path, dotted, module, module.parts[0])
        if "__subclasses__" in part.words and not self._reads_subclasses:
            self._reads_subclasses = True
            for entered in list(self._parts):
                self._add_derived(entered)

    def _need_all(self, path: str, dotted: str, module: Module) -> None:
        """Count a whole file whose code may reach anything, and each project module that a text in it names."""
        if path in self._whole:
            return
        self._whole.add(path)
        self.need(path, dotted, WHOLE, ())
        for part in module.parts or ():
            for node in ast.walk(part.node):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    self._need_named(node.value, path)
        if dynamic_code.imports_anything(module):
            self._need_neighbours(path, dotted.rpartition(".")[0])

    def _need_neighbours(self, path: str, package: str) -> None:
        folder, own_name = os.path.split(path)
        for name in sorted(os.listdir(folder)):
            if name.endswith(".py") and name != own_name:
                dotted = f"{package}.{name[:-3]}" if package else name[:-3]
                self.need(os.path.join(folder, name), dotted, WHOLE, ())

    def _need_named(self, text: str, path: str) -> None:
        if all(part.isidentifier() for part in text.strip(".").split(".")):
            for folder in {os.path.dirname(path), import_folder(path, self._modules.get(path, ""))}:
                file = find_module(text.strip("."), folder)
                if file is not None and is_followed(file):
                    self.need(file, text.strip("."), WHOLE, ())

    def _import(
        self,
        path: str,
        dotted: str,
        name: str,
        imported: Imported,
        attributes: Sequence[str],
        *,
        is_entered_only: bool = False,
    ) -> None:
        """Follow one import to the name that is used of it."""
        target = absolute_name(imported.module, dotted, path)
        self._outside.reads_environment |= environment_variables.is_given_by(imported.module, imported.name)
        self._outside.starts_programs |= outside.is_program(imported.module, imported.name)
        shown = f"from {imported.module} import {imported.name}" if imported.name else f"import {target}"
        if not is_entered_only:
            self._imports[path].add(shown + ("" if name in (imported.name, target) else f" as {name}"))
        folder = import_folder(path, dotted)
        if imported.loads and not imported.name:
            self._load(absolute_name(imported.loads, dotted, path), folder)
        wanted = [*([imported.name] if imported.name else []), *attributes]
        while True:
            file = find_module(target, folder)
            if file is not None and not is_followed(file):
                self._libraries.add(target)
                return
            module = _read(file) if file is not None else None
            is_bound = bool(wanted) and module is not None and wanted[0] in module.bindings
            if not wanted or is_bound or find_module(f"{target}.{wanted[0]}", folder) is None:
                break
            if file is not None:
                self._enter(file, target)
            target = f"{target}.{wanted.pop(0)}"
        if file is None:
            self._add_library(target)
        elif is_entered_only and not imported.name:
            self._enter(file, target)
        else:
            self.need(file, target, *((wanted[0], wanted[1:]) if wanted else (WHOLE, ())))

    def _load(self, target: str, folder: str) -> None:
        file = find_module(target, folder)
        if file is not None and is_followed(file):
            self._enter(file, target)
        else:
            self._add_library(target)

    def _add_library(self, name: str) -> None:
        if name.partition(".")[0] not in sys.stdlib_module_names:
            self._libraries.add(name)


def _read(path: str) -> Module | None:
    """A parsed file; `None` for compiled code."""
    return parsed_modules.read_now(path) if path.endswith(".py") else None


def _is_builtin(name: str) -> bool:
    return hasattr(builtins, name)
