"""From a batch in any of its forms to the tensors that a signature takes.

A batch is serialized tf.Examples (`bytes`), an Arrow record batch with a column for each feature, or tensors by name.
What a signature does not take is passed over: rows have labels too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, Union

import numpy as np
from numpy.typing import NDArray

from headrace.errors import ModelInputError, did_you_mean, listed
from headrace.models.signatures import Signature, Tensor

if TYPE_CHECKING:
    import pyarrow as pa

Arrays: TypeAlias = Mapping[str, NDArray[Any]]
# What a signature is given, by name: arrays, and serialized Examples in whatever sequence they come.
Inputs: TypeAlias = Mapping[str, NDArray[Any] | Sequence[bytes]]
Batch: TypeAlias = Union[Sequence[bytes], NDArray[Any], "pa.RecordBatch", Mapping[str, Any]]

# Kinds of numpy's types, by what they may be turned into without losing what they say.
_FITTING = {"f": "fiu", "i": "iu", "u": "iu", "b": "b", "O": "OSU"}


def num_rows(batch: Batch) -> int:
    """Return the number of rows of a batch."""
    if isinstance(batch, Mapping):
        return next((len(value) for value in batch.values()), 0)
    return len(batch) if isinstance(batch, (Sequence, np.ndarray)) else int(batch.num_rows)


def arrays(batch: Batch, signature: Signature, where: str) -> Inputs:
    """Return what a signature takes, by name.

    Args:
        batch: The rows.
        signature: Of the model.
        where: Node, and role of the model, for messages.

    Raises:
        ModelInputError: If the batch lacks an input, or has another type or shape, naming the input.
    """
    if isinstance(batch, (Sequence, np.ndarray)):
        if signature.takes_examples:
            records = batch if isinstance(batch, (list, np.ndarray)) else list(batch)
            return dict.fromkeys(signature.inputs, records)
        from headrace.models import arrow_inputs

        return arrays(arrow_inputs.decoded(batch), signature, where)
    if isinstance(batch, Mapping):
        columns: Mapping[str, Any] = batch
    else:
        from headrace.models import arrow_inputs

        if signature.takes_examples:
            return dict.fromkeys(signature.inputs, arrow_inputs.encoded(batch))
        columns = arrow_inputs.columns(batch, signature.inputs, where)
    missing = [name for name in signature.inputs if name not in columns]
    if missing:
        raise ModelInputError(
            f"{where}: signature '{signature.name}' takes {signature.told_inputs()}, and the batch has no "
            f"'{missing[0]}'. It has {listed(columns)}.",
            f"{did_you_mean(missing[0], columns)}Give the feature, or call another signature.",
        )
    return {
        name: _fitting(columns[name], tensor, signature, where) for name, tensor in signature.inputs.items()
    }


def _fitting(value: Any, tensor: Tensor, signature: Signature, where: str) -> NDArray[Any]:
    """Return one input as an array of the tensor's type; a vector and a column stand for each other."""
    told = f"{where}: input '{tensor.name}' of signature '{signature.name}'"
    wanted = _numpy_type(tensor)
    if wanted is None:
        kind = tensor.dtype if tensor.is_dense else "sparse or ragged"
        raise ModelInputError(
            f"{told} is {kind}, which no batch holds.",
            "call a signature that takes serialized examples, or dense tensors of numbers and strings.",
        )
    array = _typed(value, wanted, f"{told} is {tensor.dtype}")
    if tensor.shape is None:
        return array
    if len(tensor.shape) == array.ndim + 1 and tensor.shape[-1] in (1, -1):
        array = array[..., np.newaxis]
    elif len(tensor.shape) == array.ndim - 1 and array.shape[-1] == 1:
        array = array[..., 0]
    if not _is_of(array.shape, tensor.shape):
        shape = [size if size >= 0 else None for size in tensor.shape]
        raise ModelInputError(
            f"{told} has shape {shape}, and the batch has {list(array.shape)}.",
            "give as many values in each row as the model takes.",
        )
    return array


def _numpy_type(tensor: Tensor) -> np.dtype[Any] | None:
    if not tensor.is_dense:
        return None
    try:
        return np.dtype(object if tensor.dtype == "string" else tensor.dtype)
    except TypeError:
        return None


def _typed(value: Any, wanted: np.dtype[Any], told: str) -> NDArray[Any]:
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ModelInputError(
            f"{told}, and rows of the batch differ in their number of values.",
            "call a signature that takes serialized examples, which parses them itself.",
        ) from error
    if array.size and array.dtype.kind not in _FITTING.get(wanted.kind, wanted.kind):
        given = "string" if array.dtype.kind in "OSU" else array.dtype.name
        raise ModelInputError(
            f"{told}, and the batch has {given}.", "give the feature as the model was trained with it."
        )
    if wanted.kind == "O":
        return _as_text(array)
    found = array.astype(wanted, copy=False)
    if array.dtype.kind in "iu" and not np.array_equal(found, array):
        raise ModelInputError(
            f"{told}, and the batch has whole numbers that it cannot hold, such as "
            f"{array[found != array].ravel()[0]}.",
            "give the feature as the model was trained with it.",
        )
    return found


def _as_text(array: NDArray[Any]) -> NDArray[Any]:
    """Strings as bytes, as TensorFlow holds them."""
    flat = [one.encode() if isinstance(one, str) else one for one in array.ravel().tolist()]
    found = np.empty(array.shape, dtype=object)
    found.ravel()[:] = flat
    return found


def _is_of(found: Sequence[int], wanted: Sequence[int]) -> bool:
    return len(found) == len(wanted) and all(size in (one, -1) for one, size in zip(found, wanted))
