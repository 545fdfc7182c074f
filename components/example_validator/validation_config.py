"""TFDV's `CustomValidationConfig`, without TFDV: the package around this proto takes seconds to import.

The newer generation of TFX has no such proto.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Any, cast

from google.protobuf.message import Message

from headrace.authoring import generations
from headrace.authoring.plain_values import ProtoLike, to_proto
from headrace.errors import UnsupportedFeatureError

_PACKAGE = "tensorflow_data_validation"
_FILE = os.path.join("anomalies", "proto", "custom_validation_config_pb2.py")


def _load() -> Any:
    if _PACKAGE in sys.modules:
        from tensorflow_data_validation.anomalies.proto import custom_validation_config_pb2

        return custom_validation_config_pb2
    return _load_alone()


def _load_alone() -> Any:
    """Import the generated file without the package around it."""
    package = importlib.util.find_spec(_PACKAGE)
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError(f"No module named '{_PACKAGE}'", name=_PACKAGE)
    path = os.path.join(package.submodule_search_locations[0], _FILE)
    spec = importlib.util.spec_from_file_location("headrace_custom_validation_config_pb2", path)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"{path} cannot be imported", name=_PACKAGE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# protobuf makes a class for each import of a generated file; `convert` crosses between them. None where the
# installed TFDV has no such proto.
CustomValidationConfig: Any = _load().CustomValidationConfig if generations.HAS_CUSTOM_VALIDATION else None


def check_supported(where: str) -> None:
    """Check that the installed TFDV knows custom validation.

    Raises:
        UnsupportedFeatureError: If it does not.
    """
    if not generations.HAS_CUSTOM_VALIDATION:
        raise UnsupportedFeatureError(
            f"{where}: custom_validation_config is given, and the installed TensorFlow Data Validation has no "
            "custom validation.",
            "leave it out, and state the conditions in the schema (domains, presence, comparators); or run on "
            "TFX 1.16.",
        )


def class_of_tfdv(where: str) -> Any:
    """Return TFDV's own `CustomValidationConfig`, the only one that `tfdv.validate_statistics` takes.

    Raises:
        UnsupportedFeatureError: If the installed TFDV has no custom validation.
    """
    check_supported(where)
    from tensorflow_data_validation.anomalies.proto import custom_validation_config_pb2

    return custom_validation_config_pb2.CustomValidationConfig


def convert(config: ProtoLike, where: str = "ExampleValidator") -> Any:
    """Return `config`, a mapping or a message of this type made by whatever class, as `CustomValidationConfig`.

    A placeholder is returned as it is.

    Raises:
        DefinitionError: If it is another message, or a mapping with a field or value that this one does not have.
        UnsupportedFeatureError: If the installed TFDV has no custom validation.
    """
    check_supported(where)
    config = to_proto(config, CustomValidationConfig, f"{where}: custom_validation_config")
    if isinstance(config, CustomValidationConfig) or not isinstance(config, Message):
        return config
    return cast("Any", CustomValidationConfig.FromString(config.SerializeToString()))
