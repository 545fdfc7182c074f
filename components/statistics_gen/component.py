"""The declaration of `StatisticsGen`. Light: TensorFlow and Beam load with its executor."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headrace.authoring import (
    BaseChannel,
    Channel,
    ChannelParameter,
    Component,
    ComponentSpec,
    ExecutionParameter,
    NamedBeamExecutorSpec,
    OutputOf,
    Outputs,
    standard_artifacts,
    system_executions,
)
from headrace.authoring.plain_values import as_names
from headrace.components.statistics_gen.option_names import PLAIN_OPTIONS
from headrace.errors import DefinitionError, did_you_mean, listed

if TYPE_CHECKING:
    from tensorflow_data_validation import StatsOptions


class StatisticsGenSpec(ComponentSpec):
    """Keys and types of `StatisticsGen`, those of the stock component."""

    PARAMETERS = {  # noqa: RUF012 - TFX reads plain dicts here
        "stats_options_json": ExecutionParameter(type=str, optional=True),
        "exclude_splits": ExecutionParameter(type=str, optional=True),
        "sharded_stats_output": ExecutionParameter(type=bool, optional=True),
        "sample_rate_by_split": ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {  # noqa: RUF012
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "schema": ChannelParameter(type=standard_artifacts.Schema, optional=True),
    }
    OUTPUTS = {  # noqa: RUF012
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
    }
    TYPE_ANNOTATION = system_executions.Process


class StatisticsGenOutputs(Outputs):
    """What `StatisticsGen` makes."""

    statistics: OutputOf[standard_artifacts.ExampleStatistics]


class StatisticsGen(Component[StatisticsGenOutputs]):
    """Feature statistics for each split of an `Examples` artifact.

    Outputs:
        statistics: `ExampleStatistics`, one `Split-{name}/FeatureStats.pb` (a serialized
            `DatasetFeatureStatisticsList`) per kept split, features in the order of their names.
            Beside it `Numbers.json` and `Distributions.parquet`: what `headrace.describe` shows and drift is measured
            by, which TFDV's file does not hold; and `Contents.json` where a feature holds texts or pictures: lengths,
            languages and words, formats and sizes. Missing where TFDV's own transform computes.

    Args:
        examples: Channel of `Examples`; payload tf.Example or Parquet. Several artifacts, such as the spans of a
            window, count together; under Headrace's runner those that were seen before are not read again.
        schema: Channel of `Schema`; says which features are categorical, bytes or sparse. Not together
            with a schema in `stats_options`.
        stats_options: A mapping of arguments of `tfdv.StatsOptions`, such as `{"num_top_values": 50}`; a
            `tfdv.StatsOptions`, or the text of its `to_json()`. Custom generators and slice functions have no JSON
            form and are refused; slices are given by `slicing_config` or `experimental_slice_sqls`.
        exclude_splits: The split to leave out, such as `"eval"`, or several.
        sample_rate_by_split: Share of rows, above 0 and at most 1, by split; overrides the sample rate
            of `stats_options`. Rows are drawn with a fixed seed: the same rows each time.

    Raises:
        DefinitionError: If `stats_options` has an unknown name, or cannot be kept as JSON.

    Example:
        >>> statistics = StatisticsGen(
        ...     examples=examples.outputs["examples"], exclude_splits=["eval"]
        ... )  # doctest: +SKIP
    """

    SPEC_CLASS = StatisticsGenSpec
    EXECUTOR_SPEC = NamedBeamExecutorSpec("headrace.components.statistics_gen.executor.Executor")
    TFX_TYPE = "tfx.components.statistics_gen.component.StatisticsGen"
    INPUT_FILES = ("stats_options_json",)

    def __init__(
        self,
        examples: BaseChannel,
        schema: BaseChannel | None = None,
        stats_options: StatsOptions | Mapping[str, Any] | str | None = None,
        exclude_splits: str | Sequence[str] | None = None,
        *,
        sample_rate_by_split: Mapping[str, float] | None = None,
    ) -> None:
        spec = StatisticsGenSpec(
            examples=examples,
            schema=schema,
            stats_options_json=_stats_options_json(stats_options),
            exclude_splits=json.dumps(as_names(exclude_splits, "StatisticsGen: exclude_splits")),
            sample_rate_by_split=(
                json.dumps(dict(sample_rate_by_split), sort_keys=True) if sample_rate_by_split else None
            ),
            statistics=Channel(type=standard_artifacts.ExampleStatistics),
        )
        super().__init__(spec=spec)


def _stats_options_json(options: Any) -> str | None:
    if options is None or isinstance(options, str):
        return options
    if isinstance(options, Mapping):
        return _plain_options_json(options)
    try:
        return str(options.to_json())
    except (AttributeError, TypeError, ValueError) as error:
        raise DefinitionError(
            f"StatisticsGen: stats_options, of type {type(options).__name__}, cannot be kept as JSON: {error}",
            "give a tfdv.StatsOptions without generators, slice functions and per_feature_stats_config; "
            "slice by slicing_config or experimental_slice_sqls.",
        ) from error


def _plain_options_json(options: Mapping[str, Any]) -> str:
    for name in options:
        if name not in PLAIN_OPTIONS:
            raise DefinitionError(
                f"StatisticsGen: stats_options has no argument '{name}' that a mapping can give. It has "
                f"{listed(PLAIN_OPTIONS)}.",
                "connect the channel of the schema to the input schema."
                if name == "schema"
                else f"{did_you_mean(name, PLAIN_OPTIONS)}Correct the name; objects go into a tfdv.StatsOptions.",
            )
    try:
        return json.dumps(dict(options), sort_keys=True)
    except TypeError as error:
        raise DefinitionError(
            f"StatisticsGen: stats_options cannot be kept as JSON: {error}.",
            "give numbers, texts, lists and mappings.",
        ) from error
