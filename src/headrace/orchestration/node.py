"""The life of one node: driver, executor, publisher.

1. The driver resolves the inputs, records a RUNNING execution, and asks the cache.
2. The executor runs in a worker process and writes aside.
3. The publisher moves the outputs into place and records them LIVE, with the execution COMPLETE.

`NodeLife.drive` is step 1, in the orchestrating process. `NodeLife.execute` is steps 2 and 3.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headrace.errors import ExecutorError, HeadraceError, InputResolutionError, UnsupportedFeatureError
from headrace.metadata import executions
from headrace.metadata.store import Store
from headrace.orchestration import cache_key, failures
from headrace.orchestration.events import NodeProgress, NodeResult, NodeState, OutputRecord
from headrace.orchestration.folders import NodeFolders
from headrace.orchestration.plan import PlannedNode
from headrace.orchestration.tasks import Task
from headrace.orchestration.workers import Cancelled, TimedOut, Workers
from headrace.sdk import Artifact
from headrace.sdk.context import SUMMARY_PROPERTY
from headrace.sdk.light import authoring

with authoring():
    from tfx.dsl.compiler import placeholder_utils
    from tfx.orchestration import data_types_utils
    from tfx.orchestration.portable import data_types, inputs_utils, outputs_utils
    from tfx.orchestration.portable.importer_node_handler import ImporterNodeHandler
    from tfx.orchestration.portable.input_resolution import exceptions
    from tfx.orchestration.portable.python_driver_operator import PythonDriverOperator
    from tfx.orchestration.portable.resolver_node_handler import ResolverNodeHandler
    from tfx.proto.orchestration import (
        driver_output_pb2,
        executable_spec_pb2,
        execution_result_pb2,
        pipeline_pb2,
    )

_SYSTEM_HANDLERS = {
    "tfx.dsl.components.common.importer.Importer": ImporterNodeHandler,
    "tfx.dsl.components.common.resolver.Resolver": ResolverNodeHandler,
}
_LOCK_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class RunContext:
    """What every node of a run shares.

    Attributes:
        store: The open store.
        ir: The pipeline's IR with the runtime parameters replaced.
        run_id: The run.
        workers: Where executors run.
        listener: Receives progress.
        is_cancelled: Whether running work should stop.
        main_path: The script that started the run; empty where there is none.
        arguments: That script's command-line arguments.
        enable_cache: Overrides the cache switch of each node; `None` leaves it.
    """

    store: Store
    ir: pipeline_pb2.Pipeline
    run_id: str
    workers: Workers
    listener: Callable[[Any], None]
    is_cancelled: Callable[[], bool]
    main_path: str = ""
    arguments: tuple[str, ...] = ()
    enable_cache: bool | None = None

    @property
    def root(self) -> str:
        """The pipeline root, below which artifacts lie."""
        return str(self.ir.runtime_spec.pipeline_root.field_value.string_value)


@dataclass
class Prepared:
    """One execution that its driver made ready; a node over several inputs has several."""

    execution: Any
    contexts: list[Any]
    inputs: Mapping[str, Sequence[Artifact]]
    parameters: dict[str, Any]
    outputs: dict[str, list[Artifact]]
    folders: NodeFolders
    ingredients: dict[str, Any] = field(default_factory=dict)
    cache_context: Any = None
    cached_from: int = 0


class NodeLife:
    """One node in one run.

    Args:
        run: What the run shares.
        planned: The node.
        executor_spec: Its executable spec; `None` for TFX's system nodes.
        driver_spec: The spec of its own driver, where it has one.
    """

    def __init__(self, run: RunContext, planned: PlannedNode, executor_spec: Any, driver_spec: Any) -> None:
        self._run = run
        self._planned = planned
        self._node = planned.ir
        self._executor_spec = executor_spec
        self._driver_spec = driver_spec
        self._started = time.monotonic()
        self._prepared: list[Prepared] = []
        self.node_id = planned.node_id

    @property
    def log_path(self) -> str:
        """The node's log file in this run."""
        return os.path.join(self._run.store.logs_path(self._run.run_id), f"{self.node_id}.log")

    @property
    def _uses_cache(self) -> bool:
        if self._run.enable_cache is not None:
            return self._run.enable_cache
        return bool(self._node.execution_options.caching_options.enable_cache)

    def drive(self) -> NodeResult | None:
        """Run the driver.

        Returns:
            The node's result where no executor is needed: cached, skipped, a system node, or failed inputs.
            `None` where `execute` must follow.
        """
        try:
            if not self._planned.is_selected:
                return self._reuse()
            if self._node.node_info.type.name in _SYSTEM_HANDLERS:
                return self._run_system_node()
            return self._drive()
        except HeadraceError as error:
            return self.failed(error)
        except (Cancelled, TimedOut):
            return self._cancel()

    def execute(self) -> NodeResult:
        """Run the executor for each prepared execution that the cache did not serve, and publish."""
        published: dict[str, list[Artifact]] = {}
        try:
            for prepared in self._prepared:
                outputs = prepared.outputs if prepared.cached_from else self._execute_with_retries(prepared)
                for key, artifacts in outputs.items():
                    published.setdefault(key, []).extend(artifacts)
        except HeadraceError as error:
            return self.failed(error)
        except Cancelled:
            return self._cancel()
        is_cached = all(prepared.cached_from for prepared in self._prepared)
        return self._result(
            NodeState.CACHED if is_cached else NodeState.DONE,
            reason="another run made the same result meanwhile" if is_cached else "",
            outputs=published,
        )

    # -- driver -----------------------------------------------------------------------------------

    def _drive(self) -> NodeResult | None:
        store = self._run.store
        contexts = executions.prepare_contexts(store, self._node)
        all_inputs = self._resolve_inputs(contexts)
        if all_inputs is None:
            return self._result(NodeState.SKIPPED, reason=self._skip_reason())
        for inputs in all_inputs:
            prepared = self._prepare(list(contexts), inputs)
            self._prepared.append(prepared)
            if self._uses_cache:
                self._serve_from_cache(prepared)
        if not all(prepared.cached_from for prepared in self._prepared):
            return None
        outputs: dict[str, list[Artifact]] = {}
        for prepared in self._prepared:
            for key, artifacts in prepared.outputs.items():
                outputs.setdefault(key, []).extend(artifacts)
        origin = ", ".join(str(prepared.cached_from) for prepared in self._prepared)
        return self._result(
            NodeState.CACHED,
            reason=f"same code, parameters and inputs as execution {origin}",
            outputs=outputs,
        )

    def _resolve_inputs(self, contexts: list[Any]) -> list[dict[str, list[Artifact]]] | None:
        """Resolve the inputs; `None` where a condition says that the node is not to run."""
        try:
            with self._run.store.handle() as handle:
                resolved = inputs_utils.resolve_input_artifacts(
                    pipeline_node=self._node, metadata_handle=handle
                )
        except exceptions.InputResolutionError as error:
            cause = error.__cause__ or error
            raise InputResolutionError(
                f"{self.node_id}: its inputs cannot be resolved: {failures.message_of(cause)}.",
                f"run the nodes it depends on first: {', '.join(self._planned.upstream) or 'it has none'}.",
            ) from error
        if isinstance(resolved, inputs_utils.Skip):
            return None
        return [{key: list(artifacts) for key, artifacts in inputs.items()} for inputs in resolved]

    def _skip_reason(self) -> str:
        return "its condition is false, or an upstream node made nothing for it"

    def _parameters(self, inputs: Mapping[str, Sequence[Artifact]]) -> dict[str, Any]:
        parameters = data_types_utils.build_parsed_value_dict(
            inputs_utils.resolve_parameters_with_schema(node_parameters=self._node.parameters)
        )
        info = self._info(input_dict={key: list(value) for key, value in inputs.items()})
        try:
            context = placeholder_utils.ResolutionContext(exec_info=info, executor_spec=self._executor_spec)
            parameters.update(
                inputs_utils.resolve_dynamic_parameters(
                    node_parameters=self._node.parameters, context=context
                )
            )
        except exceptions.InputResolutionError as error:
            raise InputResolutionError(
                f"{self.node_id}: a parameter that depends on an upstream value cannot be resolved: {error}."
            ) from error
        return dict(parameters)

    def _prepare(self, contexts: list[Any], inputs: dict[str, list[Artifact]]) -> Prepared:
        parameters = self._parameters(inputs)
        execution = executions.register(self._run.store, self._node, contexts, inputs, parameters)
        folders = NodeFolders(self._run.root, self.node_id, execution.id)
        outputs = outputs_utils.generate_output_artifacts(
            execution_id=execution.id,
            outputs=self._node.outputs.outputs,
            node_dir=os.path.join(self._run.root, self.node_id),
        )
        prepared = Prepared(execution, contexts, inputs, parameters, dict(outputs), folders)
        if self._driver_spec is not None:
            self._run_driver(prepared)
        return prepared

    def _run_driver(self, prepared: Prepared) -> None:
        info = self._info(
            execution_id=prepared.execution.id,
            input_dict=dict(prepared.inputs),
            output_dict=prepared.outputs,
            exec_properties=prepared.parameters,
            execution_output_uri=prepared.folders.driver_output_path,
        )
        try:
            if self._driver_spec.class_path.startswith("headrace."):
                with self._run.store.handle() as handle:
                    output = PythonDriverOperator(self._driver_spec, handle).run_driver(info)
            else:
                output = self._run_driver_in_worker(info, prepared)
        except HeadraceError:
            prepared.folders.discard()
            self._prepared.append(prepared)
            raise
        for key, artifacts in output.output_artifacts.items():
            kind = prepared.outputs[key][0].type
            prepared.outputs[key] = []
            for proto in artifacts.artifacts:
                artifact = kind()
                artifact.set_mlmd_artifact(proto)
                prepared.outputs[key].append(artifact)
        for key, value in output.exec_properties.items():
            prepared.parameters[key] = getattr(value, value.WhichOneof("value"))

    def _run_driver_in_worker(self, info: Any, prepared: Prepared) -> driver_output_pb2.DriverOutput:
        os.makedirs(os.path.dirname(prepared.folders.driver_output_path), exist_ok=True)
        with self._run.store.handle() as handle:
            connection = handle.connection_config.SerializeToString()
        done = self._run.workers.run(
            self._task("driver", self._driver_spec, info, connection),
            self.log_path,
            self._report,
            self._run.is_cancelled,
        )
        return driver_output_pb2.DriverOutput.FromString(done.output)

    # -- cache ------------------------------------------------------------------------------------

    def _serve_from_cache(self, prepared: Prepared) -> None:
        if prepared.cache_context is None:
            prepared.ingredients = cache_key.ingredients(
                class_path_of(self._executor_spec),
                self._run.main_path,
                prepared.parameters,
                prepared.inputs,
                prepared.outputs,
                self._run.store.project_path,
            )
            key = cache_key.key(prepared.ingredients)
            prepared.cache_context = executions.cache_context(self._run.store, key)
            prepared.contexts.append(prepared.cache_context)
        found = executions.cached_outputs(self._run.store, prepared.cache_context)
        if found is None:
            return
        prepared.outputs, origin = found
        prepared.cached_from = origin.id
        executions.publish_cached(self._run.store, prepared.contexts, prepared.execution, prepared.outputs)
        prepared.folders.discard()

    @contextlib.contextmanager
    def _single_flight(self, prepared: Prepared) -> Iterator[None]:
        """Hold the lock of the cache key: of runs that miss the same entry at once, one computes it."""
        if prepared.cache_context is None:
            yield
            return
        path = os.path.join(self._run.store.path, "running", f"key-{prepared.cache_context.name}")
        with open(path, "w", encoding="utf-8") as file:
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    self._report("waiting for another run that makes the same", None)
                    if self._run.is_cancelled():
                        raise Cancelled(self.node_id) from None
                    time.sleep(_LOCK_POLL_SECONDS)
            try:
                yield
            finally:
                with contextlib.suppress(FileNotFoundError):
                    os.remove(path)

    def _reuse(self) -> NodeResult:
        """Publish the last good outputs of a node that this run does not execute."""
        if self._node.node_info.type.name in _SYSTEM_HANDLERS:
            return self._run_system_node()
        found = executions.latest_successful(self._run.store, self._node)
        if found is None:
            return self._result(NodeState.SKIPPED, reason="not selected")
        origin, outputs = found
        contexts = executions.prepare_contexts(self._run.store, self._node)
        execution = executions.register(self._run.store, self._node, contexts, {}, {})
        executions.publish_cached(self._run.store, contexts, execution, outputs)
        return self._result(
            NodeState.CACHED,
            reason=f"not selected; outputs of run {executions.run_of(self._run.store, origin.id)} reused",
            outputs=outputs,
            execution_id=execution.id,
        )

    def _run_system_node(self) -> NodeResult:
        """Run TFX's Importer or Resolver, which have no executor."""
        handler = _SYSTEM_HANDLERS[self._node.node_info.type.name]()
        with self._run.store.handle() as handle:
            info = handler.run(
                _Reentrant(handle), self._node, self._run.ir.pipeline_info, self._run.ir.runtime_spec
            )
        if not info.execution_id:
            return self._result(NodeState.SKIPPED, reason=self._skip_reason())
        failure = executions.failure_of(self._run.store, info.execution_id)
        if failure is not None:
            raise InputResolutionError(
                f"{self.node_id}: {failure}.", "check what it looks for, and that a run has made it."
            )
        outputs = executions.outputs_of(self._run.store, info.execution_id)
        return self._result(NodeState.DONE, outputs=outputs, execution_id=info.execution_id)

    # -- executor and publisher -------------------------------------------------------------------

    def _execute_with_retries(self, prepared: Prepared) -> dict[str, list[Artifact]]:
        options = self._node.execution_options
        attempts = max(int(options.max_execution_retries), 0) + 1
        for attempt in range(1, attempts + 1):
            try:
                return self._execute_once(prepared, int(options.execution_timeout_sec))
            except HeadraceError as error:
                if attempt == attempts:
                    raise
                executions.publish_failed(
                    self._run.store, prepared.contexts, prepared.execution.id, str(error)
                )
                self._report(f"attempt {attempt} of {attempts} failed, trying again", None)
                self._prepared.remove(prepared)
                prepared = self._prepare(
                    [c for c in prepared.contexts if c is not prepared.cache_context], dict(prepared.inputs)
                )
                self._prepared.append(prepared)
        raise AssertionError("unreachable")

    def _execute_once(self, prepared: Prepared, timeout_seconds: int) -> dict[str, list[Artifact]]:
        with self._single_flight(prepared):
            if prepared.cache_context is not None:
                self._serve_from_cache(prepared)
                if prepared.cached_from:
                    return prepared.outputs
            try:
                return self._execute_and_publish(prepared, timeout_seconds)
            except TimedOut:
                prepared.folders.discard(prepared.outputs)
                raise ExecutorError(
                    f"{self.node_id} was stopped after its limit of {timeout_seconds} s.",
                    "raise execution_timeout_sec, or give the node less work",
                ) from None
            except OSError as error:
                prepared.folders.discard(prepared.outputs)
                raise failures.describe(error, self.node_id, self._seconds()) from error
            except BaseException:
                prepared.folders.discard(prepared.outputs)
                raise

    def _execute_and_publish(self, prepared: Prepared, timeout_seconds: int) -> dict[str, list[Artifact]]:
        folders = prepared.folders
        folders.make(prepared.outputs)
        info = self._info(
            execution_id=prepared.execution.id,
            input_dict=dict(prepared.inputs),
            output_dict=prepared.outputs,
            exec_properties=prepared.parameters,
            execution_output_uri=folders.executor_output_path,
            stateful_working_dir=folders.stateful_path,
            tmp_dir=folders.tmp_path,
        )
        done = self._run.workers.run(
            self._task("executor", self._executor_spec, info),
            self.log_path,
            self._report,
            self._run.is_cancelled,
            timeout_seconds,
        )
        output = execution_result_pb2.ExecutorOutput.FromString(done.output)
        folders.finish(prepared.outputs, output, done.digests)
        published = executions.publish_done(
            self._run.store,
            prepared.contexts,
            prepared.execution.id,
            prepared.outputs,
            output,
            prepared.ingredients,
        )
        folders.discard()
        return published

    def _task(self, kind: str, spec: Any, info: Any, connection: bytes = b"") -> Task:
        if isinstance(spec, executable_spec_pb2.ContainerExecutableSpec):
            raise UnsupportedFeatureError(
                f"{self.node_id} is a container component (image {spec.image}), and Headrace starts no containers.",
                "run this pipeline with a runner that has Docker, or write the step as a Python component.",
            )
        return Task(
            node_id=self.node_id,
            kind=kind,
            class_path=class_path_of(spec),
            spec_type=type(spec).__name__,
            spec=spec.SerializeToString(),
            execution_info=info.to_proto().SerializeToString(),
            main_path=self._run.main_path,
            connection_config=connection,
            arguments=self._run.arguments,
        )

    def _info(self, **values: Any) -> Any:
        return data_types.ExecutionInfo(
            pipeline_node=self._node,
            pipeline_info=self._run.ir.pipeline_info,
            pipeline_run_id=self._run.run_id,
            **values,
        )

    # -- results ----------------------------------------------------------------------------------

    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _report(self, doing: str, rows: int | None) -> None:
        self._run.listener(NodeProgress(self.node_id, doing, rows))

    def failed(self, error: HeadraceError) -> NodeResult:
        """Record failure and return it as the node's result."""
        execution_id = self._close_executions(
            lambda p: executions.publish_failed(self._run.store, p.contexts, p.execution.id, str(error))
        )
        return self._result(NodeState.FAILED, reason=error.problem, error=error, execution_id=execution_id)

    def _cancel(self) -> NodeResult:
        execution_id = self._close_executions(
            lambda p: executions.publish_cancelled(self._run.store, [p.execution.id])
        )
        return self._result(NodeState.CANCELLED, reason="stopped with the run", execution_id=execution_id)

    def _close_executions(self, close: Callable[[Prepared], None]) -> int:
        """Give a final state to what this node left open; a store that cannot be written is not asked twice."""
        execution_id = 0
        for prepared in self._prepared:
            if not prepared.cached_from:
                execution_id = prepared.execution.id
                with contextlib.suppress(Exception):
                    close(prepared)
        return execution_id

    def _result(
        self,
        state: NodeState,
        reason: str = "",
        outputs: Mapping[str, Sequence[Artifact]] | None = None,
        error: HeadraceError | None = None,
        execution_id: int = 0,
    ) -> NodeResult:
        if not execution_id and self._prepared:
            execution_id = self._prepared[-1].execution.id
        return NodeResult(
            node_id=self.node_id,
            state=state,
            seconds=self._seconds(),
            reason=reason,
            outputs=output_records(outputs or {}),
            error=error,
            log_path=self.log_path if os.path.exists(self.log_path) else "",
            execution_id=execution_id,
        )


def class_path_of(spec: Any) -> str:
    """Return the dotted path of the class that an executable spec names; empty for a container."""
    if isinstance(spec, executable_spec_pb2.BeamExecutableSpec):
        return str(spec.python_executor_spec.class_path)
    return str(getattr(spec, "class_path", ""))


def output_records(outputs: Mapping[str, Sequence[Artifact]]) -> tuple[OutputRecord, ...]:
    """Return what events and results say of artifacts, sorted by output key."""
    return tuple(
        OutputRecord(
            key=key,
            type_name=artifact.type_name,
            artifact_id=artifact.id,
            uri=artifact.uri,
            summary=artifact.get_string_custom_property(SUMMARY_PROPERTY) or "",
        )
        for key in sorted(outputs)
        for artifact in outputs[key]
    )


class _Reentrant:
    """Lets TFX's handlers 'open' the metadata handle that is open already."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def __enter__(self) -> Any:
        return self._handle

    def __exit__(self, *_: object) -> None:
        return None
