"""Schema, statistics and anomalies in the files in which TFX keeps them."""

from __future__ import annotations

import os
from typing import TypeVar

from google.protobuf import text_format
from google.protobuf.message import DecodeError, Message
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from headrace import files
from headrace.authoring import Artifact
from headrace.errors import MalformedFileError, MissingFileError
from headrace.formats import artifacts

SCHEMA_FILE = "schema.pbtxt"
STATISTICS_FILE = "FeatureStats.pb"
ANOMALIES_FILE = "SchemaDiff.pb"

ProtoType = TypeVar("ProtoType", bound=Message)


def read_binary(path: str, proto_class: type[ProtoType]) -> ProtoType:
    """Read a serialized proto.

    Raises:
        MissingFileError: If there is no such file.
        MalformedFileError: If it does not parse.
    """
    proto = proto_class()
    try:
        proto.ParseFromString(_read(path))
    except DecodeError as error:
        raise MalformedFileError(f"{path} is not a {proto.DESCRIPTOR.name}: {error}.") from error
    return proto


def write_binary(path: str, proto: Message) -> None:
    """Write a serialized proto, byte-identical for equal content; the folder is made where it is missing."""
    _write(path, proto.SerializeToString(deterministic=True))


def read_text(path: str, proto_class: type[ProtoType]) -> ProtoType:
    """Read a proto in text form.

    Raises:
        MissingFileError: If there is no such file.
        MalformedFileError: If it does not parse, with the line.
    """
    proto = proto_class()
    try:
        text_format.Parse(_read(path), proto)
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise MalformedFileError(
            f"{path}:{getattr(error, 'GetLine', lambda: '?')()}: not a {proto.DESCRIPTOR.name} in text form: {error}.",
            "correct that line.",
        ) from error
    return proto


def write_text(path: str, proto: Message) -> None:
    """Write a proto in text form; the folder is made where it is missing."""
    _write(path, text_format.MessageToString(proto).encode())


def read_schema(schema: Artifact) -> schema_pb2.Schema:
    """Read a Schema artifact: `{uri}/schema.pbtxt`."""
    return read_text(os.path.join(schema.uri, SCHEMA_FILE), schema_pb2.Schema)


def read_statistics(statistics: Artifact, split: str) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Read one split of an ExampleStatistics artifact: `{uri}/Split-{split}/FeatureStats.pb`."""
    path = os.path.join(artifacts.split_path(statistics, split), STATISTICS_FILE)
    return read_binary(path, statistics_pb2.DatasetFeatureStatisticsList)


def read_anomalies(anomalies: Artifact, split: str) -> anomalies_pb2.Anomalies:
    """Read one split of an ExampleAnomalies artifact: `{uri}/Split-{split}/SchemaDiff.pb`."""
    path = os.path.join(artifacts.split_path(anomalies, split), ANOMALIES_FILE)
    return read_binary(path, anomalies_pb2.Anomalies)


def _write(path: str, content: bytes) -> None:
    files.write_whole(path, content)


def _read(path: str) -> bytes:
    try:
        return files.read_bytes(path)
    except FileNotFoundError as error:
        raise MissingFileError(f"there is no file {path}.", "run the node that makes it again.") from error


def schema_summary(schema: schema_pb2.Schema) -> str:
    """Return one line on what a schema holds."""
    number = len(schema.feature)
    return f"{number:,} {'feature' if number == 1 else 'features'}"
