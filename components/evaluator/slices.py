"""Which rows of a batch belong to which slice.

TFMA asks each row for its slices. Here rows that agree in the features of a slicing spec are found with
NumPy first, and TFMA is asked once for each such group, so its rules for types, missing and multi-valued
features hold unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import tensorflow_model_analysis as tfma
from numpy.typing import NDArray

from headrace.components.evaluator import ragged
from headrace.components.evaluator.tfma_internals import slicer_lib, util

SliceKey = tuple[tuple[str, Any], ...]
_OVERALL: SliceKey = ()


class _Column:
    """One feature of a batch: a code for each row, equal where the values are, and the values by row.

    Codes are -1 where the row has no value.
    """

    def __init__(self, values: Any, num_rows: int) -> None:
        if isinstance(values, np.ndarray) and values.dtype != object:
            self._rows: Any = values.reshape(num_rows, -1)
        elif isinstance(values, np.ndarray) and values.ndim > 1:
            self._rows = values.reshape(num_rows, -1)
        elif isinstance(values, np.ndarray) and all(isinstance(value, bytes) for value in values):
            self._rows = values.reshape(num_rows, 1)
        elif isinstance(values, np.ndarray):
            self._rows = list(values)
        elif isinstance(values, tfma.types.VarLenTensorValue):
            self._rows = ragged.rows(values, num_rows)
        else:
            self._rows = [row["value"] for row in util.split_extracts({"value": values})]
        self.codes = self._encode()

    def row(self, index: int) -> Any:
        return self._rows[index]

    def _encode(self) -> NDArray[Any]:
        if isinstance(self._rows, np.ndarray) and self._rows.shape[1] == 1:
            return _codes(self._rows[:, 0])
        keys = [
            None if row is None or not len(row) else tuple(np.asarray(row).tolist()) for row in self._rows
        ]
        numbers: dict[Any, int] = {}
        return np.array(
            [-1 if key is None else numbers.setdefault(key, len(numbers)) for key in keys], np.int64
        )


def _codes(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype == object:
        return pa.array(values, pa.binary()).dictionary_encode().indices.to_numpy().astype(np.int64)
    return np.unique(values, return_inverse=True)[1].reshape(-1).astype(np.int64)


def feature_names(specs: Sequence[Any]) -> set[str]:
    """Names of the features that `specs` (of TFMA's proto `SlicingSpec`) slice by."""
    return {name for spec in specs for name in [*spec.feature_keys, *spec.feature_values]}


def rows_by_slice(
    specs: Sequence[Any],
    transformed: Sequence[Mapping[str, Any]],
    features: Mapping[str, Any],
    num_rows: int,
) -> dict[SliceKey, NDArray[Any] | None]:
    """Return the rows of each slice that the batch has.

    Args:
        specs: `SlicingSpec` protos; empty means the overall slice alone.
        transformed: Transformed features of each model; searched first, as in TFMA.
        features: Raw features of the batch, searched where no model has a feature.
        num_rows: Rows of the batch.

    Returns:
        Ascending row numbers for each slice key of TFMA's form; `None` stands for all rows.
    """
    if not specs:
        return {_OVERALL: None}
    found: dict[SliceKey, NDArray[Any] | None] = {}
    columns: dict[str, list[_Column]] = {}
    for name in sorted(feature_names(specs)):
        values = [source[name] for source in transformed if source.get(name) is not None]
        if not values and features.get(name) is not None:
            values = [features[name]]
        columns[name] = [_Column(value, num_rows) for value in values]
    for proto in specs:
        names = sorted(feature_names([proto]))
        if not names:
            found[_OVERALL] = None
            continue
        spec = slicer_lib.SingleSliceSpec(spec=proto)
        for rows in _groups([column.codes for name in names for column in columns[name]], num_rows):
            example = _example({name: columns[name] for name in names}, int(rows[0]))
            for key in slicer_lib.get_slices_for_features_dicts([example], {}, [spec]):
                before = found.get(key)
                found[key] = rows if before is None else np.union1d(before, rows)
    return found


def _example(columns: Mapping[str, Sequence[_Column]], row: int) -> dict[str, Any]:
    """The features of one row, as TFMA's slicer reads them; a feature without a value is left out."""
    example = {}
    for name, parts in columns.items():
        values = [np.asarray(part.row(row)).reshape(-1) for part in parts if part.row(row) is not None]
        if values:
            example[name] = values[0] if len(values) == 1 else np.concatenate(values)
    return example


def _groups(codes: Sequence[NDArray[Any]], num_rows: int) -> list[NDArray[Any]]:
    """Split rows into groups of equal codes; rows within a group ascend."""
    if not codes:
        return []
    combined = np.zeros(num_rows, np.int64)
    for column in codes:
        # Compressed after each column, so that the product of the ranges stays small.
        combined = np.unique(combined * (int(column.max()) + 2) + column + 1, return_inverse=True)[1]
        combined = combined.reshape(-1)
    order = np.argsort(combined, kind="stable")
    edges = np.flatnonzero(np.diff(combined[order])) + 1
    return np.split(order, edges)
