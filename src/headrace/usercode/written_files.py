"""Calls that write files, as code writes them."""

from __future__ import annotations

import ast
import re

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
# What names say of the files behind them, where no code tells: these are written, or may be.
_DESTINATION = re.compile(
    r"(^|_)(outputs?|out|dest|destination|destinations|export|exports|push|pushed|logdir|save|tmp|temp|write)(_|$)"
)
_PERHAPS = re.compile(r"(^|_)(log|logs|target|cache|working)(_|$)")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_COPIES = re.compile(r"^(copy\w*|move|rename|urlretrieve)$")


def name_of(call: ast.Call) -> str:
    """Return the name of what is called, without the object or module that it is taken from."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else dotted_name(call.func)


def is_destination(name: str, *, is_sure: bool = False) -> bool:
    """Whether what a parameter, or a key of a configuration, names is written and not read.

    Args:
        name: Its name, such as `push_destination`.
        is_sure: Whether names that may be of either, such as `log_file`, are taken for what is read.
    """
    # `outputPath`, `OUTPUT_PATH`, `output-path` and `output.path` say the same.
    name = re.sub(r"\W", "_", _HUMP.sub("_", name)).lower()
    return bool(_DESTINATION.search(name) or (not is_sure and _PERHAPS.search(name)))


def is_writing(call: ast.Call) -> bool:
    """Whether the files that a call names are written or removed, and not read."""
    name = name_of(call)
    return bool(_WRITES.match(name) or (_OPENS.match(name) and _opens_to_write(call)))


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
    return [*call.args[:1], *([call.func.value] if isinstance(call.func, ast.Attribute) else [])]


def _opens_to_write(call: ast.Call) -> bool:
    modes = [*call.args[1:2], *(keyword.value for keyword in call.keywords if keyword.arg == "mode")]
    if not call.args and not isinstance(call.func, ast.Attribute):
        return False
    texts = [mode.value for mode in modes if isinstance(mode, ast.Constant) and isinstance(mode.value, str)]
    return any(mode[:1] in ("w", "a", "x") for mode in texts)
