"""What the declarations of all ExampleGens share: their specs, and how their parameters are made. Light."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

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
from headrace.authoring.plain_values import ProtoLike, to_proto
from headrace.components.example_gen import arguments
from headrace.components.example_gen.driver import Driver
from headrace.sources.source import FUNCTION_KEY, OPTIONS_KEY, SOURCE_KEY
from headrace.splits.asked import SPLIT_BY_KEY, SPLITS_KEY, asked
from headrace.splits.parsing import SplitByLike
from headrace.splits.shares import SplitsLike

with authoring():
    from tfx.proto import example_gen_pb2, range_config_pb2


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


class FileBasedExampleGen(Component[ExampleGenOutputs]):
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
                    arguments.divided_output_config(name, input_config, output_config, division),
                    example_gen_pb2.Output,
                    f"{name}: output_config",
                    arguments.default_output_config(input_config) if division is None else None,
                ),
                output_data_format=arguments.payload_format(name, payload_format),
                output_file_format=example_gen_pb2.FORMAT_TFRECORDS_GZIP,
                custom_config=arguments.custom_config(
                    name, num_shards=num_shards, on_error=on_error, **(own or {})
                ),
                range_config=to_proto(range_config, range_config_pb2.RangeConfig, f"{name}: range_config"),
                examples=Channel(type=standard_artifacts.Examples),
                **({} if division is None else division.as_properties()),
                **(source or {}),
            )
        )


class SourceExampleGen(FileBasedExampleGen):
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
                OPTIONS_KEY: json.dumps(
                    arguments.plain_options(source_options, type(self).__name__), sort_keys=True
                ),
            },
        )
