"""The declaration of `SchemaGen`. Light: TFDV loads with its executor."""

from __future__ import annotations

import json
from collections.abc import Sequence

from headrace.authoring import (
    BaseChannel,
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
    system_executions,
)
from headrace.authoring.plain_values import as_names


class SchemaGenSpec(ComponentSpec):
    """Keys and types of `SchemaGen`, those of the stock component."""

    PARAMETERS = {  # noqa: RUF012 - TFX reads plain dicts here
        "infer_feature_shape": ExecutionParameter(type=int, optional=True),
        "exclude_splits": ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {  # noqa: RUF012
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
    }
    OUTPUTS = {  # noqa: RUF012
        "schema": ChannelParameter(type=standard_artifacts.Schema),
    }
    TYPE_ANNOTATION = system_executions.Process


class SchemaGenOutputs(Outputs):
    """What `SchemaGen` makes."""

    schema: OutputOf[standard_artifacts.Schema]


class SchemaGen(Component[SchemaGenOutputs]):
    """A schema inferred from the statistics of all splits.

    The first split's statistics give the schema; each further split widens it to what it holds.

    Outputs:
        schema: `Schema`, one `schema.pbtxt`.

    Args:
        statistics: Channel of `ExampleStatistics`.
        infer_feature_shape: Whether a feature with the same number of values in every row gets a fixed
            shape, so that Transform reads it as a dense tensor. A runtime parameter of type int works.
        exclude_splits: The split to leave out, such as `"eval"`, or several.

    Example:
        >>> schema = SchemaGen(statistics=statistics.outputs["statistics"])  # doctest: +SKIP
    """

    SPEC_CLASS = SchemaGenSpec
    EXECUTOR_SPEC = NamedExecutorSpec("headrace.components.schema_gen.executor.Executor")
    TFX_TYPE = "tfx.components.schema_gen.component.SchemaGen"
    INPUT_FILES = ()

    def __init__(
        self,
        statistics: BaseChannel,
        infer_feature_shape: bool | RuntimeParameter | None = True,
        exclude_splits: str | Sequence[str] | None = None,
    ) -> None:
        if isinstance(infer_feature_shape, bool):
            infer_feature_shape = int(infer_feature_shape)
        spec = SchemaGenSpec(
            statistics=statistics,
            infer_feature_shape=infer_feature_shape,
            exclude_splits=json.dumps(as_names(exclude_splits, "SchemaGen: exclude_splits")),
            schema=Channel(type=standard_artifacts.Schema),
        )
        super().__init__(spec=spec)
