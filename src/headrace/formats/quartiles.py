"""First and third quartiles of numeric features, in a file beside TFDV's statistics.

TFDV's own file holds the median and ten buckets of equal shares, so the quartiles lie somewhere between two borders.
The sketch that these come from knows them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from headrace.errors import MalformedFileError
from headrace.files import open_text, whole_files

QUARTILES_FILE = "Quartiles.json"

Quartiles = Mapping[str, tuple[float, float]]


def write(folder: str, quartiles: Quartiles) -> None:
    """Write the quartiles of one split, by feature name, beside its statistics; the folder exists."""
    with whole_files.written(os.path.join(folder, QUARTILES_FILE)) as file:
        file.write(json.dumps(quartiles, sort_keys=True, indent=1).encode())


def read(folder: str) -> Quartiles:
    """Read what `write` wrote; empty where TFDV or stock TFX computed the statistics.

    Raises:
        MalformedFileError: If the file does not hold two numbers for each feature.
    """
    path = os.path.join(folder, QUARTILES_FILE)
    try:
        with open_text(path) as file:
            content = json.load(file)
        return {str(name): (float(low), float(high)) for name, (low, high) in content.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError) as error:
        raise MalformedFileError(f"{path} does not hold quartiles: {error}.") from error
