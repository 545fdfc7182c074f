"""The cache key of a node: what its outputs depend on, and nothing else.

It holds the executor's source, the user functions' sources with the project modules they import, the
parameters, the content digests of the inputs, and the version of TFX. Neither time stamps nor folders nor
Beam's arguments count: how many workers computed a result does not change it.

Beside the key's ingredients stand, for `headrace explain`, the names of the source files behind each digest.
They do not count.
"""

from __future__ import annotations

import glob
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from google.protobuf.message import Message

from headrace.errors import HeadraceError
from headrace.io.digests import tree_digest
from headrace.metadata.differences import NOT_IN_KEY, SOURCES
from headrace.sdk import Artifact, sources
from headrace.sdk.context import DIGEST_PROPERTY, SUMMARY_PROPERTY

_FORMAT = 1
_FUNCTION = re.compile(r"^[\w.]+:\w+$|^.+\.py:\w+$")
_PACKAGE_PATH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_SHARED_FOLDERS = ("sdk", "io")
_IMPORTED_COMPONENT = re.compile(rb"\bheadrace\.components(?:\.| import )(\w+)")
# Properties that say where or when an artifact was made, not what it holds.
_NOT_CONTENT = {
    DIGEST_PROPERTY,
    SUMMARY_PROPERTY,
    "name",
    "tfx_version",
    "producer_component",
    "state",
    "current_model",
    "current_model_id",
    "baseline_model",
    "baseline_model_id",
}
# Recorded for the reader; the content they stand for is counted by itself.
_PLACES = {"input_base"}

Ingredients = dict[str, Any]
Sources = dict[str, str]


def ingredients(
    class_path: str,
    main_path: str,
    parameters: Mapping[str, Any],
    inputs: Mapping[str, Sequence[Artifact]],
    outputs: Mapping[str, Sequence[Artifact]],
    project_path: str,
) -> Ingredients:
    """Return what the outputs of a node depend on, as plain JSON data.

    Args:
        class_path: Dotted path of the executor.
        main_path: The script behind a `__main__` class path.
        parameters: Exec properties, after the driver.
        inputs: Resolved input artifacts.
        outputs: Output artifacts as declared, not yet written.
        project_path: Folder whose place does not count.
    """
    executor_source, executor_files = _executor(class_path, main_path)
    found: dict[str, Sources] = {"executor": executor_files} if executor_files else {}
    plain: dict[str, Any] = {}
    for name, value in sorted(parameters.items()):
        if value is None or name in _PLACES:
            continue
        plain[name], files = _parameter(name, value, project_path)
        if files:
            found[f"parameters.{name}"] = files
    return {
        "format": _FORMAT,
        "tfx": importlib.metadata.version("tfx"),
        # Where the project keeps the class does not count: an exported notebook has it in another module.
        "executor": class_path.rpartition(".")[2] if executor_files else class_path,
        "executor_source": executor_source,
        "parameters": plain,
        "inputs": {
            name: [artifact_digest(a) for a in artifacts] for name, artifacts in sorted(inputs.items())
        },
        "outputs": {name: [a.type_name for a in artifacts] for name, artifacts in sorted(outputs.items())},
        SOURCES: found,
    }


def key(what: Ingredients) -> str:
    """Return the cache key of `ingredients`: 64 hexadecimal digits."""
    counted = {name: value for name, value in what.items() if name not in NOT_IN_KEY}
    return hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()


def artifact_digest(artifact: Artifact) -> str:
    """Return the digest of an artifact's payload and of the properties that describe it.

    The payload's digest was recorded when the artifact was published by Headrace; for artifacts of another
    runner it is computed from the files.
    """
    payload = artifact.get_string_custom_property(DIGEST_PROPERTY) or tree_digest(artifact.uri)
    proto = artifact.mlmd_artifact
    described = {
        name: _plain(value)
        for properties in (proto.properties, proto.custom_properties)
        for name, value in properties.items()
        if name not in _NOT_CONTENT
    }
    text = json.dumps([artifact.type_name, payload, described], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    which = value.WhichOneof("value")
    content = getattr(value, which) if which else None
    return content.SerializeToString(deterministic=True).hex() if isinstance(content, Message) else content


def _parameter(name: str, value: Any, project_path: str) -> tuple[Any, Sources]:
    """What a parameter adds to the key, and the source files it names."""
    if isinstance(value, Message):
        return value.SerializeToString(deterministic=True).hex(), {}
    if not isinstance(value, str):
        return value if isinstance(value, (int, float, bool)) else str(value), {}
    code = _code(name, value)
    return code if code is not None else (value.replace(project_path, "{project}"), {})


def _code(name: str, value: str) -> tuple[dict[str, str], Sources] | None:
    """The name and source digest of a parameter that names user code; `None` for another parameter."""
    try:
        if value.endswith(".py") and os.path.isfile(value):
            found = sources.closure(value)
            return {"file": os.path.basename(value), "source": sources.combined_digest(found)}, found
        if _FUNCTION.match(value) or (name.endswith("_fn") and "." in value):
            found = sources.function_closure(value, name)
            digest = sources.combined_digest(found) if found else ""
            return {"function": value.replace(":", ".").rsplit(".", 1)[-1], "source": digest}, found
    except (HeadraceError, OSError):
        # Not code after all, or code that is gone: the text counts, and the executor reports what is wrong.
        return None
    return None


def _executor(class_path: str, main_path: str) -> tuple[str, Sources]:
    """The digest of an executor's source, and its files where they are the user's."""
    module = class_path.rpartition(".")[0]
    if module.startswith("headrace.components."):
        return _own_digest(module), {}
    if module == "__main__":
        found = sources.closure(main_path) if main_path else {}
    else:
        found = _module_sources(module)
    return sources.combined_digest(found) if found else "", found


@cache
def _own_digest(module: str) -> str:
    """One digest of the parts of Headrace that decide what an executor of its own writes.

    These are the shared folders, the executor's folder, and the components that it imports from.
    """
    waiting, files = [os.path.join(_PACKAGE_PATH, name) for name in _SHARED_FOLDERS], dict[str, bytes]()
    waiting.append(_component_path(module.split(".")[2]))
    while waiting:
        folder = waiting.pop()
        if folder in files:
            continue
        digest = hashlib.sha256()
        for path in sorted(glob.glob(os.path.join(glob.escape(folder), "**", "*.py"), recursive=True)):
            with open(path, "rb") as file:
                text = file.read()
            digest.update(hashlib.sha256(text).digest())
            waiting += [_component_path(name.decode()) for name in _IMPORTED_COMPONENT.findall(text)]
        files[folder] = digest.digest()
    return hashlib.sha256(b"".join(digest for _, digest in sorted(files.items()))).hexdigest()


def _component_path(name: str) -> str:
    return os.path.join(_PACKAGE_PATH, "components", name)


@cache
def _module_sources(module: str) -> Sources:
    """The sources of a project's module; none for an installed library, whose version counts elsewhere."""
    if module.partition(".")[0] in ("tfx", "tfx_bsl"):
        return {}
    loaded = sys.modules.get(module)
    spec = getattr(loaded, "__spec__", None) if loaded is not None else None
    try:
        spec = spec or importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return {}
    if spec is None or not spec.origin or not sources.is_project_file(spec.origin):
        return {}
    return sources.closure(spec.origin, module)
