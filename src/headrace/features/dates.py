"""Dates and times: read, taken apart, and laid on circles.

The calendar's arithmetic is Howard Hinnant's (https://howardhinnant.github.io/date_algorithms.html), valid for all
years of the Gregorian calendar.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from headrace.errors import UserFunctionError, did_you_mean, listed
from headrace.features.libraries import tf
from headrace.features.values import Tensor, number_values, text_values, told

PARTS = ("year", "month", "day", "weekday", "hour", "minute", "second", "day_of_year", "days")
DEFAULT_PARTS = ("year", "month", "day", "weekday", "hour")
_UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_DAY = 86_400

# What `format` may hold, and what each stands for in RE2's syntax.
_DIRECTIVES = {
    "Y": ("year", r"\d{4}"),
    "y": ("short_year", r"\d{2}"),
    "m": ("month", r"\d{1,2}"),
    "d": ("day", r"\d{1,2}"),
    "H": ("hour", r"\d{1,2}"),
    "M": ("minute", r"\d{1,2}"),
    "S": ("second", r"\d{1,2}"),
    "f": ("", r"\d{1,9}"),
    "z": ("", r"(?:Z|[+-]\d{2}:?\d{2})"),
    "%": ("", "%"),
}
_ISO = (
    r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})"
    r"(?:[T ](?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?)?"
    r"\s*(?:Z|UTC|[+-]\d{2}:?\d{2})?"
)


@dataclass(frozen=True)
class Moments:
    """Moments of a column, each tensor of shape `(rows, 1)`.

    Attributes:
        days: Since 1970-01-01, int64.
        seconds: Of the day, int64.
        is_known: Whether the row holds a moment that could be read.
    """

    days: Tensor
    seconds: Tensor
    is_known: Tensor


def date_parts(
    x: Tensor,
    parts: Sequence[str] = DEFAULT_PARTS,
    format: str | None = None,
    *,
    unit: str = "s",
    default: int = -1,
) -> Tensor:
    """Return parts of dates and times as whole numbers.

    Args:
        x: Texts, or numbers that count from 1970 on; sparse or dense, one in each row.
        parts: Of `"year"`, `"month"` (1 to 12), `"day"`, `"weekday"` (0 is Monday), `"hour"`, `"minute"`,
            `"second"`, `"day_of_year"` (from 1), `"days"` (since 1970-01-01).
        format: How a text is written, in `strptime`'s signs: `%Y %y %m %d %H %M %S %f %z`. By default as ISO 8601
            does: `2013-01-31`, `2013/1/31 7:05`, `2013-01-31T07:05:00Z`. Times count as they are written: a zone
            behind them is not reckoned in.
        unit: What a number counts: `"s"`, `"ms"`, `"us"` or `"ns"`.
        default: For what is missing or no date.

    Returns:
        Int64 of shape `(rows, len(parts))`, equal to pandas' `Series.dt`.

    Raises:
        UserFunctionError: If a part, the unit or the format is unknown.
    """
    unknown = [part for part in parts if part not in PARTS]
    if unknown or not parts:
        raise UserFunctionError(
            f"headrace.features.date_parts: {listed(unknown) if unknown else 'no part'} is asked for. There are "
            f"{listed(PARTS)}.",
            f"{did_you_mean(unknown[0], PARTS) if unknown else ''}Correct parts.",
        )
    moments = read_moments(x, format, unit)
    found = tf.concat([part_of(moments, part) for part in parts], axis=1)
    return tf.where(moments.is_known, found, tf.constant(default, tf.int64))


def cyclic(x: Tensor, period: float) -> Tensor:
    """Return sine and cosine of numbers that come round, so that the last hour lies beside the first.

    Args:
        x: Numbers, sparse or dense, one in each row; such as an hour, with period 24.
        period: After how much they come round.

    Returns:
        Float32 of shape `(rows, 2)`: 0, 0 where the number is missing, which lies in the middle.
    """
    if not period > 0:
        raise UserFunctionError(
            f"headrace.features.cyclic: the period is {period:g}.", "give one above 0, such as 24 for hours."
        )
    numbers = number_values(x, "cyclic")
    angle = numbers * (2 * math.pi / period)
    both = tf.concat([tf.sin(angle), tf.cos(angle)], axis=1)
    return tf.cast(tf.where(tf.math.is_nan(both), tf.zeros_like(both), both), tf.float32)


def read_moments(x: Tensor, format: str | None = None, unit: str = "s") -> Moments:
    """Return the moments that a column tells; see `date_parts`."""
    if x.dtype != tf.string:
        return _counted(x, unit)
    texts = text_values(x)
    pattern, fields = _pattern(format)
    is_written = tf.strings.regex_full_match(texts, pattern)

    def number(field: str, default: int) -> Tensor:
        if field not in fields:
            return tf.fill(tf.shape(texts), tf.constant(default, tf.int64))
        place = fields.index(field) + 1
        digits = tf.strings.regex_replace(texts, pattern, rf"\{place}")
        digits = tf.where(tf.logical_and(is_written, tf.not_equal(digits, "")), digits, str(default))
        return tf.strings.to_number(digits, tf.int64)

    year = number("year", 1970)
    if "short_year" in fields:
        short = number("short_year", 70)
        year = tf.where(short < 69, short + 2000, short + 1900)
    month, day = number("month", 1), number("day", 1)
    hour, minute, second = number("hour", 0), number("minute", 0), number("second", 0)
    days = _days_from_civil(year, month, day)
    again = _civil_from_days(days)
    is_real = is_written & (again[0] == year) & (again[1] == month) & (again[2] == day)
    is_real &= (hour < 24) & (minute < 60) & (second < 61)
    return Moments(days, hour * 3600 + minute * 60 + second, is_real)


def part_of(moments: Moments, part: str) -> Tensor:
    """Return one part of moments, int64 of shape `(rows, 1)`; anything where a moment is not known."""
    year, month, day = _civil_from_days(moments.days)
    if part == "weekday":
        return tf.math.floormod(moments.days + 3, 7)
    if part == "day_of_year":
        return moments.days - _days_from_civil(year, tf.ones_like(year), tf.ones_like(year)) + 1
    return {
        "year": year,
        "month": month,
        "day": day,
        "hour": moments.seconds // 3600,
        "minute": moments.seconds // 60 % 60,
        "second": moments.seconds % 60,
        "days": moments.days,
    }[part]


def _counted(x: Tensor, unit: str) -> Moments:
    if unit not in _UNITS:
        raise UserFunctionError(
            f"headrace.features.date_parts: {told(x)} is to count {unit!r}. There are {listed(_UNITS)}.",
            "correct unit.",
        )
    numbers = number_values(x, "date_parts")
    is_known = tf.math.is_finite(numbers)
    if isinstance(x, tf.SparseTensor) or x.dtype.is_floating:
        count = tf.cast(tf.where(is_known, numbers, tf.zeros_like(numbers)), tf.int64)
    else:  # in whole numbers, which float64 does not hold of nanoseconds
        count = tf.reshape(tf.cast(x, tf.int64), tf.shape(numbers))
    seconds = tf.math.floordiv(count, _UNITS[unit])
    return Moments(tf.math.floordiv(seconds, _DAY), tf.math.floormod(seconds, _DAY), is_known)


def _pattern(format: str | None) -> tuple[str, list[str]]:
    """The whole text's pattern, and the fields that its groups hold, in order."""
    if format is None:
        pattern = _ISO
    else:
        pattern = ""
        parts = re.split(r"%(.)", format)
        for place, part in enumerate(parts):
            if place % 2 == 0:
                pattern += re.sub(r"\\?\s+", r"\\s+", re.escape(part))
                continue
            if part not in _DIRECTIVES:
                raise UserFunctionError(
                    f"headrace.features.date_parts: '%{part}' in format {format!r} is not known. There are "
                    f"{listed(f'%{sign}' for sign in _DIRECTIVES)}.",
                    "write the format with these.",
                )
            field, digits = _DIRECTIVES[part]
            pattern += f"(?P<{field}>{digits})" if field else digits
    fields = re.findall(r"\(\?P<(\w+)>", pattern)
    if len(set(fields)) < len(fields):
        raise UserFunctionError(
            f"headrace.features.date_parts: format {format!r} holds a part twice.", "give each once."
        )
    return rf"\s*{pattern}\s*", fields


def _days_from_civil(year: Tensor, month: Tensor, day: Tensor) -> Tensor:
    year = year - tf.cast(month <= 2, tf.int64)
    era = tf.math.floordiv(year, 400)
    of_era = year - era * 400
    of_year = (153 * (month + tf.where(month > 2, tf.constant(-3, tf.int64), 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def _civil_from_days(days: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    days = days + 719_468
    era = tf.math.floordiv(days, 146_097)
    of_era = days - era * 146_097
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * of_year + 2) // 153
    day = of_year - (153 * shifted + 2) // 5 + 1
    month = shifted + tf.where(shifted < 10, tf.constant(3, tf.int64), -9)
    return year_of_era + era * 400 + tf.cast(month <= 2, tf.int64), month, day
