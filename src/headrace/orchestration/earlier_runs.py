"""The runs that a script started before: a worker that reads the script again meets their calls, and must pass them.

Between two runs a script may define the components of the second, and use what the first one made. So each call
gives in the worker what it gave in the script; at the first call without an outcome the worker has all that it needs.
"""

from __future__ import annotations

from collections.abc import Sequence

from headrace.errors import HeadraceError
from headrace.store.results import RunResult
from headrace.usercode.functions import LeaveScript as LeaveScript

Outcome = RunResult | HeadraceError

_outcomes: list[Outcome] = []


def remember(outcome: Outcome) -> None:
    """Note how a run of this process's script ended: what it returned, or raised."""
    _outcomes.append(outcome)


def remembered() -> tuple[Outcome, ...]:
    """Return how the runs of this process's script ended, in their order."""
    return tuple(_outcomes)


def replay(outcomes: Sequence[Outcome]) -> None:
    """Let `next_result` give these, in a worker that is about to read the script."""
    _outcomes[:] = outcomes


def next_result() -> RunResult:
    """Return what the next call in the script returned.

    Raises:
        HeadraceError: If that is what it raised.
        LeaveScript: If it is the call whose run goes on now.
    """
    if not _outcomes:
        raise LeaveScript
    outcome = _outcomes.pop(0)
    if isinstance(outcome, HeadraceError):
        raise outcome
    return outcome
