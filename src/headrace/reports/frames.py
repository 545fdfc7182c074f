"""Statistics as a pandas DataFrame, as `DataFrame.describe()` gives it."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

from headrace.statistics.description_rows import SplitDescription, describe_split, describe_splits
from headrace.store.session import open_store

if TYPE_CHECKING:
    import pandas as pd

    from headrace.authoring import Artifact

_NUMBERS = ("mean", "std", "min", "25%", "50%", "75%", "max")
_CATEGORIES = ("unique", "top", "freq")


def describe(
    statistics: Artifact | str | int = "latest/StatisticsGen.statistics",
    split: str | None = None,
    *,
    store: str | os.PathLike[str] | None = None,
) -> pd.DataFrame:
    """Return the statistics of a StatisticsGen as pandas' `describe()` gives them, and `missing` beside `count`.

    Numbers: mean, standard deviation of a sample, smallest, 25 %, 50 %, 75 % and largest, exact up to a million values.
    Other features: number of different values, the most frequent one and how often it occurs. Statistics that stock
    TFX or an earlier version computed hold no 25 % and 75 %: these are NaN, and 50 % is approximate.

    Args:
        statistics: An `ExampleStatistics` artifact, or its id, folder or `RUN/NODE.key` in the store.
        split: The split. Left out, all of them: columns are pairs of split and feature.
        store: Folder of the store; `.headrace` where left out.

    Returns:
        One column for each feature, numbers first, and one row for each statistic. `attrs["rank_error"]` maps the numeric
        features whose quartiles are not exact to the share by which their ranks may be wrong; `None` where it is not
        known.

    Raises:
        StoreError: If there is no such artifact.
        UnknownSplitError: If there is no such split.

    Example:
        >>> import headrace
        >>> headrace.describe("latest/StatisticsGen.statistics", split="train")  # doctest: +SKIP
    """
    import pandas as pd

    if isinstance(statistics, (str, int)):
        with open_store(store) as session:
            artifact = session.subject(statistics).artifact
    else:
        artifact = statistics
    if split is not None:
        return _frame(describe_split(artifact, split))
    frames = {name: _frame(one) for name, one in describe_splits(artifact).items()}
    if list(frames) == [""]:
        return frames[""]
    found = pd.concat(frames, axis=1, names=["split", "feature"], sort=False)
    order = ["count", "missing", *_CATEGORIES, *_NUMBERS]
    found = found.reindex([name for name in order if name in found.index])
    found.attrs["rank_error"] = {
        (name, feature): error
        for name, frame in frames.items()
        for feature, error in frame.attrs["rank_error"].items()
    }
    return found


def _frame(split: SplitDescription) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, dict[str, object]] = {}
    for row in split.numbers:
        numbers = (row.mean, row.std, row.low, *row.quartiles, row.high)
        columns[row.name] = {
            "count": row.count,
            "missing": row.missing,
            **{name: math.nan if value is None else value for name, value in zip(_NUMBERS, numbers)},
        }
    for category in split.categories:
        columns[category.name] = {
            "count": category.count,
            "missing": category.missing,
            "unique": category.unique,
            "top": category.top,
            "freq": category.freq,
        }
    order = [
        "count",
        "missing",
        *(_CATEGORIES if split.categories else ()),
        *(_NUMBERS if split.numbers else ()),
    ]
    series = {
        name: pd.Series(column, dtype=object if "top" in column else float)
        for name, column in columns.items()
    }
    frame = pd.DataFrame(series).reindex(order) if series else pd.DataFrame(index=order)
    frame.attrs["rank_error"] = {row.name: row.error for row in split.numbers if row.error != 0}
    return frame
