"""The declaration of `Transform`. Light: TensorFlow and Beam load with its executor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

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
    RuntimeParameter,
    standard_artifacts,
    system_executions,
)
from headrace.authoring.light import authoring
from headrace.authoring.plain_values import ProtoLike, to_proto
from headrace.errors import DefinitionError
from headrace.features.defaults import FUNCTION, OPTIONS_KEY, DefaultPreprocessing
from headrace.usercode import functions

with authoring():
    from tfx.proto import transform_pb2
    from tfx.utils import json_utils

FunctionGiven: TypeAlias = str | Callable[..., Any] | RuntimeParameter

_STATISTICS_OUTPUTS = {
    "pre_transform_schema": standard_artifacts.Schema,
    "pre_transform_stats": standard_artifacts.ExampleStatistics,
    "post_transform_schema": standard_artifacts.Schema,
    "post_transform_stats": standard_artifacts.ExampleStatistics,
    "post_transform_anomalies": standard_artifacts.ExampleAnomalies,
}


class TransformSpec(ComponentSpec):
    """Keys and types of `Transform`, those of the stock component."""

    PARAMETERS = {  # noqa: RUF012 - TFX reads plain dicts here
        "module_file": ExecutionParameter(type=str, optional=True),
        "module_path": ExecutionParameter(type=str, optional=True),
        "preprocessing_fn": ExecutionParameter(type=str, optional=True),
        "stats_options_updater_fn": ExecutionParameter(type=str, optional=True),
        "force_tf_compat_v1": ExecutionParameter(type=int, optional=True),
        "custom_config": ExecutionParameter(type=str, optional=True),
        "splits_config": ExecutionParameter(type=transform_pb2.SplitsConfig, optional=True),
        "disable_statistics": ExecutionParameter(type=int, optional=True),
    }
    INPUTS = {  # noqa: RUF012
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "schema": ChannelParameter(type=standard_artifacts.Schema),
        "analyzer_cache": ChannelParameter(type=standard_artifacts.TransformCache, optional=True),
    }
    OUTPUTS = {  # noqa: RUF012
        "transform_graph": ChannelParameter(type=standard_artifacts.TransformGraph),
        "transformed_examples": ChannelParameter(type=standard_artifacts.Examples, optional=True),
        "updated_analyzer_cache": ChannelParameter(type=standard_artifacts.TransformCache, optional=True),
        **{
            key: ChannelParameter(type=artifact_type, optional=True)
            for key, artifact_type in _STATISTICS_OUTPUTS.items()
        },
    }
    TYPE_ANNOTATION = system_executions.Transform


class TransformOutputs(Outputs):
    """What is there, `materialize`, `disable_statistics` and `disable_analyzer_cache` say."""

    transform_graph: OutputOf[standard_artifacts.TransformGraph]
    transformed_examples: OutputOf[standard_artifacts.Examples]
    updated_analyzer_cache: OutputOf[standard_artifacts.TransformCache]
    pre_transform_schema: OutputOf[standard_artifacts.Schema]
    pre_transform_stats: OutputOf[standard_artifacts.ExampleStatistics]
    post_transform_schema: OutputOf[standard_artifacts.Schema]
    post_transform_stats: OutputOf[standard_artifacts.ExampleStatistics]
    post_transform_anomalies: OutputOf[standard_artifacts.ExampleAnomalies]


class Transform(Component[TransformOutputs]):
    """Applies the user's `preprocessing_fn` to Examples, and exports it for training and serving.

    Analyzers in the function (means, vocabularies, quantiles) see the splits to analyze in full; their
    results become constants of the exported graph, so training and serving compute the same features.

    Outputs:
        transform_graph: `TransformGraph`, which `tft.TFTransformOutput` reads: `transform_fn/` (SavedModel),
            `transformed_metadata/` (schema of the features made), `metadata/` (schema of the input).
        transformed_examples: `Examples`, `Split-{name}/transformed_examples-00000-of-0000N.gz`, one file for
            each input file, tf.Example records; absent with `materialize=False`.
        updated_analyzer_cache: `TransformCache`, what the analyzers found in each split, in TFT's format;
            absent with `disable_analyzer_cache=True`.
        pre_transform_schema, post_transform_schema: `Schema`, `schema.pbtxt`.
        pre_transform_stats, post_transform_stats: `ExampleStatistics`, `FeatureStats.pb`: the analyzed splits
            before, the transformed splits after.
        post_transform_anomalies: `ExampleAnomalies`, `SchemaDiff.pb`. These five are absent with
            `disable_statistics=True`.

    Args:
        examples: Channel of `Examples`.
        schema: Channel of `Schema`; its features are the function's inputs.
        module_file: A Python file that defines `preprocessing_fn`, and perhaps `stats_options_updater_fn`.
        preprocessing_fn: The function itself, or its name as `'module:function'` or `'pkg.mod.function'`.
            Give this or `module_file`. It takes `inputs`, a dict of tensors by feature name, and returns a dict of
            tensors. Where it has parameters of these names, it is given `custom_config`; `schema`, the proto; and
            `sample`, an Arrow table with the first rows to analyze, 10,000 at most. Or
            `headrace.features.default_preprocessing(label=...)`, which decides by schema and sample.
        splits_config: A mapping or `transform_pb2.SplitsConfig`: `analyze` and `transform` list splits; by default 'train' is analyzed and every
            split is transformed.
        analyzer_cache: Channel of `TransformCache`, the `updated_analyzer_cache` of an earlier run: splits
            that it covers are not analyzed again. Needed under TFX's runners only: Headrace's finds by itself
            what was learned from the same data.
        materialize: Whether to write `transformed_examples`.
        disable_analyzer_cache: Whether to leave out `updated_analyzer_cache`, and to analyze all data anew.
        force_tf_compat_v1: Trace the function as a TF 1 graph. Runs on TFT's own Beam implementation, at
            stock TFX's speed.
        custom_config: JSON-able values handed to `preprocessing_fn` as `custom_config`.
        disable_statistics: Whether to leave out statistics, schemas and anomalies.
        stats_options_updater_fn: Function, or its name, that takes `(stats_type, stats_options)` and returns
            the `tfdv.StatsOptions` to use; with `module_file` it is found in that file instead.

    Raises:
        DefinitionError: If both or neither of `module_file` and `preprocessing_fn` are given, or options
            contradict each other.
        UserFunctionError: If the module or function does not exist.

    Example:
        >>> transform = Transform(
        ...     examples=example_gen.outputs["examples"],
        ...     schema=schema_gen.outputs["schema"],
        ...     preprocessing_fn="pipelines.taxi.features:preprocessing_fn",
        ... )  # doctest: +SKIP
    """

    SPEC_CLASS = TransformSpec
    EXECUTOR_SPEC = NamedBeamExecutorSpec("headrace.components.transform.executor.Executor")
    TFX_TYPE = "tfx.components.transform.component.Transform"
    INPUT_FILES = ("custom_config",)

    def __init__(
        self,
        examples: BaseChannel,
        schema: BaseChannel,
        module_file: str | RuntimeParameter | None = None,
        preprocessing_fn: FunctionGiven | None = None,
        splits_config: ProtoLike | None = None,
        analyzer_cache: BaseChannel | None = None,
        materialize: bool = True,
        disable_analyzer_cache: bool = False,
        force_tf_compat_v1: bool = False,
        custom_config: dict[str, Any] | None = None,
        disable_statistics: bool = False,
        stats_options_updater_fn: FunctionGiven | None = None,
    ) -> None:
        _check_options(
            module_file, preprocessing_fn, stats_options_updater_fn, analyzer_cache, disable_analyzer_cache
        )
        splits_config = to_proto(splits_config, transform_pb2.SplitsConfig, "Transform: splits_config")
        _check_splits(splits_config)
        if isinstance(module_file, str):
            functions.check(f"{module_file}:preprocessing_fn", "Transform: module_file")
        if isinstance(preprocessing_fn, DefaultPreprocessing):
            custom_config = {**(custom_config or {}), OPTIONS_KEY: preprocessing_fn.settings()}
            preprocessing_fn = FUNCTION
        transformed_examples = Channel(type=standard_artifacts.Examples) if materialize else None
        if transformed_examples is not None:
            # As in TFX: where the input channel holds several artifacts, this one holds as many.
            transformed_examples.matching_channel_name = "examples"
        super().__init__(
            spec=TransformSpec(
                examples=examples,
                schema=schema,
                module_file=module_file,
                preprocessing_fn=_function_text(preprocessing_fn, "preprocessing_fn"),
                stats_options_updater_fn=_function_text(stats_options_updater_fn, "stats_options_updater_fn"),
                force_tf_compat_v1=int(force_tf_compat_v1),
                splits_config=splits_config,
                transform_graph=Channel(type=standard_artifacts.TransformGraph),
                transformed_examples=transformed_examples,
                analyzer_cache=analyzer_cache,
                updated_analyzer_cache=(
                    None if disable_analyzer_cache else Channel(type=standard_artifacts.TransformCache)
                ),
                custom_config=json_utils.dumps(custom_config),
                disable_statistics=int(disable_statistics),
                **{
                    key: None if disable_statistics else Channel(type=artifact_type)
                    for key, artifact_type in _STATISTICS_OUTPUTS.items()
                },
            )
        )


def _check_options(
    module_file: str | RuntimeParameter | None,
    preprocessing_fn: FunctionGiven | None,
    stats_options_updater_fn: FunctionGiven | None,
    analyzer_cache: BaseChannel | None,
    disable_analyzer_cache: bool,
) -> None:
    if bool(module_file) == bool(preprocessing_fn):
        raise DefinitionError(
            f"Transform: {'both' if module_file else 'neither'} of module_file and preprocessing_fn "
            f"{'are' if module_file else 'is'} given, and exactly one is needed.",
            "give preprocessing_fn='module:function', or module_file='file.py' that defines preprocessing_fn.",
        )
    if module_file and stats_options_updater_fn:
        raise DefinitionError(
            "Transform: stats_options_updater_fn is given beside module_file, which would define it.",
            "define stats_options_updater_fn in the module file, or give preprocessing_fn instead of module_file.",
        )
    if disable_analyzer_cache and analyzer_cache:
        raise DefinitionError(
            "Transform: analyzer_cache is given while disable_analyzer_cache is True.",
            "drop one of the two.",
        )


def _check_splits(config: Any) -> None:
    if isinstance(config, transform_pb2.SplitsConfig) and not config.analyze:
        raise DefinitionError(
            "Transform: splits_config names no split to analyze.",
            "give splits_config={'analyze': ['train']}, or with other splits.",
        )


def _function_text(function: FunctionGiven | None, parameter: str) -> str | RuntimeParameter | None:
    """The function's name in TFX's own form, a dotted path, so that the stock executor can read it too."""
    if not function or isinstance(function, RuntimeParameter):
        return function or None
    text = functions.to_text(function)
    functions.check(text, f"Transform: {parameter}")
    reference = functions.parse(text)
    return text if reference.is_file else f"{reference.place}.{reference.name}"
