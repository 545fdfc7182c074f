"""Declarations of the ExampleGen components. Light."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from google.protobuf import struct_pb2

from headrace.authoring import (
    Channel,
    ChannelParameter,
    Component,
    ComponentSpec,
    ExecutionParameter,
    NamedBeamExecutorSpec,
    OutputOf,
    Outputs,
    standard_artifacts,
)
from headrace.authoring.light import authoring
from headrace.authoring.plain_values import ProtoLike, read_json, to_proto
from headrace.components.example_gen.driver import Driver, ParquetDriver
from headrace.errors import DefinitionError, did_you_mean, listed
from headrace.sources.csv import csv_dialect
from headrace.sources.source import FUNCTION_KEY, OPTIONS_KEY, SOURCE_KEY
from headrace.splits.asked import SPLIT_BY_KEY, SPLITS_KEY, Asked, asked
from headrace.splits.parsing import SplitByLike
from headrace.splits.shares import SplitsLike

with authoring():
    from tfx.proto import example_gen_pb2, range_config_pb2

# What becomes of an item that cannot be read.
_ON_ERROR = ("fail", "quarantine")


class FileBasedExampleGenSpec(ComponentSpec):
    """The contract of a component that reads files: TFX's spec of this name, and how rows are divided."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        "input_base": ExecutionParameter(type=str),
        "input_config": ExecutionParameter(type=example_gen_pb2.Input),
        "output_config": ExecutionParameter(type=example_gen_pb2.Output),
        "output_data_format": ExecutionParameter(type=int),
        "output_file_format": ExecutionParameter(type=int),
        "custom_config": ExecutionParameter(type=example_gen_pb2.CustomConfig, optional=True),
        "range_config": ExecutionParameter(type=range_config_pb2.RangeConfig, optional=True),
        SPLITS_KEY: ExecutionParameter(type=str, optional=True),
        SPLIT_BY_KEY: ExecutionParameter(type=str, optional=True),
    }
    INPUTS: ClassVar[dict[str, Any]] = {}
    OUTPUTS: ClassVar[dict[str, Any]] = {"examples": ChannelParameter(type=standard_artifacts.Examples)}


class SourceExampleGenSpec(FileBasedExampleGenSpec):
    """The contract of a component whose parameters name its source."""

    PARAMETERS: ClassVar[dict[str, Any]] = {
        **FileBasedExampleGenSpec.PARAMETERS,
        # Not each source needs a place.
        "input_base": ExecutionParameter(type=str, optional=True),
        SOURCE_KEY: ExecutionParameter(type=str),
        FUNCTION_KEY: ExecutionParameter(type=str, optional=True),
        OPTIONS_KEY: ExecutionParameter(type=str, optional=True),
    }


class ExampleGenOutputs(Outputs):
    """What each of them makes."""

    examples: OutputOf[standard_artifacts.Examples]


class _FileBasedExampleGen(Component[ExampleGenOutputs]):
    """What all of them share: the driver, the spec, and how its parameters are made."""

    SPEC_CLASS = FileBasedExampleGenSpec
    DRIVER_CLASS = Driver

    def __init__(
        self,
        input_base: str | None,
        input_config: ProtoLike | None,
        output_config: ProtoLike | None,
        range_config: ProtoLike | None,
        payload_format: int | str,
        num_shards: int | None,
        on_error: str = "fail",
        splits: SplitsLike | None = None,
        split_by: SplitByLike | None = None,
        own: Mapping[str, object] | None = None,
        source: Mapping[str, str | None] | None = None,
    ) -> None:
        name = type(self).__name__
        division = asked(splits, split_by, name)
        input_config = to_proto(
            input_config,
            example_gen_pb2.Input,
            f"{name}: input_config",
            {"splits": [{"name": "single_split", "pattern": "*"}]},
        )
        super().__init__(
            self.SPEC_CLASS(
                input_base=input_base,
                input_config=input_config,
                output_config=to_proto(
                    _divided_output_config(name, input_config, output_config, division),
                    example_gen_pb2.Output,
                    f"{name}: output_config",
                    _default_output_config(input_config) if division is None else None,
                ),
                output_data_format=_payload_format(name, payload_format),
                output_file_format=example_gen_pb2.FORMAT_TFRECORDS_GZIP,
                custom_config=_custom_config(name, num_shards=num_shards, on_error=on_error, **(own or {})),
                range_config=to_proto(range_config, range_config_pb2.RangeConfig, f"{name}: range_config"),
                examples=Channel(type=standard_artifacts.Examples),
                **({} if division is None else division.as_properties()),
                **(source or {}),
            )
        )


class SourceExampleGen(_FileBasedExampleGen):
    """Base of the ExampleGens that name their source in their parameters; a subclass says which.

    Args:
        source_options: Keyword arguments of the source's class, as plain values; recorded as JSON.
        input_base: What the source takes as its place; `None` where it needs none.
        input_config: Named splits, and what the source takes as the pattern of each. Default: one, of `"*"`.
        output_config: See `CsvExampleGen`.
        range_config: See `CsvExampleGen`.
        output_data_format: See `CsvExampleGen`.
        num_shards: See `CsvExampleGen`.
        on_error: What becomes of an item that cannot be read: `"fail"` ends the run with a message on the first,
            `"quarantine"` sets all of them aside as JSON lines in the `quarantine` folder of `examples`.
        splits: See `CsvExampleGen`.
        split_by: See `CsvExampleGen`.
        source: The source, in the place of `SOURCE`.
        source_fn: The text of the user's function that the source runs, which joins the cache key by its code.
    """

    SPEC_CLASS = SourceExampleGenSpec
    INPUT_FILES: ClassVar[tuple[str, ...] | None] = ("custom_config",)
    EXECUTOR_SPEC = NamedBeamExecutorSpec("headrace.components.example_gen.source_executor.Executor")
    # `module:Class` of a `headrace.sources.source.Source`.
    SOURCE: ClassVar[str] = ""

    def __init__(
        self,
        source_options: Mapping[str, object],
        input_base: str | None = None,
        input_config: ProtoLike | None = None,
        output_config: ProtoLike | None = None,
        range_config: ProtoLike | None = None,
        *,
        output_data_format: int | str = example_gen_pb2.FORMAT_TF_EXAMPLE,
        num_shards: int | None = None,
        on_error: str = "fail",
        splits: SplitsLike | None = None,
        split_by: SplitByLike | None = None,
        source: str = "",
        source_fn: str | None = None,
    ) -> None:
        super().__init__(
            input_base,
            input_config,
            output_config,
            range_config,
            output_data_format,
            num_shards,
            on_error,
            splits,
            split_by,
            source={
                SOURCE_KEY: source or self.SOURCE,
                FUNCTION_KEY: source_fn,
                OPTIONS_KEY: json.dumps(plain_options(source_options, type(self).__name__), sort_keys=True),
            },
        )


def plain_options(options: Mapping[str, object], where: str) -> dict[str, object]:
    """Return options that JSON can hold.

    Raises:
        DefinitionError: If one is no plain value.
    """
    for name, value in options.items():
        try:
            same = json.loads(json.dumps(value))
        except (TypeError, ValueError, RecursionError):
            same = None
        if same != (list(value) if isinstance(value, tuple) else value):
            raise DefinitionError(
                f"{where}: {name} is {value!r}, of type {type(value).__name__}; it is recorded with the run as JSON.",
                "give a number, a text, True, False, None, or a list or mapping of these with texts as names.",
            )
    return dict(options)


def _divided_output_config(
    name: str, input_config: Any, output_config: ProtoLike | None, division: Asked | None
) -> ProtoLike | None:
    """Return `output_config`, or what takes its place where `splits` or `split_by` is given.

    Raises:
        DefinitionError: If both are given, or the input has several splits already.
    """
    if division is None:
        return output_config
    if output_config:
        raise DefinitionError(
            f"{name}: output_config is given, and splits or split_by too.",
            "give one of the two: splits={'train': 2, 'eval': 1} stands for output_config's hash buckets.",
        )
    several = _num_input_splits(input_config)
    if several > 1:
        raise DefinitionError(
            f"{name}: input_config has {several} splits, and splits or split_by would divide them again.",
            "keep one input split, whose rows are divided; or leave out splits and split_by, and the input's splits "
            "stay as they are.",
        )
    config: Any = to_proto(division.output_config(), example_gen_pb2.Output, f"{name}: splits")
    return config


def _num_input_splits(input_config: Any) -> int:
    """Return how many splits the input has; 0 where that is known only when the pipeline runs."""
    if isinstance(input_config, str):
        input_config = read_json(input_config, example_gen_pb2.Input, "input_config")
    is_mapping = isinstance(input_config, Mapping)
    return len(input_config.get("splits", ()) if is_mapping else getattr(input_config, "splits", ()))


def _default_output_config(input_config: Any) -> ProtoLike:
    """Two parts to train and one to eval; where the input has several splits, these."""
    if _num_input_splits(input_config) > 1:
        return example_gen_pb2.Output()
    shares = [{"name": "train", "hash_buckets": 2}, {"name": "eval", "hash_buckets": 1}]
    return {"split_config": {"splits": shares}}


def _payload_format(where: str, given: int | str) -> int:
    """Return the number of a payload format that is given by number or name."""
    numbers = dict(example_gen_pb2.PayloadFormat.items())
    if isinstance(given, int) and given in numbers.values():
        return given
    if isinstance(given, str) and given in numbers:
        return int(numbers[given])
    raise DefinitionError(
        f"{where}: {given!r} is not a payload format. There are {listed(numbers)}.",
        f"{did_you_mean(str(given), numbers)}Give a name, or a value of example_gen_pb2.PayloadFormat.",
    )


def _custom_config(name: str, *, num_shards: int | None, on_error: str = "fail", **own: object) -> Any | None:
    """Carry Headrace's own options in TFX's slot for a component's own, which stock executors ignore."""
    if num_shards is not None and (not isinstance(num_shards, int) or num_shards < 1):
        raise DefinitionError(f"{name}: num_shards is {num_shards!r}.", "give a number of files, 1 or more.")
    if on_error not in _ON_ERROR:
        raise DefinitionError(
            f"{name}: on_error is {on_error!r}. It can be {listed(_ON_ERROR)}.",
            f"{did_you_mean(str(on_error), _ON_ERROR)}Correct the word.",
        )
    given = {"num_shards": num_shards, "on_error": None if on_error == _ON_ERROR[0] else on_error, **own}
    options = struct_pb2.Struct()
    for key, value in given.items():
        # What is as it is without being said is not recorded: the cache keys of old runs stay.
        if value is not None:
            options[key] = value
    if not options.fields:
        return None
    config = example_gen_pb2.CustomConfig()
    config.custom_config.Pack(options)
    return config


class CsvExampleGen(_FileBasedExampleGen):
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
            `output_config`. The rows of each, and of each class, are on the artifact's page.
        split_by: How rows are divided, one of `headrace.splits`: `by_hash()` (default), `stratify("quality")`,
            `group("patient")`, `time("date", gap="24h")`, `shuffle(seed=113)`, `column("set")`, `folders()`; or the same
            as a mapping or text, as configuration files give it. Without `splits`, train and eval, 2 to 1.
        delimiter: What stands between cells. Default: a comma; where a header has none, a tab or semicolon that the line
            below it has as often. Between others than commas, a quoted name is the name without its quotes.
        encoding: The files' encoding, such as `"latin-1"` or `"utf-16"`. Default: UTF-8.
        column_names: The names of the columns, where the files have no header line.

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
            own=csv_dialect.checked(delimiter, encoding, column_names, type(self).__name__),
        )


class ParquetExampleGen(_FileBasedExampleGen):
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


class ImportExampleGen(_FileBasedExampleGen):
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
