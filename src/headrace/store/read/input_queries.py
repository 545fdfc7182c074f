"""One query in TFX's resolution of inputs, asked so that a large store answers at once.

TFX (1.16 and 1.21) finds the executions that belong to a run, a node and a pipeline by reading all executions
of each and intersecting them, 100 at a time. For one input in a store of 50,000 executions that took 36 s;
with the intersection in the query it takes 3 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headrace.authoring import tfx_internals
from headrace.authoring.light import authoring
from headrace.store.read import queries
from headrace.store.read.queries import Condition

with authoring():
    from tfx.orchestration.portable.input_resolution import channel_resolver

_ALL = 1_000_000


def executions_in_all(store: Any, contexts: Sequence[Any]) -> list[Any]:
    """Return the executions that belong to every one of `contexts`, by id; none for no contexts.

    Args:
        store: MLMD's store.
        contexts: Contexts that are in the store.
    """
    # The newest first: a run's context, which has the fewest executions, is younger than its pipeline's.
    ids = sorted({int(context.id) for context in contexts}, reverse=True)
    if not ids:
        return []
    condition = Condition(context_ids=tuple(ids))
    return list(queries.executions(queries.reader_of_mlmd(store), condition, _ALL))[::-1]


def install() -> None:
    """Put the query in the place of TFX's, where this TFX has it."""
    tfx_internals.find_executions_with(executions_in_all, channel_resolver)
