"""Numbers and shares as a person reads them."""

from __future__ import annotations

import math
from numbers import Integral


def format_number(value: float | None, digits: int = 4) -> str:
    """Return a number with `digits` significant digits, whole ones with commas: `"9,998"`, `"0.3475"`, `"1.2e-07"`.

    `None` gives an en dash.
    """
    if value is None:
        return "–"
    if isinstance(value, Integral):
        return f"{int(value):,}"
    value = float(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    if 1000 <= abs(value) < 1e9:
        return f"{value:,.1f}"
    return f"{value:.{digits}g}"


def format_share(share: float) -> str:
    """Return a share as per cent: `"0 %"`, `"<0.1 %"`, `"12.5 %"`; an en dash where it is not known (NaN)."""
    if math.isnan(share):
        return "–"
    if 0 < share < 0.001:
        return "<0.1 %"
    if 0.999 < share < 1:
        return ">99.9 %"
    return f"{100 * share:.1f}".rstrip("0").rstrip(".") + " %"
