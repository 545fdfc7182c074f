"""The arithmetic of `series`: times on their grid, and the values that windows find there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

from headrace.errors import DataError, did_you_mean, listed
from headrace.features.series import Found, Windows
from headrace.formats import texts_of_times

Array = np.ndarray[Any, Any]
_BLOCK_ROWS = 100_000


def compute(asked: Windows, frame: Any, *, has_target: bool) -> Found:
    """Return the windows of a table; see `series.compute`."""
    parts = list(_each(asked, frame, has_target=has_target))
    found = _joined(asked, parts)
    return found.only(np.lexsort((found.rows, found.times)))


def compute_aside(asked: Windows, frame: Any, target: BinaryIO) -> tuple[Found, Array]:
    """Write features and targets into a file, in which no more than some of them are in memory at a time.

    Args:
        asked: What the windows are.
        frame: See `series.compute`.
        target: Gets a row of float32 for each window: its features, in their order, and the target.

    Returns:
        The windows without features and targets, and for each of them its place in the file.

    Raises:
        DataError: See `series.Windows.rows`.
    """
    parts = []
    for part in _each(asked, frame, has_target=True):
        target.write(np.column_stack([*part.features.values(), part.target]).astype(np.float32).tobytes())
        parts.append(replace(part, features={}, target=np.zeros(0)))
    found = _joined(asked, parts)
    order = np.lexsort((found.rows, found.times))
    return found.only(order), order


def _each(asked: Windows, frame: Any, *, has_target: bool) -> Iterator[Found]:
    """Yield the windows of one group after another, of a long one in several parts; at least one part."""
    _check_columns(asked, frame)
    times = _nanoseconds(asked, frame[asked.time])
    values = _numbers(asked, frame[asked.value])
    groups = _group_numbers(asked, frame)
    order = np.lexsort((np.arange(len(times)), times, groups))
    order = order[times[order] != _NO_TIME]
    is_repeated = _same_as_before(times[order]) & _same_as_before(groups[order])
    _check_repeated(asked, times[order], values[order], is_repeated)
    num_repeated = int(is_repeated.sum())
    order = order[~is_repeated]
    step = _step(asked, times[order], groups[order])
    nothing: Array = np.zeros(0, np.int64)
    for empty in _of_group(asked, nothing, nothing, np.zeros(0), step, has_target=has_target):
        yield replace(empty, num_repeated=num_repeated)
    for rows in _parts(order, groups):
        yield from _of_group(asked, rows, times[rows], values[rows], step, has_target=has_target)


_NO_TIME = np.iinfo(np.int64).min


def _check_columns(asked: Windows, frame: Any) -> None:
    there = [str(name) for name in frame.keys()]  # noqa: SIM118 - a DataFrame's are its columns
    for name in (asked.time, asked.value, *asked.group):
        if name not in there:
            raise DataError(
                f"windows: there is no column '{name}'. The rows have {listed(there)}.",
                f"{did_you_mean(name, there)}Correct the name.",
            )


def _nanoseconds(asked: Windows, column: Any) -> Array:
    """Times in nanoseconds since 1970; a row without a time is of no use, and has the least number."""
    column = pd.Series(column)
    try:
        if pd.api.types.is_numeric_dtype(column):
            read = pd.to_datetime(column, unit=asked.unit, utc=True)
        else:
            texts = column.map(lambda one: one.decode() if isinstance(one, bytes) else one)
            read = texts_of_times.parsed(texts)
    except (ValueError, TypeError, OverflowError) as error:
        raise DataError(
            f"windows: '{asked.time}' holds something that is no time: {error}.",
            "write times as 2013-01-31T05:00:00, or as numbers and say their unit.",
        ) from error
    plain = read.dt.tz_localize(None).to_numpy().astype("datetime64[ns]").astype(np.int64)
    return np.asarray(plain)


def _numbers(asked: Windows, column: Any) -> Array:
    try:
        return np.asarray(pd.to_numeric(pd.Series(column)), dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise DataError(
            f"windows: '{asked.value}' holds something that is no number: {error}.",
            "give a column of numbers.",
        ) from error


def _group_numbers(asked: Windows, frame: Any) -> Array:
    numbers = np.zeros(len(frame[asked.time]), np.int64)
    for name in asked.group:
        codes, known = pd.factorize(pd.Series(frame[name]), use_na_sentinel=True)
        numbers = numbers * (len(known) + 1) + codes + 1
    return numbers


def _same_as_before(values: Array) -> Array:
    return np.concatenate([[False], values[1:] == values[:-1]]) if len(values) else np.zeros(0, bool)


def _check_repeated(asked: Windows, times: Array, values: Array, is_repeated: Array) -> None:
    """Check that rows of one time and group say the same: which of them is right, nobody knows."""
    before = np.roll(values, 1)
    differ = np.flatnonzero(is_repeated & (values != before) & ~(np.isnan(values) & np.isnan(before)))
    if not len(differ):
        return
    place = differ[0]
    when = str(np.datetime64(int(times[place]), "ns"))[:19]
    raise DataError(
        f"windows: {len(differ):,} rows have a time of '{asked.time}' that another row has with another value, such as "
        f"{when} with '{asked.value}' {before[place]:g} and {values[place]:g}.",
        "name in group the columns that tell series apart; or take means over each time before.",
    )


def _parts(order: Array, groups: Array) -> Iterator[Array]:
    """The rows of each group, in the order of time."""
    starts = np.flatnonzero(~_same_as_before(groups[order]))
    yield from np.split(order, starts[1:]) if len(order) else []


def _step(asked: Windows, times: Array, groups: Array) -> int:
    if asked.step is not None:
        try:
            step = int(pd.Timedelta(asked.step).value)
        except ValueError as error:
            raise DataError(
                f"windows: step '{asked.step}' is no time: {error}.", "give '1h' or '15min'."
            ) from error
        if step > 0:
            return step
        raise DataError(f"windows: step '{asked.step}' is not above 0.", "give '1h' or '15min'.")
    between = np.diff(times)[groups[1:] == groups[:-1]]
    if not len(between):
        raise DataError(
            f"windows: no group has two different times in '{asked.time}', of {len(times):,} rows.",
            "look at time and group, or give step.",
        )
    different, counts = np.unique(between, return_counts=True)
    return int(different[counts.argmax()])


def _of_group(
    asked: Windows, rows: Array, times: Array, values: Array, step: int, *, has_target: bool
) -> Iterator[Found]:
    """Yield the windows of a group in the order of time, so many times of it after another; at least one part."""
    between = np.diff(times)
    off = np.flatnonzero(between % step)
    if len(off):
        when = [str(np.datetime64(int(times[off[0] + place]), "ns"))[:19] for place in (0, 1)]
        raise DataError(
            f"windows: times of '{asked.time}' are {pd.Timedelta(step, 'ns')} apart, and {when[1]} does not lie so "
            f"after {when[0]}.",
            "round the times, take means over steps, or give step as their common measure.",
        )
    is_there = np.isfinite(values)
    num_missing = int((between // step - 1).sum() + (~is_there).sum())
    num_gaps = int((between > step).sum() + (~is_there).sum())
    own = _Series(times[is_there], values[is_there], step, is_filled=asked.gaps == "last")
    newest = np.arange(len(times)) == len(times) - 1
    for start in range(0, max(len(times), 1), _BLOCK_ROWS):
        some = slice(start, start + _BLOCK_ROWS)
        features = _features(asked, own, times[some], step)
        target = own.observed(times[some] + asked.horizon * step) if has_target else np.zeros(0)
        columns = [*features.values(), *([target] if has_target else [])]
        kept = np.all([np.isfinite(column) for column in columns], axis=0)
        counts = (0, 0) if start else (num_gaps, num_missing)
        found = Found(rows[some], times[some], features, target, newest[some], step, *counts, 0)
        yield found.only(kept)


def _features(asked: Windows, own: _Series, times: Array, step: int) -> dict[str, Array]:
    features = {f"{asked.value}_lag_{lag}": own.at(times - lag * step) for lag in asked.lags}
    for name, sizes in asked.rolling.items():
        for size in sizes:
            features[f"{asked.value}_{name}_{size}"] = own.over(times, size, name)
    return features


class _Series:
    """The values of one group at their times, ascending."""

    def __init__(self, times: Array, values: Array, step: int, *, is_filled: bool) -> None:
        self._times, self._values, self._step, self._is_filled = times, values, step, is_filled

    def observed(self, wanted: Array) -> Array:
        """The values at these times; NaN where there is none."""
        if not len(self._times):
            return np.full(len(wanted), np.nan)
        place = np.minimum(np.searchsorted(self._times, wanted), len(self._times) - 1)
        return np.where(self._times[place] == wanted, self._values[place], np.nan)

    def at(self, wanted: Array) -> Array:
        """The values at these times, or the last ones before where gaps are filled."""
        if not self._is_filled or not len(self._times):
            return self.observed(wanted)
        place = np.searchsorted(self._times, wanted, side="right") - 1
        return np.where(place >= 0, self._values[np.maximum(place, 0)], np.nan)

    def over(self, times: Array, size: int, name: str) -> Array:
        """A statistic of the last `size` steps up to each time; NaN where one of them has no value."""
        made = np.empty(len(times))
        back = np.arange(size - 1, -1, -1, dtype=np.int64) * self._step
        rows = max(_BLOCK_ROWS // size, 1)
        for start in range(0, len(times), rows):
            wanted = times[start : start + rows, None] - back
            values = self.at(wanted.ravel()).reshape(wanted.shape)
            # NaN goes through all of these.
            ddof = {"ddof": 1} if name == "std" else {}
            made[start : start + rows] = getattr(np, name)(values, axis=1, **ddof)
        return made


def _joined(asked: Windows, parts: list[Found]) -> Found:
    names = [name for name in asked.features if name in parts[0].features]
    return Found(
        rows=np.concatenate([part.rows for part in parts]).astype(np.int64),
        times=np.concatenate([part.times for part in parts]).astype(np.int64),
        features={name: np.concatenate([part.features[name] for part in parts]) for name in names},
        target=np.concatenate([part.target for part in parts]),
        is_newest=np.concatenate([part.is_newest for part in parts]).astype(bool),
        step=parts[0].step,
        num_gaps=sum(part.num_gaps for part in parts),
        num_missing=sum(part.num_missing for part in parts),
        num_repeated=sum(part.num_repeated for part in parts),
    )
