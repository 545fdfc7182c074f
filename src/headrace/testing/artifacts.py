"""Artifacts made from Python values, as the components that make them in a pipeline would write them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from headrace.authoring import Artifact, standard_artifacts
from headrace.errors import DataError, DefinitionError, listed
from headrace.files import addresses
from headrace.formats import artifacts, split_names

if TYPE_CHECKING:
    import pyarrow as pa
    from google.protobuf.message import Message
    from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

ProtoT = TypeVar("ProtoT", bound="Message")

Value: TypeAlias = "int | float | bool | str | bytes | None"
Row: TypeAlias = "Mapping[str, Value | Sequence[Value]]"
Rows: TypeAlias = "Iterable[Row] | Sequence[bytes] | pa.Table"


def make_artifact(
    folder: str | os.PathLike[str],
    artifact_type: type[Artifact],
    files: Mapping[str, str | bytes] | None = None,
    **properties: int | float | str,
) -> Artifact:
    """Write an artifact of any type.

    Args:
        folder: Where its files go; made where it is missing.
        artifact_type: Such as `headrace.authoring.standard_artifacts.Model`.
        files: What each file holds, by its name below the folder, such as `"Split-train/data"`.
        properties: Of the artifact: those that its type declares, and custom ones.

    Raises:
        DefinitionError: If this is no artifact type, a file's name leads out of the folder, its content is neither
            text nor bytes, or a property has another type than is declared.
        UnsupportedFeatureError: If the folder is an address elsewhere.
    """
    if not (isinstance(artifact_type, type) and issubclass(artifact_type, Artifact)):
        raise DefinitionError(
            f"{artifact_type!r} is no artifact type.", "give a class, such as standard_artifacts.Model."
        )
    place = Path(addresses.absolute_path(os.fspath(folder), "the artifact's folder"))
    place.mkdir(parents=True, exist_ok=True)
    for name, content in (files or {}).items():
        path = Path(os.path.normpath(place / name))
        if place not in path.parents:
            raise DefinitionError(
                f"file '{name}' would lie outside of {place}.", "name files below the folder."
            )
        if not isinstance(content, (str, bytes)):
            raise DefinitionError(
                f"file '{name}' was given content of type {type(content).__name__}.", "give text or bytes."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    artifact = artifact_type()
    artifact.uri = str(place)
    declared = artifact_type.PROPERTIES or {}
    for name, value in properties.items():
        try:
            if name in declared:
                setattr(artifact, name, value)
            elif isinstance(value, str):
                artifact.set_string_custom_property(name, value)
            elif isinstance(value, float):
                artifact.set_float_custom_property(name, value)
            else:
                artifact.set_int_custom_property(name, value)
        except (TypeError, ValueError) as error:
            raise DefinitionError(
                f"property '{name}' of {artifact_type.TYPE_NAME} does not take {value!r}: {error}",
                "give a value of the declared type.",
            ) from error
    return artifact


def make_examples(
    folder: str | os.PathLike[str],
    splits: Mapping[str, Rows | Sequence[Sequence[bytes]]],
    *,
    span: int = 0,
    version: int = 0,
) -> Artifact:
    """Write an Examples artifact of tf.Examples, as an ExampleGen does: compressed TFRecord files for each split.

    Args:
        folder: Where the files go.
        splits: The rows of each split, in order: mappings of column to value, list of values, or `None` for none; a
            column that a row leaves out has none there. Or an Arrow table; or serialized tf.Examples, as one list, or
            as a list for each of several files.
        span: The artifact's span.
        version: The artifact's version.

    Raises:
        DefinitionError: If there is no split, its name cannot be that of a folder, or the folder has it already.
        DataError: If a row is no mapping of column names to values, or a column holds values of several types, or of
            one that tf.Example has no form for.
    """
    if not splits or not isinstance(splits, Mapping):
        raise DefinitionError("make_examples was given no split.", 'give rows by split, {"train": [...]}.')
    split_names.check_given(splits, "make_examples")
    examples = make_artifact(folder, standard_artifacts.Examples, span=span, version=version)
    for name, rows in splits.items():
        _write_split(artifacts.new_split_folder(examples.uri, name), name, rows)
    examples.split_names = artifacts.encode_split_names(splits)
    examples.set_string_custom_property(artifacts.PAYLOAD_FORMAT_PROPERTY, "FORMAT_TF_EXAMPLE")
    examples.set_string_custom_property(artifacts.FILE_FORMAT_PROPERTY, "tfrecords_gzip")
    return examples


def make_schema(folder: str | os.PathLike[str], schema: schema_pb2.Schema | str) -> Artifact:
    """Write a Schema artifact.

    Args:
        folder: Where its file goes.
        schema: The proto, or its text form.

    Raises:
        DefinitionError: If it is no schema.
    """
    from tensorflow_metadata.proto.v0 import schema_pb2

    from headrace.formats import protos

    proto = _proto(schema, schema_pb2.Schema, "make_schema")
    artifact = make_artifact(folder, standard_artifacts.Schema)
    protos.write_text(os.path.join(artifact.uri, protos.SCHEMA_FILE), proto)
    return artifact


def make_statistics(
    folder: str | os.PathLike[str],
    splits: Mapping[str, statistics_pb2.DatasetFeatureStatisticsList | str],
    *,
    span: int = 0,
) -> Artifact:
    """Write an ExampleStatistics artifact, as StatisticsGen does.

    Args:
        folder: Where its files go.
        splits: The statistics of each split: the proto, or its text form.
        span: The artifact's span.

    Raises:
        DefinitionError: If there is no split, its name cannot be that of a folder, or what it has are no statistics.
    """
    from tensorflow_metadata.proto.v0 import statistics_pb2

    from headrace.formats import protos

    if not splits or not isinstance(splits, Mapping):
        raise DefinitionError(
            "make_statistics was given no split.", 'give statistics by split, {"train": ...}.'
        )
    split_names.check_given(splits, "make_statistics")
    kind = statistics_pb2.DatasetFeatureStatisticsList
    given = {name: _proto(value, kind, "make_statistics") for name, value in splits.items()}
    artifact = make_artifact(folder, standard_artifacts.ExampleStatistics, span=span)
    for name, proto in given.items():
        protos.write_binary(
            os.path.join(artifacts.new_split_folder(artifact.uri, name), protos.STATISTICS_FILE), proto
        )
    artifact.split_names = artifacts.encode_split_names(splits)
    return artifact


def _proto(given: ProtoT | str, kind: type[ProtoT], where: str) -> ProtoT:
    from google.protobuf import text_format

    name = kind.DESCRIPTOR.name
    if isinstance(given, str):
        try:
            return text_format.Parse(given, kind())
        except text_format.ParseError as error:
            raise DefinitionError(
                f"{where} was given a text that is no {name}: {error}", "correct the text."
            ) from error
    if not isinstance(given, kind):
        raise DefinitionError(
            f"{where} was given a value of type {type(given).__name__}.", f"give a {name}, or its text form."
        )
    return given


def read_examples(
    examples: Artifact, split: str
) -> list[dict[str, list[int] | list[float] | list[bytes] | None]]:
    """Return the rows of a split: column by name, each the list of its values, or `None` where it has none.

    Args:
        examples: An Examples artifact, of tf.Examples or Parquet.
        split: One of its splits.

    Raises:
        UnknownSplitError: If the artifact has no such split.
        MalformedFileError: If a file is damaged.
    """
    from headrace.formats.examples import examples as payload

    artifacts.check_splits(examples, [split], "read_examples")
    return [row for batch in payload.read_record_batches(examples, split) for row in batch.to_pylist()]


def _write_split(folder: str, split: str, rows: Rows | Sequence[Sequence[bytes]]) -> None:
    from headrace.formats.examples import example_writer, tfrecord

    files = _files(split, rows)
    if os.path.lexists(folder):
        raise DefinitionError(f"{folder} is there already.", "write each artifact into a folder of its own.")
    os.makedirs(folder)
    for index, records in enumerate(files):
        with tfrecord.Writer(example_writer.tfrecord_path(folder, index, len(files))) as writer:
            writer.write(records)


def _files(split: str, rows: Any) -> list[list[bytes]]:
    """The records of each file of a split."""
    import pyarrow as pa

    if isinstance(rows, pa.Table):
        return [_encoded(split, rows)]
    given = list(rows) if isinstance(rows, Iterable) and not isinstance(rows, Mapping | str | bytes) else rows
    if isinstance(given, list) and given:
        if all(isinstance(row, bytes) for row in given):
            return [given]
        if all(
            isinstance(file, list | tuple) and all(isinstance(row, bytes) for row in file) for file in given
        ):
            return [list(file) for file in given]
    return [_encoded(split, _table(split, _checked_rows(split, given)))]


def _encoded(split: str, table: pa.Table) -> list[bytes]:
    import pyarrow as pa

    from headrace.formats.examples import example_encoder
    from headrace.formats.examples.arrow_features import as_feature

    records: list[bytes] = []
    for batch in table.to_batches():
        columns = [
            as_feature(column, name, f"split '{split}'")
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        encoded = example_encoder.encode(pa.RecordBatch.from_arrays(columns, batch.schema.names))
        records += encoded.to_pylist()
    return records


def _checked_rows(split: str, rows: Iterable[Row]) -> list[Row]:
    # Going through one mapping would give the names of its columns.
    given: list[Any] = [rows] if isinstance(rows, Mapping) or not isinstance(rows, Iterable) else list(rows)
    for row in given:
        is_row = isinstance(row, Mapping) and all(isinstance(name, str) for name in row)
        if not is_row or row is rows:
            raise DataError(
                f"split '{split}': rows are a list of mappings of column names to values, and {row!r} was given.",
                'give rows as in [{"fare": 1.5}].',
            )
    return given


def _table(split: str, rows: Sequence[Row]) -> pa.Table:
    import pyarrow as pa

    names = list(dict.fromkeys(name for row in rows for name in row))
    if rows and not names:
        raise DataError(f"split '{split}': no row has a column.", "give rows as mappings of column to value.")
    columns = {}
    for name in names:
        values: list[object] = [row.get(name) for row in rows]
        has_list = any(isinstance(value, list | tuple) for value in values)
        if has_list:
            values = [
                value if value is None or isinstance(value, list | tuple) else [value] for value in values
            ]
        try:
            columns[name] = pa.array(values)
        except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
            kinds = listed({type(value).__name__ for value in values if value is not None})
            raise DataError(
                f"split '{split}': column '{name}', with values of type {kinds}, has no form in Arrow: {error}.",
                f"give '{name}' values of one type, of those that tf.Example takes.",
            ) from error
    return pa.table(columns)
