"""First and third quartiles of numeric features, in a file beside TFDV's statistics.

TFDV's own file holds the median and ten buckets of equal shares, so the quartiles lie somewhere between two borders.
The sketch that these come from knows them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from headrace.formats import json_files

QUARTILES_FILE = "Quartiles.json"

Quartiles = Mapping[str, tuple[float, float]]


def write(folder: str, quartiles: Quartiles) -> None:
    """Write the quartiles of one split, by feature name, beside its statistics; the folder exists."""
    content = {name: quartiles[name] for name in sorted(quartiles)}
    json_files.write(os.path.join(folder, QUARTILES_FILE), content)


def read(folder: str) -> Quartiles:
    """Read what `write` wrote; empty where TFDV or stock TFX computed the statistics.

    Raises:
        MalformedFileError: If the file does not hold two numbers for each feature.
    """
    path = os.path.join(folder, QUARTILES_FILE)
    if not os.path.exists(path):
        return {}
    content = json_files.read_object(path, "a file of quartiles")
    try:
        return {name: (float(low), float(high)) for name, (low, high) in content.items()}
    except (ValueError, TypeError) as error:
        raise json_files.damaged(path, "a file of quartiles", error) from error
