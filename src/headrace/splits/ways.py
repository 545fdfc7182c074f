"""The ways to divide rows, as plain data; see `headrace.splits`."""

from __future__ import annotations

import inspect
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.errors import DataError, DefinitionError, did_you_mean, listed
from headrace.formats import split_names

FAIL, EXCLUDE = "fail", "exclude"
_MISSING = (FAIL, EXCLUDE)
SECONDS = {
    "ns": 1e-9,
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
}
UNITS = ("s", "ms", "us", "ns")
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(" + "|".join(sorted(SECONDS, key=len, reverse=True)) + r")\s*")
_SEEDS = range(2**32)


@dataclass(frozen=True)
class SplitBy:
    """One way to divide rows; made by the functions of this module.

    Attributes:
        kind: The name of the function.
        feature: The feature that decides; `None` where none does.
        options: Its other arguments that differ from their defaults, as JSON can hold them.
    """

    kind: str
    feature: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """The call that makes it, such as `time("time", gap="24h")`."""
        first = [] if self.feature is None else [json.dumps(self.feature, ensure_ascii=False)]
        others = [f"{name}={_written(value)}" for name, value in self.options.items()]
        name = "by_hash" if self.kind == "hash" else self.kind
        return f"{name}({', '.join([*first, *others])})"

    def option(self, name: str) -> Any:
        """Return an argument, given or by default."""
        return self.options.get(name, _defaults(self.kind).get(name))

    def as_mapping(self) -> dict[str, Any]:
        """Return the form that is recorded: `{"time": "date", "gap": "24h"}`."""
        if self.kind == "shuffle":
            return {self.kind: self.option("seed")}
        return {self.kind: self.feature, **self.options}


def by_hash(feature: str | None = None) -> SplitBy:
    """Divide by the hash of the whole row, or of one feature: TFX's hash buckets, the very same rows.

    Equal rows go into one split, and a row stays in its split when others are added. Shares are those of the hash:
    of few rows they may be far from what is asked for.
    """
    return _made("hash", feature)


def stratify(feature: str, *, bins: int | None = None, seed: int = 0) -> SplitBy:
    """Divide so that each class has its share in each split, to within one row.

    Which rows of a class go where is decided by a hash of their content: the order and number of the files do not
    matter. Rows without a value are a class of their own; a row with several values has them all as its class.

    Args:
        feature: The label. Numbers count as classes where there are few of them (20 different ones, or 10 rows of each
            on average); else ten quantile bins do. The node's summary says which.
        bins: So many quantile bins; 0 for each number as its own class. Default: as said.
        seed: Another number makes another choice.
    """
    _check_feature("stratify", feature)
    if bins is not None and (not _is_whole(bins) or bins < 0 or bins == 1):
        raise DefinitionError(
            f"stratify: bins is {bins!r}.", "give a number of quantile bins, 2 or more, or 0 for none."
        )
    return _made("stratify", feature, bins=bins, seed=_checked_seed("stratify", seed))


def group(feature: str, *, missing: str = FAIL) -> SplitBy:
    """Divide so that all rows of a group are in one split, such as all pictures of a patient.

    Shares are as near to those asked for as the groups' sizes allow: of few groups all ways are tried. The node's
    summary says what was reached.

    Args:
        feature: Names the group of a row: one text or number.
        missing: What becomes of rows without one: `"fail"`, or `"exclude"`, which leaves them out and counts them.
    """
    _check_feature("group", feature)
    return _made("group", feature, missing=_checked_missing("group", missing))


def time(
    feature: str,
    *,
    gap: str | float = 0,
    format: str | None = None,
    unit: str | None = None,
    missing: str = FAIL,
) -> SplitBy:
    """Divide by time: the oldest rows to the first split, the newest to the last. Rows of one time stay together.

    Args:
        feature: The time: whole numbers or floats, or texts such as `2013-10-01 12:00` (ISO 8601; without an offset,
            UTC).
        gap: The least time between the last row of a split and the first of the next, such as `"24h"`; see `headrace.splits.ways.SECONDS`
            for the units. Of a column of numbers, a number in its unit. Rows of the earlier split that lie in the gap
            go into no split, and are counted.
        format: How texts are written, as `datetime.strptime` has it, such as `"%d.%m.%Y"`.
        unit: The unit of numbers: `"s"`, `"ms"`, `"us"` or `"ns"` since 1970. Default: by their size.
        missing: What becomes of rows without a time: `"fail"`, or `"exclude"`, which leaves them out and counts them.
    """
    _check_feature("time", feature)
    if isinstance(gap, str):
        parse_duration(gap, "time: gap")
    elif isinstance(gap, bool) or not isinstance(gap, (int, float)) or not 0 <= gap < math.inf:
        raise DefinitionError(
            f"time: gap is {gap!r}.", "give a duration such as '24h', or a number, 0 or more."
        )
    if unit is not None and unit not in UNITS:
        raise DefinitionError(
            f"time: unit is {unit!r}. It can be {listed(UNITS)}.",
            f"{did_you_mean(str(unit), UNITS)}Correct it.",
        )
    if format is not None and not (isinstance(format, str) and "%" in format):
        raise DefinitionError(
            f"time: format is {format!r}.", "give it in the form of strptime, such as '%d.%m.%Y %H:%M'."
        )
    return _made(
        "time", feature, gap=gap, format=format, unit=unit, missing=_checked_missing("time", missing)
    )


def shuffle(seed: int = 0) -> SplitBy:
    """Divide by a shuffle of the row numbers: `numpy.random.RandomState(seed)` permutes them, shares cut the result.

    Shares are exact. Keras' data sets are divided so: `shuffle(seed=113)` with shares 4 to 1 makes the 404 and 102
    rows of its Boston housing data. It is the one way for which the order of the rows, and so of the files, counts.
    """
    return _made("shuffle", None, seed=_checked_seed("shuffle", seed))


def column(
    feature: str, *, names: Mapping[str, str] | None = None, drop: bool = False, missing: str = FAIL
) -> SplitBy:
    """Divide by a column that names each row's split. `splits` may list the names that are expected.

    Args:
        feature: The column.
        names: The split for each of its values, where they differ: `{"TRAIN": "train"}`. Other values count as names
            where `names` is not given, and are an error where it is.
        drop: Whether to leave the column out of the examples.
        missing: What becomes of rows without a value: `"fail"`, or `"exclude"`, which leaves them out and counts them.
    """
    _check_feature("column", feature)
    if not isinstance(drop, bool):
        raise DefinitionError(f"column: drop is {drop!r}.", "give True or False.")
    return _made(
        "column",
        feature,
        names=_checked_names("column", names),
        drop=drop,
        missing=_checked_missing("column", missing),
    )


def folders(*, names: Mapping[str, str] | None = None) -> SplitBy:
    """Make a split of each folder in `input_base`, such as `train/` and `test/`, with its name.

    `splits` may list the folders that are expected; else each counts that holds a matching file.

    Args:
        names: The split for each folder, where names differ: `{"training set": "train"}`. Other folders keep theirs.
    """
    return _made("folders", None, names=_checked_names("folders", names))


WAYS: dict[str, Callable[..., SplitBy]] = {
    "hash": by_hash,
    "stratify": stratify,
    "group": group,
    "time": time,
    "shuffle": shuffle,
    "column": column,
    "folders": folders,
}
# Their splits are named by the data; in the other ways, shares name them.
NAMED_BY_DATA = ("column", "folders")


# Each has files of its own that are open while rows are written.
MOST_SPLITS = 100


def check_number(num_splits: int, way: SplitBy, there: str) -> None:
    """Check that data that names its splits names no more than may be meant.

    Args:
        num_splits: How many there would be.
        way: How rows are divided, which says nothing of their names.
        there: What the data holds, as a clause.

    Raises:
        DataError: If there are too many.
    """
    if num_splits > MOST_SPLITS:
        raise DataError(
            f"{way}: each of {num_splits:,} names would be a split, and {MOST_SPLITS} are the most: {there}.",
            "divide by what names splits, such as train and test; where these are meant, list them: splits=[...].",
        )


def parse_duration(text: str, where: str) -> float:
    """Return the seconds of a duration such as `"24h"` or `"1d 12h"`.

    Raises:
        DefinitionError: If it is none.
    """
    rest, seconds = text, 0.0
    while found := _DURATION.match(rest):
        seconds += float(found[1]) * SECONDS[found[2]]
        rest = rest[found.end() :]
    if rest or not text.strip():
        raise DefinitionError(
            f"{where} is {text!r}, which is no duration.",
            f"give a number and its unit, such as '24h' or '1d 12h'. Units are {listed(SECONDS)}.",
        )
    return seconds


def _made(kind: str, feature: str | None, **options: Any) -> SplitBy:
    if feature is not None:
        _check_feature("by_hash" if kind == "hash" else kind, feature)
    defaults = _defaults(kind)
    # Kept where it has no default: the seed of a shuffle is what makes it.
    given = {name: value for name, value in options.items() if kind == "shuffle" or value != defaults[name]}
    return SplitBy(kind, feature, given)


def _defaults(kind: str) -> dict[str, Any]:
    parameters = inspect.signature(WAYS[kind]).parameters.values()
    return {one.name: one.default for one in parameters if one.default is not inspect.Parameter.empty}


def _check_feature(where: str, feature: Any) -> None:
    if not isinstance(feature, str) or not feature:
        raise DefinitionError(f"{where}: the feature is {feature!r}.", "give the name of a feature.")


def _checked_missing(where: str, missing: Any) -> str:
    if missing not in _MISSING:
        raise DefinitionError(
            f"{where}: missing is {missing!r}. It can be {listed(_MISSING)}.",
            f"{did_you_mean(str(missing), _MISSING)}Correct it.",
        )
    return str(missing)


def _checked_seed(where: str, seed: Any) -> int:
    if not _is_whole(seed) or seed not in _SEEDS:
        raise DefinitionError(f"{where}: seed is {seed!r}.", "give a whole number, 0 to 4294967295.")
    return int(seed)


def _checked_names(where: str, names: Any) -> dict[str, str] | None:
    if names is None:
        return None
    if not isinstance(names, Mapping) or not names:
        raise DefinitionError(f"{where}: names is {names!r}.", "give a mapping such as {'TRAIN': 'train'}.")
    split_names.check_given(names.values(), f"{where}: names")
    return {str(value): name for value, name in names.items()}


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
