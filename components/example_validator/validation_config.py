"""TFDV's `CustomValidationConfig`, without TFDV: the package around this proto takes seconds to import."""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Any, cast

from google.protobuf.message import Message

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


# protobuf makes a class for each import of a generated file; `convert` crosses between them.
CustomValidationConfig: Any = _load().CustomValidationConfig


def convert(config: Any) -> Any:
    """Return `config`, a message of this type made by whatever class, as `CustomValidationConfig`.

    Anything but a message, such as a placeholder, is returned as it is.
    """
    if isinstance(config, CustomValidationConfig) or not isinstance(config, Message):
        return config
    return cast("Any", CustomValidationConfig.FromString(config.SerializeToString()))
