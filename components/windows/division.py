"""Windows divided by time, so that no split knows of a time that an earlier one was to predict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from headrace.errors import EmptyDataError
from headrace.features.series import Found, Windows


def divide(
    found: Found, asked: Windows, shares: Mapping[str, float], node_id: str
) -> tuple[dict[str, np.ndarray[Any, Any]], int]:
    """Return the places of the windows of each split, and how many windows belong to none.

    A split begins at the time at which the share of the windows before it ends. Of the split before, those windows are
    left out whose target is not earlier than all times that a window of the later split looks back to.

    Args:
        found: Windows in the order of time.
        asked: What they are.
        shares: Of each split, in the order of time.
        node_id: The node, for messages.

    Raises:
        EmptyDataError: If a split has none.
    """
    total = sum(shares.values())
    ends = np.cumsum(list(shares.values())) / total
    # The first window of each split; windows of one time stay together.
    starts = [0] + [min(round(len(found.times) * end), len(found.times) - 1) for end in ends[:-1]]
    begins = [int(found.times[start]) for start in starts]
    parts, num_kept = {}, 0
    for place, split in enumerate(shares):
        is_in = found.times >= begins[place]
        if place + 1 < len(begins):
            seen_from = begins[place + 1] - asked.reach * found.step
            is_in &= found.times + asked.horizon * found.step < seen_from
        parts[split] = np.flatnonzero(is_in)
        num_kept += len(parts[split])
        if not len(parts[split]):
            raise EmptyDataError(
                f"{node_id}: no window is left for split '{split}', of {len(found.times):,}: between two splits "
                f"{asked.reach + asked.horizon:,} steps are left out, so that none knows what another is to predict.",
                "give more rows, fewer lags, or fewer splits.",
            )
    return parts, len(found.times) - num_kept
