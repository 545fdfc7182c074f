"""Rows as scikit-learn takes them: a DataFrame of the features and the label beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from headrace.errors import TrainingError
from headrace.models.exporters.estimators.table import column_names
from headrace.models.missing import MISSING_TEXT
from headrace.runtime.processes import limits
from headrace.training.datasets import Rows
from headrace.training.parsing import Columns

# An estimator copies what it is given at least once.
_COPIES = 3
_BYTES_OF_A_NUMBER = 8


def read(rows: Rows, names: Sequence[str], where: str) -> tuple[pd.DataFrame, Any]:
    """Return the features and the label of all rows.

    A feature with k values in a row gives the columns `name_0` to `name_{k-1}`. Numbers are float64 or int64, as in
    the exported model; a missing one is NaN. Texts are strings; a missing one is `None`.

    Args:
        rows: Where they do not lie in memory, they are read from their files.
        names: The features, in the order of the columns.
        where: The node, for messages.

    Returns:
        The frame, and the label: of shape `(rows,)`, or `(rows, k)` with k values in a row.

    Raises:
        TrainingError: If the rows do not fit in memory.
    """
    blocks: Iterable[Columns] = [rows.columns] if rows.columns is not None else _read_again(rows, where)
    frames, labels = [], []
    for columns in blocks:
        frames.append(_frame(columns, names))
        label = columns[rows.label].numpy()
        label = label.reshape(len(label), -1)
        labels.append(_texts(label) if label.dtype == object else label)
    frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True, copy=False)
    label = np.concatenate(labels) if len(labels) > 1 else labels[0]
    return frame, label[:, 0] if label.shape[1] == 1 else label


def _frame(columns: Columns, names: Sequence[str]) -> pd.DataFrame:
    made: dict[str, Any] = {}
    for name in names:
        values = columns[name].numpy()
        values = values.reshape(len(values), -1)
        if values.dtype == object:
            values = _texts(values)
        elif values.dtype.kind == "f":
            values = values.astype(np.float64)
        made.update(zip(column_names(name, values.shape[1]), values.T))
    return pd.DataFrame(made)


def _texts(values: Any) -> Any:
    known: dict[bytes, str | None] = {MISSING_TEXT: None}
    flat = values.reshape(-1)
    for one in set(flat.tolist()) - {MISSING_TEXT}:
        known[one] = one.decode("utf-8", "surrogateescape")
    return np.array([known[one] for one in flat.tolist()], object).reshape(values.shape)


def _read_again(rows: Rows, where: str) -> Iterator[Columns]:
    needed = rows.num_rows * max(rows.bytes_per_row, _BYTES_OF_A_NUMBER * len(rows.signature)) * _COPIES
    free = limits.available_bytes()
    if free and needed > free:
        raise TrainingError(
            f"{where}: {rows.num_rows:,} rows take about {needed / 2**30:.1f} GiB while an estimator is fitted, which "
            f"needs all in memory, and {free / 2**30:.1f} GiB are free.",
            "train on a sample: make a split of a part of the rows in ExampleGen and name it, train_split=...; or take "
            "fewer features: features=[...]; or a Keras model, which reads batch by batch.",
        )
    return rows.blocks()
