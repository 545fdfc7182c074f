"""What the numbers of a column are like: mean and ends, and whether one lies where none should."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

# In widths of the middle half of the numbers.
_FAR = 1000.0


def number_facts(values: NDArray[Any], counts: NDArray[Any]) -> dict[str, Any]:
    """Mean and the like of numbers, each of which occurs several times; those that are not finite are left out."""
    finite = np.isfinite(values)
    values, counts = values[finite], counts[finite]
    if not len(values):
        return {"is_whole": False}
    mean = float(np.average(values, weights=counts))
    return {
        "is_whole": bool(np.all(values == np.floor(values))),
        "minimum": float(values.min()),
        "maximum": float(values.max()),
        "mean": mean,
        "deviation": float(np.sqrt(np.average((values - mean) ** 2, weights=counts))),
        "numbers_seen": len(np.unique(values)),
        "farthest": _farthest(values, counts),
    }


def _farthest(values: NDArray[Any], counts: NDArray[Any]) -> float | None:
    """Return the number that lies farthest out, where it is that far from the middle half that it is likely wrong."""
    order = np.argsort(values)
    share = np.cumsum(counts[order]) / counts.sum()
    low, high = (float(values[order][np.searchsorted(share, part)]) for part in (0.25, 0.75))
    distances = np.maximum(low - values, values - high)
    is_far = high > low and distances.max() > _FAR * (high - low)
    return float(values[distances.argmax()]) if is_far else None
