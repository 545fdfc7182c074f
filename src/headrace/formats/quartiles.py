"""First and third quartiles of numeric features, as earlier versions kept them beside TFDV's statistics.

They come from TFDV's sketch, whose ranks are right to a hundredth. What is kept today: `headrace.formats.descriptions`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from headrace.formats import json_files

QUARTILES_FILE = "Quartiles.json"

Quartiles = Mapping[str, tuple[float, float]]


def read(folder: str) -> Quartiles:
    """Read what an earlier version wrote by feature name; empty where there is no such file.

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
