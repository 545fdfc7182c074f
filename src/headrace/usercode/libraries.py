"""Installed libraries by name and version, as part of the cache key.

A module belongs to the distributions that installed it. Each counts with its version, and with those that it
requires; one installed from a folder or a file of the user's counts with the digests of its files too, since the
same version may be built twice. A module of a library folder that no distribution owns counts by its content.

Only the names of the folders and small text files beside the modules are read: asking `importlib.metadata` for
all distributions takes longer than a whole cached run.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.machinery
import os
import re
import sys
import sysconfig
from collections.abc import Iterable, Mapping

from headrace.files import payloads

_NAME = re.compile(r"[-_.]+")
_REQUIREMENT = re.compile(r"^Requires-Dist:\s*([\w.-]+)([^;\n]*)(;.*)?$", re.MULTILINE)
_VERSION = re.compile(r"^Version:\s*(\S+)", re.MULTILINE)
_TOP_NAME = re.compile(r"^Name:\s*(\S+)", re.MULTILINE)
# What these require is much and decides little: their own versions, and those of what follows, stand for it.
_COMPANIONS: Mapping[str, tuple[str, ...]] = {
    "tensorflow": ("keras", "numpy"),
    "tensorflow-cpu": ("keras", "numpy"),
    "tensorflow-intel": ("keras", "numpy"),
    "tf-nightly": ("keras-nightly", "numpy"),
    "keras": ("numpy",),
    "tfx": ("ml-pipelines-sdk",),
    "ml-pipelines-sdk": (),
    "apache-beam": (),
    "tensorflow-data-validation": ("tfx-bsl",),
    "tensorflow-model-analysis": ("tfx-bsl",),
    "tensorflow-transform": ("tfx-bsl",),
    "tfx-bsl": ("pyarrow", "numpy"),
    "ml-metadata": (),
}


def versions(modules: Iterable[str]) -> dict[str, str]:
    """Return the version of each distribution that some modules belong to or that those require.

    Args:
        modules: Dotted names; what is not installed, or is part of Python, has none.
    """
    found: dict[str, str] = {}
    waiting: list[str] = []
    for name in sorted({module for module in modules if module}):
        owners, content = _owners(_installed_part(name), _stamp())
        waiting += owners
        if content:
            found[f"module {name.partition('.')[0]}"] = content
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        installed = _installed(_stamp()).get(name)
        if installed is None:
            continue
        version, requires = _described(installed, os.stat(installed).st_mtime_ns)
        found[name] = version
        waiting += requires
    return dict(sorted(found.items()))


def _folders() -> list[str]:
    """Where libraries lie, those of the path that have distributions among them."""
    return list(dict.fromkeys(path for path in sys.path if path and os.path.isdir(path)))


def _stamp() -> tuple[tuple[str, int], ...]:
    """Changes when something is installed or removed."""
    return tuple((path, os.stat(path).st_mtime_ns) for path in _folders())


@functools.lru_cache(maxsize=4)
def _installed(stamp: tuple[tuple[str, int], ...]) -> dict[str, str]:
    """The folder or file that describes each distribution, by its name; the first on the path counts."""
    found: dict[str, str] = {}
    for folder, _ in stamp:
        for entry in sorted(os.listdir(folder)):
            if entry.endswith((".dist-info", ".egg-info")):
                name = _normal(entry.rpartition(".")[0].partition("-")[0])
                found.setdefault(name, os.path.join(folder, entry))
    return found


def _normal(name: str) -> str:
    return _NAME.sub("-", name).lower()


def _installed_part(module: str) -> str:
    """The first name of a module, with the second where the first is shared by distributions: `google/protobuf`."""
    top, _, rest = module.partition(".")
    if rest and not any(
        os.path.exists(os.path.join(folder, name))
        for folder in _folders()
        for name in (f"{top}.py", os.path.join(top, "__init__.py"))
    ):
        return f"{top}/{rest.partition('.')[0]}"
    return top


@functools.lru_cache(maxsize=1024)
def _owners(top: str, stamp: tuple[tuple[str, int], ...]) -> tuple[tuple[str, ...], str]:
    """The distributions that installed a top-level module; its content's digest where there is none."""
    if top in sys.stdlib_module_names:
        return (), ""
    installed = _installed(stamp)
    near = _normal(top)
    if near in installed and _provides(installed[near], top) is not False:
        return (near,), ""
    owners = [name for name, path in installed.items() if _provides(path, top)]
    if owners:
        return tuple(sorted(owners)), ""
    return (), _content(top, [folder for folder, _ in stamp])


def _provides(description: str, top: str) -> bool | None:
    """Whether a distribution has a top-level module; `None` where it does not say."""
    listed = _text(os.path.join(description, "top_level.txt")).split()
    if listed and (top in listed or top.partition("/")[0] not in listed):
        return top in listed
    record = _text(os.path.join(description, "RECORD"))
    if not record:
        return None
    return f"\n{top}/" in f"\n{record}" or any(
        f"\n{top}{suffix}," in f"\n{record}" for suffix in (".py", *importlib.machinery.EXTENSION_SUFFIXES)
    )


def _content(top: str, folders: Iterable[str]) -> str:
    """The digest of a module that nothing installed, where it lies in a folder of libraries."""
    libraries = [os.path.realpath(sysconfig.get_paths()[key]) for key in ("purelib", "platlib")]
    for folder in folders:
        if os.path.realpath(folder) not in libraries:
            continue
        for path in (os.path.join(folder, top), os.path.join(folder, f"{top}.py")):
            if os.path.exists(path):
                return _sources_digest(path)
    return ""


def _sources_digest(path: str) -> str:
    if os.path.isfile(path):
        return payloads.file_digest(path)
    names = [(name, full) for name, full in payloads.walk(path) if "__pycache__" not in name]
    digests = payloads.file_digests([full for _, full in names])
    lines = [f"{name} {digest}" for (name, _), digest in zip(names, digests)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@functools.lru_cache(maxsize=1024)
def _described(description: str, modified: int) -> tuple[str, tuple[str, ...]]:
    """The version of a distribution, and the names of what it requires here."""
    text = _text(os.path.join(description, "METADATA")) or _text(os.path.join(description, "PKG-INFO"))
    text = text or (_text(description) if os.path.isfile(description) else "")
    stated = _VERSION.search(text)
    entry = os.path.basename(description).rpartition(".")[0]
    version = stated.group(1) if stated else entry.partition("-")[2]
    named = _TOP_NAME.search(text)
    name = _normal(named.group(1) if named else entry.partition("-")[0])
    if os.path.exists(os.path.join(description, "direct_url.json")):
        version = f"{version} ({_record_digest(description)})"
    if name in _COMPANIONS:
        return version, _COMPANIONS[name]
    # An extra's requirements are installed for other reasons, if at all.
    required = [_normal(m.group(1)) for m in _REQUIREMENT.finditer(text) if "extra" not in (m.group(3) or "")]
    return version, tuple(required)


def _record_digest(description: str) -> str:
    """The digest of the installed files' own, as the installer noted them; not of what it made itself."""
    lines = [
        line
        for line in _text(os.path.join(description, "RECORD")).splitlines()
        if "sha256=" in line and ".dist-info/" not in line and not line.startswith("..")
    ]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:12]


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
