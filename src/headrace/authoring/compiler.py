"""Compile a pipeline to TFX's intermediate representation, with the checks TFX leaves out."""

from __future__ import annotations

from typing import Any

from headrace.authoring.light import authoring
from headrace.errors import CycleError, DefinitionError, DuplicateNodeError, UnsupportedFeatureError, listed
from headrace.files import names

with authoring():
    from tfx.dsl.compiler import compiler as tfx_compiler
    from tfx.dsl.compiler import constants
    from tfx.orchestration import pipeline as tfx_pipeline
    from tfx.orchestration.portable import runtime_parameter_utils
    from tfx.proto.orchestration import pipeline_pb2
    from tfx.types.channel import OutputChannel


def compile_pipeline(pipeline: tfx_pipeline.Pipeline) -> pipeline_pb2.Pipeline:
    """Return the IR of a pipeline.

    User modules are not packaged: Headrace imports them where they lie.

    Raises:
        DefinitionError: If it is no pipeline, or TFX refuses it, with its reason in words.
    """
    if not isinstance(pipeline, tfx_pipeline.Pipeline):
        raise DefinitionError(
            f"what is to run is a pipeline, and a {type(pipeline).__name__} was given.",
            "call the function that makes it." if callable(pipeline) else "give a Pipeline(...).",
        )
    if not pipeline.components:
        raise DefinitionError(
            f"pipeline '{pipeline.id}' has no components.",
            "list its components in Pipeline(..., components=[...]).",
        )
    _check_producers(pipeline)
    _check_texts(pipeline)
    try:
        return tfx_compiler.Compiler().compile(pipeline)
    except (RuntimeError, ValueError, TypeError, KeyError) as error:
        raise translate(error, pipeline.id) from error


def _check_producers(pipeline: tfx_pipeline.Pipeline) -> None:
    """Check that whatever makes an input is in the pipeline: TFX would wait for it in vain."""
    known = {node.id for node in pipeline.components}
    for node in pipeline.components:
        for key, connected in node.inputs.items():
            # A union of channels has several; every other kind is one.
            for channel in getattr(connected, "channels", [connected]):
                producer = getattr(channel, "producer_component_id", None)
                if isinstance(channel, OutputChannel) and producer not in known:
                    raise DefinitionError(
                        f"pipeline '{pipeline.id}': {node.id} takes its input '{key}' from {producer}, which is "
                        f"not in the pipeline. It has {listed(known)}.",
                        f"add {producer} to components=[...].",
                    )


def _check_texts(pipeline: tfx_pipeline.Pipeline) -> None:
    """Check that parameters can be recorded: the bytes of a file's name need not be UTF-8, and a text's are."""
    for node in pipeline.components:
        for name, value in node.exec_properties.items():
            try:
                _ = value.encode() if isinstance(value, str) else None
            except UnicodeEncodeError as error:
                raise DefinitionError(
                    f"pipeline '{pipeline.id}': {node.id}: {name} is {value!a}, which is no text in UTF-8.",
                    "rename the file or folder.",
                ) from error


def translate(error: Exception, pipeline_name: str) -> DefinitionError:
    """Return Headrace's error for what TFX raises while a pipeline is defined or compiled."""
    if isinstance(error, DefinitionError):
        return error
    text = " ".join(str(argument) for argument in error.args) or type(error).__name__
    where = f"pipeline '{pipeline_name}'" if pipeline_name else "the pipeline"
    if "uplicated" in text or "unique ids" in text:
        name = text.split("component_id", 1)[-1].split("for", 1)[0].strip(" :'\"")
        return DuplicateNodeError(
            f"{where}: two nodes have the id '{name}'." if name else f"{where}: two nodes have one id.",
            "give one of them another id: component.with_id('another_name').",
        )
    if "enclosing pipeline id" in text:
        return DuplicateNodeError(
            f"{where}: a node has the pipeline's own id.",
            "give the node another id: component.with_id('another_name').",
        )
    if "cycl" in text.lower():
        return CycleError(
            f"{where}: its nodes wait for each other in a cycle. {text}",
            "remove one of the connections, or the add_upstream_node, that closes the cycle.",
        )
    return DefinitionError(f"{where} cannot be compiled: {text}")


def set_runtime_parameters(ir: pipeline_pb2.Pipeline, values: dict[str, Any]) -> None:
    """Replace the runtime parameters of an IR by values, among them the run's id and the pipeline root.

    Raises:
        DefinitionError: If a parameter has neither a value here nor a default.
    """
    try:
        runtime_parameter_utils.substitute_runtime_parameter(ir, values)
    except RuntimeError as error:
        raise DefinitionError(f"pipeline '{ir.pipeline_info.id}': {error}") from error


RUN_ID_PARAMETER: str = constants.PIPELINE_RUN_ID_PARAMETER_NAME
ROOT_PARAMETER: str = constants.PIPELINE_ROOT_PARAMETER_NAME


def _check_names(ir: pipeline_pb2.Pipeline) -> None:
    """Check that what is named after the pipeline and its nodes lies in the store."""
    name = ir.pipeline_info.id
    if not names.is_folder_path(name):
        raise DefinitionError(
            f"{names.shown(name)} cannot be a pipeline's name: artifacts get a folder of this name.",
            f"use {names.FOLDER_RULE}.",
        )
    for node in ir.nodes:
        if node.WhichOneof("node") == "sub_pipeline":
            _check_names(node.sub_pipeline)
        else:
            names.check_folder_name(node.pipeline_node.node_info.id, f"node id in pipeline '{name}'")


def refuse_unsupported(ir: pipeline_pb2.Pipeline) -> None:
    """Refuse what Headrace does not run, before anything starts.

    Raises:
        UnsupportedFeatureError: If the pipeline runs asynchronously.
        DefinitionError: If its name or a node's is none for a folder in the store.
    """
    _check_names(ir)
    if ir.execution_mode == pipeline_pb2.Pipeline.ASYNC:
        raise UnsupportedFeatureError(
            f"pipeline '{ir.pipeline_info.id}' has execution mode ASYNC, which needs a service that never ends.",
            "use ExecutionMode.SYNC, the default.",
        )
