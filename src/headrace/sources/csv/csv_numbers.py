"""How numbers are written in CSV: with a point or a comma, with marks between thousands. Light."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

POINT = "."
# A space between thousands is in many files one that does not break a line.
_SPACES = "[ \u00a0\u202f]"
# What makes a text no number, to Arrow and to Python.
_NO_NUMBER = "~"


@dataclass(frozen=True)
class Marks:
    """The marks in numbers, as pandas' `read_csv` names them.

    Between thousands a mark has to stand where it separates them, groups of three digits or those of India: a date such as
    `1.12.2024` is text, of which pandas makes 1122024. A cell with another mark than these, such as 1.5 where a comma is
    the decimal mark, is text.

    Attributes:
        decimal: What stands before the fraction, one character.
        thousands: What stands between thousands, one character; empty for nothing.
    """

    decimal: str = POINT
    thousands: str = ""

    @property
    def are_plain(self) -> bool:
        """Whether numbers are written as Python writes them."""
        return self.decimal == POINT and not self.thousands

    def in_python(self, cells: pa.Array) -> pa.Array:
        """Return texts with numbers as Python writes them; what is no number stays none, though not letter by letter."""
        import pyarrow.compute as pc

        if self.thousands:
            mark = _SPACES if self.thousands == " " else re.escape(self.thousands)
            rest = rf"({re.escape(self.decimal)}\d*)?([eE][+-]?\d+)?\s*$"
            pattern = rf"^\s*[+-]?(\d{{1,3}}({mark}\d{{3}})+|\d{{1,2}}({mark}\d{{2}})+{mark}\d{{3}}){rest}"
            is_grouped = pc.match_substring_regex(cells, pattern)
            if pc.any(is_grouped).as_py():
                cells = pc.if_else(is_grouped, pc.replace_substring_regex(cells, mark, ""), cells)
        if self.decimal != POINT:
            cells = pc.replace_substring(cells, POINT, _NO_NUMBER)
            cells = pc.replace_substring(cells, self.decimal, POINT)
        return cells
