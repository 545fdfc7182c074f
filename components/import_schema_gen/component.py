"""The declaration of `ImportSchemaGen`. Light."""

from __future__ import annotations

from typing import ClassVar

from headrace.authoring import (
    Channel,
    ChannelParameter,
    Component,
    ComponentSpec,
    ExecutionParameter,
    NamedExecutorSpec,
    OutputOf,
    Outputs,
    RuntimeParameter,
    standard_artifacts,
)


class ImportSchemaGenSpec(ComponentSpec):
    """Keys and types of `ImportSchemaGen`, those of the stock component."""

    PARAMETERS = {  # noqa: RUF012 - TFX reads plain dicts here
        "schema_file": ExecutionParameter(type=str),
    }
    INPUTS: ClassVar[dict[str, ChannelParameter]] = {}
    OUTPUTS = {  # noqa: RUF012
        "schema": ChannelParameter(type=standard_artifacts.Schema),
    }


class ImportSchemaGenOutputs(Outputs):
    """What `ImportSchemaGen` makes."""

    schema: OutputOf[standard_artifacts.Schema]


class ImportSchemaGen(Component[ImportSchemaGenOutputs]):
    """A schema that is written by hand, or was inferred once and is kept with the code.

    Outputs:
        schema: `Schema`, one `schema.pbtxt`: a copy of the file, with its comments.

    Args:
        schema_file: Path of a `Schema` in text form, or its address, such as `s3://bucket/schema.pbtxt`.

    Example:
        >>> schema = ImportSchemaGen(schema_file="schema/schema.pbtxt")  # doctest: +SKIP
    """

    SPEC_CLASS = ImportSchemaGenSpec
    EXECUTOR_SPEC = NamedExecutorSpec("headrace.components.import_schema_gen.executor.Executor")
    TFX_TYPE = "tfx.components.schema_gen.import_schema_gen.component.ImportSchemaGen"
    INPUT_FILES = ("schema_file",)

    def __init__(self, schema_file: str | RuntimeParameter) -> None:
        spec = ImportSchemaGenSpec(schema_file=schema_file, schema=Channel(type=standard_artifacts.Schema))
        super().__init__(spec=spec)
