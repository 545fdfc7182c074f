"""What is known of the numbers of a split beside TFDV's statistics: a table, and their distributions.

TFDV's own file holds the deviation of a population, a median and ten buckets of equal shares out of a sketch. The
table holds what a person compares with pandas' `describe()`; the distributions hold so many values that two spans of
hundreds of rows can be compared.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from headrace.formats import json_files

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DESCRIPTIONS_FILE = "Numbers.json"
DISTRIBUTIONS_FILE = "Distributions.parquet"

_FORMAT = 1
_ERROR_KEY = b"headrace.errors"


@dataclass(frozen=True)
class Description:
    """The numbers of one feature.

    Attributes:
        count: Numbers that are not NaN.
        num_nan: Those that are.
        mean: Their mean.
        deviation: Standard deviation of a sample.
        low, high: Smallest and largest; `None` without numbers.
        quartiles: 25 %, 50 % and 75 %, interpolated linearly between neighbouring values; empty without numbers.
        error: Share of the numbers by which the rank of a quartile may be wrong; 0 where it is exact. Elsewhere nothing is
            interpolated.
        distinct: Different numbers, where all are kept; else `None`.
    """

    count: int
    num_nan: int
    mean: float
    deviation: float
    low: float | None
    quartiles: tuple[float, ...]
    high: float | None
    error: float
    distinct: int | None = None


@dataclass(frozen=True)
class Distribution:
    """How the numbers of one feature are distributed.

    Attributes:
        values: Values in rising order, each once; float64.
        counts: How many numbers each stands for; int64.
        error: By so much may the share of numbers up to some value be wrong, 0 to 1.
    """

    values: NDArray[np.float64]
    counts: NDArray[np.int64]
    error: float = 0.0

    @property
    def total(self) -> int:
        """All numbers."""
        return int(self.counts.sum())


def write(folder: str, descriptions: Mapping[str, Description]) -> None:
    """Write the table of one split, by feature name, beside its statistics; the folder exists."""
    features = {name: asdict(descriptions[name]) for name in sorted(descriptions)}
    content = {"format": _FORMAT, "features": features}
    json_files.write(os.path.join(folder, DESCRIPTIONS_FILE), content)


def read(folder: str) -> dict[str, Description] | None:
    """Read what `write` wrote; `None` where TFDV, stock TFX or an earlier version computed the statistics.

    Raises:
        MalformedFileError: If the file holds something else.
    """
    path = os.path.join(folder, DESCRIPTIONS_FILE)
    if not os.path.exists(path):
        return None
    content = json_files.read_numbered(path, "a table of numbers", _FORMAT)
    try:
        return {name: _description(**one) for name, one in content["features"].items()}
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise json_files.damaged(path, "a table of numbers", error) from error


def _description(*, quartiles: list[float], **more: Any) -> Description:
    return Description(quartiles=tuple(quartiles), **more)


def write_distributions(folder: str, distributions: Mapping[str, Distribution]) -> None:
    """Write the distributions of one split, by feature name, beside its statistics; the folder exists."""
    import json

    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from headrace.files import whole_files

    names = sorted(distributions)
    empty = [np.empty(0, np.float64)], [np.empty(0, np.int64)]
    table = pa.table(
        {
            "feature": pa.array(
                np.repeat(np.array(names, dtype=object), [len(distributions[name].values) for name in names]),
                pa.string(),
            ),
            "value": np.concatenate([distributions[name].values for name in names] or empty[0]),
            "count": np.concatenate([distributions[name].counts for name in names] or empty[1]),
        }
    )
    errors = json.dumps({name: distributions[name].error for name in names if distributions[name].error})
    table = table.replace_schema_metadata({_ERROR_KEY: errors.encode()})
    with whole_files.written(os.path.join(folder, DISTRIBUTIONS_FILE)) as file:
        pq.write_table(table, file)


def read_distributions(folder: str) -> dict[str, Distribution] | None:
    """Read what `write_distributions` wrote; `None` where there is no such file.

    Raises:
        MalformedFileError: If the file holds something else.
    """
    import json

    import pyarrow as pa

    from headrace.formats import parquet_files

    path = os.path.join(folder, DISTRIBUTIONS_FILE)
    if not os.path.exists(path):
        return None
    file = parquet_files.open_file(path)
    try:
        errors = json.loads((file.schema_arrow.metadata or {})[_ERROR_KEY])
        table = pa.Table.from_batches(
            list(parquet_files.read_batches(path, 1 << 20, file=file)), file.schema_arrow
        )
        names = table["feature"].to_numpy()
        values, counts = table["value"].to_numpy(), table["count"].to_numpy()
    except (KeyError, ValueError, TypeError) as error:
        raise json_files.damaged(path, "a file of distributions", error) from error
    return _by_name(names, values, counts, errors)


def _by_name(names: Any, values: Any, counts: Any, errors: Mapping[str, float]) -> dict[str, Distribution]:
    import numpy as np

    if not len(names):
        return {}
    starts = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1).tolist(), len(names)]
    return {
        str(names[start]): Distribution(values[start:end], counts[start:end], errors.get(names[start], 0.0))
        for start, end in itertools.pairwise(starts)
    }
