"""Which files are a store's own: only those may be removed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from headrace.metadata import graph
from headrace.metadata.graph import Link

_IMPORTER_TYPE = "tfx.dsl.components.common.importer.Importer"


def true_origins(handle: Any, links: Iterable[Link]) -> dict[int, Link]:
    """Return which execution made each artifact; those that an Importer named were not made here."""
    origins = graph.origins(links)
    ids = sorted({link.execution_id for link in origins.values()})
    executions = [e for batch in graph.batches(ids) for e in handle.store.get_executions_by_id(batch)]
    imports = {execution.id for execution in executions if execution.type == _IMPORTER_TYPE}
    return {artifact: link for artifact, link in origins.items() if link.execution_id not in imports}


def is_own(uri: str, origin: Link | None) -> bool:
    """Whether a path is where a runner put an output; what an Importer names belongs to somebody else.

    TFX's runners and Headrace put outputs into `{root}/{node}/{key}/{execution id}`, and below it where a key
    has several artifacts or a value.
    """
    if origin is None or "://" in uri:
        return False
    parts = uri.rstrip("/").split("/")
    wanted = [origin.key, str(origin.execution_id)]
    return wanted in (parts[-2:], parts[-3:-1])
