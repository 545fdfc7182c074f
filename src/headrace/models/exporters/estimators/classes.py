"""The classes of a label as columns of an output."""

from __future__ import annotations

from typing import Any

import numpy as np

from headrace.errors import TrainingError, listed

# More are numbers that mean something else, such as years.
MAX_CLASSES = 10_000


def check_numbers(classes: Any, where: str) -> None:
    """Check that whole numbers can be the numbers of columns.

    Raises:
        TrainingError: If they cannot.
    """
    found = np.asarray(classes)
    if (found != np.floor(found.astype(np.float64))).any() or found.min() < 0 or found.max() >= MAX_CLASSES:
        raise TrainingError(
            f"{where}: the label has the classes {listed([f'{one:g}' for one in found.astype(float)[:20]])}, which are "
            "no numbers of columns.",
            "number the classes from 0 in preprocessing_fn: headrace.features.label(x, classes=True); or take a "
            "regressor.",
        )
