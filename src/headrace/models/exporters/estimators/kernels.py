"""Support vector machines and other kernel methods as TensorFlow operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from headrace.models.exporters.estimators.converter import (
    Predictor,
    Transformer,
    constant,
    enter,
    option,
    predictions,
    scores,
)
from headrace.models.exporters.estimators.coupling import coupled
from headrace.models.exporters.estimators.distances import by_blocks, normalized, pairwise, squared_euclidean
from headrace.models.exporters.estimators.fitted_internals import kernel_centres, svm_gamma
from headrace.models.exporters.estimators.registry import PROBABILITIES, SCORES, Store

_SVM_KERNELS = ("rbf", "linear", "poly", "sigmoid")
_KERNELS = (
    "linear",
    "rbf",
    "poly",
    "polynomial",
    "sigmoid",
    "cosine",
    "laplacian",
)


def kernel(
    name: str, gamma: float | None, degree: float, coef0: float
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Return the kernel of a name as a function of (rows, others) -> (rows, others).

    Args:
        name: One of scikit-learn's.
        gamma: None for 1 / number of features, as in `sklearn.metrics.pairwise`.
        degree: Of the polynomial.
        coef0: The constant of the polynomial and of the sigmoid.
    """

    def scale(others: tf.Tensor) -> float:
        return 1.0 / int(others.shape[1]) if gamma is None else float(gamma)

    def product(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
        return tf.matmul(a, b, transpose_b=True)

    def power(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
        base = scale(b) * product(a, b) + coef0
        # libsvm and numpy take whole powers of negative numbers; so does tf.pow.
        return tf.pow(base, tf.constant(float(degree), base.dtype))

    kernels: dict[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = {
        "linear": product,
        "rbf": lambda a, b: tf.exp(-scale(b) * squared_euclidean(a, b)),
        "poly": power,
        "polynomial": power,
        "sigmoid": lambda a, b: tf.tanh(scale(b) * product(a, b) + coef0),
        "cosine": lambda a, b: product(normalized(a), normalized(b)),
        "laplacian": lambda a, b: tf.exp(-scale(b) * pairwise(a, b, 1.0)),
    }
    return kernels[name]


def _check_svm(estimator: Any) -> str | None:
    return option(estimator, "kernel", *_SVM_KERNELS)


def _check_kernel(estimator: Any) -> str | None:
    # The parameters of a callable; those of a name are gamma, degree and coef0.
    if getattr(estimator, "kernel_params", None):
        return f"kernel_params={estimator.kernel_params!r} is not covered; set gamma, degree and coef0"
    return option(estimator, "kernel", *_KERNELS)


def _dense(array: Any) -> Any:
    """Return an array of float64; what was trained with a sparse matrix holds sparse ones."""
    return np.asarray(array.toarray() if hasattr(array, "toarray") else array, np.float64)


def _support_products(estimator: Any, rows: tf.Tensor, store: Store, coefficients: Any) -> tf.Tensor:
    """Return kernel(rows, support vectors) @ coefficients."""
    vectors = store.variable(_dense(estimator.support_vectors_))
    weights = store.variable(np.asarray(coefficients, np.float64))
    similarity = kernel(estimator.kernel, svm_gamma(estimator), estimator.degree, estimator.coef0)
    (values,) = by_blocks(
        rows,
        int(vectors.shape[0]),
        lambda block: (tf.matmul(similarity(block, tf.convert_to_tensor(vectors)), weights),),
        (tf.float64,),
        int(np.shape(coefficients)[1]),
    )
    return values


def pairs_decisions(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return libsvm's values of class i against class j, for i < j in order: shape (rows, pairs).

    The support vectors are sorted by class; row j - 1 of the dual coefficients of a vector of class i is that
    against class j (libsvm's `svm_predict_values`).
    """
    dual = _dense(estimator._dual_coef_)
    ends = np.cumsum(estimator.n_support_)
    parts = [slice(end - size, end) for size, end in zip(estimator.n_support_, ends)]
    columns = []
    for i in range(len(parts)):
        for j in range(i + 1, len(parts)):
            column = np.zeros(dual.shape[1])
            column[parts[i]] = dual[j - 1, parts[i]]
            column[parts[j]] = dual[i, parts[j]]
            columns.append(column)
    return _support_products(estimator, rows, store, np.stack(columns, 1)) + constant(estimator._intercept_)


def _votes(won: tf.Tensor, decisions: tf.Tensor, classes: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the votes and the sums of the values of each class, from those of the pairs."""
    wins, losses, signs = [], [], []
    for i in range(classes):
        for j in range(i + 1, classes):
            wins.append(np.eye(classes)[i])
            losses.append(np.eye(classes)[j])
            signs.append(np.eye(classes)[i] - np.eye(classes)[j])
    votes = tf.matmul(won, constant(wins)) + tf.matmul(1.0 - won, constant(losses))
    return votes, tf.matmul(decisions, constant(signs))


def one_against_rest(decisions: tf.Tensor, classes: int) -> tf.Tensor:
    """Return `decision_function` with decision_function_shape="ovr" from the values of the pairs: votes and confidence."""
    # A value of exactly 0 is a vote for i here, and for j in libsvm's own predict.
    votes, sums = _votes(tf.cast(decisions >= 0, tf.float64), decisions, classes)
    return votes + sums / (3 * (tf.abs(sums) + 1))


def _voted(decisions: tf.Tensor, values: tf.Tensor, classes: int) -> tf.Tensor:
    """Return values whose first largest in a row is that of the class with the most votes, the first of several."""
    votes, _ = _votes(tf.cast(decisions > 0, tf.float64), decisions, classes)
    winner = tf.one_hot(tf.argmax(votes, 1), classes, on_value=True, off_value=False)
    return tf.where(winner, tf.reduce_max(values, 1, keepdims=True), values)


def svc_probabilities(estimator: Any, decisions: tf.Tensor) -> tf.Tensor:
    """Return `predict_proba`: Platt's sigmoid of each pair, coupled as libsvm does."""
    pairs = tf.sigmoid(-(decisions * constant(estimator.probA_) + constant(estimator.probB_)))
    return coupled(tf.clip_by_value(pairs, 1e-7, 1 - 1e-7), len(estimator.classes_))


def svc(estimator: Any, rows: tf.Tensor, store: Store) -> tuple[tf.Tensor, tf.Tensor]:
    """Return `predict_proba`, or scores whose largest is the class that `predict` gives; and `decision_function`."""
    decisions = pairs_decisions(estimator, rows, store)
    classes = len(estimator.classes_)
    if classes == 2:
        values = -decisions
        decision = values[:, 0]
    else:
        values = decision = one_against_rest(decisions, classes)
        if not (estimator.break_ties and estimator.decision_function_shape == "ovr"):
            values = _voted(decisions, values, classes)
        if estimator.decision_function_shape == "ovo":
            decision = decisions
    return (svc_probabilities(estimator, decisions) if estimator.probability else values), decision


def _svc_kind(estimator: Any) -> str:
    return PROBABILITIES if estimator.probability else SCORES


def svr(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `predict` of SVR and NuSVR; `decision_function` of OneClassSVM, above 0 for what is like the training rows."""
    return _support_products(estimator, rows, store, np.transpose(_dense(estimator._dual_coef_))) + constant(
        estimator._intercept_
    )


def kernel_ridge(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `predict` of KernelRidge."""
    similarity = kernel(estimator.kernel, estimator.gamma, estimator.degree, estimator.coef0)
    trained = store.variable(np.asarray(estimator.X_fit_, np.float64))
    dual = store.variable(np.asarray(estimator.dual_coef_, np.float64).reshape(len(estimator.X_fit_), -1))
    (values,) = by_blocks(
        rows,
        len(estimator.X_fit_),
        lambda block: (tf.matmul(similarity(block, tf.convert_to_tensor(trained)), dual),),
        (tf.float64,),
        int(dual.shape[1]),
    )
    return values


def rbf_sampler(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `transform` of RBFSampler."""
    projected = tf.matmul(rows, store.variable(np.asarray(estimator.random_weights_, np.float64)))
    return tf.cos(projected + constant(estimator.random_offset_)) * (2.0 / estimator.n_components) ** 0.5


def nystroem(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `transform` of Nystroem."""
    degree = 3 if estimator.degree is None else estimator.degree
    coef0 = 1 if estimator.coef0 is None else estimator.coef0
    similarity = kernel(estimator.kernel, estimator.gamma, degree, coef0)
    components = tf.convert_to_tensor(store.variable(np.asarray(estimator.components_, np.float64)))
    return tf.matmul(similarity(rows, components), constant(estimator.normalization_), transpose_b=True)


def kernel_pca(estimator: Any, rows: tf.Tensor, store: Store) -> tf.Tensor:
    """Return `transform` of KernelPCA: the centred kernel on the scaled eigenvectors."""
    similarity = kernel(
        estimator.kernel, getattr(estimator, "gamma_", estimator.gamma), estimator.degree, estimator.coef0
    )
    trained = tf.convert_to_tensor(store.variable(np.asarray(estimator.X_fit_, np.float64)))
    values = similarity(rows, trained)
    row_means, mean = kernel_centres(estimator)
    middle = tf.reduce_sum(values, 1, keepdims=True) / len(row_means)
    centred = values - constant(row_means) - middle + float(mean)
    eigenvalues = np.asarray(estimator.eigenvalues_, np.float64)
    kept = np.flatnonzero(eigenvalues)
    scaled = np.zeros_like(estimator.eigenvectors_, np.float64)
    scaled[:, kept] = estimator.eigenvectors_[:, kept] / np.sqrt(eigenvalues[kept])
    return tf.matmul(centred, store.variable(scaled))


enter(
    Predictor(("sklearn.svm._classes.SVC", "sklearn.svm._classes.NuSVC"), svc, _svc_kind, _check_svm),
    Predictor(("sklearn.svm._classes.SVR", "sklearn.svm._classes.NuSVR"), svr, predictions, _check_svm),
    Predictor(("sklearn.svm._classes.OneClassSVM",), svr, scores, _check_svm),
    Predictor(("sklearn.kernel_ridge.KernelRidge",), kernel_ridge, predictions, _check_kernel),
    Transformer(("sklearn.kernel_approximation.RBFSampler",), rbf_sampler),
    Transformer(("sklearn.kernel_approximation.Nystroem",), nystroem, _check_kernel),
    Transformer(("sklearn.decomposition._kernel_pca.KernelPCA",), kernel_pca, _check_kernel),
)
