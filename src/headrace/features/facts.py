"""What a look at some rows, or at statistics, tells about a feature beyond its type."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa
    from tensorflow_metadata.proto.v0 import statistics_pb2

MAX_SAMPLE_ROWS = 10_000
"""Rows that are looked at."""

NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*")
_SIGNS = r"\u3040-\u30ff\u3400-\u9fff"
_WORDS = re.compile(rf"[^\W_{_SIGNS}]+(?:['’][^\W_{_SIGNS}]+)?|[{_SIGNS}]")
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"BM")
# In the order in which they are tried; the one that reads most is taken.
_DATE_FORMATS: dict[str, str] = {
    "": r"\s*\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?\s*",
    "%d/%m/%Y": r"\s*(0?[1-9]|[12]\d|3[01])/(0?[1-9]|1[0-2])/\d{4}\s*",
    "%m/%d/%Y": r"\s*(0?[1-9]|1[0-2])/(0?[1-9]|[12]\d|3[01])/\d{4}\s*",
    "%d/%m/%Y %H:%M": r"\s*(0?[1-9]|[12]\d|3[01])/(0?[1-9]|1[0-2])/\d{4}\s+\d{1,2}:\d{2}\s*",
    "%m/%d/%Y %H:%M": r"\s*(0?[1-9]|1[0-2])/(0?[1-9]|[12]\d|3[01])/\d{4}\s+\d{1,2}:\d{2}\s*",
    "%m/%d/%Y %H:%M:%S": r"\s*(0?[1-9]|1[0-2])/(0?[1-9]|[12]\d|3[01])/\d{4}\s+\d{1,2}:\d{2}:\d{2}\s*",
    "%d.%m.%Y": r"\s*(0?[1-9]|[12]\d|3[01])\.(0?[1-9]|1[0-2])\.\d{4}\s*",
    "%d-%m-%Y": r"\s*(0?[1-9]|[12]\d|3[01])-(0?[1-9]|1[0-2])-\d{4}\s*",
    "%Y%m%d": r"\s*(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\s*",
}


@dataclass(frozen=True)
class Facts:
    """What is known of one feature.

    Attributes:
        num_rows: Rows looked at.
        num_filled: Those with a value.
        num_distinct: Different values among them; `None` where it is not known.
        most_values: In one row.
        least: The smallest number, of numbers and of texts that are numbers; `None` where there is none.
        greatest: The greatest.
        skewness: Of the numbers; positive where there is a long tail of large ones.
        mean_words: In a text, where each Chinese character is one.
        share_numbers: Of texts that are a number.
        share_dates: Of texts that are a date.
        date_format: Theirs, in `date_parts`' signs; empty for ISO 8601.
        share_pictures: Of values that begin as a picture's file does.
        values: The different texts in order, where there are few.
    """

    num_rows: int
    num_filled: int
    num_distinct: int | None = None
    most_values: int = 1
    least: float | None = None
    greatest: float | None = None
    skewness: float = 0.0
    mean_words: float = 0.0
    share_numbers: float = 0.0
    share_dates: float = 0.0
    date_format: str = ""
    share_pictures: float = 0.0
    values: tuple[str, ...] = ()

    @property
    def num_missing(self) -> int:
        """Rows without a value."""
        return self.num_rows - self.num_filled

    @property
    def share_distinct(self) -> float:
        """Of the rows with a value, how many have one of their own; 0 where it is not known."""
        return (self.num_distinct or 0) / self.num_filled if self.num_filled else 0.0


def from_rows(rows: pa.RecordBatch | pa.Table) -> dict[str, Facts]:
    """Return what rows tell of each of their features, columns of lists as Examples hold them."""
    return {name: _of_column(rows.column(name).to_pylist()) for name in rows.schema.names}


def from_values(values: Mapping[str, Sequence[Any]]) -> dict[str, Facts]:
    """Return what plain columns tell: one value in each row, `None` where it is missing."""
    return {name: _of_column(column) for name, column in values.items()}


def from_statistics(statistics: statistics_pb2.DatasetFeatureStatistics) -> dict[str, Facts]:
    """Return what TFDV's statistics of a split tell: of numbers not how many differ, of texts the most frequent."""
    found = {}
    for feature in statistics.features:
        name = feature.name or ".".join(feature.path.step)
        kind = feature.WhichOneof("stats")
        if kind not in ("num_stats", "string_stats", "bytes_stats"):
            continue
        stats = getattr(feature, kind)
        common = stats.common_stats
        rows = common.num_non_missing + common.num_missing
        most_values = max(int(common.max_num_values), 1)
        if kind == "num_stats":
            deviation = stats.std_dev
            # Pearson's second coefficient: there is no third moment.
            skew = 3 * (stats.mean - stats.median) / deviation if deviation else 0.0
            found[name] = Facts(
                rows, common.num_non_missing, None, most_values, stats.min, stats.max, skewness=skew
            )
            continue
        texts = [top.value for top in stats.top_values] if kind == "string_stats" else []
        seen = _of_column(texts)
        found[name] = Facts(
            num_rows=rows,
            num_filled=common.num_non_missing,
            num_distinct=int(stats.unique) or None,
            most_values=most_values,
            least=seen.least,
            greatest=seen.greatest,
            mean_words=max(seen.mean_words, stats.avg_length / 8) if kind == "string_stats" else 0.0,
            share_numbers=seen.share_numbers,
            share_dates=seen.share_dates,
            date_format=seen.date_format,
            values=seen.values if len(seen.values) == int(stats.unique) else (),
        )
    return found


def _of_column(column: Iterable[Any]) -> Facts:
    rows = [value if isinstance(value, (list, tuple)) else [value] for value in column]
    filled = [[one for one in row or () if _is_there(one)] for row in rows]
    values = [row[0] for row in filled if row]
    most_values = max((len(row) for row in filled), default=1) or 1
    common: dict[str, Any] = {
        "num_rows": len(rows),
        "num_filled": len(values),
        "num_distinct": len(set(values)),
        "most_values": most_values,
    }
    if not values:
        return Facts(**common)
    if isinstance(values[0], (bytes, str)):
        return _of_texts(values, common)
    numbers = [float(value) for value in values]
    return Facts(**common, least=min(numbers), greatest=max(numbers), skewness=_skewness(numbers))


def _of_texts(values: Sequence[bytes | str], common: dict[str, Any]) -> Facts:
    pictures = sum(isinstance(value, bytes) and value.startswith(_PICTURES) for value in values)
    texts = [
        value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in values[:2000]
    ]
    if pictures:
        return Facts(**common, share_pictures=pictures / len(values))
    numbers = [float(text) for text in texts if NUMBER.fullmatch(text)]
    formats = Counter(
        {sign: sum(bool(re.fullmatch(rule, text)) for text in texts) for sign, rule in _DATE_FORMATS.items()}
    )
    date_format, num_dates = formats.most_common(1)[0]
    distinct = set(values) if common["num_distinct"] <= 1000 else set()
    return Facts(
        **common,
        least=min(numbers, default=None),
        greatest=max(numbers, default=None),
        skewness=_skewness(numbers) if numbers else 0.0,
        mean_words=sum(len(_WORDS.findall(text)) for text in texts) / len(texts),
        share_numbers=len(numbers) / len(texts),
        share_dates=num_dates / len(texts),
        date_format=date_format,
        values=tuple(
            sorted(
                value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in distinct
            )
        ),
    )


def _is_there(value: Any) -> bool:
    if value is None or value in ("", b""):
        return False
    return not (isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))))


def _skewness(numbers: Sequence[float]) -> float:
    """The third standardized moment (Fisher's), 0 where nothing varies."""
    count = len(numbers)
    mean = sum(numbers) / count
    second = sum((number - mean) ** 2 for number in numbers) / count
    if second <= 1e-12 * max(mean * mean, 1e-12):
        return 0.0
    return float(sum((number - mean) ** 3 for number in numbers) / count / second**1.5)
