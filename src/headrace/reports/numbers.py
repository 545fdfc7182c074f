"""Numbers, sizes and times as a person reads them."""

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
    """Return a share as per cent: `"0 %"`, `"<0.1 %"`, `"12.5 %"`."""
    if 0 < share < 0.001:
        return "<0.1 %"
    if 0.999 < share < 1:
        return ">99.9 %"
    return f"{100 * share:.1f}".rstrip("0").rstrip(".") + " %"


def format_bytes(size: float) -> str:
    """Return a size: `"12 B"`, `"3.4 kB"`, `"1.2 GB"`."""
    if size < 1000:
        return f"{int(size)} B"
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 1000:
            return f"{size:.3g} {unit}"
    return f"{size / 1000:.3g} TB"


def format_seconds(seconds: float) -> str:
    """Return a duration: `"0.3 s"`, `"41 s"`, `"2 min 05 s"`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return (
        f"{whole // 60} min {whole % 60:02d} s"
        if whole < 3600
        else f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    )


def plural(count: int, noun: str) -> str:
    """Return `"1 row"` or `"9,998 rows"`."""
    ending = "" if count == 1 else "s"
    return (
        f"{count:,} {noun}{ending}" if not noun.endswith("y") or count == 1 else f"{count:,} {noun[:-1]}ies"
    )
