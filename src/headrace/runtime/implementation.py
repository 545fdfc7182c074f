"""Which implementation did an executor's work: Headrace's own, or TFX's, which is slower."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OWN = "own"
STOCK = "stock"
# Custom properties of an execution.
NAME_PROPERTY = "headrace_implementation"
REASON_PROPERTY = "headrace_implementation_reason"


@dataclass(frozen=True)
class Implementation:
    """What did the work of one execution.

    Attributes:
        name: `"own"`; `"stock"` where TFX's own implementation did it; empty where nothing is recorded, as of
            components of others.
        reason: Why it was not all Headrace's own, as a sentence without its full stop; empty where it was.
    """

    name: str = ""
    reason: str = ""

    @property
    def note(self) -> str:
        """What a reader should know of it: that it was slower than it could be; empty where it was not."""
        if self.name == STOCK:
            return f"ran TFX's own implementation: {self.reason}; slower"
        return f"{self.reason}; slower" if self.name == OWN and self.reason else ""

    def as_properties(self) -> dict[str, str]:
        """Return what is recorded with the execution, by name of the custom property."""
        found = {NAME_PROPERTY: self.name, REASON_PROPERTY: self.reason}
        return {name: text for name, text in found.items() if text}


NOT_RECORDED = Implementation()


def of_properties(properties: Mapping[str, Any]) -> Implementation:
    """Return what an execution recorded.

    Args:
        properties: Its custom properties, as ML Metadata's values by name.
    """
    name, reason = (
        str(properties[key].string_value) if key in properties else ""
        for key in (NAME_PROPERTY, REASON_PROPERTY)
    )
    return Implementation(name, reason)
