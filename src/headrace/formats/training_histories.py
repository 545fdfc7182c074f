"""What a training left in its ModelRun: the metrics of each epoch, and the best weights beside them.

`history.json` holds a list for each metric. The names are those of the user's metrics, so it has no number of its form.
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

from headrace.files import open_text
from headrace.formats import json_files

HISTORY_FILE = "history.json"
# Keras' `CSVLogger` writes it while training goes on: it is what an interrupted training leaves.
LOG_FILE = "history.csv"
WEIGHTS_FILE = "best.weights.h5"
_EPOCH = "epoch"

History = dict[str, list[float]]


def write(folder: str, history: Mapping[str, Sequence[float]]) -> None:
    """Write loss and metrics of each epoch."""
    content = {name: [float(value) for value in values] for name, values in sorted(history.items())}
    json_files.write(os.path.join(folder, HISTORY_FILE), content)


def read(folder: str) -> History:
    """Return the metrics by epoch, NaN for what is no number; empty where the training recorded none.

    Raises:
        MalformedFileError: If the file does not hold metrics.
    """
    path = os.path.join(folder, HISTORY_FILE)
    if os.path.exists(path):
        content = json_files.read_object(path, "a training history")
        return {name: _numbers(values) for name, values in content.items() if isinstance(values, list)}
    return _read_log(os.path.join(folder, LOG_FILE))


def best_epoch(history: Mapping[str, Sequence[float]]) -> int | None:
    """Return the epoch, from 0, with the smallest loss: on validation data where there is one."""
    losses = [
        (value, at)
        for at, value in enumerate(history.get("val_loss") or history.get("loss") or [])
        if value == value
    ]
    return min(losses)[1] if losses else None


def _read_log(path: str) -> History:
    if not os.path.exists(path):
        return {}
    try:
        with open_text(path, newline="") as file:
            rows = list(csv.DictReader(file))
    except (csv.Error, UnicodeDecodeError) as error:
        raise json_files.damaged(path, "a training history", error) from error
    names = [name for name in (rows[0] if rows else {}) if name not in (_EPOCH, None)]
    return {name: _numbers([row[name] for row in rows]) for name in names}


def _numbers(values: Sequence[Any]) -> list[float]:
    numbers = []
    for value in values:
        try:
            numbers.append(float(value))
        except (TypeError, ValueError):
            numbers.append(math.nan)
    return numbers
