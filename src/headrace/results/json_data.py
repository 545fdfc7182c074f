"""`headrace show ARTIFACT --json`: an artifact with what it holds, as JSON has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from headrace.results import loading
from headrace.results.result import Bounds
from headrace.ui import artifact_shapes
from headrace.ui.store_listings import listed_data

if TYPE_CHECKING:
    from headrace.store.session import StoreSession
    from headrace.ui.artifact_shapes import ShownArtifact


def shown(store: StoreSession, artifact: str, bounds: Bounds | None = None) -> ShownArtifact:
    """Return an artifact with what it holds.

    Args:
        store: The open store.
        artifact: Its id, its URI, or `RUN/NODE.key`.
        bounds: How much is told of long lists; a thousand items where left out.

    Raises:
        StoreError: If there is no such artifact, or its files are gone.
        HeadraceError: If a file is damaged.
    """
    found = loading.load(artifact, store=store)
    bounds = bounds or Bounds()
    holds = found.data(bounds)
    _, number = artifact_shapes.HELD.get(found.type_name, artifact_shapes.OTHER)
    line: Any = listed_data(found.record)
    _, shown_number = artifact_shapes.SHOWN
    told: Any = {**line, "format": shown_number, "holds": {"format": number, **holds}, "cut": bounds.cut}
    data: ShownArtifact = told
    return data
