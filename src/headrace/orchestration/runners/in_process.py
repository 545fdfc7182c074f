"""Nodes in the process and the thread that ask for them: to debug one, and for tests of what stands around it."""

from __future__ import annotations

import importlib
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from headrace.orchestration import failures
from headrace.orchestration.runners import calls
from headrace.orchestration.runners.base import Cancelled, TimedOut
from headrace.orchestration.runners.calls import ExecutorCall
from headrace.orchestration.runners.tasks import Done, Task
from headrace.runtime.partial_results import PartialResults
from headrace.runtime.progress import Progress
from headrace.runtime.services import Services
from headrace.usercode import functions


class InProcess:
    """A `NodeRunner` without processes.

    What a task prints goes where this process prints; its log gets the traceback of a failure. Nobody can stop it while
    it runs: whether it is to be, and whether its time is over, is looked at before and after. A node that kills its
    process, forks, or changes what all threads share does so to this process.
    """

    def expect(self) -> None:
        """Nothing is to be made ready."""

    def start(self) -> None:
        """Nothing is to be made ready."""

    def run(
        self,
        task: Task,
        log_path: str,
        on_progress: Callable[[str, int | None], None],
        is_cancelled: Callable[[], bool],
        timeout_seconds: float = 0.0,
    ) -> Done:
        """Do one task; see `NodeRunner`."""
        if is_cancelled():
            raise Cancelled(task.node_id)
        started = time.monotonic()
        try:
            done = _call(task, on_progress)
        except (Exception, SystemExit) as error:
            with open(log_path, "a", encoding="utf-8") as log:
                log.write(traceback.format_exc())
            raise failures.describe(error, task.node_id, time.monotonic() - started) from error
        if is_cancelled():
            raise Cancelled(task.node_id)
        if timeout_seconds and time.monotonic() - started > timeout_seconds:
            raise TimedOut(task.node_id)
        return done

    def told(self) -> Mapping[str, Any]:
        """There is nothing to say of it."""
        return {}

    def close(self) -> None:
        """Nothing was held ready."""


def _call(task: Task, on_progress: Callable[[str, int | None], None]) -> Done:
    module = task.class_path.rpartition(".")[0]
    if task.module_path:
        functions.load_module(task.module_path)
    else:
        importlib.import_module(module)
    if task.kind == "driver":
        return calls.drive(task)
    call = ExecutorCall(task)
    lent = Services(
        progress=Progress(on_progress), partial_results=PartialResults(task.kept_path, task.maker)
    )
    output = call.run(lent)
    call.check(output)
    return call.done(output)
