"""One value in each row: missing ones found, told and filled.

A feature comes as a dense tensor where the schema says that each row has a value, else as a sparse one. What
is missing is the same in all functions of `headrace.features`: no value in the row, NaN or an infinite number,
an empty text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from headrace.errors import UserFunctionError
from headrace.features.libraries import schema_inference, tf, tf_utils, tft

Tensor: TypeAlias = Any
"""A `tf.Tensor` or `tf.SparseTensor` of `preprocessing_fn`'s inputs, or a tensor made of some."""

STRATEGIES = ("mean", "median", "most_frequent")
# Quantiles of up to a thousand different values are exact with it, of more within a thousandth of the rows.
QUANTILE_ERROR = 0.001
# Collections of a graph: which feature a tensor is, and the vocabulary files that have a name.
_NAMES, _FILES = "headrace_features", "headrace_vocabularies"


def dense(x: Tensor, default: float | str | None = None) -> Tensor:
    """Return one value in each row, with `default` where it is missing.

    Args:
        x: Numbers or texts; sparse, with at most one value in a row, or dense.
        default: For the missing ones; 0 or the empty text where nothing is given.

    Returns:
        A dense tensor of `x`'s type: `(rows, 1)` of a sparse one, else of `x`'s shape, at least `(rows, 1)`.

    Raises:
        UserFunctionError: If the default is of another kind than the values.

    Example:
        >>> outputs["fare_xf"] = dense(inputs["fare"], 0.0)  # doctest: +SKIP
    """
    if default is None:
        default = "" if x.dtype == tf.string else 0
    _check_kind(x, default, "dense")
    filled = _filled(x, default)
    if x.dtype.is_floating:
        return tf.where(tf.math.is_finite(filled), filled, tf.cast(default, x.dtype))
    return tf.where(tf.equal(filled, ""), default, filled) if x.dtype == tf.string else filled


def is_missing(x: Tensor) -> Tensor:
    """Return 1.0 where the value is missing and 0.0 elsewhere, as float32; scikit-learn's `MissingIndicator`.

    Args:
        x: Numbers or texts, sparse or dense.

    Returns:
        `(rows, 1)` of a sparse tensor, else `x`'s shape.
    """
    return tf.cast(tf.logical_not(is_present(x)), tf.float32)


def impute(x: Tensor, strategy: float | str = "mean", name: str | None = None) -> Tensor:
    """Return one value in each row; missing ones are replaced as scikit-learn's `SimpleImputer` does.

    Args:
        x: Numbers or texts, sparse or dense, one value in a row.
        strategy: `"mean"`, `"median"`, `"most_frequent"`, or the value to put in. Of an even number of values
            the median is one of the two in the middle, and scikit-learn's lies between them. Of several most
            frequent values the last in the order of their text is taken, and scikit-learn takes the first.
        name: Of the vocabulary file that `"most_frequent"` leaves; by default after the feature.

    Returns:
        Float32 for mean and median, else of `x`'s type; `(rows, 1)` of a sparse tensor, else `x`'s shape.

    Raises:
        UserFunctionError: If the strategy does not fit the type.
    """
    if strategy not in STRATEGIES:
        return dense(x, strategy)
    if strategy == "most_frequent":
        return dense_where(x, _most_frequent(x, name or file_name(x, "most_frequent")))
    numbers = number_values(x, "impute")
    if strategy == "mean":
        value = tft.mean(_present_numbers(numbers))
    else:
        value = tft.quantiles(_present_numbers(numbers), 2, QUANTILE_ERROR)[0, 0]
    # Of no values at all there is neither mean nor median.
    value = tf.where(tf.math.is_finite(value), value, tf.zeros_like(value))
    filled = tf.where(tf.math.is_finite(numbers), numbers, tf.cast(value, tf.float64))
    return tf.cast(filled, tf.float32)


def number(x: Tensor) -> Tensor:
    """Return numbers that may be written as text; what is none, such as `"NA"`, is missing.

    Args:
        x: Texts such as `"3"`, `" -1.5e3"`, or numbers already; sparse or dense, one in each row.

    Returns:
        Float32 with NaN for what is missing, which the other functions take; `(rows, 1)` of a sparse tensor.
    """
    if x.dtype != tf.string:
        return tf.cast(number_values(x, "number"), tf.float32)
    texts = tf.strings.strip(text_values(x))
    is_number = tf.strings.regex_full_match(texts, r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
    return tf.strings.to_number(tf.where(is_number, texts, "nan"))


def is_present(x: Tensor) -> Tensor:
    """Return whether each row has a value, as bool of shape `(rows, 1)`, or of a dense `x`'s shape."""
    if isinstance(x, tf.SparseTensor):
        values = x.values
        there = tf.SparseTensor(x.indices, tf.cast(_value_counts(values), tf.int32), x.dense_shape)
        return tf.greater(_filled(there, 0), 0)
    return _value_counts(_at_least_a_column(x))


def number_values(x: Tensor, function: str) -> Tensor:
    """Return numbers as float64, NaN where one is missing; `(rows, 1)` of a sparse tensor, else `x`'s shape.

    Raises:
        UserFunctionError: If `x` holds texts.
    """
    if x.dtype == tf.string:
        raise UserFunctionError(
            f"headrace.features.{function} needs numbers, and {told(x)} holds text.",
            "read it with headrace.features.number where its texts are numbers; else use vocabulary, one_hot or tokens.",
        )
    if isinstance(x, tf.SparseTensor):
        wide = tf.SparseTensor(x.indices, tf.cast(x.values, tf.float64), x.dense_shape)
        values = _filled(wide, float("nan"))
    else:
        values = _at_least_a_column(tf.cast(x, tf.float64))
    return tf.where(tf.math.is_finite(values), values, tf.constant(float("nan"), tf.float64))


def text_values(x: Tensor) -> Tensor:
    """Return values as text, empty where one is missing; whole numbers in decimal."""
    if x.dtype == tf.string:
        return _filled(x, "")
    if x.dtype.is_floating:
        raise UserFunctionError(
            f"{told(x)} holds numbers with fractions, of which there are too many to be categories.",
            "cut them into ranges with headrace.features.buckets first.",
        )
    as_text = tf.strings.as_string
    if isinstance(x, tf.SparseTensor):
        return _filled(tf.SparseTensor(x.indices, as_text(x.values), x.dense_shape), "")
    return _at_least_a_column(as_text(x))


def dense_where(x: Tensor, value: Tensor) -> Tensor:
    """Return one value in each row, with a scalar tensor where it is missing."""
    filled = _filled(x, "" if x.dtype == tf.string else 0)
    return tf.where(is_present(x), filled, value)


def annotate_range(x: Tensor, size: Any) -> Tensor:
    """Say in the schema of the transformed features that whole numbers go from 0 to `size - 1`."""
    # Under another name: what made `x` may have said something of its own.
    ranged = tf.identity(x)
    top = tf.cast(size, tf.int64) - 1
    schema_inference.set_tensor_schema_override(ranged, tf.constant(0, tf.int64), tf.convert_to_tensor(top))
    return ranged


def told(x: Tensor) -> str:
    """Return what a message calls a tensor: the feature's name where it is one."""
    found = feature_name(x)
    return f"feature '{found}'" if found else "the tensor given"


def name_inputs(inputs: Mapping[str, Tensor]) -> None:
    """Note in the graph that is being traced which feature each tensor is: for messages, and names of files."""
    if not tf.executing_eagerly():
        graph = tf.compat.v1.get_default_graph()
        # As text, which a graph can be saved with.
        graph.get_collection_ref(_NAMES).extend(f"{_tensor_name(x)}\n{name}" for name, x in inputs.items())


def feature_name(x: Tensor) -> str:
    """Return the name of the feature that a tensor is, where that was noted; else an empty text."""
    if tf.executing_eagerly():
        return ""
    noted = tf.compat.v1.get_default_graph().get_collection(_NAMES)
    known = dict(text.split("\n", 1) for text in noted)
    return known.get(_tensor_name(x), "")


def file_name(x: Tensor, purpose: str) -> str:
    """Return a name for a vocabulary file: that of the feature, where no other file of the graph has it.

    TFT names operations of the graph after the file, and TensorFlow takes ASCII for these alone: "región" is "regi_n".
    """
    name = re.sub(r"[^ -~]", "_", feature_name(x)) or purpose
    if not name[0].isalnum():
        name = f"{purpose}{name}"
    graph = tf.compat.v1.get_default_graph()
    used = graph.get_collection_ref(_FILES)
    plain, count = name, 1
    while name in used:
        count += 1
        name = f"{plain}_{count}"
    used.append(name)
    return name


def _tensor_name(x: Tensor) -> str:
    tensor = getattr(x, "flat_values", None)
    if tensor is None:
        tensor = x.values if isinstance(x, tf.SparseTensor) else x
    return str(tensor.name)


def _value_counts(values: Tensor) -> Tensor:
    if values.dtype == tf.string:
        return tf.not_equal(values, "")
    if values.dtype.is_floating:
        return tf.math.is_finite(values)
    return tf.ones_like(values, tf.bool)


def _filled(x: Tensor, default: Any) -> Tensor:
    if not isinstance(x, tf.SparseTensor):
        return _at_least_a_column(x)
    # A second value in a row is out of these bounds, which is an error that names this operation. An assertion would
    # be a branch, whose functions get other names in each trace, and what analyzers found before is not found again.
    name = re.sub(r"[^A-Za-z0-9_.]", "_", feature_name(x)) or "a_feature"
    shape = tf.stack([x.dense_shape[0], tf.constant(1, tf.int64)])
    column = tf.SparseTensor(x.indices, x.values, shape)
    filled = tf.sparse.to_dense(
        column, default_value=tf.constant(default, x.dtype), name=f"at_most_one_value_in_a_row_of_{name}"
    )
    return tf.ensure_shape(filled, [None, 1])


def _at_least_a_column(x: Tensor) -> Tensor:
    return tf.expand_dims(x, 1) if x.shape.rank == 1 else x


def _present_numbers(numbers: Tensor) -> Tensor:
    return tf.boolean_mask(numbers, tf.math.is_finite(numbers))


def _most_frequent(x: Tensor, name: str) -> Tensor:
    """The most frequent value of a column, as a scalar; of numbers with fractions by their bits."""
    kept = tf.boolean_mask(_filled(x, "" if x.dtype == tf.string else 0), is_present(x))
    if x.dtype.is_floating:
        keys = tf.strings.as_string(tf.bitcast(tf.cast(kept, tf.float32), tf.int32))
    else:
        keys = kept if x.dtype == tf.string else tf.strings.as_string(kept)
    path = tft.vocabulary(keys, top_k=1, vocab_filename=name)

    def first_line(asset: Tensor) -> Any:
        lines = tf.lookup.TextFileInitializer(
            asset,
            tf.int64,
            tf.lookup.TextFileIndex.LINE_NUMBER,
            tf.string,
            tf.lookup.TextFileIndex.WHOLE_LINE,
        )
        return tf.lookup.StaticHashTable(lines, default_value="")

    line, _ = tf_utils.construct_and_lookup_table(first_line, path, tf.constant([0], tf.int64))
    line = line[0]
    if x.dtype == tf.string:
        return line
    # Where there is no value at all, tf.Transform's file holds a mark that is no number.
    number = tf.strings.to_number(tf.where(tf.strings.regex_full_match(line, r"-?\d+"), line, "0"), tf.int64)
    if x.dtype.is_floating:
        return tf.cast(tf.bitcast(tf.cast(number, tf.int32), tf.float32), x.dtype)
    return tf.cast(number, x.dtype)


def _check_kind(x: Tensor, default: Any, function: str) -> None:
    is_text = isinstance(default, (str, bytes))
    if is_text != (x.dtype == tf.string):
        kinds = ("text", "numbers") if is_text else ("a number", "text")
        raise UserFunctionError(
            f"headrace.features.{function} was given {kinds[0]}, {default!r}, for {told(x)}, which holds {kinds[1]}.",
            "give a default of the feature's own kind.",
        )
