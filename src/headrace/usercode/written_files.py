"""Calls that write files, as code writes them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from headrace.usercode.syntax_trees import dotted_name

_WRITES = re.compile(
    r"^(save\w*|savefig|imsave|dump|export\w*|write\w*|to_(csv|json|parquet|pickle|excel|html|feather)|"
    r"make_?dirs?|mkdir|remove|unlink|rmtree|rename|replace|FileHandler|TensorBoard|CSVLogger|ModelCheckpoint|"
    r"print|debug|info|warning|error|exception)$"
)
_WRITES_FILES = re.compile(
    r"^(savefig|imsave|dump|to_(csv|json|parquet|pickle|excel|html|feather)|save\w*|"
    r"write_(text|bytes|csv|table)|FileHandler|CSVLogger|ModelCheckpoint|\w*Writer)$"
)
_OPENS = re.compile(r"^(open\w*|GFile|FileIO|File|ZipFile|TarFile|GzipFile)$")
# Methods of a path itself: others write what is before the point to a path that they are given.
_OF_PATHS = frozenset({"write_text", "write_bytes", "open"})
# Calls whose result is a path, or is made of what they are given.
_MAKES_PATH = re.compile(
    r"^(join|joinpath|\w*Path|abspath|realpath|normpath|expanduser|expandvars|fspath|resolve|absolute|as_posix|dirname|"
    r"with_(suffix|name|stem)|str|format|get|getattr|pop|setdefault|strip|rstrip|replace|next)$"
)
_COPIES = re.compile(r"^(copy\w*|move|rename|urlretrieve)$")


def name_of(call: ast.Call) -> str:
    """Return the name of what is called, without the object or module that it is taken from."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else dotted_name(call.func)


def is_writing(call: ast.Call) -> bool:
    """Whether the files that a call names are written or removed, and not read."""
    name = name_of(call)
    return bool(_WRITES.match(name) or (_OPENS.match(name) and _opens_to_write(call)))


def makes_path(call: ast.Call) -> bool:
    """Whether what a call returns is a path, or some other text, made of what it is given."""
    return bool(_MAKES_PATH.match(name_of(call)))


def path_terms(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the expressions that a path is made of: not those that are given to other calls.

    So `load(settings["weights"])` is made of no path that is known, whatever is done with it then.
    """
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.Call) and not (makes_path(one) or is_writing(one)):
            continue
        yield one
        waiting += ast.iter_child_nodes(one)


def targets(call: ast.Call) -> list[ast.expr]:
    """Return the expressions that say which file a call writes."""
    name = name_of(call)
    if name in ("rename", "replace") and len(call.args) == 1:
        return call.args  # a method of a path
    # Of all others that are called so, `str.replace` is the usual one.
    if _COPIES.match(name) or dotted_name(call.func) == "os.replace":
        return call.args[1:2]
    if name == "basicConfig":
        return [keyword.value for keyword in call.keywords if keyword.arg == "filename"]
    if not (_WRITES_FILES.match(name) or (_OPENS.match(name) and _opens_to_write(call))):
        return []
    if isinstance(call.func, ast.Attribute) and name in _OF_PATHS:
        return [*call.args[:1], call.func.value]
    return call.args[1:2] if _writes_its_first(call) else call.args[:1]


def _writes_its_first(call: ast.Call) -> bool:
    """Whether what is written comes before the file, as in `pickle.dump` and `torch.save`."""
    dotted = dotted_name(call.func)
    if len(call.args) > 1 and (dotted == "torch.save" or dotted.endswith(("save_model", "saved_model.save"))):
        return True
    return name_of(call) in ("dump", "write_table")


def _opens_to_write(call: ast.Call) -> bool:
    modes = [*call.args[1:2], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    if not call.args and not isinstance(call.func, ast.Attribute):
        return False
    texts = [mode.value for mode in modes if isinstance(mode, ast.Constant) and isinstance(mode.value, str)]
    return any(mode[:1] in ("w", "a", "x") for mode in texts)
