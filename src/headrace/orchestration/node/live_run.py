"""What the nodes of one run share, and how a node's work is packed for a worker."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.authoring.light import authoring
from headrace.files import addresses, remove_folder
from headrace.orchestration import earlier_runs
from headrace.orchestration.events import Event, NodeProgress
from headrace.orchestration.plan.plan import PlannedNode
from headrace.orchestration.runners import placement
from headrace.orchestration.runners.base import NodeRunner
from headrace.orchestration.runners.tasks import Done, Task
from headrace.store.open.store import Store
from headrace.usercode import functions

with authoring():
    from tfx.orchestration.portable import data_types
    from tfx.proto.orchestration import executable_spec_pb2, pipeline_pb2


@dataclass(frozen=True)
class LiveRun:
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
        script_libraries: What that script loads beside its imports.
        cache: Overrides the cache switch of each node; `None` leaves it.
        resume_from: A run whose finished nodes are not executed again; empty where there is none.
        outputs_from: Executions whose outputs stand for nodes that this run does not execute, by node id.
        base_run: The run whose outputs stand for nodes left out; empty for the newest of each.
        tmp_path: For temporary files of workers; removed with the run, however it ends.
        final_status: How the run went so far, as JSON text for exit handlers.
        resume_command: What to type to go on with this run after a failure; empty where nothing can be typed.
    """

    store: Store
    ir: pipeline_pb2.Pipeline
    run_id: str
    workers: NodeRunner
    listener: Callable[[Event], None]
    is_cancelled: Callable[[], bool]
    main_path: str = ""
    arguments: tuple[str, ...] = ()
    script_libraries: tuple[str, ...] = ()
    cache: bool | None = None
    resume_from: str = ""
    base_run: str = ""
    tmp_path: str = ""
    final_status: Callable[[], str] = str
    resume_command: str = ""
    outputs_from: Mapping[str, int] = field(default_factory=dict)

    @property
    def root(self) -> str:
        """The pipeline root, below which artifacts lie."""
        root = str(self.ir.runtime_spec.pipeline_root.field_value.string_value)
        return os.path.abspath(addresses.local_path(root, "the pipeline root"))


@dataclass(frozen=True)
class LiveNode:
    """One node in one run.

    Attributes:
        run: What the run shares.
        planned: The node.
    """

    run: LiveRun
    planned: PlannedNode

    @property
    def node_id(self) -> str:
        """The node's id."""
        return self.planned.node_id

    @property
    def ir(self) -> pipeline_pb2.PipelineNode:
        """The node's definition."""
        return self.planned.ir

    @property
    def executor_spec(self) -> Any:
        """Its executable spec; `None` for TFX's system nodes."""
        return self.planned.executor_spec

    @property
    def driver_spec(self) -> Any:
        """The spec of its own driver; `None` where it has none."""
        return self.planned.driver_spec

    def is_cancelled(self) -> bool:
        """Whether running work should stop. An exit handler cleans up after a cancelled run too."""
        return not self.planned.is_exit_handler and self.run.is_cancelled()

    @property
    def log_path(self) -> str:
        """The node's log file in this run."""
        return os.path.join(self.run.store.logs_path(self.run.run_id), f"{self.node_id}.log")

    @property
    def cache_off(self) -> str:
        """For whom the cache is off, such as `"for this run"`; empty where this node may reuse earlier outputs."""
        if self.planned.is_exit_handler:
            return "for exit handlers"
        if self.run.cache is False:
            return "for this run"
        own = self.planned.options.cache
        if own is not None:
            return "" if own else "for this node"
        is_on = self.run.cache or self.ir.execution_options.caching_options.enable_cache
        return "" if is_on else "for this node, by the pipeline"

    @property
    def uses_cache(self) -> bool:
        """Whether this node may reuse earlier outputs."""
        return not self.cache_off

    def report(self, doing: str, rows: int | None = None) -> None:
        """Tell the run's listener what the node does now."""
        self.run.listener(NodeProgress(self.node_id, doing, rows))

    def execution_info(self, **values: Any) -> Any:
        """Return TFX's `ExecutionInfo` of this node with `values`."""
        return data_types.ExecutionInfo(
            pipeline_node=self.ir,
            pipeline_info=self.planned.pipeline_info,
            pipeline_run_id=self.run.run_id,
            **values,
        )

    def run_in_worker(
        self,
        kind: str,
        spec: Any,
        info: Any,
        timeout_seconds: int = 0,
        connection: bytes = b"",
        maker: str = "",
    ) -> Done:
        """Call an executor or driver where the nodes of the run are executed, and wait for it.

        Args:
            kind: `"executor"` or `"driver"`.
            spec: Its executable spec.
            info: TFX's `ExecutionInfo`.
            timeout_seconds: After which it is stopped; 0 for never.
            connection: For a driver, the serialized MLMD connection.
            maker: For an executor, `cache_key.maker` of the execution.

        Raises:
            HeadraceError: What the call raised.
        """
        class_path = class_path_of(spec)
        module_path = functions.file_of_module(class_path.rpartition(".")[0])
        code_path = placement.users_file(class_path, self.run.main_path, module_path)
        task = Task(
            node_id=self.node_id,
            kind=kind,
            class_path=class_path,
            spec_type=type(spec).__name__,
            spec=spec.SerializeToString(),
            execution_info=info.to_proto().SerializeToString(),
            main_path=self.run.main_path,
            earlier_runs=earlier_runs.remembered() if class_path.startswith("__main__.") else (),
            connection_config=connection,
            arguments=self.run.arguments,
            tmp_path=os.path.join(self.run.tmp_path, str(info.execution_id)) if self.run.tmp_path else "",
            # Without knowing what results depend on, none is kept.
            kept_path=self.run.store.kept_path if maker else "",
            maker=maker,
            module_path=module_path,
            is_users=bool(code_path),
            needs_libraries=self._needs_libraries(spec, code_path),
        )
        try:
            return self.run.workers.run(task, self.log_path, self.report, self.is_cancelled, timeout_seconds)
        finally:
            if task.tmp_path:
                remove_folder(task.tmp_path, is_tried=True)

    def _needs_libraries(self, spec: Any, code_path: str) -> bool:
        """Whether a worker must wait for the libraries of the run: not for user code that comes to none of them."""
        if not code_path or isinstance(spec, executable_spec_pb2.BeamExecutableSpec):
            return True
        is_script = class_path_of(spec).startswith("__main__.")
        return bool((is_script and self.run.script_libraries) or placement.heavy_libraries(code_path))


def class_path_of(spec: Any) -> str:
    """Return the dotted path of the class that an executable spec names; empty for a container."""
    if isinstance(spec, executable_spec_pb2.BeamExecutableSpec):
        return str(spec.python_executor_spec.class_path)
    return str(getattr(spec, "class_path", ""))
