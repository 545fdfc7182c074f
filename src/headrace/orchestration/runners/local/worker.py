"""The worker side: run one task in a forked process and report over its connection."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
import tempfile
import threading
import time
import traceback
from multiprocessing import connection
from typing import Any

from headrace.authoring import light
from headrace.errors import HeadraceError
from headrace.files import lasting
from headrace.files.digests import describe
from headrace.orchestration import earlier_runs, failures
from headrace.orchestration.earlier_runs import LeaveScript
from headrace.orchestration.runners.local.tasks import Done, Failed, Message, Progress, Started, Task
from headrace.runtime import partial_results, progress
from headrace.runtime.processes import side_processes
from headrace.runtime.processes.process_groups import kill_below
from headrace.store.open.store import handle_for
from headrace.usercode import functions

with light.authoring():
    # TFX's artifact types import these two whenever a process makes its first artifact: 40 ms for each worker.
    import setuptools  # noqa: F401
    import tfx.extensions  # noqa: F401
    from tfx.dsl.compiler import placeholder_utils
    from tfx.orchestration.portable import data_types
    from tfx.orchestration.portable.beam_executor_operator import BeamExecutorOperator
    from tfx.orchestration.portable.python_driver_operator import PythonDriverOperator
    from tfx.orchestration.portable.python_executor_operator import PythonExecutorOperator
    from tfx.proto.orchestration import executable_spec_pb2, execution_invocation_pb2

is_worker_process = False


def run(task: Task, channel: connection.Connection) -> int:
    """Run the task; return the process's exit code.

    Nothing is raised: what the task raises is reported as `Failed`.
    """
    global is_worker_process
    is_worker_process = True
    started, pid = time.monotonic(), os.getpid()
    lock = threading.Lock()

    def send(message: Message) -> None:
        # A process that the user's code forked has this function too, and nothing to say of the node.
        if os.getpid() == pid:
            with lock:
                channel.send(message)

    send(Started(os.getpid()))
    if task.tmp_path:
        # What libraries leave in the temporary folder goes with the run, even if this process is killed.
        os.makedirs(task.tmp_path, mode=0o700, exist_ok=True)
        os.environ["TMPDIR"] = tempfile.tempdir = task.tmp_path
    progress.set_reporter(lambda doing, rows: send(Progress(doing, rows)))
    partial_results.set_folder(task.kept_path, task.maker)
    try:
        done = _run_driver(task) if task.kind == "driver" else _run_executor(task)
    except BaseException as error:
        text = traceback.format_exc()
        print(text, file=sys.stderr, flush=True)
        _leave_unless(pid, 1)
        send(Failed(_picklable(failures.describe(error, task.node_id, time.monotonic() - started)), text))
        return 1
    finally:
        progress.set_reporter(None)
    send(done)
    return 0


def _leave_unless(pid: int, code: int) -> None:
    """End this process here if it is another one, forked by the user's code: that goes on in the one it was."""
    if os.getpid() != pid:
        os._exit(code)


def _picklable(error: HeadraceError) -> HeadraceError:
    """The error without its chain: causes from other libraries need not survive pickling."""
    bare = type(error)(error.problem, error.fix)
    bare.__cause__ = bare.__context__ = None
    return bare


def _run_executor(task: Task) -> Done:
    pid = os.getpid()
    _import_class_module(task)
    info = data_types.ExecutionInfo.from_proto(
        execution_invocation_pb2.ExecutionInvocation.FromString(task.execution_info)
    )
    given = [artifact.uri for artifacts in info.output_dict.values() for artifact in artifacts]
    sys.argv = ["headrace", *task.arguments]
    if task.spec_type == "BeamExecutableSpec":
        # An executor on TFX's own Beam base finds Beam there, even if nothing heavy was imported before.
        light.repair()
        beam_spec = executable_spec_pb2.BeamExecutableSpec.FromString(task.spec)
        make_pipeline = _take_beam_arguments(beam_spec, info)
        if make_pipeline is None:
            # Beam's workers are elsewhere, and the folder is here.
            partial_results.set_folder("")
        elif side_processes.num_processors() > 1:
            side_processes.start(side_processes.num_processors())
        output = BeamExecutorOperator(beam_spec).run_executor(info, make_beam_pipeline_fn=make_pipeline)
    else:
        spec = executable_spec_pb2.PythonClassExecutableSpec.FromString(task.spec)
        output = PythonExecutorOperator(spec).run_executor(info)
    _leave_unless(pid, 0)
    if output.execution_result.code:
        raise HeadraceError(
            f"{task.node_id} ended with code {output.execution_result.code}: "
            f"{output.execution_result.result_message}"
        )
    _check_places(given)
    # What goes on writing would make what is digested now another content than what is found later.
    kill_below(os.getpid())
    progress.report("checking what was written")
    uris = {a.uri for artifacts in info.output_dict.values() for a in artifacts}
    for artifact_list in output.output_artifacts.values():
        uris.update(artifact.uri for artifact in artifact_list.artifacts)
    written = [uri for uri in sorted(uris) if os.path.exists(uri)]
    for uri in written:
        lasting.flush(uri)
    return Done(output.SerializeToString(), {uri: describe(uri) for uri in written})


def _check_places(uris: list[str]) -> None:
    """Refuse outputs that were replaced by links: whatever these lead to is not the node's."""
    for uri in filter(os.path.islink, uris):
        raise HeadraceError(
            f"its output at {uri} was replaced by a link to {os.path.realpath(uri)}.",
            "let the executor write into the folder that it is given, or set the artifact's uri to what it stands for.",
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


def _run_driver(task: Task) -> Done:
    _import_class_module(task)
    info = data_types.ExecutionInfo.from_proto(
        execution_invocation_pb2.ExecutionInvocation.FromString(task.execution_info)
    )
    spec = executable_spec_pb2.PythonClassExecutableSpec.FromString(task.spec)
    output = PythonDriverOperator(spec, handle_for(task.connection_config)).run_driver(info)
    return Done(output.SerializeToString(), {})


def _import_class_module(task: Task) -> None:
    """Make the module of the task's class importable: a script's `__main__` is read again for its definitions."""
    if task.module_path:
        functions.load_module(task.module_path)
        return
    if not task.class_path.startswith("__main__."):
        importlib.import_module(task.class_path.rpartition(".")[0])
        return
    main = sys.modules["__main__"]
    path = os.path.abspath(task.main_path)
    sys.path.insert(0, os.path.dirname(path))
    # As in multiprocessing: not `__main__`, so that a guarded script starts nothing.
    main.__dict__.update(__name__="__mp_main__", __file__=path)
    sys.modules["__mp_main__"] = main
    _stop_at_runners()
    earlier_runs.replay(task.earlier_runs)
    with open(path, "rb") as file, contextlib.suppress(LeaveScript):
        exec(compile(file.read(), path, "exec", dont_inherit=True), main.__dict__)


def _stop_at_runners() -> None:
    """A script without the guard starts its pipeline while it is read: stop it there."""
    from tfx.orchestration.portable import tfx_runner

    def leave(*_: object, **__: object) -> None:
        raise LeaveScript

    def leave_by(kind: type) -> None:
        kind.run_with_ir = leave  # type: ignore[attr-defined]

    tfx_runner.IrBasedRunner.run = leave
    # The script may load further runners, and hand its pipeline compiled to one.
    tfx_runner.IrBasedRunner.__init_subclass__ = classmethod(leave_by)
    for kind in tfx_runner.IrBasedRunner.__subclasses__():
        leave_by(kind)
    beam_runner = sys.modules.get("tfx.orchestration.beam.beam_dag_runner")
    if beam_runner is not None:
        beam_runner.BeamDagRunner.run = leave
