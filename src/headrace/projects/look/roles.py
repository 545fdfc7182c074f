"""What each column is taken for, and why: rules in the order in which they are asked, the first that speaks decides."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from headrace.projects.look.profiles import Profile

Role = Literal["number", "category", "text", "date", "id", "ignore", "label", "group", "time", "image"]

# Words of a category that get a number of their own; rarer ones share one.
MAX_CATEGORIES = 50
# Values above which a column of single words names rows rather than kinds.
_MOST_KINDS = 1000
_ROWS_A_KIND = 5
_WORDS_OF_TEXT = 3.0
_SINCE, _UNTIL = 631_152_000, 2_524_608_000  # 1990 and 2050, as seconds since 1970

_ID = re.compile(
    r"(^|[_\s.-])(id|ids|uuid|guid|key|index|idx|rownames?|row|record|serial|nr|no)$|^unnamed|^$", re.I
)
_KIND = re.compile(
    r"(^|[_\s.-])(id|code|zip|zipcode|postcode|postal|area|tract|region|district|county|state|city|country|store|"
    r"class|category|cat|kind|type|group|cluster|status|level|month|day|hour|weekday|dow|quarter|season|week)"
    r"($|[_\s.-])",
    re.I,
)
_TIME_OF_CYCLE = re.compile(r"(^|[_\s.-])(month|day|hour|weekday|dow|quarter|week)($|[_\s.-])", re.I)
_WHO = re.compile(
    r"(^|[_\s.-])(patient|subject|user|customer|client|person|participant|session|household|device|machine|"
    r"speaker|student|visitor|account|member)([_\s.-]?(id|no|nr|number|key))?$",
    re.I,
)
_DATE = re.compile(r"(^|[_\s.-])(date|time|timestamp|datetime|ts|when|at|on)$|^(date|time)|timestamp", re.I)


@dataclass(frozen=True)
class Guess:
    """What a column is taken for.

    Attributes:
        role: One of `Role`.
        reason: Why, as part of a sentence.
    """

    role: Role
    reason: str


def guess(column: Profile) -> Guess:
    """Decide what a column is, from its values first and its name second."""
    return _unusable(column) or (_of_number(column) if column.is_numeric else _of_text(column))


def _unusable(column: Profile) -> Guess | None:
    if column.stored in ("list", "bytes", "other"):
        return Guess("ignore", f"holds {column.stored} values, which need lines of your own")
    if not column.num_filled:
        return Guess("ignore", "has no value in any row")
    if column.num_distinct == 1:
        value = column.top[0][0]
        where = "every row" if not column.num_missing else f"the {_rows(column.num_filled)} that have any"
        return Guess("ignore", f"has the same value in {where}: {short(value)}")
    if column.is_numeric and column.numbers_seen < 2 and not column.odd:
        return Guess("ignore", "has one number, and words for missing beside it")
    return None


def _of_number(column: Profile) -> Guess:
    is_unique = column.num_distinct == column.num_filled and column.num_filled > 5
    has_no_gap = column.maximum - column.minimum == column.num_distinct - 1
    if column.is_whole and is_unique and column.is_sorted and has_no_gap and not _DATE.search(column.name):
        return Guess("id", "counts the rows")
    if column.is_whole and is_unique and _ID.search(column.name):
        return Guess("id", "is a whole number of its own in each row, and is named like an id")
    if column.is_whole and _is_epoch(column):
        return Guess("date", "is named like a time, and its numbers are seconds since 1970")
    if column.is_whole and _WHO.search(column.name) and _repeats(column):
        return Guess("group", f"names {column.num_distinct:,} that have several rows each, kept in one split")
    if column.is_whole and column.num_distinct > 2 and _is_kind(column):
        return Guess(
            "category", f"is whole numbers with {column.num_distinct:,} values, and is named like a code"
        )
    return Guess("number", _number_reason(column))


def _number_reason(column: Profile) -> str:
    kind = "whole numbers" if column.is_whole else "numbers"
    text = f"{kind} from {column.minimum:.6g} to {column.maximum:.6g}"
    if column.missing_words:
        text += f"; {', '.join(map(short, column.missing_words[:3]))} stands for missing"
    if column.num_odd:
        text += f"; {column.num_odd:,} cells are none, such as {short(column.odd[0])}: taken as missing"
    return text


def _is_epoch(column: Profile) -> bool:
    in_range = column.minimum >= _SINCE and column.maximum <= _UNTIL
    return in_range and _DATE.search(column.name) is not None


def _is_kind(column: Profile) -> bool:
    if _TIME_OF_CYCLE.search(column.name) and column.minimum >= 0 and column.maximum <= 366:
        return True
    return (
        _KIND.search(column.name) is not None
        and column.num_distinct <= _MOST_KINDS
        and column.num_filled >= 2 * column.num_distinct
    )


def _repeats(column: Profile) -> bool:
    return column.num_distinct >= 10 and column.num_filled >= 1.5 * column.num_distinct


def _of_text(column: Profile) -> Guess:
    if column.date_format is not None:
        reason = f"dates such as {short(column.top[0][0])}"
        if column.date_is_ambiguous:
            reason += ", read with the day first; the month could be first as well"
        if column.num_odd:
            reason += f"; {column.num_odd:,} cells are none, such as {short(column.odd[0])}"
        return Guess("date", reason)
    is_unique = column.num_distinct == column.num_filled and column.num_filled > 5
    if column.mean_words >= _WORDS_OF_TEXT and column.num_distinct > max(20, 0.1 * column.num_filled):
        return Guess("text", f"texts of {column.mean_words:.0f} words on average")
    if is_unique:
        return Guess("id", "is a word of its own in each row")
    if _WHO.search(column.name) and _repeats(column):
        return Guess("group", f"names {column.num_distinct:,} that have several rows each, kept in one split")
    if column.num_distinct <= 20 or (
        column.num_distinct <= _MOST_KINDS and column.num_filled >= _ROWS_A_KIND * column.num_distinct
    ):
        return Guess("category", _category_reason(column))
    if column.num_filled >= 2 * column.num_distinct:
        return Guess("category", f"{_category_reason(column)}; the {MAX_CATEGORIES} most frequent count")
    if column.mean_words > 1.5:
        return Guess("text", f"texts of {column.mean_words:.1f} words on average, hardly any twice")
    return Guess(
        "ignore",
        f"has {column.num_distinct:,} different words in {_rows(column.num_filled)}: hardly any twice",
    )


def _category_reason(column: Profile) -> str:
    shown = ", ".join(short(value) for value, _ in column.top[:3])
    return f"{column.num_distinct:,} words: {shown}{' ...' if column.num_distinct > 3 else ''}"


def short(value: str, most: int = 30) -> str:
    """Return a value, quoted, as a table or a comment can hold it."""
    text = "".join(sign if sign.isprintable() else " " for sign in value)
    return f"'{text}'" if len(text) <= most else f"'{text[: most - 3]}...'"


def _rows(number: int) -> str:
    return f"{number:,} row{'' if number == 1 else 's'}"
