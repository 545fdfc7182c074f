"""Words, names and codes as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from headrace.errors import UserFunctionError
from headrace.features import texts
from headrace.features.libraries import tf, tft
from headrace.features.values import (
    Tensor,
    file_name,
    is_present,
    number_values,
    text_values,
    told,
)

DEFAULT_WIDTH = 100
"""Columns of `one_hot` where neither a size nor the values are given."""

# More rows than there are: what is not listed stays out of a vocabulary with listed values.
_NEVER = 1 << 40


def vocabulary(
    x: Tensor,
    size: int | None = None,
    oov: int = 1,
    *,
    values: Sequence[str | int] | None = None,
    min_count: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Return the number of each value in a vocabulary, which is learned or given.

    Args:
        x: Texts or whole numbers, sparse or dense, one in each row.
        size: The most values to keep, the most frequent; all where it is `None`.
        oov: Of the numbers after the last value that stand for other values and missing ones, 1 or more: other
            values are shared out among them by their hash.
        values: The vocabulary, in its order, instead of what the data hold: with the sorted values the numbers are
            those of scikit-learn's `OrdinalEncoder`.
        min_count: Rows that a value must be in to be kept.
        name: Of the vocabulary's file in the transform graph; by default after the feature.

    Returns:
        Int64, `(rows, 1)` of a sparse tensor, else `x`'s shape. The most frequent value is 0; of values as frequent
        as each other the last in the order of their text comes first. The schema of the transformed features says
        how many numbers there are.

    Raises:
        UserFunctionError: If `x` holds numbers with fractions, or a number is out of range.
    """
    if oov < 1:
        raise UserFunctionError(
            f"headrace.features.vocabulary: oov is {oov}, so other values than the known ones would have no number.",
            "give 1 or more.",
        )
    words = text_values(x)
    path = _learned(words, size, values, min_count, name or file_name(x, "vocabulary"))
    return tft.apply_vocabulary(words, path, num_oov_buckets=oov)


def one_hot(
    x: Tensor,
    size: int | None = None,
    *,
    values: Sequence[str | int] | None = None,
    min_count: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Return a column for each value, 1 where the row has it; scikit-learn's `OneHotEncoder`.

    Args:
        x: Texts or whole numbers, sparse or dense, one in each row.
        size: Of the columns; rarer values have none. By default the number of `values`, or 100.
        values: The values of the columns, in their order, instead of the most frequent ones in theirs.
        min_count: Rows that a value must be in to have a column.
        name: Of the vocabulary's file in the transform graph; by default after the feature.

    Returns:
        Float32 of shape `(rows, size)`: 0 in all columns where the value has none or is missing
        (`handle_unknown="ignore"`). Where there are fewer values than columns, the last columns are 0.
    """
    width = size or (len(values) if values else DEFAULT_WIDTH)
    words = text_values(x)
    if words.shape.rank != 2 or words.shape[1] != 1:
        raise UserFunctionError(
            f"headrace.features.one_hot: {told(x)} has several values in a row.",
            "give one feature at a time, or use bag_of_words for a list of words.",
        )
    path = _learned(words, width, values, min_count, name or file_name(x, "one_hot"))
    numbers = tft.apply_vocabulary(words, path, default_value=-1)
    return tf.reshape(tf.one_hot(numbers, width, dtype=tf.float32), [-1, width])


def many_hot(x: Tensor, size: int = DEFAULT_WIDTH, name: str | None = None) -> Tensor:
    """Return a column for each of the most frequent values of lists, 1 where the row's list has it.

    scikit-learn's `MultiLabelBinarizer`, but for the order of the columns: the most frequent value first.

    Args:
        x: Texts or whole numbers, any number of them in a row: sparse, ragged, or dense.
        size: Of the columns.
        name: Of the vocabulary's file in the transform graph; by default after the feature.

    Returns:
        Float32 of shape `(rows, size)`.
    """
    lists = _lists(x)
    values = lists.values if lists.dtype == tf.string else tf.strings.as_string(lists.values)
    words = lists.with_values(values)
    path = texts.learned(words, size, name or file_name(x, "many_hot"))
    return tf.minimum(texts.counted(words, size, path), 1.0)


def _lists(x: Tensor) -> Any:
    if isinstance(x, tf.RaggedTensor):
        return x.merge_dims(1, -1) if x.shape.rank > 2 else x
    if isinstance(x, tf.SparseTensor):
        return tf.RaggedTensor.from_value_rowids(x.values, x.indices[:, 0], x.dense_shape[0])
    return tf.RaggedTensor.from_tensor(tf.reshape(x, [tf.shape(x)[0], -1]))


def label(x: Tensor, classes: bool | Sequence[str | int] | None = None, name: str | None = None) -> Tensor:
    """Return what a model learns to predict: the numbers of classes, or a number as it is.

    Args:
        x: The label, sparse or dense.
        classes: The classes in their order; or `True` for those in the data, the most frequent first, and `False`
            for a number. By default text means classes, and numbers are numbers.
        name: Of the file in the transform graph that keeps the names of the classes, a line each; by default
            after the feature.

    Returns:
        Classes: int64 from 0. Numbers: of `x`'s type. Where rows may lack a label, float32 with NaN for them, which
        the Trainer refuses in a sentence. A class that is not listed, or only in a split that is not analyzed, is -1.

    Raises:
        UserFunctionError: If `x` holds text that is to be a number, or numbers with fractions that are to be classes.
    """
    is_class = x.dtype == tf.string if classes is None else classes is not False
    may_lack = isinstance(x, tf.SparseTensor)
    if not is_class:
        numbers = number_values(x, "label")
        return tf.cast(numbers, tf.float32 if may_lack else x.dtype)
    listed = None if isinstance(classes, bool) or classes is None else list(classes)
    words = text_values(x)
    path = _learned(words, None, listed, None, name or file_name(x, "label"))
    numbers = tft.apply_vocabulary(words, path, default_value=-1)
    if not may_lack:
        return numbers
    return tf.where(is_present(x), tf.cast(numbers, tf.float32), float("nan"))


def _learned(
    words: Tensor,
    size: int | None,
    values: Sequence[str | int] | None,
    min_count: int | None,
    name: str,
) -> Any:
    """The file with the values of a vocabulary, a line each."""
    if size is not None and size < 1:
        raise UserFunctionError(
            f"headrace.features: a vocabulary of {size} values is asked for.", "give 1 or more."
        )
    if values is None:
        return tft.vocabulary(words, top_k=size, frequency_threshold=min_count, vocab_filename=name)
    given = [str(value) for value in values]
    if len(set(given)) < len(given) or "" in given or any("\n" in value for value in given):
        raise UserFunctionError(
            f"headrace.features: the values given for '{name}' hold one twice, an empty one, or one with a line's end.",
            "give each value once.",
        )
    return tft.vocabulary(words, frequency_threshold=_NEVER, vocab_filename=name, reserved_tokens=given)
