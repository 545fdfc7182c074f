"""Arrow record batches as what a model takes. Apart, so that who has no Arrow batch loads no Arrow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from headrace.errors import ModelInputError
from headrace.formats.examples import example_encoder
from headrace.formats.examples.arrow_features import is_list


def encoded(batch: pa.RecordBatch) -> list[bytes]:
    """Return the rows as serialized tf.Examples."""
    return list(example_encoder.encode(batch).to_pylist())


def decoded(records: Sequence[bytes] | NDArray[Any]) -> pa.RecordBatch:
    """Return serialized tf.Examples as a record batch."""
    # It brings in TensorFlow.
    from headrace.formats.examples.example_decoder import ExampleDecoder

    return ExampleDecoder().decode(records)


def columns(batch: pa.RecordBatch, names: Iterable[str], where: str) -> dict[str, NDArray[Any]]:
    """Return those of the named columns that there are, as arrays with one row for each of the batch.

    Raises:
        ModelInputError: If rows of a column differ in their number of values.
    """
    return {
        name: _dense(batch.column(batch.schema.names.index(name)), name, where)
        for name in names
        if name in batch.schema.names
    }


def _dense(column: pa.Array, name: str, where: str) -> NDArray[Any]:
    if not is_list(column.type):
        return _values(column)
    lengths = set(pc.list_value_length(column).to_pylist())
    if len(lengths) > 1 or None in lengths:
        told = ", ".join(
            "none" if one is None else str(one) for one in sorted(lengths, key=lambda one: one or 0)
        )
        raise ModelInputError(
            f"{where}: rows of feature '{name}' differ in their number of values ({told}), and the model takes a "
            "dense tensor.",
            "call a signature that takes serialized examples, which parses them itself.",
        )
    width = lengths.pop() if lengths else 0
    return _values(column.flatten()).reshape(len(column), width)


def _values(column: pa.Array) -> NDArray[Any]:
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return np.asarray(column.to_numpy(zero_copy_only=False))
    return np.array(column.to_pylist(), dtype=object)
