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


def plural(count: int, noun: str) -> str:
    """Return `"1 row"`, `"9,998 rows"` or `"2 anomalies"`."""
    if count == 1:
        return f"1 {noun}"
    is_changed = noun.endswith("y") and noun[-2:-1] not in "aeiou"
    return f"{format_count(count)} {f'{noun[:-1]}ies' if is_changed else f'{noun}s'}"


def format_gigabytes(size_bytes: float) -> str:
    """Return a size in GiB with one digit after the point."""
    return f"{size_bytes / 2**30:.1f} GiB"


def format_bytes(size_bytes: float) -> str:
    """Return a size in the unit that keeps it short: `"512 B"`, `"3.4 KiB"`, `"120 MiB"`."""
    size = float(size_bytes)
    for unit in ("B", "KiB", "MiB"):
        # What would be rounded to 1024 of a unit is one of the next.
        if size < 1023.5:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 99.95 else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
