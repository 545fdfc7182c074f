"""`Windows`: rows of a series as what was known at each time and what came after, divided by time."""

from headrace.components.windows.component import Windows

__all__ = ["Windows"]
