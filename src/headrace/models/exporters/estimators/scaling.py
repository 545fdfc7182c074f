"""Scalers and transformers of single features as TensorFlow operations."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from headrace.models.exporters.estimators.converter import Transformer, constant, enter, option
from headrace.models.exporters.estimators.fitted_internals import power_scaler
from headrace.models.exporters.estimators.registry import Store


def standard(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `transform` of StandardScaler."""
    if estimator.with_mean:
        rows = rows - constant(estimator.mean_)
    return rows / constant(estimator.scale_) if estimator.with_std else rows


def minimum_maximum(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `transform` of MinMaxScaler."""
    rows = rows * constant(estimator.scale_) + constant(estimator.min_)
    return tf.clip_by_value(rows, *map(float, estimator.feature_range)) if estimator.clip else rows


def maximum(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `transform` of MaxAbsScaler."""
    rows = rows / constant(estimator.scale_)
    return tf.clip_by_value(rows, -1.0, 1.0) if getattr(estimator, "clip", False) else rows


def robust(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `transform` of RobustScaler."""
    if estimator.with_centering:
        rows = rows - constant(estimator.center_)
    return rows / constant(estimator.scale_) if estimator.with_scaling else rows


def normalize(rows: tf.Tensor, norm: str) -> tf.Tensor:
    """Return rows divided by their norm "l1", "l2" or "max"; a row of zeros stays."""
    sizes = tf.abs(rows)
    if norm == "max":
        length = tf.reduce_max(sizes, 1, keepdims=True)
    elif norm == "l1":
        length = tf.reduce_sum(sizes, 1, keepdims=True)
    else:
        length = tf.sqrt(tf.reduce_sum(rows * rows, 1, keepdims=True))
    # As scikit-learn: what is below ten units of rounding is taken as zero.
    tiny = length < 10 * np.finfo(np.float64).eps
    return rows / tf.where(tiny, tf.ones_like(length), length)


def binarize(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `transform` of Binarizer."""
    return tf.cast(rows > float(estimator.threshold), tf.float64)


def power(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `transform` of PowerTransformer; NaN for what is not positive under Box-Cox, where scikit-learn raises."""
    transform = _box_cox if estimator.method == "box-cox" else _yeo_johnson
    columns = [transform(rows[:, index], float(value)) for index, value in enumerate(estimator.lambdas_)]
    values = tf.stack(columns, 1)
    return standard(power_scaler(estimator), values, store) if estimator.standardize else values


def _raised(x: tf.Tensor, exponent: float) -> tf.Tensor:
    """Return (exp(exponent log1p x) - 1) / exponent, and its limit log1p(x) where the exponent is 0."""
    logarithm = tf.math.log1p(x)
    # expm1 keeps the digits that (1 + x)^exponent - 1 loses near 0.
    return logarithm if abs(exponent) < np.spacing(1.0) else tf.math.expm1(exponent * logarithm) / exponent


def _yeo_johnson(x: tf.Tensor, exponent: float) -> tf.Tensor:
    positive = _raised(tf.maximum(x, 0.0), exponent)
    negative = -_raised(tf.maximum(-x, 0.0), 2.0 - exponent)
    value = tf.where(x >= 0, positive, negative)
    return tf.where(tf.math.is_nan(x), x, value)


def _box_cox(x: tf.Tensor, exponent: float) -> tf.Tensor:
    # Of what is not positive the logarithm is NaN, or -inf for 0.
    logarithm = tf.where(x > 0, tf.math.log(x), constant(float("nan")))
    return logarithm if exponent == 0 else tf.math.expm1(exponent * logarithm) / exponent


def quantiles(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `transform` of QuantileTransformer."""
    columns = []
    for index in range(int(rows.shape[1])):
        knots = np.asarray(estimator.quantiles_[:, index], np.float64)
        columns.append(
            _quantile(rows[:, index], knots, np.asarray(estimator.references_, np.float64), estimator)
        )
    return tf.stack(columns, 1)


def _quantile(x: tf.Tensor, knots: Any, references: Any, estimator: Any) -> tf.Tensor:
    normal = estimator.output_distribution == "normal"
    # Up and down, so that a repeated quantile gives the middle of its references.
    up, down = _interpolate(x, knots, references), _interpolate(-x, -knots[::-1], -references[::-1])
    values = 0.5 * (up - down)
    threshold = 1e-7
    low = x - threshold < knots[0] if normal else x == knots[0]
    high = x + threshold > knots[-1] if normal else x == knots[-1]
    values = tf.where(low, constant(0.0), tf.where(high, constant(1.0), values))
    if normal:
        edge = threshold - np.spacing(1)
        limits = tf.math.ndtri(constant([edge, 1 - edge]))
        # Of 0 and 1 it would be infinite; the limits are those of scikit-learn.
        values = tf.math.ndtri(tf.clip_by_value(values, edge, 1 - edge))
        values = tf.clip_by_value(values, limits[0], limits[1])
    return tf.where(tf.math.is_nan(x), x, values)


def _interpolate(x: tf.Tensor, knots: Any, values: Any) -> tf.Tensor:
    """Return what `numpy.interp` does, also at repeated knots."""
    last = len(knots) - 1
    place = tf.searchsorted(constant(knots), x, side="right") - 1
    inside = tf.clip_by_value(place, 0, max(last - 1, 0))
    width = np.diff(knots, append=knots[-1])
    slope = np.divide(np.diff(values, append=values[-1]), width, out=np.zeros_like(width), where=width > 0)
    left = tf.gather(constant(knots), inside)
    found = tf.gather(constant(slope), inside) * (x - left) + tf.gather(constant(values), inside)
    return tf.where(place < 0, constant(values[0]), tf.where(place >= last, constant(values[-1]), found))


def _cube_root(x: tf.Tensor) -> tf.Tensor:
    return tf.sign(x) * tf.abs(x) ** (1.0 / 3.0)


def _logarithm(base: float) -> Any:
    return lambda x: tf.math.log(x) / np.log(base)


FUNCTIONS: dict[str, Any] = {
    "absolute": tf.abs,
    "arccos": tf.acos,
    "arcsin": tf.asin,
    "arcsinh": tf.asinh,
    "arctan": tf.atan,
    "cbrt": _cube_root,
    "ceil": tf.math.ceil,
    "cos": tf.cos,
    "cosh": tf.cosh,
    "deg2rad": lambda x: x * (np.pi / 180),
    "exp": tf.exp,
    "exp2": lambda x: tf.exp(x * np.log(2.0)),
    "expm1": tf.math.expm1,
    "fabs": tf.abs,
    "floor": tf.floor,
    "log": tf.math.log,
    "log10": _logarithm(10.0),
    "log1p": tf.math.log1p,
    "log2": _logarithm(2.0),
    "negative": tf.negative,
    "positive": tf.identity,
    "rad2deg": lambda x: x * (180 / np.pi),
    "reciprocal": tf.math.reciprocal,
    "rint": tf.math.rint,
    "sign": tf.sign,
    "sin": tf.sin,
    "sinh": tf.sinh,
    "sqrt": tf.sqrt,
    "square": tf.square,
    "tan": tf.tan,
    "tanh": tf.tanh,
    "trunc": lambda x: tf.sign(x) * tf.floor(tf.abs(x)),
}


def _check_function(estimator: Any) -> str | None:
    func = estimator.func
    if getattr(estimator, "kw_args", None):
        return "kw_args is not covered; give a function of numpy without arguments"
    if func is None or (isinstance(func, np.ufunc) and func.__name__ in FUNCTIONS):
        return None
    return (
        f"func={getattr(func, '__name__', func)!r} cannot become TensorFlow operations; give one of numpy's "
        f"{', '.join(sorted(FUNCTIONS))}, or calculate the feature in Transform"
    )


def function(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `transform` of FunctionTransformer, of a function of numpy or of none."""
    return rows if estimator.func is None else FUNCTIONS[estimator.func.__name__](rows)


def _check_power(estimator: Any) -> str | None:
    return option(estimator, "method", "yeo-johnson", "box-cox")


_DATA = "sklearn.preprocessing._data."
enter(
    Transformer((_DATA + "StandardScaler",), standard, takes_nan=True),
    Transformer((_DATA + "MinMaxScaler",), minimum_maximum, takes_nan=True),
    Transformer((_DATA + "MaxAbsScaler",), maximum, takes_nan=True),
    Transformer((_DATA + "RobustScaler",), robust, takes_nan=True),
    Transformer((_DATA + "Normalizer",), lambda estimator, rows, store: normalize(rows, estimator.norm)),
    Transformer((_DATA + "Binarizer",), binarize),
    Transformer((_DATA + "PowerTransformer",), power, _check_power, takes_nan=True),
    Transformer((_DATA + "QuantileTransformer",), quantiles, takes_nan=True),
    Transformer(
        ("sklearn.preprocessing._function_transformer.FunctionTransformer",),
        function,
        _check_function,
        takes_nan=True,
    ),
)
