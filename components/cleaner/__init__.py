"""`Cleaner`: copies, contradictions, and what cannot be read or breaks the schema, taken out of examples."""

from headrace.components.cleaner.component import Cleaner

__all__ = ["Cleaner"]
