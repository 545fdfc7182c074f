"""What one execution of Transform is asked to do, read from its inputs and parameters."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import inspect
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.proto import transform_pb2
from tfx.types import artifact_utils
from tfx.utils import io_utils, json_utils

from headrace.authoring import Artifact
from headrace.components.transform import samples
from headrace.components.transform.tft_library import analyzer_cache
from headrace.errors import DefinitionError, UnknownSplitError, listed
from headrace.features import defaults, roles, values
from headrace.formats import artifacts, protos
from headrace.runtime.context import ExecutionContext
from headrace.usercode import functions

OUTPUT_PREFIX = "transformed_examples"
# TFT's cache names a split by this many trailing parts of its file pattern, and a hash of the whole.
_KEY_PATH_PARTS = 6


class NeedsStock(Exception):
    """Raised inwardly where only TFX's own implementation can do what is asked; says why."""


@dataclass(frozen=True)
class Dataset:
    """One split of one Examples artifact.

    Attributes:
        split: Split name.
        files: Its files, sorted.
        payload: TFX's name of the record format, such as `"FORMAT_TF_EXAMPLE"`.
        key: Its name in the analyzer cache.
        content: Stands for what its artifact holds; empty where that is not known.
        output_path: Folder for the transformed split; empty where none is written.
    """

    split: str
    files: tuple[str, ...]
    payload: str
    key: analyzer_cache.DatasetKey
    content: str
    output_path: str = ""


@dataclass(frozen=True)
class TransformRequest:
    """One execution of Transform.

    Attributes:
        node_id: The node, for messages.
        schema: Schema of the input.
        preprocessing_fn: The user's function, with `custom_config` bound where it takes that.
        stats_options_updater_fn: The user's function, or `None`.
        analyze: Datasets to analyze, sorted by key.
        transform: Datasets to transform, in the order of `splits`.
        splits: Names of the splits to transform.
        force_tf_compat_v1: Whether to trace a TF 1 graph.
        with_statistics: Whether statistics and schemas are to be made.
    """

    node_id: str
    schema: schema_pb2.Schema
    preprocessing_fn: Callable[..., Any]
    stats_options_updater_fn: Callable[..., Any] | None
    analyze: tuple[Dataset, ...]
    transform: tuple[Dataset, ...]
    splits: tuple[str, ...]
    force_tf_compat_v1: bool
    with_statistics: bool

    @property
    def payloads(self) -> set[str]:
        """The record formats of the input."""
        return {dataset.payload for dataset in (*self.analyze, *self.transform)}


def resolve(context: ExecutionContext) -> TransformRequest:
    """Read the request; outputs for several input artifacts become as many artifacts, as in TFX.

    Raises:
        DefinitionError: If parameters contradict each other.
        UnknownSplitError: If a split to analyze or transform does not exist.
        UserFunctionError: If a function cannot be imported.
    """
    examples = list(context.inputs["examples"])
    analyze, transform = _splits(context, examples)
    outputs = _example_outputs(context, len(examples))
    text, module_file = _function_names(context)
    schema = protos.read_schema(context.input("schema"))
    function = functions.load(text, f"{context.node_id}: preprocessing_fn")
    datasets = tuple(
        sorted(
            (_dataset(artifact, split, None) for split in analyze for artifact in examples),
            key=lambda dataset: dataset.key,
        )
    )
    return TransformRequest(
        node_id=context.node_id,
        schema=schema,
        preprocessing_fn=_preprocessing(function, context, schema, datasets),
        stats_options_updater_fn=_updater(context, module_file),
        analyze=datasets,
        transform=tuple(
            _dataset(artifact, split, output)
            for split in transform
            for artifact, output in zip(examples, outputs)
        ),
        splits=tuple(transform),
        force_tf_compat_v1=bool(context.parameter("force_tf_compat_v1", 0)),
        with_statistics=not context.parameter("disable_statistics", 0),
    )


def publish_splits(context: ExecutionContext, asked: TransformRequest) -> None:
    """Record which splits the transformed Examples have; called when their files are written."""
    for artifact in context.outputs.get("transformed_examples") or []:
        artifact.split_names = artifacts.encode_split_names(asked.splits)


@contextlib.contextmanager
def user_packages(context: ExecutionContext) -> Iterator[None]:
    """Make the wheel importable into which stock TFX packs a module file; nothing to do for Headrace's own."""
    packed = context.parameter("module_path")
    if not packed:
        yield
        return
    from tfx.components.util import udf_utils

    _, packages = udf_utils.decode_user_module_key(packed)
    with udf_utils.TempPipInstallContext([io_utils.ensure_local(package) for package in packages]):
        yield


def _splits(context: ExecutionContext, examples: Sequence[Artifact]) -> tuple[list[str], list[str]]:
    """Names of the splits to analyze and to transform."""
    where = f"{context.node_id}: splits_config"
    if context.parameter("splits_config"):
        config = context.proto_parameter("splits_config", transform_pb2.SplitsConfig)
        if not config.analyze:
            raise DefinitionError(
                f"{where} names no split to analyze.", "set splits_config.analyze, such as ['train']."
            )
        analyze, transform = list(config.analyze), list(config.transform)
    else:
        analyze, transform = ["train"], artifacts.split_names(examples[0])
        where = f"{context.node_id}: analyze and transform (splits_config is not set, so 'train' is analyzed)"
    for artifact in examples:
        if set(artifacts.split_names(artifact)) != set(artifacts.split_names(examples[0])):
            raise UnknownSplitError(
                f"{context.node_id}: the input Examples have different splits: artifact {examples[0].id} has "
                f"{listed(artifacts.split_names(examples[0]))}, artifact {artifact.id} has "
                f"{listed(artifacts.split_names(artifact))}.",
                "write all spans with the same output splits.",
            )
        artifacts.check_splits(artifact, [*analyze, *transform], where)
    return analyze, transform


def _example_outputs(context: ExecutionContext, num_inputs: int) -> Sequence[Artifact | None]:
    """The Examples artifact to write for each input artifact."""
    outputs = list(context.outputs.get("transformed_examples") or [])
    if not outputs:
        return [None] * num_inputs
    if len(outputs) == 1 and num_inputs > 1:
        outputs = artifact_utils.replicate_artifacts(outputs[0], num_inputs)
        # The publisher reads this dict: it must list the artifacts that are really written.
        context.outputs["transformed_examples"] = outputs  # type: ignore[index]
    return outputs


def _dataset(artifact: Artifact, split: str, output: Artifact | None) -> Dataset:
    pattern = os.path.join(artifacts.split_path(artifact, split), "*")
    suffix = os.path.join(*pattern.split(os.sep)[-_KEY_PATH_PARTS:])
    identifier = f"{suffix}-{hashlib.sha256(pattern.encode()).hexdigest()}"
    return Dataset(
        split=split,
        files=tuple(artifacts.split_files(artifact, split)),
        payload=artifacts.payload_format(artifact),
        key=analyzer_cache.DatasetKey(identifier),
        content=artifacts.content_digest(artifact),
        output_path=artifacts.new_split_folder(output.uri, split) if output is not None else "",
    )


def _function_names(context: ExecutionContext) -> tuple[str, str | None]:
    """The function's text form, and the module file where one is given."""
    given = {
        key: context.parameter(key)
        for key in ("module_file", "module_path", "preprocessing_fn")
        if context.parameter(key)
    }
    if len(given) != 1:
        raise DefinitionError(
            f"{context.node_id}: {listed(given)} of module_file, module_path and preprocessing_fn are given, "
            "and exactly one is needed.",
            "give preprocessing_fn='module:function', or module_file='file.py' that defines preprocessing_fn.",
        )
    ((key, value),) = given.items()
    if key == "module_path":
        # TFX's packaged form 'module@path/of/wheel.whl': the wheel is on the path when this runs.
        value = value.split("@", 1)[0]
    return (value, None) if key == "preprocessing_fn" else (f"{value}:preprocessing_fn", value)


def _updater(context: ExecutionContext, module_file: str | None) -> Callable[..., Any] | None:
    text = context.parameter("stats_options_updater_fn")
    if text:
        return _bound(functions.load(text, f"{context.node_id}: stats_options_updater_fn"), context)
    found = (
        getattr(functions.load_module(module_file), "stats_options_updater_fn", None) if module_file else None
    )
    return _bound(found, context) if found is not None else None


def _bound(function: Callable[..., Any], context: ExecutionContext) -> Callable[..., Any]:
    """The function with `custom_config` given, where its signature has it."""
    if "custom_config" not in inspect.signature(function).parameters:
        return function
    return functools.partial(function, custom_config=_custom_config(context))


def _custom_config(context: ExecutionContext) -> dict[str, Any]:
    text = context.parameter("custom_config")
    return (json_utils.loads(text) if text else {}) or {}


def _preprocessing(
    function: Callable[..., Any],
    context: ExecutionContext,
    schema: schema_pb2.Schema,
    analyze: Sequence[Dataset],
) -> Callable[..., Any]:
    """The user's function with what its signature has of `custom_config`, `schema` and `sample`."""
    bound = _bound(function, context)
    wanted = inspect.signature(bound).parameters
    if "schema" in wanted:
        bound = functools.partial(bound, schema=schema)
    sample = samples.read(analyze, schema) if "sample" in wanted else None
    if "sample" in wanted:
        bound = functools.partial(bound, sample=sample)
    if (default := defaults.find(function, _custom_config(context))) is not None:
        table = roles.table(default.choices(default.options.schema or schema, sample))
        # Into the node's log, where warnings alone are kept of what is logged.
        print(f"{context.node_id}: each feature, what it is taken for, and why:\n{table}", flush=True)

    @functools.wraps(function, updated=())
    def preprocess(inputs: dict[str, Any]) -> Any:
        values.name_inputs(inputs)
        return bound(inputs)

    return preprocess
