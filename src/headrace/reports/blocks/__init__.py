"""What pages are made of: blocks, charts and drawings, written as HTML or for a terminal.

The blocks here are public: what shows an artifact type of one's own returns them.
"""

from headrace.reports.blocks.blocks import Block, Cell, Chart, Facts, Listing, Note, Section, Table, Value

__all__ = ["Block", "Cell", "Chart", "Facts", "Listing", "Note", "Section", "Table", "Value"]
