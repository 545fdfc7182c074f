"""The `EvalConfig` of an Evaluator, read without importing TensorFlow Model Analysis.

Importing any part of `tensorflow_model_analysis` loads all of it (5 s). Its `EvalConfig` is one generated
proto module that needs nothing else, so that module alone is loaded, from its file.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any, TypeAlias

from google.protobuf import json_format, text_format
from google.protobuf.message import Message

from headrace.authoring import plain_values
from headrace.errors import DefinitionError, SetupError

_MESSAGE_NAME = "tensorflow_model_analysis.EvalConfig"
_REAL_MODULE = "tensorflow_model_analysis.proto.config_pb2"

EvalConfigLike: TypeAlias = Message | Mapping[str, Any] | str


@functools.cache
def config_module() -> ModuleType:
    """Return TFMA's module of configuration protos.

    Raises:
        SetupError: If TFMA is not installed.
    """
    if _REAL_MODULE in sys.modules:
        return sys.modules[_REAL_MODULE]
    package = importlib.util.find_spec("tensorflow_model_analysis")
    if package is None or package.origin is None:
        raise SetupError("tensorflow_model_analysis is not installed.", "install tfx with its dependencies.")
    path = os.path.join(os.path.dirname(package.origin), "proto", "config_pb2.py")
    spec = importlib.util.spec_from_file_location("headrace_tfma_config_pb2", path)
    if spec is None or spec.loader is None:
        raise SetupError(f"{path} cannot be imported.", "install tensorflow_model_analysis again.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def to_json(eval_config: EvalConfigLike, where: str) -> str:
    """Return an EvalConfig as the JSON text in which TFX records it.

    Args:
        eval_config: A `tfma.EvalConfig`; a mapping in its JSON form, such as
            `{"metrics_specs": [{"metrics": [{"class_name": "AUC"}]}]}`; or JSON or proto text.
        where: Node and parameter for the message, such as `"Evaluator: eval_config"`.

    Raises:
        DefinitionError: If it is not an EvalConfig, naming the field that does not fit.
    """
    return json_format.MessageToJson(
        parse(eval_config, where), sort_keys=True, preserving_proto_field_name=True
    )


def parse(eval_config: EvalConfigLike, where: str) -> Message:
    """Read an EvalConfig in any form that `to_json` takes.

    Raises:
        DefinitionError: If it is not an EvalConfig, naming the field that does not fit.
    """
    proto: Message = config_module().EvalConfig()
    if isinstance(eval_config, Message):
        if eval_config.DESCRIPTOR.full_name != _MESSAGE_NAME:
            raise DefinitionError(
                f"{where}: a {eval_config.DESCRIPTOR.full_name} is not a {_MESSAGE_NAME}.",
                "give a tfma.EvalConfig, or a mapping in its JSON form.",
            )
        proto.ParseFromString(eval_config.SerializeToString())
        return proto
    if isinstance(eval_config, str) and not eval_config.lstrip().startswith("{"):
        try:
            return text_format.Parse(eval_config, proto)
        except text_format.ParseError as error:
            raise DefinitionError(
                f"{where} is malformed: {' '.join(str(error).split()).rstrip('.')}.",
                "write it as TensorFlow Model Analysis defines EvalConfig (config.proto).",
            ) from error
    if isinstance(eval_config, str):
        eval_config = plain_values.read_json(eval_config, type(proto), where)
    parsed = plain_values.to_proto(eval_config, type(proto), where)
    if not isinstance(parsed, Message):
        raise DefinitionError(
            f"{where} holds a runtime parameter, which only TFX's own Evaluator reads there.",
            "give the whole eval_config as one runtime parameter.",
        )
    return parsed
