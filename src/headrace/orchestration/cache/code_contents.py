"""What code adds to the cache key: the executor's, and that of the user functions that parameters name."""

from __future__ import annotations

import functools
import glob
import hashlib
import importlib.util
import os
import re
import sys
from collections.abc import Iterator, Sequence

from headrace.errors import HeadraceError
from headrace.files import matching, read_bytes
from headrace.usercode import module_files, sources
from headrace.usercode.sources import Usage

_FUNCTION = re.compile(r"^[\w.]+:\w+$|^.+\.py:\w+$")
_PACKAGE_PATH = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_SHARED_FOLDERS = ("authoring", "files", "formats", "runtime", "usercode")
# Parts that only some executors come to, each named as it is imported: they count for those.
_PART = r"\bheadrace\.(components(?:\.| import )\w+|sources|statistics|training|models|features|augment)\b"
_IMPORTED_PART = re.compile(_PART.encode())
_IMPORTED_LIBRARY = re.compile(
    rb"^[ ]*(?:from ([a-z]\w*(?:\.\w+)?)[\w.]* import |import ([a-z]\w*(?:\.\w+)?)[\w.]*(?: as \w+)?\s*(?:#.*)?$)",
    re.MULTILINE,
)
# What executors of TFX itself may come to, whichever they are.
_TFX_LIBRARIES = frozenset(
    {
        "tfx",
        "tensorflow",
        "tensorflow_transform",
        "tensorflow_data_validation",
        "tensorflow_model_analysis",
        "tfx_bsl",
        "apache_beam",
    }
)
# The functions that an executor calls in its module_file.
_HOOKS = {
    ".transform.": ("preprocessing_fn", "stats_options_updater_fn"),
    ".trainer.": ("run_fn", "trainer_fn"),
    ".tuner.": ("tuner_fn",),
    ".evaluator.": ("custom_eval_shared_model", "custom_extractors"),
}


def executor_usage(class_path: str, main_path: str) -> tuple[str, Usage]:
    """Return the digest of an executor's code, and what it uses; it has files where they are the user's.

    Args:
        class_path: Dotted path of the executor.
        main_path: The script behind a `__main__` class path.
    """
    module, _, name = class_path.rpartition(".")
    if module.startswith("headrace.components."):
        digest, libraries = _own(_part_of(module))
        return digest, Usage(libraries=set(libraries))
    if module == "__main__":
        found = sources.usage(main_path, "", [_source_name(name)]) if main_path else Usage()
    elif module.partition(".")[0] in ("tfx", "tfx_bsl"):
        found = Usage(libraries=set(_TFX_LIBRARIES))
    else:
        found = _module_usage(module, _source_name(name))
    return found.digest if found.files else "", found


def _source_name(class_name: str) -> str:
    """What the user wrote: TFX gives the executor of a function component this ending."""
    return class_name.removesuffix("_Executor")


def _module_usage(module: str, name: str) -> Usage:
    """What an executor in a module of the project, or of an installed library, uses."""
    loaded = sys.modules.get(module)
    spec = getattr(loaded, "__spec__", None) if loaded is not None else None
    try:
        spec = spec or importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return Usage()
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return Usage(libraries={module})
    if not module_files.is_project_file(spec.origin):
        return Usage(libraries={module})
    # A file that was loaded by its path has a name that is nobody's.
    return sources.usage(spec.origin, "" if module.startswith("headrace_user_") else module, [name])


def parameter_usage(name: str, value: str, class_path: str) -> tuple[dict[str, str], Usage] | None:
    """Return what a parameter that names user code adds to the key, and what that uses; `None` for another.

    Args:
        name: The parameter.
        value: Its text.
        class_path: The executor's, which decides what it calls in a `module_file`.
    """
    try:
        if value.endswith(".py") and os.path.isfile(value):
            found = sources.usage(value, "", _hooks(name, value, class_path))
            named = {"file": os.path.basename(value), "source": found.digest}
        elif _FUNCTION.match(value) or (name.endswith("_fn") and "." in value):
            found = sources.function_usage(value, name)
            named = {
                "function": value.replace(":", ".").rsplit(".", 1)[-1],
                "source": found.digest if found.files else "",
            }
        else:
            return None
    except (HeadraceError, OSError):
        # Not code after all, or code that is gone: the text counts, and the executor reports what is wrong.
        return None
    if not is_known(class_path) or not found.files:
        # A component of the user's may do something else with the text than load it; of a library's function
        # nothing else tells one from another.
        named["text"] = value
    return named, found


def is_known(class_path: str) -> bool:
    """Whether an executor is Headrace's or TFX's own."""
    return class_path.startswith(("headrace.components.", "tfx.components.", "tfx.extensions."))


def _hooks(name: str, path: str, class_path: str) -> Sequence[str]:
    """The functions that an executor calls in a module file; none where it may call any."""
    if name != "module_file" or not is_known(class_path):
        return ()
    wanted = next((hooks for part, hooks in _HOOKS.items() if part in class_path), ())
    there = sources.top_level_names(path)
    return [hook for hook in wanted if hook in there]


@functools.cache
def _own(part: str) -> tuple[str, tuple[str, ...]]:
    """One digest of what decides about the work of a part of Headrace, and the libraries of that.

    These are the shared folders, the part's own, and those of the parts that it imports from.

    Args:
        part: As `_part_of` returns it.
    """
    waiting = [_part_path(name) for name in (*_SHARED_FOLDERS, part) if name]
    folders, libraries = dict[str, bytes](), {"apache_beam"}
    while waiting:
        path = waiting.pop()
        if path not in folders:
            folders[path], parts, imported = _folder(path)
            waiting += [_part_path(name) for name in parts]
            libraries |= imported
    combined = hashlib.sha256(b"".join(digest for _, digest in sorted(folders.items()))).hexdigest()
    return combined, tuple(sorted(libraries))


@functools.cache
def _folder(path: str) -> tuple[bytes, frozenset[str], frozenset[str]]:
    """The digest of a folder of Headrace, and the parts and libraries that it imports from."""
    digest, parts, libraries = hashlib.sha256(), set[str](), set[str]()
    for text in _texts(path):
        digest.update(hashlib.sha256(text).digest())
        parts.update(name.decode() for name in _IMPORTED_PART.findall(text))
        libraries.update((one or other).decode() for one, other in _IMPORTED_LIBRARY.findall(text))
    apart = {"headrace", *sys.stdlib_module_names}
    imported = frozenset(name for name in libraries if name.partition(".")[0] not in apart)
    return digest.digest(), frozenset(parts), imported


def own_digest(modules: Sequence[str]) -> str:
    """Return a digest of the parts of Headrace that user code imports from; empty where it imports none."""
    digests = [_own(part)[0] for part in sorted({_part_of(module) for module in modules})]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest() if modules else ""


def _texts(folder: str) -> Iterator[bytes]:
    for path in matching(os.path.join(glob.escape(folder), "**", "*.py"), is_deep=True):
        yield read_bytes(path)


def _part_of(module: str) -> str:
    """The part that a module of Headrace belongs to, such as `components.trainer`; empty for what all share."""
    found = re.match(_PART, module)
    return found[1] if found else ""


def _part_path(part: str) -> str:
    """Its folder. A class after `import` has none: the module behind it is named elsewhere, or shared."""
    return os.path.join(_PACKAGE_PATH, *re.split(r"\.| import ", part))
