"""Declarations of the ExampleGen components that read tables and records. Light."""

from __future__ import annotations

from collections.abc import Sequence

from headrace.authoring import NamedBeamExecutorSpec
from headrace.authoring.light import authoring
from headrace.authoring.plain_values import ProtoLike
from headrace.components.example_gen.arguments import plain_options
from headrace.components.example_gen.base import (
    ExampleGenOutputs,
    FileBasedExampleGen,
    FileBasedExampleGenSpec,
    SourceExampleGen,
    SourceExampleGenSpec,
)
from headrace.components.example_gen.driver import ParquetDriver
from headrace.sources.csv import csv_dialect
from headrace.splits.parsing import SplitByLike
from headrace.splits.shares import SplitsLike

with authoring():
    from tfx.proto import example_gen_pb2

__all__ = [
    "CsvExampleGen",
    "ExampleGenOutputs",
    "FileBasedExampleGen",
    "FileBasedExampleGenSpec",
    "ImportExampleGen",
    "ParquetExampleGen",
    "SourceExampleGen",
    "SourceExampleGenSpec",
    "plain_options",
]


class CsvExampleGen(FileBasedExampleGen):
    """Read CSV files, gzip, zstd or plain, into `tf.train.Example` records, divided into splits.

    A column becomes a feature of integers, floats or bytes by what all of its cells hold; an empty cell, an
    empty list. Rows keep the order of the files, so that equal input gives equal files; the Trainer
    shuffles as it reads.

    Outputs:
        examples: `Examples`, one folder for each split::

            Split-train/data_tfrecord-00000-of-00001.gz
            Split-eval/data_tfrecord-00000-of-00001.gz

    Args:
        input_base: The folder that holds the files, or one file, or the address of either, such as
            `s3://bucket/trips`.
        input_config: A mapping or `example_gen_pb2.Input`: named splits, each with a file pattern relative to
            `input_base`, in which `{SPAN}`, `{VERSION}` or `{YYYY}`, `{MM}`, `{DD}` stand for the portion
            of data to read. Default: one split of all files in the folder.
        output_config: A mapping or `example_gen_pb2.Output`: splits by hash buckets, of the whole record or of one
            feature. Default: train and eval, 2 to 1; with several input splits, these.
        range_config: A mapping or `range_config_pb2.RangeConfig`: which span to read. Default: the latest.
        output_data_format: `"FORMAT_TF_EXAMPLE"`, or `"FORMAT_PARQUET"` for `data_parquet-*.parquet` files.
        num_shards: Files per split. Default: one for each 32 MiB of input.
        splits: The splits and their shares, such as `{"train": 3, "valid": 1, "test": 1}`, in the place of
            `output_config`. The rows of each, and of each class, are on the artifact's page. With several input splits,
            the one that has a name of these is divided, and the others stay as they are: train and test, and
            `{"train": 4, "valid": 1}`.
        split_by: How rows are divided, one of `headrace.splits`: `by_hash()` (default), `stratify("quality")`,
            `group("patient")`, `time("date", gap="24h")`, `shuffle(seed=113)`, `column("set")`, `folders()`; or the same
            as a mapping or text, as configuration files give it. Without `splits`, train and eval, 2 to 1.
        delimiter: What stands between cells. Default: a comma; where a header has none, a tab or semicolon that the line
            below it has as often. Between others than commas, a quoted name is the name without its quotes.
        encoding: The files' encoding, such as `"latin-1"` or `"utf-16"`. Default: UTF-8.
        column_names: The names of the columns, where the files have no header line.
        decimal: What stands before the fraction of numbers, such as `","`. Default: a point. Semicolons and tabs between
            cells are then found also where the header has commas.
        thousands: What stands between thousands, such as `"."`; `" "` also means spaces that do not break lines. Default:
            nothing. A cell in which it stands elsewhere is text: pandas makes a number of the date 1.12.2024.

    Raises:
        DefinitionError: If a parameter cannot be used as given.

    The executor raises `MissingFileError`, `EmptyDataError` and `MalformedFileError`, with the line; and `DataError` for
    rows that cannot be divided.

    Example:
        >>> example_gen = CsvExampleGen(
        ...     input_base="data", input_config={"splits": [{"name": "rows", "pattern": "span-{SPAN}/*.csv"}]}
        ... )
        >>> divided = CsvExampleGen(
        ...     input_base="data", splits={"train": 3, "valid": 1, "test": 1}, split_by=splits.stratify("quality")
        ... )  # doctest: +SKIP
        >>> sorted(example_gen.outputs)
        ['examples']
    """

    TFX_TYPE = "tfx.components.example_gen.csv_example_gen.component.CsvExampleGen"
    INPUT_FILES = ("custom_config",)
    EXECUTOR_SPEC = NamedBeamExecutorSpec("headrace.components.example_gen.csv_executor.Executor")

    def __init__(
        self,
        input_base: str | None = None,
        input_config: ProtoLike | None = None,
        output_config: ProtoLike | None = None,
        range_config: ProtoLike | None = None,
        *,
        output_data_format: int | str = example_gen_pb2.FORMAT_TF_EXAMPLE,
        num_shards: int | None = None,
        splits: SplitsLike | None = None,
        split_by: SplitByLike | None = None,
        delimiter: str | None = None,
        encoding: str | None = None,
        column_names: Sequence[str] | None = None,
        decimal: str | None = None,
        thousands: str | None = None,
    ) -> None:
        super().__init__(
            input_base,
            input_config,
            output_config,
            range_config,
            output_data_format,
            num_shards,
            splits=splits,
            split_by=split_by,
            own=csv_dialect.checked(
                type(self).__name__,
                delimiter=delimiter,
                encoding=encoding,
                column_names=column_names,
                decimal=decimal,
                thousands=thousands,
            ),
        )


class ParquetExampleGen(FileBasedExampleGen):
    """Read Parquet files into `tf.train.Example` records, divided into splits.

    Integers and booleans become integers, floats become 32-bit floats, text becomes bytes in UTF-8, lists
    of these become lists; null becomes a feature without a value. Stock TFX's Parquet executor also drops
    0, 0.0, False and empty text as if they were null; here they stay values. The split of a row is the same.

    Folders such as `year=2024/month=1`, where the pattern matches the first of them, are read with all files below, and
    their names become features: integers where all are, else text. Marks such as `_SUCCESS` are left out.

    Takes the arguments and makes the output of `CsvExampleGen`, and raises `UnsupportedColumnError` for
    columns of other types.

    Example:
        >>> example_gen = ParquetExampleGen(input_base="data")
        >>> sorted(example_gen.outputs)
        ['examples']
    """

    TFX_TYPE = "tfx.components.example_gen.component.FileBasedExampleGen"
    INPUT_FILES = ("custom_config",)
    DRIVER_CLASS = ParquetDriver
    EXECUTOR_SPEC = NamedBeamExecutorSpec("headrace.components.example_gen.parquet_executor.Executor")

    def __init__(
        self,
        input_base: str | None = None,
        input_config: ProtoLike | None = None,
        output_config: ProtoLike | None = None,
        range_config: ProtoLike | None = None,
        *,
        output_data_format: int | str = example_gen_pb2.FORMAT_TF_EXAMPLE,
        num_shards: int | None = None,
        splits: SplitsLike | None = None,
        split_by: SplitByLike | None = None,
    ) -> None:
        super().__init__(
            input_base,
            input_config,
            output_config,
            range_config,
            output_data_format,
            num_shards,
            splits=splits,
            split_by=split_by,
        )


class ImportExampleGen(FileBasedExampleGen):
    """Read TFRecord files, gzip or plain, and write their records divided into splits.

    Takes the arguments and makes the output of `CsvExampleGen`, except that the payload stays what it is.

    Args:
        payload_format: What a record is: `"FORMAT_TF_EXAMPLE"`, `"FORMAT_TF_SEQUENCE_EXAMPLE"` or
            `"FORMAT_PROTO"` for any bytes; with `"FORMAT_PARQUET"` the files are Parquet and stay Parquet.

    Example:
        >>> example_gen = ImportExampleGen(input_base="data")
        >>> sorted(example_gen.outputs)
        ['examples']
    """

    TFX_TYPE = "tfx.components.example_gen.import_example_gen.component.ImportExampleGen"
    INPUT_FILES = ("custom_config",)
    EXECUTOR_SPEC = NamedBeamExecutorSpec("headrace.components.example_gen.import_executor.Executor")

    def __init__(
        self,
        input_base: str | None = None,
        input_config: ProtoLike | None = None,
        output_config: ProtoLike | None = None,
        range_config: ProtoLike | None = None,
        payload_format: int | str = example_gen_pb2.FORMAT_TF_EXAMPLE,
        *,
        num_shards: int | None = None,
        splits: SplitsLike | None = None,
        split_by: SplitByLike | None = None,
    ) -> None:
        super().__init__(
            input_base,
            input_config,
            output_config,
            range_config,
            payload_format,
            num_shards,
            splits=splits,
            split_by=split_by,
        )
