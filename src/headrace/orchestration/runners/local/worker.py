"""The worker side: run one task in a forked process and report over its connection."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import os
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing import connection

from headrace.authoring import light
from headrace.errors import HeadraceError
from headrace.orchestration import earlier_runs, failures, process_role
from headrace.orchestration.earlier_runs import LeaveScript
from headrace.orchestration.runners import calls
from headrace.orchestration.runners.calls import BeamPlace, ExecutorCall
from headrace.orchestration.runners.local.messages import Failed, Message, Progress, Started
from headrace.orchestration.runners.tasks import Done, Task
from headrace.runtime import progress
from headrace.runtime.partial_results import PartialResults
from headrace.runtime.processes import side_processes
from headrace.runtime.processes.fresh_processes import FreshProcesses
from headrace.runtime.processes.process_groups import kill_below
from headrace.runtime.processes.side_processes import SideProcesses
from headrace.runtime.services import Services
from headrace.usercode import functions


def read(task: Task, channel: connection.Connection) -> bool:
    """Read the user's code that holds the task's class, so that forks of this process have it.

    Returns:
        Whether that went well; what was raised is reported as the task's failure.
    """
    started, send, pid = time.monotonic(), _begin(channel), os.getpid()
    # What the code leaves in the temporary folder when it is read, all its nodes may look for.
    _use_temporary_folder(task.tmp_path and f"{task.tmp_path}-{os.getpid()}")
    try:
        _import_class_module(task)
    except BaseException as error:
        send(_failure(error, task, started))
        return False
    _leave_unless(pid, 0)
    return True


def run(
    task: Task, channel: connection.Connection, fresh_processes: FreshProcesses, *, is_read: bool = False
) -> int:
    """Run the task; return the process's exit code.

    Nothing is raised: what the task raises is reported as `Failed`.

    Args:
        task: What to call.
        channel: Where to report.
        fresh_processes: Of the process that this one was forked from.
        is_read: Whether this process has the code already that holds the task's class.
    """
    started, send, pid = time.monotonic(), _begin(channel), os.getpid()
    _use_temporary_folder(task.tmp_path)
    reported = progress.Progress(lambda doing, rows: send(Progress(doing, rows)))
    lent = Services(
        progress=reported,
        partial_results=PartialResults(task.kept_path, task.maker),
        fresh_processes=fresh_processes,
    )
    try:
        if not is_read:
            _import_class_module(task)
        done = calls.drive(task) if task.kind == "driver" else _run_executor(task, lent)
    except BaseException as error:
        failed = _failure(error, task, started)
        _leave_unless(pid, 1)
        send(failed)
        return 1
    finally:
        reported.redirect(None)
    send(done)
    return 0


def _begin(channel: connection.Connection) -> Callable[[Message], None]:
    """Say that a worker exists; return how to say more."""
    process_role.become_worker()
    pid, lock = os.getpid(), threading.Lock()

    def send(message: Message) -> None:
        # A process that the user's code forked has this function too, and nothing to say of the node.
        if os.getpid() == pid:
            with lock:
                channel.send(message)

    send(Started(pid))
    return send


def _use_temporary_folder(path: str) -> None:
    """What libraries leave in the temporary folder goes with the run, even if this process is killed."""
    if path:
        os.makedirs(path, mode=0o700, exist_ok=True)
        os.environ["TMPDIR"] = tempfile.tempdir = path


def _failure(error: BaseException, task: Task, started: float) -> Failed:
    text = traceback.format_exc()
    print(text, file=sys.stderr, flush=True)
    return Failed(_picklable(failures.describe(error, task.node_id, time.monotonic() - started)), text)


def _leave_unless(pid: int, code: int) -> None:
    """End this process here if it is another one, forked by the user's code: that goes on in the one it was."""
    if os.getpid() != pid:
        os._exit(code)


def _picklable(error: HeadraceError) -> HeadraceError:
    """The error without its chain: causes from other libraries need not survive pickling."""
    bare = type(error)(error.problem, error.fix)
    bare.__cause__ = bare.__context__ = None
    return bare


def _run_executor(task: Task, lent: Services) -> Done:
    pid = os.getpid()
    sys.argv = ["headrace", *task.arguments]
    call = ExecutorCall(task)
    if call.beam_place is BeamPlace.ELSEWHERE:
        # Beam's workers are elsewhere, and the folder is here.
        lent = dataclasses.replace(lent, partial_results=PartialResults())
    elif call.is_spread and side_processes.num_processors() > 1:
        beside = SideProcesses(side_processes.num_processors(), lent.progress)
        lent = dataclasses.replace(lent, side_processes=beside)
    output = call.run(lent)
    _leave_unless(pid, 0)
    call.check(output)
    # What goes on writing would make what is digested now another content than what is found later.
    kill_below(os.getpid())
    lent.progress.report("checking what was written")
    return call.done(output)


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
    sys.argv = [path, *task.arguments]
    with open(path, "rb") as file, contextlib.suppress(LeaveScript):
        exec(compile(file.read(), path, "exec", dont_inherit=True), main.__dict__)


def _stop_at_runners() -> None:
    """A script without the guard starts its pipeline while it is read: stop it there."""
    light.stay_light_with_runners()
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
