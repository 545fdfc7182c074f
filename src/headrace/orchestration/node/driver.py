"""The driver's part of a node's life: resolve inputs, record a RUNNING execution, ask the cache."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headrace.authoring import Artifact
from headrace.authoring.light import authoring
from headrace.errors import HeadraceError, InputResolutionError
from headrace.files import digest_memory
from headrace.orchestration import failures
from headrace.orchestration.cache import cache_key
from headrace.orchestration.node.folders import NodeFolders
from headrace.orchestration.node.live_run import LiveNode, class_path_of
from headrace.orchestration.plan import conditions
from headrace.runtime import implementation
from headrace.runtime.implementation import NOT_RECORDED, Implementation
from headrace.store import damage
from headrace.store.read import executions, input_queries
from headrace.store.read.differences import CACHE_OFF, SOURCES, UNKNOWN
from headrace.store.record import publications
from headrace.store.record.source_texts import SourceKeeper

with authoring():
    from tfx.dsl.compiler import placeholder_utils
    from tfx.orchestration import data_types_utils
    from tfx.orchestration.portable import inputs_utils, outputs_utils
    from tfx.orchestration.portable.input_resolution import exceptions
    from tfx.orchestration.portable.python_driver_operator import PythonDriverOperator
    from tfx.proto.orchestration import driver_output_pb2
    from tfx.utils import import_utils

input_queries.install()

Inputs = dict[str, list[Artifact]]


@dataclass
class Prepared:
    """One execution that the driver made ready.

    Attributes:
        execution: The RUNNING execution in the store.
        contexts: Its contexts; with the cache on, the cache context is the last.
        inputs: Resolved inputs.
        parameters: Exec properties, after the driver.
        outputs: Output artifacts: to be written, or those of the cache.
        folders: Where its outputs are written.
        ingredients: What its outputs depend on.
        cache_context: The context that stands for them; `None` until the cache was asked.
        cached_from: The execution whose outputs it reuses; 0 while there is none.
        damaged: Artifacts that the cache would have served, and how their files are damaged, by id.
        implementation: What did the work, once that is known.
    """

    execution: Any
    contexts: list[Any]
    inputs: Inputs
    parameters: dict[str, Any]
    outputs: dict[str, list[Artifact]]
    folders: NodeFolders
    ingredients: dict[str, Any] = field(default_factory=dict)
    cache_context: Any = None
    cached_from: int = 0
    damaged: dict[int, str] = field(default_factory=dict)
    implementation: Implementation = NOT_RECORDED


def resolve_inputs(node: LiveNode) -> list[Inputs] | None:
    """Return the inputs of each execution; `None` where a condition says that the node is not to run.

    Raises:
        InputResolutionError: If an input that is needed has no artifact, or one whose files are damaged.
    """
    try:
        with node.run.store.handle() as handle:
            resolved = inputs_utils.resolve_input_artifacts(pipeline_node=node.ir, metadata_handle=handle)
    except exceptions.InputResolutionError as error:
        cause = error.__cause__ or error
        raise InputResolutionError(
            f"{node.node_id}: its inputs cannot be resolved: {failures.message_of(cause)}.",
            f"run the nodes it depends on first: {', '.join(node.planned.upstream) or 'it has none'}.",
        ) from error
    if isinstance(resolved, inputs_utils.Skip):
        return None
    all_inputs = [{key: list(artifacts) for key, artifacts in inputs.items()} for inputs in resolved]
    for inputs in all_inputs:
        damage.check_inputs(node.run.store, node.node_id, inputs)
    return all_inputs


def skip_reason(node: LiveNode) -> str:
    """Return why `resolve_inputs` gave `None`."""
    with node.run.store.handle() as handle:
        return conditions.skip_reason(handle, node.ir)


def prepare(node: LiveNode, contexts: Sequence[Any], inputs: Inputs) -> Prepared:
    """Record an execution over `inputs` and let the node's own driver adjust it.

    Raises:
        InputResolutionError: If a parameter that depends on an input cannot be resolved.
        HeadraceError: What the node's own driver raised; the execution is recorded as failed then.
    """
    parameters = _parameters(node, inputs)
    for name in node.planned.status_parameters:
        parameters[name] = node.run.final_status()
    execution = publications.register(node.run.store, node.ir, list(contexts), inputs, parameters)
    outputs = outputs_utils.generate_output_artifacts(
        execution_id=execution.id,
        outputs=node.ir.outputs.outputs,
        node_dir=os.path.join(node.run.root, node.node_id),
    )
    folders = NodeFolders(node.run.store, node.run.root, node.node_id, execution.id)
    prepared = Prepared(execution, list(contexts), inputs, parameters, dict(outputs), folders)
    if node.driver_spec is not None:
        try:
            _apply(_run_own_driver(node, prepared), prepared)
        except Exception as error:
            described = failures.describe(error, node.node_id)
            publications.publish_failed(node.run.store, list(contexts), execution.id, str(described))
            raise described from error
        finally:
            folders.discard()
    return prepared


def serve_from_cache(node: LiveNode, prepared: Prepared) -> bool:
    """Publish the outputs of an earlier equal execution, if there is one with intact files.

    Returns:
        Whether there was one; never where the cache is switched off for the node. The execution is filed
        under its cache key all the same, so that a later run with the cache on finds it.
    """
    if not prepared.ingredients:
        prepared.ingredients = cache_key.ingredients(
            class_path_of(node.executor_spec),
            node.run.main_path,
            prepared.parameters,
            prepared.inputs,
            prepared.outputs,
            node.run.store.project_path,
            driver_path=class_path_of(node.driver_spec) if node.driver_spec is not None else "",
            arguments=node.run.arguments,
            own_folders=(node.run.store.path, node.run.root),
        )
        prepared.ingredients[CACHE_OFF] = node.cache_off
    if UNKNOWN in prepared.ingredients:
        return False
    if prepared.cache_context is None:
        key = cache_key.key(prepared.ingredients)
        prepared.cache_context = publications.cache_context(node.run.store, key)
        prepared.contexts.append(prepared.cache_context)
    if not node.uses_cache:
        return False
    found = executions.cached_outputs(node.run.store, prepared.cache_context, prepared.damaged)
    if found is None:
        if prepared.damaged:
            node.report(f"making it again, its files are damaged: {next(iter(prepared.damaged.values()))}")
        return False
    prepared.outputs, origin = found
    prepared.cached_from = origin.id
    prepared.implementation = implementation.of_properties(origin.custom_properties)
    publications.publish_cached(
        node.run.store, prepared.contexts, prepared.execution, prepared.outputs, prepared.implementation
    )
    return True


def hash_ahead(node: LiveNode) -> None:
    """Hash the input files of a node before any lock is taken; the driver then knows them by a stat.

    What is wrong with them is told by the driver.
    """
    digest_memory.use(os.path.join(node.run.store.path, "digests.db"))
    spec = node.driver_spec
    is_driven = node.planned.is_selected and not node.run.resume_from
    if not is_driven or node.node_id in node.run.outputs_from:
        return
    if spec is None or not spec.class_path.startswith("headrace.components.example_gen."):
        return
    with contextlib.suppress(Exception):
        make_driver = import_utils.import_class_by_path(spec.class_path)
        make_driver(None).resolve_exec_properties(_parameters(node, {}), None, None)


def keep_sources(node: LiveNode, prepared: Prepared) -> None:
    """Keep the source texts that the outputs will depend on, and name them by their place in the project."""
    found = prepared.ingredients.get(SOURCES)
    if found:
        prepared.ingredients[SOURCES] = SourceKeeper(node.run.store).keep(found)


def _parameters(node: LiveNode, inputs: Mapping[str, Sequence[Artifact]]) -> dict[str, Any]:
    parameters = data_types_utils.build_parsed_value_dict(
        inputs_utils.resolve_parameters_with_schema(node_parameters=node.ir.parameters)
    )
    info = node.execution_info(input_dict={key: list(value) for key, value in inputs.items()})
    try:
        context = placeholder_utils.ResolutionContext(exec_info=info, executor_spec=node.executor_spec)
        parameters.update(
            inputs_utils.resolve_dynamic_parameters(node_parameters=node.ir.parameters, context=context)
        )
    except exceptions.InputResolutionError as error:
        raise InputResolutionError(
            f"{node.node_id}: a parameter that depends on an upstream value cannot be resolved: {error}."
        ) from error
    return dict(parameters)


def _run_own_driver(node: LiveNode, prepared: Prepared) -> driver_output_pb2.DriverOutput:
    """Run the component's own driver: Headrace's are light and run here, others in a worker."""
    info = node.execution_info(
        execution_id=prepared.execution.id,
        input_dict=dict(prepared.inputs),
        output_dict=prepared.outputs,
        exec_properties=prepared.parameters,
        execution_output_uri=prepared.folders.driver_output_path,
    )
    if node.driver_spec.class_path.startswith("headrace."):
        with node.run.store.handle() as handle:
            return PythonDriverOperator(node.driver_spec, handle).run_driver(info)
    os.makedirs(os.path.dirname(prepared.folders.driver_output_path), exist_ok=True)
    with node.run.store.handle() as handle:
        connection = handle.connection_config.SerializeToString()
    done = node.run_in_worker("driver", node.driver_spec, info, connection=connection)
    return driver_output_pb2.DriverOutput.FromString(done.output)


def _apply(output: driver_output_pb2.DriverOutput, prepared: Prepared) -> None:
    for key, artifacts in output.output_artifacts.items():
        kind = prepared.outputs[key][0].type
        prepared.outputs[key] = []
        for proto in artifacts.artifacts:
            artifact = kind()
            artifact.set_mlmd_artifact(proto)
            prepared.outputs[key].append(artifact)
    for key, value in output.exec_properties.items():
        prepared.parameters[key] = getattr(value, value.WhichOneof("value"))


def close(node: LiveNode, prepared: Prepared, error: HeadraceError | None) -> None:
    """Give a final state to an execution that did not succeed: FAILED with `error`, CANCELED without."""
    if error is None:
        executions.mark_cancelled(node.run.store, [prepared.execution.id])
    else:
        publications.publish_failed(
            node.run.store, prepared.contexts, prepared.execution.id, str(error), prepared.ingredients
        )
