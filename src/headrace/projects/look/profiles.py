"""What a bounded sample tells of one column, before anything is decided about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headrace.formats.examples import arrow_features
from headrace.projects.look.number_facts import number_facts

# Words that stand for "no value", in lower case. They are looked for in columns of numbers and dates alone: elsewhere
# "none" or "unknown" may well be a value.
MISSING_WORDS = frozenset(
    {"", "-", "--", ".", "?", "n/a", "na", "nan", "nil", "none", "null", "missing", "unknown", "#n/a", "\\n"}
)
# Of the cells with a value, how many may be something else in a column of numbers or dates.
_MOST_ODD = 0.01
_NUM_SHOWN = 20
_MOST_VALUES = 1000
_NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"
_DECIMAL_COMMA = r"^\s*[-+]?\d+,\d+\s*$|^\s*[-+]?\d+\s*$"
_TIME = r"([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?"
# RE2 of a date, and the formats it may have, most likely first.
_DATES = (
    (r"^\d{4}-\d{2}-\d{2}" + _TIME + "$", ("%Y-%m-%d",)),
    (r"^\d{4}/\d{1,2}/\d{1,2}" + _TIME + "$", ("%Y/%m/%d",)),
    (r"^\d{1,2}/\d{1,2}/\d{4}" + _TIME + "$", ("%d/%m/%Y", "%m/%d/%Y")),
    (r"^\d{1,2}\.\d{1,2}\.\d{4}" + _TIME + "$", ("%d.%m.%Y",)),
    (r"^\d{1,2}-\d{1,2}-\d{4}" + _TIME + "$", ("%d-%m-%Y", "%m-%d-%Y")),
)
_SEPARATORS = re.compile(r"\s*[|;]\s*")


@dataclass(frozen=True)
class Profile:
    """One column of a sample.

    Attributes:
        name: The column's name.
        stored: What Examples hold of it: `"integer"`, `"float"`, `"text"`, `"bytes"`, `"list"`, or `"other"` for
            what has no form there.
        num_rows: Rows of the sample.
        num_missing: Cells without a value.
        num_distinct: Different values.
        top: The most frequent values as text, with the number of their rows.
        is_numeric: Whether its values are numbers, but for words that stand for none, and a few odd ones.
        has_decimal_comma: Whether these are written with a comma.
        missing_words: Words that stand for no value in a column of numbers or dates.
        odd: A few values that are neither numbers (dates) nor such words, in such a column.
        num_odd: Cells that hold such.
        is_whole: Whether all its numbers are whole.
        minimum: Of its numbers, as `maximum`, `mean` and `deviation` (of the population); 0 where there is none.
        maximum: See `minimum`.
        mean: See `minimum`.
        deviation: See `minimum`.
        numbers_seen: How many different numbers.
        farthest: The number that lies farthest out, where it is likely wrong.
        date_format: `strftime` form of its dates without the time of day, or `None`.
        date_is_ambiguous: Whether day and month could be the other way round.
        is_sorted: Whether values never fall from row to row, or never rise.
        mean_words: Words in a value on average.
        parts: The different words between `|` or `;`, where values are lists of words; else empty.
        values: As `top`, all of them, where they are few enough to be classes.
        is_foreign: Whether it has a type that Examples have no form for, such as times in Parquet.
    """

    name: str
    stored: str
    num_rows: int
    num_missing: int = 0
    num_distinct: int = 0
    top: tuple[tuple[str, int], ...] = ()
    is_numeric: bool = False
    has_decimal_comma: bool = False
    missing_words: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    num_odd: int = 0
    is_whole: bool = False
    minimum: float = 0.0
    maximum: float = 0.0
    mean: float = 0.0
    deviation: float = 0.0
    numbers_seen: int = 0
    farthest: float | None = None
    date_format: str | None = None
    date_is_ambiguous: bool = False
    is_sorted: bool = False
    mean_words: float = 0.0
    parts: tuple[str, ...] = ()
    values: tuple[tuple[str, int], ...] = field(default=(), repr=False)
    is_foreign: bool = False

    @property
    def num_filled(self) -> int:
        """Cells with a value."""
        return self.num_rows - self.num_missing


def profile(name: str, column: pa.ChunkedArray) -> Profile:
    """Look at one column.

    Args:
        name: Its name.
        column: Its values: text as a CSV holds it, or what a typed file holds.
    """
    is_foreign = arrow_features.feature_kind(column.type) is None
    if pa.types.is_dictionary(column.type):
        column = pa.chunked_array([arrow_features.decoded(chunk) for chunk in column.chunks])
    stored = stored_as(column.type)
    num_missing = column.null_count
    if stored in ("list", "other", "bytes"):
        parts = _list_parts(column)
        return Profile(name, stored, len(column), num_missing, parts=parts, is_foreign=is_foreign)
    if pa.types.is_boolean(column.type):
        column = pc.cast(column, pa.int64())
    counts = pc.value_counts(column.drop_null() if hasattr(column, "drop_null") else pc.drop_null(column))
    values, numbers = counts.field(0), counts.field(1).to_numpy()
    order = np.argsort(-numbers, kind="stable")
    frequent = tuple((str(values[int(i)].as_py()), int(numbers[i])) for i in order[:_MOST_VALUES])
    known: dict[str, Any] = {
        "num_missing": num_missing,
        "num_distinct": len(values),
        "top": frequent[:_NUM_SHOWN],
        "values": frequent if len(values) <= _MOST_VALUES else (),
        "is_sorted": _is_sorted(column),
        "is_foreign": is_foreign,
    }
    if stored == "text":
        return _text_profile(name, column, pc.cast(values, pa.string()), numbers, known)
    if pa.types.is_temporal(column.type):
        return Profile(name, "text", len(column), date_format="%Y-%m-%d", **known)
    floats = pc.cast(values, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return Profile(
        name,
        stored,
        len(column),
        is_numeric=True,
        **number_facts(floats, numbers),
        **known,
    )


def stored_as(kind: pa.DataType) -> str:
    """Return what Examples hold of a column of this type; see `Profile.stored`."""
    types = pa.types
    if types.is_dictionary(kind):
        return stored_as(kind.value_type)
    if types.is_boolean(kind) or types.is_integer(kind):
        return "integer"
    if types.is_floating(kind) or types.is_decimal(kind):
        return "float"
    if types.is_string(kind) or types.is_large_string(kind) or types.is_null(kind):
        return "text"
    if types.is_timestamp(kind) or types.is_date(kind):
        return "date"
    if types.is_binary(kind) or types.is_large_binary(kind):
        return "bytes"
    if types.is_list(kind) or types.is_large_list(kind):
        return "list" if stored_as(kind.value_type) in ("integer", "float", "text") else "other"
    return "other"


def _text_profile(
    name: str, column: pa.ChunkedArray, values: pa.Array, numbers: NDArray[Any], known: dict[str, Any]
) -> Profile:
    num_rows = len(column)
    is_word = np.array([value.strip().lower() in MISSING_WORDS for value in _texts(values)], bool)
    num_real = int(numbers[~is_word].sum()) if len(values) else 0
    words = tuple(str(value) for value in values.filter(pa.array(is_word)).to_pylist())
    if num_real:
        for pattern, has_comma in ((_NUMBER, False), (_DECIMAL_COMMA, True)):
            fits = _fits(values, pattern) & ~is_word
            num_odd = num_real - int(numbers[fits].sum())
            if num_odd <= _MOST_ODD * num_real:
                texts = [text.replace(",", ".") if has_comma else text for text in _texts(values, fits)]
                facts = number_facts(np.array(texts, float), numbers[fits])
                if not (words or num_odd or has_comma):
                    known["is_sorted"] = _is_sorted(_as_numbers(column))
                stored = "text" if words or num_odd or has_comma else _number_form(texts)
                return Profile(
                    name,
                    stored,
                    num_rows,
                    is_numeric=True,
                    has_decimal_comma=has_comma,
                    missing_words=words,
                    odd=tuple(_texts(values, ~fits & ~is_word)[:3]),
                    num_odd=num_odd,
                    **facts,
                    **known,
                )
        for pattern, formats in _DATES:
            fits = _fits(values, pattern) & ~is_word
            num_odd = num_real - int(numbers[fits].sum())
            if num_odd <= _MOST_ODD * num_real:
                date_format, is_ambiguous = _date_format(_texts(values, fits), formats)
                return Profile(
                    name,
                    "text",
                    num_rows,
                    missing_words=words,
                    odd=tuple(_texts(values, ~fits & ~is_word)[:3]),
                    num_odd=num_odd,
                    date_format=date_format,
                    date_is_ambiguous=is_ambiguous,
                    **known,
                )
    shares = numbers / max(1, numbers.sum())
    num_words = np.array([len(value.split()) for value in _texts(values)], float)
    return Profile(
        name,
        "text",
        num_rows,
        mean_words=float((num_words * shares).sum()) if len(values) else 0.0,
        parts=_separated_parts(_texts(values)),
        **known,
    )


def _texts(values: pa.Array, where: NDArray[Any] | None = None) -> list[str]:
    chosen = values if where is None else values.filter(pa.array(where))
    return [str(value) for value in chosen.to_pylist()]


def _fits(values: pa.Array, pattern: str) -> NDArray[Any]:
    found = pc.match_substring_regex(values, pattern)
    return np.asarray(found.to_numpy(zero_copy_only=False), bool)


def _as_numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Read numbers of a column, which orders them as numbers; what Arrow cannot read (`+5`) stays text."""
    try:
        return pc.cast(pc.utf8_trim_whitespace(column), pa.float64())
    except pa.ArrowInvalid:
        return column


def _number_form(texts: Sequence[str]) -> str:
    return "integer" if all(re.fullmatch(r"[-+]?\d+", text.strip()) for text in texts) else "float"


def _date_format(texts: Sequence[str], formats: Sequence[str]) -> tuple[str, bool]:
    """Return the format that all dates fit, and whether another one fits them as well."""
    if len(formats) == 1:
        return formats[0], False
    parts = [[int(part) for part in re.split(r"[/.\-]", text[:10])[:2] if part.isdigit()] for text in texts]
    can_be_day_first = all(pair[1] <= 12 for pair in parts if len(pair) == 2)
    can_be_month_first = all(pair[0] <= 12 for pair in parts if len(pair) == 2)
    return formats[1] if not can_be_day_first else formats[0], can_be_day_first and can_be_month_first


def _separated_parts(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the words of values such as `red|small`, where these make a small vocabulary."""
    several = [text for text in texts if "|" in text or ";" in text]
    if not several:
        return ()
    words = {word for text in texts for word in _SEPARATORS.split(text) if word}
    return tuple(sorted(words)) if len(words) < len(texts) and len(words) <= 100 else ()


def _list_parts(column: pa.ChunkedArray) -> tuple[str, ...]:
    if stored_as(column.type) != "list" or not pa.types.is_string(column.type.value_type):
        return ()
    words = pc.unique(pc.list_flatten(column)).to_pylist()
    return tuple(sorted(str(word) for word in words if word is not None)) if len(words) <= 100 else ()


def _is_sorted(column: pa.ChunkedArray) -> bool:
    if column.null_count or len(column) < 3:
        return False
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    before, after = whole.slice(0, len(whole) - 1), whole.slice(1)
    rises = pc.all(pc.less_equal(before, after)).as_py()
    return bool(rises or pc.all(pc.greater_equal(before, after)).as_py())
