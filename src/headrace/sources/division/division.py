"""Decides the split of each row from the keys of all rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from headrace.errors import DataError, EmptyDataError, did_you_mean, listed
from headrace.formats import split_names
from headrace.formats.divisions import ClassTable
from headrace.sources.division import classes, gathering, groups, times
from headrace.sources.division.apportionment import bounds_to_choice, cut
from headrace.sources.division.keys import Keys, label_text, united
from headrace.splits.shares import Shares
from headrace.splits.ways import SplitBy, check_number

Choice: TypeAlias = "NDArray[np.int16]"

_MAX_NAMED = 20


@dataclass(frozen=True)
class Division:
    """Into which split each row goes.

    Attributes:
        splits: The splits.
        chosen: For each part, the position of each row's split in `splits`; a negative number -1 - n of a row that goes
            into none, for the reason `excluded[n]`.
        excluded: Why rows go into none.
        notes: What is to be said of it, the most important first.
        classes: The rows of each class in each split.
        digests: For each part the `ValueDigest` of the feature that decided.
    """

    splits: tuple[str, ...]
    chosen: tuple[Choice, ...]
    excluded: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    classes: ClassTable | None = None
    digests: tuple[int, ...] = ()

    def num_rows(self) -> dict[str, int]:
        """Return the number of rows of each split."""
        counts = sum(
            (np.bincount(part[part >= 0], minlength=len(self.splits)) for part in self.chosen),
            np.zeros(len(self.splits), np.int64),
        )
        return {name: int(count) for name, count in zip(self.splits, counts)}

    def num_excluded(self) -> dict[str, int]:
        """Return the number of rows that go into no split, by reason; those without rows are left out."""
        counts = {
            reason: sum(int((part == -1 - number).sum()) for part in self.chosen)
            for number, reason in enumerate(self.excluded)
        }
        return {reason: count for reason, count in counts.items() if count}


@dataclass
class _Decided:
    """What a way decides: see `Division`, whose `chosen` is here that of all rows."""

    chosen: Choice
    splits: tuple[str, ...]
    excluded: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    classes: ClassTable | None = None


def divide(parts: Sequence[Keys], way: SplitBy, shares: Shares) -> Division:
    """Decide the split of each row.

    Args:
        parts: The keys of each part, in the order of the rows.
        way: How to divide.
        shares: The splits.

    Raises:
        EmptyDataError: If there is no row.
        DataError: If a row cannot be divided, or a split would have no row.
        DefinitionError: If the way does not fit the data.
    """
    gathering.check(parts, way)
    sizes = [part.num_rows for part in parts]
    if not sum(sizes):
        raise EmptyDataError(f"{way}: there is no row to divide.", "give files with at least one row.")
    decided = _WAYS[way.kind](list(parts), way, shares)
    _check_not_empty(decided, way)
    chosen = np.split(decided.chosen.astype(np.int16), np.cumsum(sizes)[:-1])
    return Division(
        decided.splits,
        tuple(chosen),
        tuple(decided.excluded),
        tuple(decided.notes),
        decided.classes,
        tuple(part.digest for part in parts),
    )


def _check_not_empty(decided: _Decided, way: SplitBy) -> None:
    counts = np.bincount(decided.chosen[decided.chosen >= 0], minlength=len(decided.splits))
    empty = [name for name, count in zip(decided.splits, counts) if not count]
    if empty:
        raise DataError(
            f"{way}: no row would go into {listed(empty)}: {len(decided.chosen):,} "
            f"{'rows are' if len(decided.chosen) != 1 else 'row is'} divided into "
            f"{', '.join(map(repr, decided.splits))}.",
            "give more rows, fewer splits or other shares.",
        )


def _shuffle(parts: list[Keys], way: SplitBy, shares: Shares) -> _Decided:
    num_rows = sum(part.num_rows for part in parts)
    order = np.random.RandomState(way.option("seed")).permutation(num_rows)
    chosen = np.empty(num_rows, np.int16)
    chosen[order] = bounds_to_choice(cut(num_rows, shares.weights), num_rows)
    return _Decided(chosen, shares.names)


def _stratify(parts: list[Keys], way: SplitBy, shares: Shares) -> _Decided:
    codes, labels = united([part.values for part in parts])
    hashes = np.concatenate([part.hashes for part in parts])
    codes, names, notes = classes.as_classes(codes, labels, way)
    chosen, rows = classes.stratify(codes, len(names), hashes, shares.weights, way.option("seed"))
    notes += classes.remarks(names, rows, shares.names)
    table = ClassTable.of(str(way.feature), names, {n: rows[:, at] for at, n in enumerate(shares.names)})
    return _Decided(chosen, shares.names, notes=notes, classes=table)


def _group(parts: list[Keys], way: SplitBy, shares: Shares) -> _Decided:
    codes, labels = united([part.values for part in parts])
    chosen, notes, table = groups.place(codes, labels, way, shares)
    excluded = [f"no value in '{way.feature}'"] if None in labels else []
    return _Decided(chosen, shares.names, excluded, notes, table)


def _time(parts: list[Keys], way: SplitBy, shares: Shares) -> _Decided:
    kinds = {part.is_text for part in parts if part.has_time.any()}
    if len(kinds) > 1:
        raise DataError(f"{way}: '{way.feature}' holds texts and numbers.", "write all times alike.")
    found = np.concatenate([part.times for part in parts])
    has_time = np.concatenate([part.has_time for part in parts])
    if not has_time.any():
        raise DataError(f"{way}: no row has a value in '{way.feature}'.", "divide by another feature.")
    clock = times.clock_of(found[has_time], way, is_text=kinds == {True})
    gap = clock.gap(way)
    chosen = np.empty(len(found), np.int16)
    chosen[has_time], firsts = times.cut_by_time(
        found[has_time], shares.weights, shares.names, gap, str(way), clock
    )
    # A row in the gap is of no class of its own reason: the reasons are numbered from the first split on.
    excluded = [
        f"in the gap of {way.option('gap')} before split '{name}'" for name in shares.names[1:] if gap
    ]
    chosen[~has_time] = -1 - len(excluded)
    excluded += [f"no value in '{way.feature}'"] if not has_time.all() else []
    notes = [f"{name} from {clock.written(first)} on" for name, first in zip(shares.names[1:], firsts)]
    notes = [", ".join(notes)] if notes else []
    return _Decided(chosen, shares.names, excluded, [*notes, *times.remarks(found, clock)])


def _column(parts: list[Keys], way: SplitBy, shares: Shares) -> _Decided:
    codes, labels = united([part.values for part in parts])
    counts = np.bincount(codes, minlength=len(labels))
    names = way.option("names")
    texts = [label_text(label) for label in labels]
    split_of = {
        text: names.get(text) if names else text for text, label in zip(texts, labels) if label is not None
    }
    there = ", ".join(
        f"'{text}' ({count:,} {'row' if count == 1 else 'rows'})"
        for text, count in list(zip(texts, counts.tolist()))[:_MAX_NAMED]
    ) + (f" and {len(texts) - _MAX_NAMED:,} more" if len(texts) > _MAX_NAMED else "")
    for text, split in split_of.items():
        if split is None or (shares.names and split not in shares.names):
            known = list(names) if split is None else list(shares.names)
            raise DataError(
                f"{way}: {text!r} is {'no key of names' if split is None else 'no split that is asked for'}, which "
                f"{'has' if split is None else 'are'} {listed(known)}. '{way.feature}' holds {there}.",
                f"{did_you_mean(text, known)}Correct the rows, or name its split: names={{{text!r}: 'train'}}.",
            )
        if not split_names.is_good(split):
            raise DataError(
                f"{way}: {split!r} cannot be the name of a split. '{way.feature}' holds {there}.",
                f"give its split another name: names={{{text!r}: 'train'}}.",
            )
    found = dict.fromkeys(name for name in split_of.values() if name is not None)
    splits = shares.names or tuple(found)
    if not shares.names and not names:
        check_number(len(splits), way, f"'{way.feature}' holds {there}")
    if not splits:
        raise DataError(f"{way}: no row has a value in '{way.feature}'.", "divide by another feature.")
    numbers = np.array(
        [-1 if label is None else splits.index(split_of[text] or "") for text, label in zip(texts, labels)],
        np.int16,
    )
    excluded = [f"no value in '{way.feature}'"] if None in labels else []
    return _Decided(numbers[codes], splits, excluded)


_WAYS: dict[str, Callable[[list[Keys], SplitBy, Shares], _Decided]] = {
    "shuffle": _shuffle,
    "stratify": _stratify,
    "group": _group,
    "time": _time,
    "column": _column,
}
