"""Whether what a name stands for is written and not read: as the code says, and only then as the name sounds.

A parameter, or a key of a configuration, that is called `output` may name what is read: `temp` are temperatures, `output`
is what a model is to give. Where code is known that mentions it, the code tells; in doubt it is read.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Set
from dataclasses import dataclass, field

from headrace.usercode import written_files

# What names say of the files behind them, where no code tells.
_DESTINATION = re.compile(
    r"(^|_)(outputs?|out|dest|destination|destinations|export|exports|push|pushed|save|tmp|temp|write|"
    r"log_?(dir|file|path|folder))(_|$)"
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Before what is no variable: a text, or an attribute.
_KEY = "."
_VALUES = frozenset({"items", "values"})


def sounds_so(name: str) -> bool:
    """Whether what has a name, such as `push_destination`, is written by the sound of it."""
    # `outputPath`, `OUTPUT_PATH`, `output-path` and `output.path` say the same.
    return bool(_DESTINATION.search(re.sub(r"\W", "_", _HUMP.sub("_", name)).lower()))


@dataclass
class Mentions:
    """Where code mentions names: variables, and behind a point attributes and texts such as keys of a configuration.

    Attributes:
        written: Those that are given to what writes files.
        read: Those that are mentioned otherwise.
        aliases: Variables, each with a name that its value is made of.
        reads_all: Whether values are taken without their names, as by `settings.items()`.
    """

    written: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    aliases: set[tuple[str, str]] = field(default_factory=set)
    reads_all: bool = False

    def __or__(self, other: Mentions) -> Mentions:
        return Mentions(
            self.written | other.written,
            self.read | other.read,
            self.aliases | other.aliases,
            self.reads_all or other.reads_all,
        )

    def destinations(self, written: Set[str] = frozenset()) -> Destinations:
        """Return what they tell, beside the names of what is known to be written."""
        return Destinations(
            frozenset(written),
            frozenset(self._with_aliases(self.written)),
            frozenset(self._with_aliases(self.read)),
            self.reads_all,
        )

    def _with_aliases(self, names: set[str]) -> set[str]:
        found, waiting = set(names), list(names)
        made_of: dict[str, list[str]] = {}
        for variable, name in self.aliases:
            made_of.setdefault(variable, []).append(name)
        while waiting:
            new = [name for name in made_of.get(waiting.pop(), ()) if name not in found]
            found.update(new)
            waiting += new
        return found


@dataclass(frozen=True)
class Destinations:
    """What some code writes; without any, nothing is known of the code.

    Attributes:
        certain: Paths and names of files, and names of variables, that it is known to write to.
        written: Names that it gives to what writes files, among others.
        read: Names that it mentions otherwise.
        reads_all: Whether it takes values without their names.
    """

    certain: Set[str] = frozenset()
    written: Set[str] = frozenset()
    read: Set[str] = frozenset()
    reads_all: bool = False

    def has_variable(self, name: str) -> bool:
        """Whether what a variable, or a parameter, names is written and not read."""
        return name in self.certain or self._sounds_so(name, name)

    def has_key(self, name: str) -> bool:
        """Whether what a key of a configuration, or an attribute, names is written and not read."""
        key = _KEY + name
        # A variable may have the name of a key by chance.
        return (name in self.certain and key in self.written) or self._sounds_so(name, key)

    def _sounds_so(self, name: str, mention: str) -> bool:
        return sounds_so(name) and (mention in self.written or not (self.reads_all or mention in self.read))


def mentions(node: ast.AST) -> Mentions:
    """Return the names that a piece of code mentions."""
    found = Mentions()
    # A node, whether it is given to what writes, and the variable that it is the value of.
    waiting: list[tuple[ast.AST, bool, str]] = [(node, False, "")]
    while waiting:
        one, is_written, variable = waiting.pop()
        name = _name(one)
        if name:
            if variable:
                found.aliases.add((variable, name))
            else:
                (found.written if is_written else found.read).add(name)
        if isinstance(one, ast.Call):
            found.reads_all = found.reads_all or written_files.name_of(one) in _VALUES
            waiting += _of_call(one, is_written, variable)
        elif isinstance(one, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
            waiting += _of_assignment(one)
        elif not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant)):
            waiting += [(child, is_written, variable) for child in ast.iter_child_nodes(one)]
    return found


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return _KEY + node.attr
    return _KEY + node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _of_call(call: ast.Call, is_written: bool, variable: str) -> Iterator[tuple[ast.AST, bool, str]]:
    if written_files.is_writing(call):
        is_written, variable = True, ""
    elif not written_files.makes_path(call):
        is_written, variable = False, ""
    # What is called is no file: of `path.write_text` it is the path.
    inner = call.func.value if isinstance(call.func, ast.Attribute) else None
    for one in [*([inner] if inner is not None else []), *call.args, *call.keywords]:
        yield one, is_written, variable


def _of_assignment(node: ast.Assign | ast.AnnAssign | ast.NamedExpr) -> Iterator[tuple[ast.AST, bool, str]]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    names = [_name(target) for target in targets]
    if node.value is not None:
        # What several variables share, or parts of it, is in doubt.
        yield node.value, False, names[0] if len(names) == 1 else ""
    for target in targets:
        # `settings["output"] = ...` reads nothing of that name.
        if isinstance(target, ast.Subscript):
            yield target.value, False, ""
