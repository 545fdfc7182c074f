"""What the process that runs a node lends to its executor, beside what TFX's launchers give.

TFX constructs executors itself, with a context of its own. So services are lent for one call in one thread, and the
bases of Headrace's executors put them into the `ExecutionContext`, where all else takes them from.
"""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator
from dataclasses import dataclass, field

from headrace.runtime.partial_results import PartialResults
from headrace.runtime.processes.fresh_processes import FreshProcesses
from headrace.runtime.processes.side_processes import SideProcesses
from headrace.runtime.progress import Progress


@dataclass(frozen=True)
class Services:
    """The services of one execution; those that are left out do nothing, as under TFX's own runners.

    Attributes:
        progress: Where the executor says what it does.
        partial_results: What it keeps for later executions.
        side_processes: Processes beside its own.
        fresh_processes: Starts processes that ran none of the user's code.
    """

    progress: Progress = field(default_factory=Progress)
    partial_results: PartialResults = field(default_factory=PartialResults)
    side_processes: SideProcesses = field(default_factory=SideProcesses)
    fresh_processes: FreshProcesses = field(default_factory=FreshProcesses)


_lent: contextvars.ContextVar[Services] = contextvars.ContextVar("headrace_services")


@contextlib.contextmanager
def lent(services: Services) -> Iterator[None]:
    """Lend services to the executor that is called inside, in this thread."""
    token = _lent.set(services)
    try:
        yield
    finally:
        _lent.reset(token)


def lent_here() -> Services:
    """Return the services of the execution that this thread is part of; ones that do nothing where there is none."""
    return _lent.get(None) or Services()
