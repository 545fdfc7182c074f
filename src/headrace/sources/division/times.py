"""Times of rows: numbers or texts made comparable, and rows cut by them into splits."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from headrace.errors import DataError, DefinitionError
from headrace.sources.division.apportionment import cut
from headrace.sources.division.keys import ROW, FaultyRow, as_texts
from headrace.sources.division.row_hashes import list_lengths
from headrace.splits.ways import SECONDS, SplitBy, parse_duration

# Texts become microseconds since 1970.
_TEXT_UNIT = "us"
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_MICROSECOND = datetime.timedelta(microseconds=1)
_MONTH = re.compile(r"\d{4}-\d{2}")
# Of ISO 8601 Python reads more forms from 3.11 on, and none with any number of digits behind the second.
_ISO = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)"
    r"(?:[T ](\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?)?\s*(?:(Z|UTC)|([+-])(\d\d)(?::?(\d\d))?)?)?",
    re.IGNORECASE,
)
# The largest number that is a time of these units: in seconds up to the year 5138, and in milliseconds from 1973 on.
_LARGEST = {"s": 1e11, "ms": 1e14, "us": 1e17}
# Whole numbers below this are seconds of 1970 at best: years, days, steps.
_SMALLEST = 3e7


def read_times(column: pa.Array, way: SplitBy) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the time of each row, and whether it has one: integers, floats, or of texts microseconds since 1970.

    Raises:
        FaultyRow: If a text is no date, or a row has several values.
    """
    if pa.types.is_null(column.type):
        return np.zeros(len(column), np.int64), np.zeros(len(column), np.bool_)
    lengths = list_lengths(column)
    if (lengths > 1).any():
        row = int(np.flatnonzero(lengths > 1)[0])
        raise FaultyRow(
            row, f"{way}: row {ROW} has {lengths[row]} values.", "name a feature with one value in each row."
        )
    has_time = lengths == 1
    values = column.flatten()
    if way.option("format") and not is_text(values.type):
        # 20131001 is a date as well as a number, and the format says which.
        values = values.cast(pa.string()).cast(pa.binary())
    if pa.types.is_integer(values.type):
        found: NDArray[Any] = values.cast(pa.int64()).to_numpy(zero_copy_only=False)
    elif pa.types.is_floating(values.type):
        found = values.to_numpy(zero_copy_only=False).astype(np.float64)
        wrong = np.isinf(found)
        if wrong.any():
            place = int(np.flatnonzero(wrong)[0])
            raise FaultyRow(
                int(np.flatnonzero(has_time)[place]),
                f"{way}: {found[place]} in row {ROW} is no time.",
                "correct it.",
            )
        is_nan = np.isnan(found)
        has_time[np.flatnonzero(has_time)[is_nan]] = False
        found = found[~is_nan]
    else:
        found = _parsed(values, way, np.flatnonzero(has_time))
    times = np.zeros(len(column), found.dtype)
    times[has_time] = found
    return times, has_time


def _parsed(values: pa.Array, way: SplitBy, rows: NDArray[Any]) -> NDArray[np.int64]:
    """Return the microseconds since 1970 of dates as texts; `rows` are where they stand in the batch."""
    encoded = values.dictionary_encode()
    texts = as_texts(encoded.dictionary)
    places = encoded.indices.to_numpy(zero_copy_only=False)
    layout = way.option("format")
    times: NDArray[np.int64] | None = None if layout else _parsed_at_once(texts)
    if times is None:
        times = np.zeros(len(texts), np.int64)
        for number, text in enumerate(texts.to_pylist()):
            try:
                times[number] = _microseconds(text, layout)
            except (ValueError, OverflowError):
                row = int(rows[int(np.flatnonzero(places == number)[0])])
                form = (
                    f"of the format {layout!r}"
                    if layout
                    else "in the form of ISO 8601, such as 2013-10-01 12:00"
                )
                raise FaultyRow(
                    row,
                    f"{way}: {text!r} in row {ROW} is no date {form}.",
                    "correct the value, or give the form in which dates are written: "
                    f'time({way.feature!r}, format="%d.%m.%Y").',
                ) from None
    return times[places]


def _parsed_at_once(texts: pa.Array) -> NDArray[np.int64] | None:
    """Arrow's reading of ISO 8601 without offsets; `None` where it does not read all of it."""
    try:
        stamps = texts.cast(pa.timestamp(_TEXT_UNIT))
    except pa.ArrowInvalid:
        return None
    found: NDArray[np.int64] = stamps.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return found


def _microseconds(text: str, layout: str | None) -> int:
    text = text.strip()
    if layout:
        moment = datetime.datetime.strptime(text, layout)
    else:
        moment = _from_iso(f"{text}-01" if _MONTH.fullmatch(text) else text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return (moment - _EPOCH) // _MICROSECOND


def _from_iso(text: str) -> datetime.datetime:
    """Return the moment of a date of ISO 8601, alike in each version of Python; what is finer than a microsecond is cut.

    Raises:
        ValueError: If it is none.
    """
    found = _ISO.fullmatch(text)
    if found is None:
        raise ValueError(text)
    *date_and_time, fraction, utc, sign, hours, minutes = found.groups()
    year, month, day, hour, minute, second = (int(part or 0) for part in date_and_time)
    moment = datetime.datetime(
        year, month, day, hour, minute, second, int((fraction or "")[:6].ljust(6, "0"))
    )
    if not utc and not sign:
        return moment
    offset = datetime.timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    return moment.replace(tzinfo=datetime.timezone(-offset if sign == "-" else offset))


def is_text(kind: pa.DataType) -> bool:
    """Whether values of a type are texts."""
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


@dataclass(frozen=True)
class Clock:
    """What the numbers of a column of times mean.

    Attributes:
        unit: `"s"`, `"ms"`, `"us"` or `"ns"`; `None` for numbers of another kind, such as years.
        is_text: Whether they were texts.
    """

    unit: str | None
    is_text: bool = False

    def gap(self, way: SplitBy) -> int | float:
        """Return the gap in the unit of the times.

        Raises:
            DefinitionError: If one cannot be told from the other.
        """
        given = way.option("gap")
        if isinstance(given, str):
            seconds = parse_duration(given, "time: gap")
            if seconds and self.unit is None:
                raise DefinitionError(
                    f"{way}: the times are numbers such as those of years or steps, and no times since 1970.",
                    "give the gap as a number of the same kind, or their unit: unit='s'.",
                )
            return _whole(seconds / SECONDS[self.unit or "s"])
        if given and self.is_text:
            raise DefinitionError(
                f"{way}: the times are texts, and gap is a number.",
                f"give its unit as well, such as '{given}h'.",
            )
        return _whole(given)

    def written(self, time: float) -> str:
        """Return a time as people read it."""
        if self.unit is None:
            return f"{time:g}" if isinstance(time, float) else str(time)
        try:
            moment = _EPOCH + datetime.timedelta(seconds=float(time) * SECONDS[self.unit])
        except OverflowError:
            return str(time)
        text = moment.replace(tzinfo=None).isoformat(" ", "seconds")
        return text.removesuffix(" 00:00:00")


def _whole(number: float) -> int | float:
    """An integer where it is one: 64-bit times lose digits beside a float."""
    return round(number) if abs(number - round(number)) < 1e-9 * max(1.0, abs(number)) else number


def clock_of(times: NDArray[Any], way: SplitBy, *, is_text: bool) -> Clock:
    """Return what the times of all rows mean."""
    if is_text:
        return Clock(_TEXT_UNIT, is_text=True)
    given = way.option("unit")
    if given:
        return Clock(given)
    largest = float(np.abs(times).max()) if len(times) else 0.0
    if largest < _SMALLEST:
        return Clock(None)
    return Clock(next((unit for unit, bound in _LARGEST.items() if largest < bound), "ns"))


def cut_by_time(
    times: NDArray[Any], weights: Sequence[int], names: Sequence[str], gap: float, where: str, clock: Clock
) -> tuple[NDArray[np.int16], list[Any]]:
    """Return the split of each row, and the first time of each split after the first.

    A row of an earlier split that is less than `gap` before the next split has the number of its split as
    `-1 - number`.

    Args:
        times: The time of each row, at least one.
        weights: The splits' shares.
        names: Their names.
        gap: The least distance between two splits.
        where: The way, for messages.
        clock: What the times mean.

    Raises:
        DataError: If a split would have no row.
    """
    different, counts = np.unique(times, return_counts=True)
    if len(different) < len(weights):
        raise DataError(
            f"{where}: {len(times):,} rows have {len(different)} different "
            f"time{'s' if len(different) > 1 else ''}, too few for the {len(weights)} splits "
            f"{', '.join(map(repr, names))}.",
            "rows of one time stay together: divide by a finer time, or into fewer splits.",
        )
    firsts = different[_starts(counts, weights)]
    # Beyond what lies between the first and the last, a gap is as good as any; larger ones leave 64 bits.
    gap = min(gap, different[-1].item() - different[0].item() + 1)
    chosen: NDArray[np.int16] = np.searchsorted(firsts, times, side="right").astype(np.int16)
    for number, first in enumerate(firsts):
        inside = (chosen == number) & (times > first.item() - gap) if gap else np.zeros(len(times), np.bool_)
        if inside.sum() == (chosen == number).sum():
            raise DataError(
                f"{where}: all rows of split '{names[number]}' are less than the gap before the first of "
                f"'{names[number + 1]}', {clock.written(first.item())}.",
                "give a shorter gap, or other shares.",
            )
        chosen[inside] = -1 - number
    return chosen, [first.item() for first in firsts]


def _starts(counts: NDArray[np.int64], weights: Sequence[int]) -> list[int]:
    """Return at which of the different times each split after the first starts, nearest to the shares.

    Args:
        counts: The rows of each time.
        weights: The splits' shares.
    """
    # The rows before each time, and before the end.
    before = np.concatenate([[0], np.cumsum(counts)])
    starts: list[int] = []
    for number, wanted in enumerate(cut(int(before[-1]), weights)[:-1]):
        place = int(np.searchsorted(before, wanted))
        if place and before[place] - wanted > wanted - before[place - 1]:
            place -= 1
        # At least one time for this split, and for each after it.
        least = (starts[-1] if starts else 0) + 1
        starts.append(min(max(place, least), len(counts) - (len(weights) - 1 - number)))
    return starts


def remarks(times: NDArray[Any], clock: Clock) -> list[str]:
    """Say where times are not exact: floats of examples have 32 bits."""
    if times.dtype.kind != "f" or not len(times):
        return []
    step = float(np.spacing(np.abs(times).max().astype(np.float32)))
    if step < 1:
        return []
    return [f"times are floats of 32 bits, exact to {step:g} {clock.unit or ''}".rstrip()]
