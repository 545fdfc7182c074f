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
from multiprocessing import connection

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


def run(task: Task, channel: connection.Connection, fresh_processes: FreshProcesses) -> int:
    """Run the task; return the process's exit code.

    Args:
        task: What to call.
        channel: Where it reports.
        fresh_processes: Of the process that this one was forked from.

    Nothing is raised: what the task raises is reported as `Failed`.
    """
    process_role.become_worker()
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
    reported = progress.Progress(lambda doing, rows: send(Progress(doing, rows)))
    lent = Services(
        progress=reported,
        partial_results=PartialResults(task.kept_path, task.maker),
        fresh_processes=fresh_processes,
    )
    try:
        done = _run_driver(task) if task.kind == "driver" else _run_executor(task, lent)
    except BaseException as error:
        text = traceback.format_exc()
        print(text, file=sys.stderr, flush=True)
        _leave_unless(pid, 1)
        send(Failed(_picklable(failures.describe(error, task.node_id, time.monotonic() - started)), text))
        return 1
    finally:
        reported.redirect(None)
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


def _run_executor(task: Task, lent: Services) -> Done:
    pid = os.getpid()
    _import_class_module(task)
    sys.argv = ["headrace", *task.arguments]
    call = ExecutorCall(task)
    if call.beam_place is BeamPlace.ELSEWHERE:
        # Beam's workers are elsewhere, and the folder is here.
        lent = dataclasses.replace(lent, partial_results=PartialResults())
    elif call.beam_place is BeamPlace.HERE and side_processes.num_processors() > 1:
        beside = SideProcesses(side_processes.num_processors(), lent.progress)
        lent = dataclasses.replace(lent, side_processes=beside)
    output = call.run(lent)
    _leave_unless(pid, 0)
    call.check(output)
    # What goes on writing would make what is digested now another content than what is found later.
    kill_below(os.getpid())
    lent.progress.report("checking what was written")
    return call.done(output)


def _run_driver(task: Task) -> Done:
    _import_class_module(task)
    return calls.drive(task)


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

    tfx_runner.IrBasedRunner.run = leave
    beam_runner = sys.modules.get("tfx.orchestration.beam.beam_dag_runner")
    if beam_runner is not None:
        beam_runner.BeamDagRunner.run = leave
