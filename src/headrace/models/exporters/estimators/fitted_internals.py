"""The private attributes of scikit-learn's fitted estimators that hold what no public one does; scikit-learn 1.5 to 1.7."""

from __future__ import annotations

from typing import Any

import numpy as np


def svm_gamma(estimator: Any) -> float:
    """Return gamma as a number, where the parameter may be "scale" or "auto"."""
    return float(estimator._gamma)


def kernel_centres(estimator: Any) -> tuple[Any, float]:
    """Return the mean of each column of the fitted KernelPCA's kernel and the mean of all."""
    return estimator._centerer.K_fit_rows_, estimator._centerer.K_fit_all_


def neighbour_rows(estimator: Any) -> Any:
    """Return the training rows of an estimator of neighbours, or of KNNImputer, dense, in float64."""
    rows = estimator._fit_X
    return np.asarray(rows.toarray() if hasattr(rows, "toarray") else rows, np.float64)


def neighbour_targets(estimator: Any) -> Any:
    """Return the training targets, or the places of the labels in `classes_`, of an estimator of neighbours."""
    return np.asarray(estimator._y)


def axes_kept(estimator: Any) -> int:
    """Return how many components LinearDiscriminantAnalysis keeps."""
    return int(estimator._max_components)


def bisections(estimator: Any) -> tuple[Any, Any]:
    """Return the root of the tree of a BisectingKMeans and the mean that its centres are relative to."""
    return estimator._bisecting_tree, getattr(estimator, "_X_mean", 0.0)


def power_scaler(estimator: Any) -> Any:
    """Return the fitted StandardScaler of a PowerTransformer that standardizes."""
    return estimator._scaler


def imputable(estimator: Any) -> Any:
    """Return which features of a KNNImputer had a value in the fit."""
    return estimator._valid_mask


def grouped_categories(estimator: Any, index: int) -> tuple[list[int], int | None]:
    """Return the place of each category once infrequent ones are one, and the place of that one.

    Args:
        estimator: A fitted OneHotEncoder or OrdinalEncoder.
        index: Of the feature.

    Returns:
        The places in the order of `categories_`, and None where no category is infrequent.
    """
    places = list(range(len(estimator.categories_[index])))
    if not getattr(estimator, "_infrequent_enabled", False) or estimator._infrequent_indices[index] is None:
        return places, None
    mapping = [int(place) for place in estimator._default_to_infrequent_mappings[index]]
    # OrdinalEncoder counts the missing value, which comes last, neither as frequent nor as infrequent.
    mapping.extend(places[len(mapping) :])
    return mapping, mapping[int(estimator._infrequent_indices[index][0])]


def dropped_category(estimator: Any, index: int) -> int | None:
    """Return the place of the category that a OneHotEncoder leaves out, after `grouped_categories`; None for none."""
    dropped = getattr(estimator, "_drop_idx_after_grouping", None)
    return None if dropped is None or dropped[index] is None else int(dropped[index])


def one_hot_width(estimator: Any, index: int) -> int:
    """Return how many columns a OneHotEncoder makes of a feature."""
    return int(estimator._n_features_outs[index])


def missing_category(estimator: Any, index: int) -> int | None:
    """Return the place of the missing value among an OrdinalEncoder's categories of a feature; None where it is none."""
    return estimator._missing_indices.get(index)


def histogram_boosting(estimator: Any) -> tuple[list[Any], Any, Any]:
    """Return the trees of each round of histogram gradient boosting, the first guess, and the categories' encoder."""
    preprocessor = getattr(estimator, "_preprocessor", None)
    encoder = None if preprocessor is None else preprocessor.named_transformers_["encoder"]
    return estimator._predictors, estimator._baseline_prediction, encoder
