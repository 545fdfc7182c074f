"""A module's top-level statements as parts: what each binds, what it needs, what it may change.

All of it is read from the syntax tree: no user code is imported.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from headrace.usercode import statements
from headrace.usercode.statements import Imported
from headrace.usercode.syntax_trees import DEFINITIONS, IMPORTS, chains, global_names, without_docstrings
from headrace.usercode.usage import Source

# Roots of calls that make, run or show pipelines: a worker never comes to them, or they change nothing it sees.
_PIPELINE_PACKAGES = ("headrace", "tfx")
# As Python counts lines: a form feed or a Unicode separator ends none.
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Part:
    """One statement at the top level of a module; compound statements are one part."""

    node: ast.stmt

    @functools.cached_property
    def binds(self) -> frozenset[str]:
        """Names that it binds."""
        return frozenset(statements.bound_names(self.node))

    @functools.cached_property
    def changes(self) -> frozenset[str]:
        """Names whose objects it may change."""
        return frozenset(statements.changed_names(self.node))

    @functools.cached_property
    def imports(self) -> tuple[tuple[str, Imported], ...]:
        """What its import statements bind, those at any depth."""
        return tuple(statements.imports_in(self.node))

    @functools.cached_property
    def acts_on(self) -> frozenset[str]:
        """Roots of what it calls or sets when the module is loaded; an assignment's calls are left out."""
        return frozenset(statements.acted_on(self.node)) - {""}

    @functools.cached_property
    def needs(self) -> frozenset[str]:
        """Names that it takes from the module's globals or from the built-ins."""
        return frozenset(global_names(ast.unparse(self.node)))

    @functools.cached_property
    def chains(self) -> frozenset[str]:
        """Dotted uses of names, such as `layers.dense.build`, each as long as it is written."""
        return frozenset(chains(self.node))

    @functools.cached_property
    def dump(self) -> str:
        """Its syntax tree as text: without comments and formatting."""
        return ast.dump(self.node)

    @functools.cached_property
    def bare_dump(self) -> str:
        """The same without docstrings."""
        return ast.dump(without_docstrings(self.node))

    @functools.cached_property
    def words(self) -> frozenset[str]:
        """The names and attributes that it mentions."""
        return frozenset(name for chain in self.chains for name in chain.split("."))


@dataclass(frozen=True)
class Module:
    """A parsed file.

    Attributes:
        path: The file.
        text: Its source.
        parts: Its top-level statements without those under `if __name__ == "__main__"`; `None` where it is not
            Python.
    """

    path: str
    text: str
    parts: tuple[Part, ...] | None

    @functools.cached_property
    def bindings(self) -> dict[str, list[Part]]:
        """The parts that bind each name, in order."""
        found: dict[str, list[Part]] = {}
        for part in self.parts or ():
            for name in part.binds:
                found.setdefault(name, []).append(part)
        return found

    @functools.cached_property
    def imports(self) -> dict[str, list[Imported]]:
        """What the names bound by imports at the top level stand for."""
        found: dict[str, list[Imported]] = {}
        for part in self.parts or ():
            if not isinstance(part.node, DEFINITIONS):
                for name, imported in part.imports:
                    found.setdefault(name, []).append(imported)
        return found

    @functools.cached_property
    def has_star(self) -> bool:
        """Whether `from x import *` hides where some of its names come from."""
        return any(imported.name == "*" for part in self.parts or () for _, imported in part.imports)

    def affecting(self, name: str) -> list[Part]:
        """Return the parts that decide what a global name stands for, in order."""
        bound = self.bindings.get(name, [])
        is_fixed = bool(bound) and all(statements.binds_fixed_value(part.node) for part in bound)
        names = {name} if is_fixed else self._aliases(name)
        return [
            part
            for part in self.parts or ()
            # A function with `global name` may bind it anew, whatever it is.
            if name in part.binds
            or (names & part.changes and (not is_fixed or isinstance(part.node, DEFINITIONS)))
        ]

    def _aliases(self, name: str) -> set[str]:
        """A name, and those that stand for the same object, as after `b = a`."""
        found, waiting = {name}, [name]
        while waiting:
            one = waiting.pop()
            near = {other for pair in self._equal_names if one in pair for other in pair} - found
            found |= near
            waiting += near
        return found

    @functools.cached_property
    def _equal_names(self) -> list[tuple[str, str]]:
        return [
            (target.id, part.node.value.id)
            for part in self.parts or ()
            if isinstance(part.node, ast.Assign) and isinstance(part.node.value, ast.Name)
            for target in part.node.targets
            if isinstance(target, ast.Name)
        ]

    @functools.cached_property
    def effects(self) -> list[Part]:
        """The parts that act when the module is loaded, whatever is taken from it."""
        found = [part for part in self.parts or () if self._acts(part) and not self._runs_pipeline(part)]
        return [*found, *self._unused_imports()]

    def _acts(self, part: Part) -> bool:
        """Whether a statement calls or changes something that is more than a variable of this module."""
        return any(
            name in self.imports
            or all(isinstance(one.node, DEFINITIONS) for one in self.bindings.get(name, []))
            for name in part.acts_on
            if name != "print"
        )

    def _unused_imports(self) -> Iterator[Part]:
        """Modules that are imported for what they do, since nothing here uses their name."""
        parts = self.parts or ()
        used = {chain.partition(".")[0] for part in parts for chain in part.chains}
        for part in parts:
            if (
                isinstance(part.node, IMPORTS)
                and not (part.binds & used)
                and not statements.is_future(part.node)
            ):
                yield part

    def _runs_pipeline(self, part: Part) -> bool:
        """Whether a statement runs or shows the pipeline, itself or through a function of this module."""
        waiting, seen = [part], set[str]()
        while waiting:
            for name in waiting.pop().needs - seen:
                seen.add(name)
                if any(i.module.partition(".")[0] in _PIPELINE_PACKAGES for i in self.imports.get(name, [])):
                    return True
                waiting += self.bindings.get(name, [])
        return False

    def source(self, parts: Sequence[Part], imports: Sequence[str], *, has_docstrings: bool) -> Source | None:
        """Return what counts of the file: some parts, and the imports that they use; `None` where nothing does."""
        if not parts and not imports:
            return None
        dumped = "\n".join([*imports, *self._dumped(parts, has_docstrings)])
        shown = "\n".join([*imports, *self._texts(parts)])
        return Source(hashlib.sha256(dumped.encode()).hexdigest(), f"{shown}\n")

    def _dumped(self, parts: Sequence[Part], has_docstrings: bool) -> list[str]:
        """The syntax trees of parts: those that may stand in any order sorted, then the others in theirs."""
        free: list[str] = []
        fixed: list[str] = []
        for part in sorted(parts, key=_line):
            (free if self._is_movable(part) else fixed).append(
                part.dump if has_docstrings else part.bare_dump
            )
        return [*sorted(free), *fixed]

    def _is_movable(self, part: Part) -> bool:
        """Whether a part means the same wherever it stands: a plain function, or the one binding of a constant."""
        if any(len(self.bindings.get(name, [])) > 1 for name in part.binds):
            return False
        if isinstance(part.node, ast.FunctionDef):
            defaults = [*part.node.args.defaults, *(one for one in part.node.args.kw_defaults if one)]
            return not part.node.decorator_list and all(isinstance(one, ast.Constant) for one in defaults)
        return isinstance(part.node, (ast.Assign, ast.AnnAssign)) and statements.binds_fixed_value(part.node)

    def _texts(self, parts: Sequence[Part]) -> Iterable[str]:
        """The source lines of parts, in the module's order, with the comments inside of them."""
        lines = _LINE_END.split(self.text)
        texts = []
        for part in sorted(parts, key=_line):
            decorators = getattr(part.node, "decorator_list", [])
            first = min([part.node.lineno, *(decorator.lineno for decorator in decorators)])
            texts.append("\n".join(lines[first - 1 : part.node.end_lineno]))
        return dict.fromkeys(texts)


def _line(part: Part) -> int:
    return part.node.lineno
