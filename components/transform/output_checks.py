"""Whether what a `preprocessing_fn` returns can be written as tf.Examples, said before TFT meets it.

A feature of a tf.Example holds int64, float32 or bytes; its schema needs the number of dimensions, and all
sizes but those of ragged and sparse ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from headrace.errors import UserFunctionError, listed

_WRITABLE = (tf.int64, tf.float32, tf.string)
# How TFT names the features that carry one ragged or sparse output: tensorflow_transform/schema_inference.py.
_PART = re.compile(
    r"(?P<whole>.+)\$(?:ragged_values|row_lengths_\d+|sparse_values|sparse_indices_\d+)", re.DOTALL
)
_HAS_NO_SHAPE = (
    "tf.py_function and tf.sparse.to_dense, for two, return tensors whose shape TensorFlow does not know"
)


def check_outputs(outputs: Any, where: str) -> None:
    """Check kind, type and rank of each output of a traced function.

    Args:
        outputs: What the function returned.
        where: Node, parameter and place of the function, for messages.

    Raises:
        UserFunctionError: Naming the output, what it is and the call that makes it right.
    """
    if not isinstance(outputs, Mapping) or not outputs:
        found = "an empty dict" if isinstance(outputs, Mapping) else f"a {type(outputs).__name__}"
        raise UserFunctionError(
            f"{where}: the function returned {found}, and a dict of tensors by feature name is needed.",
            "return at least one feature, such as {'fare_xf': tft.scale_to_z_score(inputs['fare'])}.",
        )
    for name, tensor in outputs.items():
        output = f"{where}: output {name!r}"
        if not isinstance(tensor, (tf.Tensor, tf.SparseTensor, tf.RaggedTensor)):
            raise UserFunctionError(
                f"{output} is a {type(tensor).__name__}, and a tensor, sparse or ragged tensor is needed.",
                f"return one tensor with a row for each row of the inputs as {name!r}.",
            )
        _check_dtype(name, tensor, output)
        if isinstance(tensor, tf.SparseTensor):
            _check_sparse(name, tensor, output)
        elif isinstance(tensor, tf.RaggedTensor):
            _check_ragged(name, tensor, output)
        else:
            _check_rank(name, tensor, output)
    _check_names(outputs, where)


def _check_names(outputs: Mapping[str, Any], where: str) -> None:
    """Refuse the name of an output that is also that of a part of another one."""
    for name in outputs:
        found = _PART.fullmatch(name)
        if found is not None and isinstance(outputs.get(found["whole"]), (tf.SparseTensor, tf.RaggedTensor)):
            raise UserFunctionError(
                f"{where}: output {name!r} has the name under which a part of output {found['whole']!r} is written.",
                "return one of the two under another name.",
            )


def check_shapes(outputs: Mapping[str, Any], where: str) -> None:
    """Check that the sizes of dense outputs are known, once analyzers have their values.

    Raises:
        UserFunctionError: Naming the output, its shape and the call that makes it right.
    """
    for name, tensor in outputs.items():
        if isinstance(tensor, tf.Tensor) and tensor.shape.rank and None in tensor.shape.as_list()[1:]:
            sizes = ", ".join("?" if size is None else str(size) for size in tensor.shape.as_list()[1:])
            raise UserFunctionError(
                f"{where}: output {name!r} has rows of unknown size ({sizes}), and the schema of the features needs "
                f"it: {_HAS_NO_SHAPE}.",
                f"give the size: tf.ensure_shape({name}, [None, width]), or for a sparse tensor "
                "tf.sparse.to_dense(tf.sparse.reset_shape(sparse, [rows, width])); or return the sparse or ragged "
                "tensor itself.",
            )


def _check_dtype(name: str, tensor: Any, output: str) -> None:
    dtype = tensor.dtype
    if dtype in _WRITABLE:
        return
    target = "tf.float32" if dtype.is_floating else "tf.int64"
    fix = f"return tf.cast({name}, {target}) as {name!r}."
    if not (dtype.is_floating or dtype.is_integer or dtype.is_bool):
        fix = f"return numbers or strings as {name!r}."
    raise UserFunctionError(
        f"{output} is {dtype.name}, and a tf.Example holds {listed([one.name for one in _WRITABLE])}.", fix
    )


def _check_rank(name: str, tensor: tf.Tensor, output: str) -> None:
    if tensor.shape.rank is None:
        raise UserFunctionError(
            f"{output} has an unknown number of dimensions: {_HAS_NO_SHAPE}.",
            f"give its shape: tf.ensure_shape({name}, [None, width]), or [None] for one value in each row.",
        )
    if tensor.shape.rank == 0:
        raise UserFunctionError(
            f"{output} is a single value, and one for each row is needed.",
            f"repeat it: tf.fill(tf.shape(inputs['...'])[:1], {name}).",
        )


def _check_sparse(name: str, tensor: tf.SparseTensor, output: str) -> None:
    rank = tensor.shape.rank
    if rank is None or rank < 2:
        found = "an unknown number of dimensions" if rank is None else _dimensions(rank)
        raise UserFunctionError(
            f"{output} is a sparse tensor with {found}, and rows and places within them are needed.",
            f"return tf.sparse.reshape({name}, [-1, 1]) for one value in each row, or "
            f"tf.sparse.to_dense({name}) where every row has one.",
        )


def _dimensions(rank: int) -> str:
    """Return `"1 dimension"` or `"2 dimensions"`."""
    return f"{rank} dimension{'s' * (rank != 1)}"


def _check_ragged(name: str, tensor: tf.RaggedTensor, output: str) -> None:
    sizes = tensor.shape.as_list() if tensor.shape.rank is not None else None
    if sizes is None:
        raise UserFunctionError(
            f"{output} is a ragged tensor with an unknown number of dimensions.",
            f"make it from tensors of known rank: tf.RaggedTensor.from_row_lengths(values, lengths) as {name!r}.",
        )
    ragged, inner = sizes[1 : tensor.ragged_rank + 1], sizes[tensor.ragged_rank + 1 :]
    if any(size is not None for size in ragged) or None in inner:
        raise UserFunctionError(
            f"{output} is a ragged tensor of shape {tensor.shape}, and the schema of the features describes only those "
            "whose dimensions of fixed size come last and are dense.",
            f"make it dense with {name}.to_tensor(shape=[None, ...]), or all of its dimensions but the rows ragged.",
        )
