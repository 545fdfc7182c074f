"""Durations, counts and sizes as a person reads them."""

from __future__ import annotations


def format_seconds(seconds: float) -> str:
    """Return a duration in the two largest units that matter: `"3.1 s"`, `"41 s"`, `"2 min 05 s"`, `"1 h 02 min"`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def format_count(count: int) -> str:
    """Return a whole number with commas between thousands."""
    return f"{count:,}"


def format_rows(rows: int) -> str:
    """Return `"1 row"` or `"9,998 rows"`."""
    return f"{format_count(rows)} row{'' if rows == 1 else 's'}"


def format_gigabytes(size_bytes: float) -> str:
    """Return a size in GiB with one digit after the point."""
    return f"{size_bytes / 2**30:.1f} GiB"


def format_bytes(size_bytes: float) -> str:
    """Return a size in the unit that keeps it short: `"512 B"`, `"3.4 KiB"`, `"120 MiB"`."""
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 99.95 else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
