"""Groups of rows, each of which goes into one split as a whole."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headrace.errors import DataError
from headrace.formats.divisions import ClassTable
from headrace.sources.division.apportionment import place_groups
from headrace.sources.division.keys import Label, label_text
from headrace.sources.division.row_hashes import text_hash
from headrace.splits.shares import Shares
from headrace.splits.ways import SplitBy

_FEW = 100


def place(
    codes: NDArray[np.int64], labels: Sequence[Label], way: SplitBy, shares: Shares
) -> tuple[NDArray[np.int16], list[str], ClassTable | None]:
    """Return the split of each row, what is to be said of it, and where there are few groups the rows of each.

    Args:
        codes: For each row the position of its group in `labels`; rows of none get split -1.
        labels: The groups, `None` last.
        way: `group`.
        shares: The splits.

    Raises:
        DataError: If there are fewer groups than splits.
    """
    # There may be as many groups as rows: what is made of their names is not kept for all at once. `None` is last.
    num_groups = len(labels) - (None in labels[-1:])
    if num_groups < len(shares.names):
        there = ", ".join(repr(label_text(label)) for label in labels[:num_groups]) or "none"
        raise DataError(
            f"{way}: the rows are of {num_groups} {'group' if num_groups == 1 else 'groups'} ({there}), too few for the "
            f"{len(shares.names)} splits {', '.join(map(repr, shares.names))}.",
            "a group stays together: divide by a feature with more values, or into fewer splits.",
        )
    sizes = np.bincount(codes, minlength=len(labels))[:num_groups]
    # Groups of one size are placed in the order of a hash: that of their names may mean something, such as an age.
    hashes = (
        text_hash(f"{type(label).__name__}:{label_text(label)}".encode())
        for label in itertools.islice(labels, num_groups)
    )
    order = np.argsort(np.fromiter(hashes, np.uint64, num_groups), kind="stable")
    splits = np.empty(num_groups, np.int16)
    splits[order] = place_groups(sizes[order], shares.weights)
    counts = np.bincount(splits, minlength=len(shares.names))
    rows = np.bincount(splits, weights=sizes, minlength=len(shares.names))
    of_each = ", ".join(
        f"{count:,} in {name} ({of_split / rows.sum():.1%} of rows)"
        for name, count, of_split in zip(shares.names, counts, rows)
    )
    table = None
    if num_groups <= _FEW:
        names = [label_text(label) for label in labels[:num_groups]]
        of_groups = {name: np.where(splits == at, sizes, 0) for at, name in enumerate(shares.names)}
        table = ClassTable.of(str(way.feature), names, of_groups)
    chosen = np.append(splits, np.int16(-1))[np.minimum(codes, num_groups)]
    return chosen, [f"{num_groups:,} groups: {of_each}"], table
