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
from headrace.formats import artifacts, json_files

SCHEMA_FILE = "schema.pbtxt"
STATISTICS_FILE = "FeatureStats.pb"
ANOMALIES_FILE = "SchemaDiff.pb"
# What statistics of all splits together stand under.
ALL_SPLITS = "all"

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
        raise json_files.damaged(path, f"a {proto.DESCRIPTOR.name}", error) from error
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
        text_format.Parse(_read(path).decode(), proto)
    except (text_format.ParseError, UnicodeDecodeError) as error:
        line = error.GetLine() if isinstance(error, text_format.ParseError) else None
        raise MalformedFileError(
            f"{path}{f':{line}' if line else ''}: not a {proto.DESCRIPTOR.name} in text form: {error}.",
            "correct that line." if line else "give a file of the text form.",
        ) from error
    return proto


def write_text(path: str, proto: Message) -> None:
    """Write a proto in text form; the folder is made where it is missing."""
    _write(path, text_format.MessageToString(proto).encode())


def read_schema(schema: Artifact) -> schema_pb2.Schema:
    """Read a Schema artifact: `{uri}/schema.pbtxt`."""
    return read_schema_in(schema.uri)


def read_schema_in(folder: str) -> schema_pb2.Schema:
    """Read the schema in a folder, such as one of a TransformGraph."""
    return read_text(os.path.join(folder, SCHEMA_FILE), schema_pb2.Schema)


def write_schema(folder: str, schema: schema_pb2.Schema) -> None:
    """Write `schema.pbtxt` into a folder, which is made where it is missing."""
    write_text(os.path.join(folder, SCHEMA_FILE), schema)


def read_statistics(statistics: Artifact, split: str) -> statistics_pb2.DatasetFeatureStatisticsList:
    """Read one split of an ExampleStatistics artifact: `{uri}/Split-{split}/FeatureStats.pb`."""
    return _read_statistics(artifacts.split_path(statistics, split))


def statistics_by_split(statistics: Artifact) -> dict[str, statistics_pb2.DatasetFeatureStatisticsList]:
    """Read all splits of an ExampleStatistics artifact; Transform's has no splits, and stands under `"all"`."""
    names = artifacts.split_names(statistics)
    if not names:
        return {ALL_SPLITS: _read_statistics(statistics.uri)}
    return {name: read_statistics(statistics, name) for name in names}


def _read_statistics(folder: str) -> statistics_pb2.DatasetFeatureStatisticsList:
    return read_binary(os.path.join(folder, STATISTICS_FILE), statistics_pb2.DatasetFeatureStatisticsList)


def write_statistics(folder: str, statistics: statistics_pb2.DatasetFeatureStatisticsList) -> None:
    """Write `FeatureStats.pb` into the folder of a split, which is made where it is missing."""
    write_binary(os.path.join(folder, STATISTICS_FILE), statistics)


def read_anomalies(anomalies: Artifact, split: str) -> anomalies_pb2.Anomalies:
    """Read one split of an ExampleAnomalies artifact: `{uri}/Split-{split}/SchemaDiff.pb`."""
    return _read_anomalies(artifacts.split_path(anomalies, split))


def anomalies_by_split(anomalies: Artifact) -> dict[str, anomalies_pb2.Anomalies]:
    """Read all splits of an ExampleAnomalies artifact; Transform's has no splits, and stands under `""`."""
    names = artifacts.split_names(anomalies)
    if not names:
        return {"": _read_anomalies(anomalies.uri)}
    return {name: read_anomalies(anomalies, name) for name in names}


def _read_anomalies(folder: str) -> anomalies_pb2.Anomalies:
    return read_binary(os.path.join(folder, ANOMALIES_FILE), anomalies_pb2.Anomalies)


def write_anomalies(folder: str, anomalies: anomalies_pb2.Anomalies) -> None:
    """Write `SchemaDiff.pb` into the folder of a split, which is made where it is missing."""
    write_binary(os.path.join(folder, ANOMALIES_FILE), anomalies)


def _write(path: str, content: bytes) -> None:
    files.write_whole(path, content)


def _read(path: str) -> bytes:
    try:
        return files.read_bytes(path)
    except FileNotFoundError as error:
        raise MissingFileError(f"there is no file {path}.", json_files.MAKE_AGAIN) from error


def schema_summary(schema: schema_pb2.Schema) -> str:
    """Return one line on what a schema holds."""
    number = len(schema.feature)
    return f"{number:,} {'feature' if number == 1 else 'features'}"
