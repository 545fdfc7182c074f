"""Windows over series: what was known at each time, beside what came after it.

A window is looked up by time, not by row: lag 3 is the value three steps before, also where rows lie in any order or some
are missing. Nothing in it is later than its own time, and no window holds values of two groups.
"""

from __future__ import annotations

import itertools
import json
import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeGuard

from headrace.errors import DataError, DefinitionError, did_you_mean, listed

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

STATISTICS = ("mean", "std", "min", "max", "sum")
GAPS = ("leave_out", "last")
UNITS = ("D", "h", "m", "s", "ms", "us", "ns")
# A feature each.
_MOST_STEPS = 10_000
# Nanoseconds from 1970 on are numbers of 64 bits: no series is as long.
_MOST_AHEAD = 10**9


@dataclass(frozen=True)
class Windows:
    """What is known of a series at a time; made by `windows`, and the same for training and serving.

    Attributes:
        time: The column with the time: text as ISO 8601, or a number that counts `unit` from 1970 on.
        value: The column that is predicted.
        lags: Steps before the time whose values are features; 0 is the time's own.
        horizon: Steps after the time whose value is predicted.
        rolling: Steps over which values are put together, up to the time's own, by the name of the statistic.
        group: Columns that tell series apart.
        step: Between two times, such as `"1h"`; `None` for the most frequent.
        gaps: `"leave_out"`: a window with a missing value is left out; `"last"`: the value before stands for it.
        unit: Of times that are numbers.
    """

    time: str
    value: str
    lags: tuple[int, ...]
    horizon: int
    rolling: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    group: tuple[str, ...] = ()
    step: str | None = None
    gaps: str = "leave_out"
    unit: str = "s"

    @property
    def target(self) -> str:
        """The name of what is predicted, such as `"temp_ahead_24"`."""
        return f"{self.value}_ahead_{self.horizon}"

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the features, such as `"temp_lag_0"` and `"temp_mean_24"`."""
        lags = [f"{self.value}_lag_{lag}" for lag in self.lags]
        rolling = [f"{self.value}_{name}_{size}" for name, sizes in self.rolling.items() for size in sizes]
        return (*lags, *rolling)

    @property
    def reach(self) -> int:
        """How many steps back a window looks."""
        return max([*self.lags, *(size - 1 for sizes in self.rolling.values() for size in sizes)])

    def to_text(self) -> str:
        """Return it as the text in which it is recorded."""
        plain = {name: value for name, value in vars(self).items() if value not in (None, (), {})}
        return json.dumps(plain, sort_keys=True)

    def rows(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a row for each time of a table whose window and target are there, in the order of time.

        Args:
            frame: The raw rows, in any order.

        Returns:
            The other columns as they are at the time, `features`, and `target`; the value itself stands at lag 0.

        Raises:
            DataError: If a column is missing, or times or values cannot be read.
        """
        return self._made(frame, compute(self, frame), has_target=True)

    def known(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a row for each time whose window is there, without a target; see `rows`."""
        return self._made(frame, compute(self, frame, has_target=False), has_target=False)

    def latest(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the row of the newest time of each group, to be served: equal to that of `rows` at this time.

        Args:
            frame: The newest raw rows, `reach + 1` of each group or more.

        Raises:
            DataError: See `rows`; and if no group has a whole window at its newest time.
        """
        found = compute(self, frame, has_target=False)
        newest = found.is_newest
        if not newest.any():
            raise DataError(
                f"windows: at the newest time of {self.value} values of the {self.reach + 1:,} steps before are missing.",
                f"give rows of the last {self.reach + 1:,} steps, or windows(..., gaps='last').",
            )
        return self._made(frame, found.only(newest), has_target=False)

    def _made(self, frame: pd.DataFrame, found: Found, *, has_target: bool) -> pd.DataFrame:
        import pandas as pd

        others = frame.drop(columns=[self.value]).iloc[found.rows].reset_index(drop=True)
        made = pd.DataFrame(found.features)
        parts = [others, made, *([pd.DataFrame({self.target: found.target})] if has_target else [])]
        return pd.concat(parts, axis=1)


@dataclass(frozen=True)
class Found:
    """The windows of a table, in the order of time.

    Attributes:
        rows: Place of each window's own row in the table.
        times: Nanoseconds since 1970.
        features: By name, a value for each window.
        target: The value ahead; empty where none was asked for.
        is_newest: Whether a window's time is the newest of its group.
        step: Nanoseconds between two times.
        num_gaps: Places where times are missing within a group.
        num_missing: Times that are missing there, and values.
        num_repeated: Rows that another row of the group says too; these are left out.
    """

    rows: np.ndarray[Any, Any]
    times: np.ndarray[Any, Any]
    features: Mapping[str, np.ndarray[Any, Any]]
    target: np.ndarray[Any, Any]
    is_newest: np.ndarray[Any, Any]
    step: int
    num_gaps: int
    num_missing: int
    num_repeated: int

    def only(self, kept: Any) -> Found:
        """Return some of the windows, by a mask or by places."""
        features = {name: values[kept] for name, values in self.features.items()}
        target = self.target[kept] if len(self.target) else self.target
        return Found(
            self.rows[kept],
            self.times[kept],
            features,
            target,
            self.is_newest[kept],
            self.step,
            self.num_gaps,
            self.num_missing,
            self.num_repeated,
        )


def windows(
    *,
    time: str,
    value: str,
    lags: int | Sequence[int],
    horizon: int,
    rolling: int | Sequence[int] | Mapping[str, int | Sequence[int]] = (),
    group: str | Sequence[str] = (),
    step: str | None = None,
    gaps: str = "leave_out",
    unit: str = "s",
) -> Windows:
    """Say what is known of a series at a time, and how far ahead it is predicted.

    `headrace.components.Windows` makes rows of it for training, divided by time; `latest` the row to be served:

        temperature = windows(time="time", value="temp", lags=range(48), horizon=24, rolling=[24], group="origin")
        rows = Windows(examples, windows=temperature, splits={"train": 3, "eval": 1})
        temperature.latest(newest_raw_rows)

    Args:
        time: The column with the time: text as ISO 8601, or a number.
        value: The column with the numbers.
        lags: Steps before the time whose values are features, 0 for the time's own: a list, or the number of them.
        horizon: Steps after the time whose value is predicted, 1 or more.
        rolling: Numbers of steps, up to and with the time's own, over which the mean is a feature; or by statistic:
            `{"mean": [24, 168], "std": [24]}`, of `"mean"`, `"std"` (of a sample), `"min"`, `"max"`, `"sum"`.
        group: Columns that tell series apart, such as the place of measurement.
        step: Between two times, such as `"1h"`, `"15min"`; by default the most frequent.
        gaps: What is done where times are missing: `"leave_out"` the windows that need them; or the `"last"` value
            before them stands for them, in features and never as a target. What came later is never used.
        unit: Of times that are numbers, from 1970 on: `"D"`, `"h"`, `"m"`, `"s"`, `"ms"`, `"us"` or `"ns"`.

    Raises:
        DefinitionError: If a number is out of range, or a word unknown.
    """
    if _is_whole(lags) and lags < 0:
        raise DefinitionError(f"windows: lags is {lags}.", "give a number of steps, or a list of them.")
    steps = range(min(lags, _MOST_STEPS + 1)) if _is_whole(lags) else lags
    is_given = rolling is not None and rolling != () and rolling != []
    named = rolling if isinstance(rolling, Mapping) else {"mean": rolling} if is_given else {}
    sizes = {str(name): _whole("rolling", (one,) if _is_whole(one) else one) for name, one in named.items()}
    if not isinstance(group, (str, list, tuple)):
        raise DefinitionError(
            f"windows: group is {group!r}.", "give the name of a column, or a list of names."
        )
    made = Windows(
        time=time,
        value=value,
        lags=_whole("lags", steps),
        horizon=horizon,
        rolling={name: sizes[name] for name in sorted(sizes)},
        group=(group,) if isinstance(group, str) else tuple(group),
        step=step,
        gaps=gaps,
        unit=unit,
    )
    _check(made)
    return made


def read(given: Windows | Mapping[str, object] | str) -> Windows:
    """Return windows given as an object, a plain mapping, or the text in which they are recorded.

    Raises:
        DefinitionError: If they are none.
    """
    if isinstance(given, Windows):
        return given
    try:
        plain: Any = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        plain = given
    if not isinstance(plain, Mapping) or not all(isinstance(name, str) for name in plain):
        raise DefinitionError(
            f"windows: {given!r} is none.",
            "make it with headrace.features.windows(time=..., value=..., ...).",
        )
    try:
        return windows(**plain)
    except TypeError as error:
        raise DefinitionError(f"windows: {error}.", "see help(headrace.features.windows).") from error


def compute(asked: Windows, frame: Any, *, has_target: bool = True) -> Found:
    """Return the windows of a table, given as a DataFrame or as columns by name.

    Raises:
        DataError: See `Windows.rows`.
    """
    from headrace.features import series_lookup

    return series_lookup.compute(asked, frame, has_target=has_target)


def _is_whole(given: object) -> TypeGuard[int]:
    return isinstance(given, numbers.Integral) and not isinstance(given, bool)


def _whole(name: str, given: Any) -> tuple[int, ...]:
    """Return numbers of steps in ascending order, each once.

    Raises:
        DefinitionError: If they are no whole numbers, or more than a row can have features.
    """
    found: list[Any] | None = (
        [] if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable) else None
    )
    if found is None:
        found = list(itertools.islice(given, _MOST_STEPS + 1))
        if len(found) > _MOST_STEPS:
            raise DefinitionError(
                f"windows: {name} asks for more than {_MOST_STEPS:,} features.",
                "give those that tell something.",
            )
    if (not found and not isinstance(given, (range, list, tuple))) or not all(map(_is_whole, found)):
        raise DefinitionError(
            f"windows: {name} is {given!r}.", "give a whole number of steps, or a list of whole numbers."
        )
    return tuple(sorted({int(one) for one in found}))


def _check_words(asked: Windows) -> None:
    columns = {"time": [asked.time], "value": [asked.value], "group": asked.group}
    for name, given in columns.items():
        if not all(isinstance(one, str) and one for one in given):
            raise DefinitionError(f"windows: {name} is {given[0]!r}.", "give the name of a column.")
    if asked.step is not None and not (isinstance(asked.step, str) and asked.step.strip()):
        raise DefinitionError(f"windows: step is {asked.step!r}.", "give a text: '1h' or '15min'.")
    for name, word, known in (("gaps", asked.gaps, GAPS), ("unit", asked.unit, UNITS)):
        if word not in known:
            raise DefinitionError(
                f"windows: {name} is {word!r}. There are {listed(known)}.",
                f"{did_you_mean(str(word), known)}Correct it.",
            )


def _check(asked: Windows) -> None:
    _check_words(asked)
    if not asked.lags and not asked.rolling:
        raise DefinitionError("windows: neither lags nor rolling is given.", "give lags=range(24).")
    if any(lag < 0 for lag in asked.lags):
        raise DefinitionError(
            f"windows: lag {min(asked.lags)} lies after the time, which is not known yet.",
            "give lags from 0 on.",
        )
    if not _is_whole(asked.horizon) or not 1 <= asked.horizon <= _MOST_AHEAD:
        raise DefinitionError(f"windows: horizon is {asked.horizon!r}.", "give a number of steps, 1 or more.")
    for name, sizes in asked.rolling.items():
        if name not in STATISTICS:
            raise DefinitionError(
                f"windows: rolling asks for '{name}'. There are {listed(STATISTICS)}.",
                f"{did_you_mean(name, STATISTICS)}Correct it.",
            )
        if any(size < (2 if name == "std" else 1) for size in sizes):
            raise DefinitionError(
                f"windows: rolling {name} over {min(sizes)} steps is asked for.", "give 1 or more, for std 2."
            )
    same = {asked.time, asked.value, *asked.group}
    if len(same) < 2 + len(asked.group):
        raise DefinitionError(
            "windows: time, value and group name one column twice.", "give each a column of its own."
        )
