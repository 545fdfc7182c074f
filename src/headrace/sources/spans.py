"""Which span and version of the input to read: `{SPAN}`, `{VERSION}` and dates in split patterns.

A span is a portion of the data that arrives over time, numbered, or dated by `{YYYY}`, `{MM}`, `{DD}`
and then numbered by the days since 1970-01-01; a version is a correction of a span. The rules are TFX's
(tfx/components/example_gen/utils.py, whose module cannot be imported without TensorFlow).
"""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from headrace import files
from headrace.errors import DataError, DefinitionError, MissingFileError
from headrace.files import addresses
from headrace.sources import input_files

_PLACEHOLDER = re.compile(r"\{(?P<name>SPAN|VERSION|YYYY|MM|DD)(?::(?P<width>.*?))?\}")
_GLOB_PART = re.compile(r"\*|\?|\[!?[^]]+\]")
_DATE = ("YYYY", "MM", "DD")
_DATE_WIDTHS = {"YYYY": 4, "MM": 2, "DD": 2}
_FIRST_DAY = datetime.date(1970, 1, 1)


@dataclass(frozen=True)
class Match:
    """The values of a pattern's placeholders in one path.

    Attributes:
        span: The span's number; 0 where the pattern has neither span nor date.
        version: The version's number; `None` where the pattern has none.
        texts: What stands in the path for each placeholder, with its zeros.
    """

    span: int
    version: int | None
    texts: dict[str, str]

    @property
    def order(self) -> tuple[int, int]:
        """Later spans sort behind earlier ones, then later versions."""
        return self.span, -1 if self.version is None else self.version


@dataclass(frozen=True)
class SplitPattern:
    """A split's file pattern, with the placeholders in it.

    Attributes:
        split: The split's name.
        text: The pattern, relative to the input's folder.
        widths: Each placeholder's number of digits; `None` where any number of digits is meant.
    """

    split: str
    text: str
    widths: dict[str, int | None]

    @classmethod
    def parse(cls, split: str, text: str) -> SplitPattern:
        """Read the placeholders of a pattern.

        Raises:
            DefinitionError: If they do not go together: a version without a span, a date that lacks a part,
                span and date at once, one twice, or a width that is not a positive number.
        """
        where = f"split '{split}': pattern '{text}'"
        widths: dict[str, int | None] = {}
        for found in _PLACEHOLDER.finditer(text):
            name, width = found["name"], found["width"]
            if name in widths:
                raise DefinitionError(f"{where} has {{{name}}} more than once.", "keep one of them.")
            if width is not None and (name in _DATE or not width.isdecimal() or int(width) == 0):
                raise DefinitionError(
                    f"{where} has width '{width}' for {{{name}}}, which is not a positive number of digits.",
                    f"write {{{name}}}" + ("." if name in _DATE else f", or for example {{{name}:3}}."),
                )
            widths[name] = _DATE_WIDTHS.get(name, None if width is None else int(width))
        dates = [name for name in _DATE if name in widths]
        if "SPAN" in widths and dates:
            raise DefinitionError(f"{where} has a span and a date.", "keep {SPAN}, or {YYYY}, {MM} and {DD}.")
        if dates and len(dates) < len(_DATE):
            raise DefinitionError(
                f"{where} has a date without {', '.join(f'{{{name}}}' for name in _DATE if name not in dates)}.",
                "a date needs each of {YYYY}, {MM} and {DD}.",
            )
        if "VERSION" in widths and not dates and "SPAN" not in widths:
            raise DefinitionError(f"{where} has {{VERSION}} without a span.", "add {SPAN}, or a date.")
        return cls(split, text, widths)

    @property
    def has_span(self) -> bool:
        """Whether a span or a date is to be found."""
        return "SPAN" in self.widths or "YYYY" in self.widths

    def fill(self, texts: dict[str, str]) -> str:
        """Return the pattern with placeholders replaced; those not in `texts` stay."""
        return _PLACEHOLDER.sub(lambda found: texts.get(found["name"], found[0]), self.text)

    def span_texts(self, span: int) -> dict[str, str]:
        """Return what stands for a span's number in this pattern.

        Raises:
            DefinitionError: If the number has more digits than the pattern gives it.
        """
        if "YYYY" in self.widths:
            day = _FIRST_DAY + datetime.timedelta(days=span)
            return {"YYYY": f"{day.year:04}", "MM": f"{day.month:02}", "DD": f"{day.day:02}"}
        width = self.widths["SPAN"]
        if width is not None and len(str(span)) > width:
            raise DefinitionError(
                f"split '{self.split}': pattern '{self.text}' has {width} digits for the span, and range_config "
                f"asks for span {span}.",
                "widen {SPAN:...}, or ask for another span.",
            )
        return {"SPAN": str(span).zfill(width or 0)}

    def find_latest(self, input_base: str, fixed: dict[str, str]) -> Match:
        """Return the latest span, and its latest version, among the files that exist.

        Args:
            input_base: The folder the pattern starts at.
            fixed: Placeholders that must have these texts; empty for the latest of all.

        Raises:
            MissingFileError: If no file matches.
            DataError: If what stands for a number or a date in a path is none.
        """
        wildcards = {name: fixed.get(name, "*") for name in self.widths}
        place = os.path.join(addresses.here(input_base), "")
        if not addresses.is_elsewhere(place):
            # As `glob` writes what it finds. Elsewhere a folder's name may be empty.
            place = re.sub("/{2,}", "/", place)
        base = input_files.base_pattern(place)
        paths = files.matching(os.path.join(base, self.fill(wildcards)))
        if not paths:
            asked = f" with span {'-'.join(fixed.values())}" if fixed else ""
            raise MissingFileError(
                f"split '{self.split}': no file matches pattern '{self.text}'{asked} in '{input_base}'.",
                "correct the pattern or range_config, or put the span's files in place.",
            )
        is_folder = files.is_folder(place)
        expression = self._expression(re.escape(place) if is_folder else _as_expression(place), fixed)
        return max((self._match(path, expression) for path in paths), key=lambda match: match.order)

    def _expression(self, base: str, fixed: dict[str, str]) -> re.Pattern[str]:
        # The placeholders are in the split's pattern alone; `base` is an expression already.
        full, parts, at = self.text, [base], 0
        for found in _PLACEHOLDER.finditer(full):
            name = found["name"]
            width = self.widths[name]
            anything = "[^/]*" if width is None else f"[^/]{{{width}}}"
            values = re.escape(fixed[name]) if name in fixed else anything
            parts += [_as_expression(full[at : found.start()]), f"(?P<{name}>{values})"]
            at = found.end()
        return re.compile("".join([*parts, _as_expression(full[at:])]))

    def _match(self, path: str, expression: re.Pattern[str]) -> Match:
        found = expression.match(path)
        if found is None:
            raise DataError(
                f"split '{self.split}': '{path}' does not fit pattern '{self.text}'.",
                "rename that file or folder, or make the pattern narrower.",
            )
        texts = found.groupdict()
        try:
            numbers = {name: int(text) for name, text in texts.items()}
            if "SPAN" in numbers:
                span = numbers["SPAN"]
            else:
                span = (datetime.date(*(numbers[name] for name in _DATE)) - _FIRST_DAY).days
        except ValueError:
            held = ", ".join(f"{{{name}}} '{text}'" for name, text in texts.items())
            raise DataError(
                f"split '{self.split}': '{path}' has no number or date where pattern '{self.text}' has one: {held}.",
                "rename that file or folder, or make the pattern narrower.",
            ) from None
        return Match(span, numbers.get("VERSION"), texts)


@dataclass(frozen=True)
class Resolved:
    """The span and version to read, and each split's pattern with them filled in."""

    span: int
    version: int | None
    patterns: list[str]


def resolve(input_base: str, splits: Sequence[Any], range_config: Any | None) -> Resolved:
    """Decide which span and version all splits are read from.

    Args:
        input_base: The folder that patterns start at.
        splits: TFX's `Input.Split` protos.
        range_config: TFX's `RangeConfig`; `None` for the latest span.

    Raises:
        DefinitionError: If patterns and range do not go together.
        MissingFileError: If no file matches a pattern.
        DataError: If the splits' latest spans or versions differ.
    """
    patterns = [SplitPattern.parse(split.name, split.pattern) for split in splits]
    for pattern in patterns[1:]:
        if pattern.widths.keys() != patterns[0].widths.keys():
            raise DefinitionError(
                f"pattern '{pattern.text}' of split '{pattern.split}' has other placeholders than "
                f"'{patterns[0].text}' of split '{patterns[0].split}'.",
                "use the same placeholders in each split.",
            )
    wanted = wanted_span(range_config)
    if not patterns or not patterns[0].has_span:
        if range_config is not None:
            raise DefinitionError(
                "range_config is given, and no split pattern has a span or a date.",
                "add {SPAN}, or {YYYY}, {MM} and {DD}, to each pattern, or drop range_config.",
            )
        return Resolved(0, None, [pattern.text for pattern in patterns])
    latest = [
        pattern.find_latest(input_base, {} if wanted is None else pattern.span_texts(wanted))
        for pattern in patterns
    ]
    for pattern, match in zip(patterns, latest):
        if match.order != latest[0].order:
            raise DataError(
                f"split '{patterns[0].split}' has {_named(latest[0])} as its latest and split "
                f"'{pattern.split}' has {_named(match)}; all splits are read from one span and version.",
                "add the missing files, or name the span in range_config.",
            )
    filled = [pattern.fill(match.texts) for pattern, match in zip(patterns, latest)]
    return Resolved(latest[0].span, latest[0].version, filled)


def _named(match: Match) -> str:
    return f"span {match.span}" + ("" if match.version is None else f" version {match.version}")


def wanted_span(range_config: Any | None) -> int | None:
    """Return the span asked for; `None` for the latest."""
    if range_config is None:
        return None
    if range_config.HasField("static_range"):
        static = range_config.static_range
        if static.start_span_number != static.end_span_number:
            raise DefinitionError(
                f"range_config asks for spans {static.start_span_number} to {static.end_span_number}; an "
                "ExampleGen reads one span.",
                "give the same number as start and end.",
            )
        return int(static.start_span_number)
    if not range_config.HasField("rolling_range"):
        raise DefinitionError("range_config is empty.", "give a static_range, or a rolling_range of 1 span.")
    if range_config.rolling_range.num_spans != 1 or range_config.rolling_range.start_span_number > 0:
        raise DefinitionError(
            f"range_config has a rolling_range of {range_config.rolling_range.num_spans} spans from "
            f"{range_config.rolling_range.start_span_number}; an ExampleGen reads the latest span.",
            "give rolling_range num_spans 1 and no start_span_number.",
        )
    return None


def _as_expression(pattern: str) -> str:
    """Translate a part of a file pattern into a regular expression."""
    parts, at = [], 0
    for found in _GLOB_PART.finditer(pattern):
        wildcard = {"*": "[^/]*", "?": "[^/]"}.get(found[0], found[0].replace("[!", "[^", 1))
        parts += [re.escape(pattern[at : found.start()]), wildcard]
        at = found.end()
    return "".join([*parts, re.escape(pattern[at:])])
