"""The cache key of a node: what its outputs depend on, and nothing else.

It holds what the executor and the user's functions use of the project (`code_contents`), the parameters with the
content of the files that they name (`parameter_contents`), the content of the inputs, and the versions of TFX and of
the libraries that the code comes to. Neither time stamps nor folders nor Beam's arguments count: how many workers
computed a result does not change it.

What cannot be read, such as an address with a scheme, has a digest that is new each time: such a node always runs.

Beside the key's ingredients stand, for `headrace explain`, the names of the source files behind each digest.
They do not count.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.message import Message

from headrace.authoring import Artifact
from headrace.authoring.declarations import input_files_of
from headrace.files import payloads
from headrace.formats import blessings
from headrace.formats.columns import COLUMNS_PROPERTY
from headrace.orchestration.cache import code_contents
from headrace.orchestration.cache.parameter_contents import Reader, Sources
from headrace.runtime.context import DIGEST_PROPERTY, FILES_PROPERTY, SUMMARY_PROPERTY
from headrace.store.read.differences import NOT_IN_KEY, SOURCES, UNKNOWN
from headrace.store.read.executions import DAMAGE_PROPERTY
from headrace.usercode import environment_variables, libraries
from headrace.usercode.sources import Usage

_FORMAT = 2
# What Headrace itself writes beside the payload; no component may use names with this beginning.
_OWN_PROPERTIES = frozenset(
    {COLUMNS_PROPERTY, DAMAGE_PROPERTY, DIGEST_PROPERTY, FILES_PROPERTY, SUMMARY_PROPERTY}
)
_BLESSING = "ModelBlessing"
_FINGERPRINT = "input_fingerprint"
# What a driver of an ExampleGen resolves: its patterns stand for files that the fingerprint is of.
_DRIVEN = frozenset({"input_config", "output_config", "range_config", _FINGERPRINT})
_OWN_DRIVERS = "headrace.components.example_gen."
_TFX_DRIVERS = "tfx.components.example_gen."

Ingredients = dict[str, Any]


def ingredients(
    class_path: str,
    main_path: str,
    parameters: Mapping[str, Any],
    inputs: Mapping[str, Sequence[Artifact]],
    outputs: Mapping[str, Sequence[Artifact]],
    project_path: str,
    *,
    driver_path: str = "",
    arguments: Sequence[str] = (),
    own_folders: Sequence[str] = (),
) -> Ingredients:
    """Return what the outputs of a node depend on, as plain JSON data.

    Args:
        class_path: Dotted path of the executor.
        main_path: The script behind a `__main__` class path.
        parameters: Exec properties, after the driver.
        inputs: Resolved input artifacts.
        outputs: Output artifacts as declared, not yet written.
        project_path: Folder whose place does not count.
        driver_path: Dotted path of the component's own driver; empty where it has none.
        arguments: The command line, of which code counts that reads it.
        own_folders: The store and the pipeline's root, no part of what a parameter names.
    """
    executor_source, used = code_contents.executor_usage(class_path, main_path)
    found: dict[str, Sources] = {"executor": _texts(used)} if used.files else {}
    declared = input_files_of(class_path)
    reader = Reader(
        declared,
        project_path,
        own_folders,
        used.destinations,
        lists_folders=used.lists_folders,
    )
    counted = Usage()
    counted.add(used)
    plain: dict[str, Any] = {}
    for name, value in sorted(parameters.items()):
        if value is None:
            continue
        plain[name], files = _parameter(name, value, class_path, driver_path, parameters, reader, counted)
        if files:
            found[f"parameters.{name}"] = files
    what = {
        "format": _FORMAT,
        "tfx": _tfx_version(),
        "python": ".".join(map(str, sys.version_info[:2])),
        # Where the project keeps the class does not count: an exported notebook has it in another module.
        "executor": class_path.rpartition(".")[2] if used.files else class_path,
        "executor_source": executor_source,
        "parameters": {name: value for name, value in plain.items() if value is not _NOT_COUNTED},
        "inputs": {
            name: [artifact_digest(a) for a in artifacts] for name, artifacts in sorted(inputs.items())
        },
        "outputs": {name: [_declared(a) for a in artifacts] for name, artifacts in sorted(outputs.items())},
        SOURCES: found,
    }
    what.update(_surroundings(counted, arguments))
    unknown = _unknown(what)
    return {**what, UNKNOWN: unknown} if unknown else what


@functools.cache
def _tfx_version() -> str:
    return importlib.metadata.version("tfx")


def _surroundings(used: Usage, arguments: Sequence[str]) -> Ingredients:
    """What code depends on beside the project: libraries, environment, command line."""
    own = sorted(name for name in used.libraries if name.partition(".")[0] == "headrace")
    what: Ingredients = {"packages": libraries.versions(used.libraries - set(own))}
    if own:
        what["headrace"] = code_contents.own_digest(own)
    if used.environment:
        what["environment"] = {name: environment_variables.digest(name) for name in sorted(used.environment)}
    if used.reads_arguments:
        what["arguments"] = list(arguments)
    return what


def key(what: Ingredients) -> str:
    """Return the cache key of `ingredients`: 64 hexadecimal digits."""
    counted = {name: value for name, value in what.items() if name not in NOT_IN_KEY}
    return hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()


def maker(what: Ingredients) -> str:
    """Return what stands for all `ingredients` but the inputs: code, parameters, the files they name, libraries.

    What an executor found in a part of its inputs holds for other inputs too, as long as this is the same.
    """
    return key({name: value for name, value in what.items() if name != "inputs"})


def _unknown(what: Ingredients) -> list[str]:
    """Names of the inputs and parameters whose content cannot be read."""
    inputs = [
        f"input {name}" for name, digests in what["inputs"].items() if any(map(payloads.is_unknown, digests))
    ]
    return inputs + [
        f"parameter {name}"
        for name, value in what["parameters"].items()
        if payloads.is_unknown(
            str(
                value.get("content", "") if isinstance(value, dict) else value if name == _FINGERPRINT else ""
            )
        )
    ]


def artifact_digest(artifact: Artifact) -> str:
    """Return the digest of an artifact's payload and of all properties that describe it.

    The payload's digest was recorded when the artifact was published by Headrace; for artifacts of another
    runner it is computed from the files. Where there are none on this machine, it is unknown.
    """
    payload = artifact.get_string_custom_property(DIGEST_PROPERTY) or payloads.tree_digest(artifact.uri)
    if payloads.is_unknown(payload):
        return payload
    text = json.dumps([artifact.type_name, payload, _described(artifact)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _described(artifact: Artifact) -> dict[str, Any]:
    proto = artifact.mlmd_artifact
    apart = _OWN_PROPERTIES | (blessings.PLACES_OF_MODELS if artifact.type_name == _BLESSING else frozenset())
    custom = {
        f"custom {name}": _plain(value)
        for name, value in proto.custom_properties.items()
        if name not in apart
    }
    return {**custom, **{name: _plain(value) for name, value in proto.properties.items()}}


def _declared(artifact: Artifact) -> Any:
    """The type of an output, with the properties that the pipeline gives it."""
    described = _described(artifact)
    # TFX sets these two on whatever it makes.
    for name in ("custom tfx_version", "custom is_external"):
        described.pop(name, None)
    return [artifact.type_name, described] if described else artifact.type_name


def _plain(value: Any) -> Any:
    which = value.WhichOneof("value")
    content = getattr(value, which) if which else None
    return content.SerializeToString(deterministic=True).hex() if isinstance(content, Message) else content


_NOT_COUNTED = object()


def _parameter(
    name: str,
    value: Any,
    class_path: str,
    driver_path: str,
    parameters: Mapping[str, Any],
    reader: Reader,
    counted: Usage,
) -> tuple[Any, Sources]:
    """What a parameter adds to the key, and the source files that it names."""
    if driver_path.startswith((_OWN_DRIVERS, _TFX_DRIVERS)) and parameters.get(_FINGERPRINT):
        if name == "input_base" and driver_path.startswith(_OWN_DRIVERS):
            # The driver put the digest of the files beside it.
            return _NOT_COUNTED, {}
        if name == "input_base":
            # TFX's fingerprint is of sizes and times.
            plain, _ = reader.read(name, value)
            return {"content": plain["content"]} if isinstance(plain, dict) else plain, {}
        if name in _DRIVEN:
            return reader.without_place(value) if isinstance(value, str) else value, {}
    if isinstance(value, str):
        code = code_contents.parameter_usage(name, value, class_path)
        if code is not None:
            plain, used = code
            counted.add(used)
            if "text" in plain:
                plain["text"] = reader.without_place(plain["text"])
            return plain, _texts(used)
    return reader.read(name, value)


def _texts(used: Usage) -> Sources:
    return {path: source.text_digest for path, source in used.files.items()}
