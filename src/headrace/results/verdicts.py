"""ModelBlessing and InfraBlessing in Python."""

from __future__ import annotations

from collections.abc import Mapping

from headrace.formats import blessings
from headrace.results.result import Bounds, Result


class Blessing(Result):
    """What was decided of a model: what `headrace.load` returns of a `ModelBlessing` or an `InfraBlessing` artifact.

    Example:
        >>> import headrace
        >>> headrace.load("latest/Evaluator.blessing").is_blessed  # doctest: +SKIP
        True
    """

    @property
    def is_blessed(self) -> bool | None:
        """Whether the model may be used; `None` where nothing was decided."""
        return blessings.read(self.artifact).is_blessed

    def data(self, bounds: Bounds) -> Mapping[str, object]:
        """Return the shape `BlessingData`."""
        found = blessings.read(self.artifact)
        return {"is_blessed": found.is_blessed, "words": found.words}
