"""Classes of rows, and rows divided so that each class has its share in each split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import DataError
from headrace.sources.division.apportionment import Counts, apportion
from headrace.sources.division.keys import Label, label_text
from headrace.sources.division.row_hashes import Hashes, mixed
from headrace.splits.ways import SplitBy

# Numbers are classes where there are so few, or so many rows of each on average; else quantile bins are.
_FEW, _ROWS_OF_EACH = 20, 10
_BINS = 10
_MAX_NAMED = 3


def are_classes(num_different: int, num_rows: int) -> bool:
    """Whether so many different numbers in so many rows are classes."""
    return num_different <= max(_FEW, num_rows // _ROWS_OF_EACH)


def as_classes(
    codes: NDArray[np.int64], labels: Sequence[Label], way: SplitBy
) -> tuple[NDArray[np.int64], list[str], list[str]]:
    """Return the class of each row, how the classes are called, and what is to be said of them.

    Args:
        codes: For each row the position of its value in `labels`.
        labels: The values, numbers in ascending order and `None` last.
        way: `stratify`, with the bins that are asked for.

    Raises:
        DataError: If bins are asked for, and values are no numbers.
    """
    numbers = [label for label in labels if isinstance(label, (int, float))]
    others = [label for label in labels if label is not None and not isinstance(label, (int, float))]
    bins = way.option("bins")
    if bins and others:
        raise _no_numbers(others, way)
    if bins is None and numbers and not others:
        num_rows = int((codes < len(numbers)).sum())
        bins = 0 if are_classes(len(numbers), num_rows) else _BINS
    notes = []
    if bins:
        codes, names = _binned(codes, numbers, bins)
        notes.append(f"'{way.feature}' by {len(names)} quantile bins of its {len(numbers):,} values")
        if None in labels:
            names.append(label_text(None))
    else:
        names = [label_text(label) for label in labels]
        if numbers and not others:
            notes.append(f"'{way.feature}' by each of its {len(numbers):,} values")
    if None in labels:
        missing = int((codes == len(names) - 1).sum())
        notes.append(
            f"{missing:,} {'row' if missing == 1 else 'rows'} without a value in '{way.feature}' "
            f"{'is' if missing == 1 else 'are'} a class of {'its' if missing == 1 else 'their'} own"
        )
    return codes, names, notes


def _no_numbers(labels: Sequence[Label], way: SplitBy) -> DataError:
    """The error for bins of what is no number; one odd cell makes texts of a whole column."""
    texts = [label_text(label) for label in labels]
    odd = [text for text in texts if not _is_number(text)]
    if odd and len(odd) <= len(texts) // 2:
        return DataError(
            f"{way}: '{way.feature}' holds texts, such as {odd[0]!r} among numbers, and bins are of numbers.",
            "leave such cells empty, so that the others are numbers; or leave out bins.",
        )
    return DataError(
        f"{way}: '{way.feature}' holds texts or lists, such as {texts[0]!r}, and bins are of numbers.",
        "leave out bins.",
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _binned(
    codes: NDArray[np.int64], numbers: Sequence[Any], bins: int
) -> tuple[NDArray[np.int64], list[str]]:
    """Return the quantile bin of each row; rows without a value come into one after the last."""
    counts = np.bincount(codes, minlength=len(numbers))[: len(numbers)]
    # The bin in which the middle row of each value lies; all rows of a value are in one.
    middles = np.cumsum(counts) - (counts + 1) // 2
    wanted = middles * bins // max(1, int(counts.sum()))
    there, of_value = np.unique(wanted, return_inverse=True)
    firsts: NDArray[np.intp] = np.searchsorted(of_value, np.arange(len(there)))
    lasts: NDArray[np.intp] = np.append(firsts[1:] - 1, len(numbers) - 1)
    names = [
        label_text(numbers[first])
        if first == last
        else f"{label_text(numbers[first])} to {label_text(numbers[last])}"
        for first, last in zip(firsts, lasts)
    ]
    return np.append(of_value, len(there))[np.minimum(codes, len(numbers))], names


def stratify(
    codes: NDArray[np.int64], num_classes: int, hashes: Hashes, weights: Sequence[int], seed: int
) -> tuple[NDArray[np.int16], Counts]:
    """Divide rows so that each class has its share in each split, rounded up or down.

    Args:
        codes: The class of each row.
        num_classes: How many classes there are.
        hashes: A hash of the content of each row: rows of a class are taken in its order.
        weights: The splits' shares.
        seed: Changes that order.

    Returns:
        The split of each row, and the number of rows, of shape (classes, splits).
    """
    counts = np.bincount(codes, minlength=num_classes)
    rows = apportion(counts, weights)
    # By the hash mixed with the seed, so that the order of one seed says nothing of another's.
    salted = mixed(hashes ^ np.array([seed * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF], np.uint64))
    order = np.lexsort((salted, codes))
    chosen = np.empty(len(codes), np.int16)
    # In this order the rows of a class are in a row, and so is what of them goes into one split.
    chosen[order] = np.repeat(np.tile(np.arange(len(weights), dtype=np.int16), num_classes), rows.ravel())
    return chosen, rows


def remarks(names: Sequence[str], rows: Counts, splits: Sequence[str]) -> list[str]:
    """Say which classes are not in every split.

    Args:
        names: The classes.
        rows: The rows of each, of shape (classes, splits).
        splits: The splits.
    """
    counts = rows.sum(1)
    said = []
    single = [f"{names[one]!r} (in {splits[int(rows[one].argmax())]})" for one in np.flatnonzero(counts == 1)]
    if single:
        said.append(f"{_classes(single)} one example: {_some(single)}")
    rare = [repr(names[one]) for one in np.flatnonzero((counts > 1) & (rows == 0).any(1))]
    if rare:
        said.append(f"{_classes(rare)} too few examples for every split: {_some(rare)}")
    return said


def _classes(named: Sequence[str]) -> str:
    return "1 class has" if len(named) == 1 else f"{len(named):,} classes have"


def _some(named: Sequence[str]) -> str:
    more = f" and {len(named) - _MAX_NAMED:,} more" if len(named) > _MAX_NAMED else ""
    return f"{', '.join(named[:_MAX_NAMED])}{more}"
