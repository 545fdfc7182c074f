"""Call the executor or the driver that a task names, in this process."""

from __future__ import annotations

import enum
import os
from collections.abc import Callable
from typing import Any

from headrace.authoring import light
from headrace.errors import HeadraceError
from headrace.files import lasting
from headrace.files.payloads import describe
from headrace.orchestration.runners.tasks import Done, Task
from headrace.runtime import services
from headrace.runtime.services import Services
from headrace.store.open.store import handle_for

with light.authoring():
    from tfx.dsl.compiler import placeholder_utils
    from tfx.orchestration.portable import data_types
    from tfx.orchestration.portable.beam_executor_operator import BeamExecutorOperator
    from tfx.orchestration.portable.python_driver_operator import PythonDriverOperator
    from tfx.orchestration.portable.python_executor_operator import PythonExecutorOperator
    from tfx.proto.orchestration import executable_spec_pb2, execution_invocation_pb2, execution_result_pb2
    from tfx.utils import import_utils


class BeamPlace(enum.Enum):
    """Where the Beam pipelines of an executor run."""

    NONE = "it has none"
    HERE = "in this process"
    ELSEWHERE = "in workers of Beam's own"


class ExecutorCall:
    """One call of the executor that a task names; its module is imported already.

    Attributes:
        beam_place: Where its Beam pipelines run.
        is_spread: Whether it uses processes beside this one.
    """

    def __init__(self, task: Task) -> None:
        self._node_id = task.node_id
        self._info = _execution_info(task)
        self._given = [
            artifact.uri for artifacts in self._info.output_dict.values() for artifact in artifacts
        ]
        self.beam_place = BeamPlace.NONE
        self._run: Callable[[], Any]
        if task.spec_type != "BeamExecutableSpec":
            spec = executable_spec_pb2.PythonClassExecutableSpec.FromString(task.spec)
            executor_class = import_utils.import_class_by_path(spec.class_path)
            self.is_spread = bool(getattr(executor_class, "USES_SIDE_PROCESSES", False))
            self._run = lambda: PythonExecutorOperator(spec).run_executor(self._info)
            return
        # An executor on TFX's own Beam base finds Beam there, even if nothing heavy was imported before.
        light.repair()
        beam_spec = executable_spec_pb2.BeamExecutableSpec.FromString(task.spec)
        make_pipeline = _take_beam_arguments(beam_spec, self._info)
        self.beam_place = BeamPlace.ELSEWHERE if make_pipeline is None else BeamPlace.HERE
        self.is_spread = self.beam_place is BeamPlace.HERE
        self._run = lambda: BeamExecutorOperator(beam_spec).run_executor(
            self._info, make_beam_pipeline_fn=make_pipeline
        )

    def run(self, lent: Services) -> execution_result_pb2.ExecutorOutput:
        """Run the executor with the services of its execution."""
        with services.lent(lent):
            return self._run()

    def check(self, output: execution_result_pb2.ExecutorOutput) -> None:
        """Check what the executor returned, and the folders that it was given.

        Raises:
            HeadraceError: If it says that it failed, or left links in the place of outputs.
        """
        if output.execution_result.code:
            raise HeadraceError(
                f"{self._node_id} ended with code {output.execution_result.code}: "
                f"{output.execution_result.result_message}"
            )
        for uri in filter(os.path.islink, self._given):
            # Whatever these lead to is not the node's.
            raise HeadraceError(
                f"its output at {uri} was replaced by a link to {os.path.realpath(uri)}.",
                "let the executor write into the folder that it is given, or set the artifact's uri to what it stands "
                "for.",
            )

    def done(self, output: execution_result_pb2.ExecutorOutput) -> Done:
        """Return the outcome, with what the outputs hold; nothing writes there any more."""
        uris = {a.uri for artifacts in self._info.output_dict.values() for a in artifacts}
        for artifact_list in output.output_artifacts.values():
            uris.update(artifact.uri for artifact in artifact_list.artifacts)
        written = [uri for uri in sorted(uris) if os.path.exists(uri)]
        for uri in written:
            lasting.flush(uri)
        return Done(output.SerializeToString(), {uri: describe(uri) for uri in written})


def drive(task: Task) -> Done:
    """Call the driver that a task names; its module is imported already."""
    spec = executable_spec_pb2.PythonClassExecutableSpec.FromString(task.spec)
    operator = PythonDriverOperator(spec, handle_for(task.connection_config))
    return Done(operator.run_driver(_execution_info(task)).SerializeToString(), {})


def _execution_info(task: Task) -> Any:
    return data_types.ExecutionInfo.from_proto(
        execution_invocation_pb2.ExecutionInvocation.FromString(task.execution_info)
    )


def _take_beam_arguments(spec: Any, info: Any) -> Any:
    """Give the executor a pipeline on a named runner.

    For a local runner the arguments are taken out of the spec: TFX's executors would package TFX itself for
    remote workers as soon as they see one.
    """
    from headrace.runtime import beam_options

    context = placeholder_utils.ResolutionContext(exec_info=info, executor_spec=spec)
    arguments = [
        str(placeholder_utils.resolve_placeholder_expression(argument, context))
        for argument in spec.beam_pipeline_args_placeholders
    ]
    if not beam_options.is_in_process(arguments):
        return None
    del spec.beam_pipeline_args_placeholders[:]
    del spec.beam_pipeline_args[:]
    return lambda: beam_options.make_pipeline(arguments)
