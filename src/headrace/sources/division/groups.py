"""Groups of rows, each of which goes into one split as a whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headrace.errors import DataError
from headrace.formats.divisions import ClassTable
from headrace.sources.division.apportionment import place_groups
from headrace.sources.division.keys import Label, label_text
from headrace.sources.division.row_hashes import text_hash
from headrace.splits import Shares, SplitBy

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
    names = [label_text(label) for label in labels if label is not None]
    if len(names) < len(shares.names):
        there = ", ".join(map(repr, names)) or "none"
        raise DataError(
            f"{way}: the rows are of {len(names)} {'group' if len(names) == 1 else 'groups'} ({there}), too few for the "
            f"{len(shares.names)} splits {', '.join(map(repr, shares.names))}.",
            "a group stays together: divide by a feature with more values, or into fewer splits.",
        )
    sizes = np.bincount(codes, minlength=len(labels))[: len(names)]
    # Groups of one size are placed in the order of a hash: that of their names may mean something, such as an age.
    kinds = [f"{type(label).__name__}:{label_text(label)}".encode() for label in labels if label is not None]
    order = np.argsort(np.array([text_hash(kind) for kind in kinds], np.uint64), kind="stable")
    splits = np.empty(len(names), np.int16)
    splits[order] = place_groups(sizes[order], shares.weights)
    counts = np.bincount(splits, minlength=len(shares.names))
    rows = np.bincount(splits, weights=sizes, minlength=len(shares.names))
    of_each = ", ".join(
        f"{count:,} in {name} ({of_split / rows.sum():.1%} of rows)"
        for name, count, of_split in zip(shares.names, counts, rows)
    )
    table = None
    if len(names) <= _FEW:
        of_groups = {name: np.where(splits == at, sizes, 0) for at, name in enumerate(shares.names)}
        table = ClassTable.of(str(way.feature), names, of_groups)
    chosen = np.append(splits, np.int16(-1))[np.minimum(codes, len(names))]
    return chosen, [f"{len(names):,} groups: {of_each}"], table
