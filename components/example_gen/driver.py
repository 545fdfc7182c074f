"""The driver of an ExampleGen: decides what to read before the executor starts. Light."""

from __future__ import annotations

import copy
import os
from typing import Any, ClassVar

from headrace.authoring.light import authoring
from headrace.files import payloads
from headrace.formats import columns, split_names
from headrace.sources import source as sources
from headrace.sources import split_folders
from headrace.sources.file_source import FileSource
from headrace.sources.parquet.parquet_source import ParquetSource
from headrace.sources.source import Source
from headrace.splits.asked import Asked, recorded

with authoring():
    from tfx.dsl.components.base import base_driver
    from tfx.orchestration import data_types_utils
    from tfx.orchestration.portable import base_driver as ir_base_driver
    from tfx.proto import example_gen_pb2, range_config_pb2
    from tfx.proto.orchestration import driver_output_pb2
    from tfx.utils import proto_utils

EXAMPLES_KEY = "examples"
SPAN_PROPERTY = "span"
VERSION_PROPERTY = "version"
FINGERPRINT_PROPERTY = "input_fingerprint"
# TFX's type of the context that holds what a node did in all runs.
_NODE_CONTEXT = "node"


class Driver(base_driver.BaseDriver, ir_base_driver.BaseDriver):
    """Lets the source look: at span and version, and at what the input's content is known by, for the cache.

    The source is the one that the exec properties name; where they name none, files, whatever their format.

    Serves both of TFX's ways to call a driver: `run`, of its launcher, and `resolve_exec_properties` with
    `_prepare_output_artifacts`, of its InteractiveContext.
    """

    # What is looked at where the exec properties name nothing.
    SOURCE: ClassVar[type[Source]] = FileSource

    def __init__(self, metadata_handle: Any) -> None:
        base_driver.BaseDriver.__init__(self, metadata_handle)
        ir_base_driver.BaseDriver.__init__(self, metadata_handle)

    def resolve_exec_properties(
        self, exec_properties: dict[str, Any], pipeline_info: Any, component_info: Any
    ) -> dict[str, Any]:
        """Return the exec properties with patterns filled in and span, version and fingerprint added.

        Raises:
            MissingFileError: If a split has no file.
            DefinitionError: If patterns and range_config do not go together, or a split has no name for a folder.
            DataError: If the splits' latest spans differ.
        """
        input_config = _parsed(exec_properties["input_config"], example_gen_pb2.Input())
        input_base = exec_properties.get("input_base") or ""
        output_config = _parsed(exec_properties.get("output_config") or "{}", example_gen_pb2.Output())
        # Before anything is looked for: the names become folders.
        split_names.check_given((split.name for split in input_config.splits), "input_config")
        split_names.check_given((split.name for split in output_config.split_config.splits), "output_config")
        range_text = exec_properties.get("range_config")
        range_config = _parsed(range_text, range_config_pb2.RangeConfig()) if range_text else None

        division = recorded(exec_properties)
        if division is not None and division.way.kind == "folders":
            _use_folders(input_config, input_base, division)

        source = sources.named_in(exec_properties) or self.SOURCE()
        survey = source.survey(sources.Request(input_base, input_config.splits, range_config))
        for split, found in zip(input_config.splits, survey.splits):
            split.pattern = found.pattern

        if input_base:
            # Of one file, its folder.
            exec_properties["input_base"] = survey.place
        exec_properties["input_config"] = proto_utils.proto_to_json(input_config)
        exec_properties[SPAN_PROPERTY] = survey.span
        exec_properties[VERSION_PROPERTY] = survey.version
        exec_properties[FINGERPRINT_PROPERTY] = source.fingerprint(survey)
        return exec_properties

    def run(self, execution_info: Any) -> Any:
        """Called by TFX's launcher and by Headrace's; returns a `DriverOutput`."""
        exec_properties = self.resolve_exec_properties(execution_info.exec_properties, None, None)
        result = driver_output_pb2.DriverOutput()
        for key, value in exec_properties.items():
            if value is not None:
                data_types_utils.set_metadata_value(result.exec_properties[key], value)
        examples = copy.deepcopy(execution_info.output_dict[EXAMPLES_KEY][0].mlmd_artifact)
        _describe(exec_properties, examples)
        source = sources.named_in(exec_properties)
        if source is not None and source.TELLS_COLUMNS:
            before = self._columns_before(execution_info)
            if before:
                properties = examples.custom_properties
                properties[columns.COLUMNS_PROPERTY].string_value = columns.before_text(before)
        result.output_artifacts[EXAMPLES_KEY].artifacts.append(examples)
        return result

    def _columns_before(self, execution_info: Any) -> columns.Columns:
        """Return the columns that this node met in the newest run before of which the store still has the output."""
        store = self._metadata_handle.store
        names = [
            context.name.field_value.string_value
            for context in execution_info.pipeline_node.contexts.contexts
            if context.type.name == _NODE_CONTEXT
        ]
        contexts = [store.get_context_by_type_and_name(_NODE_CONTEXT, name) for name in names]
        made = [
            artifact
            for context in contexts
            if context is not None
            for artifact in store.get_artifacts_by_context(context.id)
            if artifact.state == artifact.LIVE and columns.COLUMNS_PROPERTY in artifact.custom_properties
        ]
        newest = max(made, key=lambda artifact: artifact.id, default=None)
        if newest is None:
            return {}
        return columns.of_text(newest.custom_properties[columns.COLUMNS_PROPERTY].string_value)

    def _prepare_output_artifacts(
        self,
        input_artifacts: dict[str, Any],
        output_dict: dict[str, Any],
        exec_properties: dict[str, Any],
        execution_id: int,
        pipeline_info: Any,
        component_info: Any,
    ) -> dict[str, list[Any]]:
        examples = output_dict[EXAMPLES_KEY].type()
        root = os.path.join(pipeline_info.pipeline_root, component_info.component_id)
        examples.uri = os.path.join(root, EXAMPLES_KEY, str(execution_id))
        _describe(exec_properties, examples.mlmd_artifact)
        os.makedirs(examples.uri, exist_ok=True)
        return {EXAMPLES_KEY: [examples]}


def _use_folders(input_config: Any, input_base: str, division: Asked) -> None:
    """Put the splits that are folders in the place of the one input split."""
    found = split_folders.resolve(input_base, input_config.splits[0].pattern, division.way, division.shares)
    del input_config.splits[:]
    for name, pattern in found:
        input_config.splits.add(name=name, pattern=pattern)


class ParquetDriver(Driver):
    """That of Parquet files, which may lie in folders of partitions."""

    SOURCE = ParquetSource


def _describe(exec_properties: dict[str, Any], artifact: Any) -> None:
    """Set what was decided as custom properties of the artifact, under TFX's names."""
    properties = artifact.custom_properties
    fingerprint = exec_properties[FINGERPRINT_PROPERTY]
    # What is new each time stays with the execution: successors find the cache where the content is the same.
    properties[FINGERPRINT_PROPERTY].string_value = "" if payloads.is_unknown(fingerprint) else fingerprint
    properties[SPAN_PROPERTY].int_value = exec_properties[SPAN_PROPERTY]
    if exec_properties[VERSION_PROPERTY] is not None:
        properties[VERSION_PROPERTY].int_value = exec_properties[VERSION_PROPERTY]


def _parsed(value: Any, proto: Any) -> Any:
    if isinstance(value, str):
        proto_utils.json_to_proto(value, proto)
    else:
        proto.CopyFrom(value)
    return proto
