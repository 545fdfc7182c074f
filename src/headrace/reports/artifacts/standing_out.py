"""What is worth looking at in a feature: small checks, each with its rule in words.

A check is a function of one feature in all splits. It gives nothing, or what it found with its evidence. The sentence
that nothing stands out is said where no check found anything, so it cannot contradict what is shown beside it. To add a
check, put it into `CHECKS`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from headrace.errors import listed
from headrace.reports.artifacts.feature_statistics import FeatureStatistics, is_beyond_chance
from headrace.reports.blocks.numbers import format_number, format_share
from headrace.ui.units import plural

Splits = Mapping[str, FeatureStatistics]
Remark = tuple[str, str]

_MANY_MISSING = 0.1
_MANY_ZEROS = 0.5
_FAR_APART = 0.1
_FAR_MEAN = 10
_ALMOST_ALL = 0.95
_ENOUGH_VALUES = 100
_MAX_CLASSES = 20
_DOMINANT = 0.9
_RARE = 2


@dataclass(frozen=True)
class Seen:
    """One feature.

    Attributes:
        splits: What is known of it, by split; one at least.
        apart: The greatest distance of two splits, 0 to 1.
        measure: Its name; empty where there is none.
    """

    splits: Splits
    apart: float = 0.0
    measure: str = ""

    @property
    def known(self) -> dict[str, FeatureStatistics]:
        """The splits in which it has a value."""
        return {name: one for name, one in self.splits.items() if one.missing_share < 1}


@dataclass(frozen=True)
class Check:
    """One kind of finding.

    Attributes:
        name: What is looked for, in a word or two.
        rule: When it is found, in words.
        find: Gives the tone, `"bad"`, `"warning"` or `"info"`, and the text of each finding.
    """

    name: str
    rule: str
    find: Callable[[Seen], Iterator[Remark]]


def _missing(seen: Seen) -> Iterator[Remark]:
    where, worst = max(seen.splits.items(), key=lambda one: one[1].missing_share)
    if worst.missing_share == 1:
        which = [name for name, one in seen.splits.items() if one.missing_share == 1]
        yield "bad", f"no values in {listed(which)}" if seen.known else "no values"
    elif worst.missing_share > 0:
        tone = "warning" if worst.missing_share >= _MANY_MISSING else "info"
        yield (
            tone,
            f"{format_share(worst.missing_share)} missing ({_rows_of(seen, where, worst.num_missing)})",
        )


def _rows_of(seen: Seen, split: str, count: float) -> str:
    """Rows, and of which split they are where there are others."""
    return plural(int(count), "row") + (f" of {split}" if len(seen.splits) > 1 else "")


def _constant(seen: Seen) -> Iterator[Remark]:
    constant = [name for name, one in seen.known.items() if one.is_constant]
    if constant and len(constant) == len(seen.known):
        yield "warning", "one value only"
    elif constant:
        yield "warning", f"one value only in {listed(constant)}"


def _zeros(seen: Seen) -> Iterator[Remark]:
    zeros = max(one.zero_share for one in seen.splits.values())
    if zeros > _MANY_ZEROS:
        yield "info", f"{format_share(zeros)} zeros"


def _unlike_splits(seen: Seen) -> Iterator[Remark]:
    if seen.apart > _FAR_APART and is_beyond_chance(list(seen.splits.values())):
        yield "warning", f"splits differ: {seen.measure} {seen.apart:.2f}"


def _all_different(seen: Seen) -> Iterator[Remark]:
    for one in seen.known.values():
        if one.texts is not None:
            # Language hardly ever repeats itself.
            continue
        distinct = one.distinct if one.distinct is not None else one.distinct_integers
        if distinct and one.num_values > _ENOUGH_VALUES and distinct > _ALMOST_ALL * one.num_values:
            yield "info", f"almost all different ({distinct:,} of {int(one.num_values):,})"
            return


def _types(seen: Seen) -> Iterator[Remark]:
    kinds = list(dict.fromkeys(one.kind for one in seen.splits.values()))
    if len(kinds) > 1:
        yield "bad", f"types differ between splits: {listed(kinds)}"


def _far(seen: Seen) -> Iterator[Remark]:
    for one in seen.known.values():
        if one.farthest is not None:
            yield "warning", f"values far from all others: {format_number(one.farthest)}"
            if evidence := _mean_beside(one):
                yield "info", evidence
            return


def _mean_beside(one: FeatureStatistics) -> str:
    if one.mean is None or one.median is None:
        return ""
    return f"mean {format_number(one.mean)}, median {format_number(one.median)}"


def _far_mean(seen: Seen) -> Iterator[Remark]:
    for one in seen.known.values():
        if one.farthest is None and one.mean is not None and one.median is not None and one.quartiles:
            spread = one.quartiles[1] - one.quartiles[0]
            if math.isfinite(one.mean) and spread > 0 and abs(one.mean - one.median) > _FAR_MEAN * spread:
                yield "warning", f"a few values move the mean: {_mean_beside(one)}"
                return


def _odd_text(seen: Seen) -> Iterator[Remark]:
    for one in seen.known.values():
        if one.odd_text is not None:
            yield "warning", f"text where nearly all values are numbers, such as {one.odd_text!r}"
            return


def _not_a_number(seen: Seen) -> Iterator[Remark]:
    if found := max(one.not_finite for one in seen.splits.values()):
        yield "warning", f"{plural(int(found), 'value')} NaN"


def _infinite(seen: Seen) -> Iterator[Remark]:
    ends = {end for one in seen.known.values() for end in (one.low, one.high) if end is not None}
    found = [format_number(end) for end in sorted(ends) if math.isinf(end)]
    if found:
        yield "warning", f"infinite: {' and '.join(found)}"


def _unbalanced(seen: Seen) -> Iterator[Remark]:
    for where, one in seen.known.items():
        classes = one.classes
        total = sum(classes.values())
        if not 2 <= len(classes) <= _MAX_CLASSES or total <= _ENOUGH_VALUES:
            continue
        most, least = (
            max(classes, key=lambda name: classes[name]),
            min(classes, key=lambda name: classes[name]),
        )
        if classes[most] > _DOMINANT * total:
            yield "info", f"unbalanced: {format_share(classes[most] / total)} are {most!r}"
            return
        if classes[least] <= _RARE:
            yield "info", f"a rare value: {least!r} in {_rows_of(seen, where, classes[least])}"
            return


CHECKS: tuple[Check, ...] = (
    Check("missing values", f"Rows have none; a warning from {format_share(_MANY_MISSING)} on.", _missing),
    Check("constant features", "All rows that have a value have the same.", _constant),
    Check("zeros", f"More than {format_share(_MANY_ZEROS)} of the numbers are zero.", _zeros),
    Check(
        "splits that differ",
        f"Two splits are more than {_FAR_APART} apart (KS of numbers, greatest difference of a share of other values), "
        "and farther than chance takes so few rows.",
        _unlike_splits,
    ),
    Check(
        "almost all different",
        f"More than {format_share(_ALMOST_ALL)} of over {_ENOUGH_VALUES} values of a feature of words or integers occur once, "
        "as in an id.",
        _all_different,
    ),
    Check("types that differ", "A feature has one type in one split and another elsewhere.", _types),
    Check(
        "values far from all others",
        "The smallest or largest number lies beyond a hundred times the spread of the middle eight tenths.",
        _far,
    ),
    Check(
        "a mean that few values move",
        f"Mean and median are more than {_FAR_MEAN} times the distance of the quartiles apart.",
        _far_mean,
    ),
    Check(
        "text among numbers",
        "At least 95 % of the values of a text feature are numbers, and some are not.",
        _odd_text,
    ),
    Check("NaN", "A number is NaN.", _not_a_number),
    Check("infinite numbers", "The smallest or largest number is infinite.", _infinite),
    Check(
        "unbalanced values",
        f"Of 2 to {_MAX_CLASSES} different texts or integers one has more than {format_share(_DOMINANT)}, or one "
        f"occurs in {_RARE} rows at most.",
        _unbalanced,
    ),
)


def remarks(seen: Seen) -> list[Remark]:
    """Return all that is worth looking at in a feature: tone and text."""
    return [remark for check in CHECKS for remark in check.find(seen)]


def rules(features: list[Seen]) -> list[tuple[str, str]]:
    """Return name and rule of each check that found something in one of the features."""
    return [
        (check.name, check.rule)
        for check in CHECKS
        if any(True for seen in features for _ in check.find(seen))
    ]
