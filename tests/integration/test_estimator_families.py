"""Families of estimators as TensorFlow operations give what scikit-learn gives, over their parameters and kinds of data."""

from __future__ import annotations

import fitted_estimators
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import (
    cluster,
    decomposition,
    discriminant_analysis,
    feature_selection,
    impute,
    kernel_approximation,
    kernel_ridge,
    linear_model,
    mixture,
    naive_bayes,
    neighbors,
    neural_network,
    preprocessing,
    random_projection,
    svm,
)

from headrace.models.exporters.estimators import registry

_EXAMPLES = 3


def _of(*values):
    return st.sampled_from(values)


def _plain(numbers, rows, width):
    return numbers.normal(size=(rows, width)) * numbers.choice([0.01, 1, 100])


def _far(numbers, rows, width):
    return numbers.normal(size=(rows, width)) + 1e4


def _constant(numbers, rows, width):
    values = numbers.normal(size=(rows, width))
    values[:, 0] = 3.3
    return values


def _grid(numbers, rows, width):
    return numbers.integers(0, 4, (rows, width)).astype(float)


def _zero_one(numbers, rows, width):
    return numbers.integers(0, 2, (rows, width)).astype(float)


def _holes(numbers, rows, width):
    values = _plain(numbers, rows, width)
    values[numbers.random(values.shape) < 0.15] = np.nan
    return values


def _float32(numbers, rows, width):
    return _plain(numbers, rows, width).astype(np.float32).astype(np.float64)


_ALL = (_plain, _far, _constant, _grid, _float32)


def _classes(numbers, rows):
    # Of the rows themselves, so that there is something to learn.
    count = numbers.integers(2, 5)
    score = rows @ numbers.normal(size=rows.shape[1]) + 0.3 * rows.std() * numbers.normal(size=len(rows))
    return np.argsort(np.argsort(score)) * count // len(rows)


def _values(numbers, rows):
    return numbers.normal(size=(len(rows), 2) if numbers.random() < 0.3 else len(rows))


def _value(numbers, rows):
    return numbers.normal(size=len(rows))


def _labels(numbers, rows):
    return numbers.integers(0, 2, (len(rows), 3))


_SVM = {
    "kernel": _of("linear", "rbf", "poly", "sigmoid"),
    "gamma": _of("scale", "auto", 0.3),
    "coef0": _of(0.0, 1.0),
}
_SVM |= {"max_iter": st.just(20000)}
_METRIC = st.one_of(
    st.fixed_dictionaries({"metric": st.just("minkowski"), "p": _of(1, 1.5, 2, 3)}),
    st.fixed_dictionaries(
        {"metric": _of("euclidean", "manhattan", "chebyshev"), "algorithm": _of("auto", "brute")}
    ),
    st.just({"metric": "cosine"}),
)
_WEIGHTS = _of("uniform", "distance")
_NETWORK = {"activation": _of("identity", "logistic", "tanh", "relu"), "max_iter": st.just(15)}
_NETWORK |= {"hidden_layer_sizes": _of((5,), (4, 3))}
_YES = st.booleans()


def _near(kind, **more):
    return st.tuples(_METRIC, st.fixed_dictionaries({"weights": _WEIGHTS, **more})).map(
        lambda two: kind(**two[0], **two[1])
    )


# Name: estimators, the method to be equalled, targets, kinds of rows, tolerance.
_CASES = {
    "SVC": (
        st.builds(svm.SVC, probability=st.just(True), **_SVM),
        "predict_proba",
        _classes,
        (_plain, _constant, _grid),
        1e-6,
    ),
    "SVR": (
        st.one_of(st.builds(svm.SVR, **_SVM), st.builds(svm.NuSVR, **_SVM)),
        "predict",
        _value,
        (_plain, _grid),
        1e-6,
    ),
    "OneClassSVM": (
        st.builds(svm.OneClassSVM, nu=st.just(0.2), **_SVM),
        "decision_function",
        None,
        (_plain, _grid),
        1e-6,
    ),
    "KernelRidge": (
        st.builds(
            kernel_ridge.KernelRidge,
            kernel=_of("linear", "rbf", "poly", "sigmoid", "cosine", "laplacian"),
            gamma=_of(None, 0.2),
            degree=_of(2, 3),
        ),
        "predict",
        _values,
        (_plain, _grid),
        1e-6,
    ),
    "RBFSampler": (
        st.builds(kernel_approximation.RBFSampler, n_components=st.just(7), gamma=_of("scale", 0.5)),
        "transform",
        None,
        _ALL,
        1e-7,
    ),
    "Nystroem": (
        st.builds(
            kernel_approximation.Nystroem,
            n_components=st.just(5),
            kernel=_of("rbf", "linear", "laplacian"),
            gamma=_of(None, 0.2),
        ),
        "transform",
        None,
        (_plain, _constant),
        1e-5,
    ),
    "KernelPCA": (
        st.builds(
            decomposition.KernelPCA, n_components=st.just(2), kernel=_of("rbf", "poly", "linear", "cosine")
        ),
        "transform",
        None,
        (_plain,),
        1e-6,
    ),
    "KNeighborsClassifier": (
        _near(neighbors.KNeighborsClassifier, n_neighbors=_of(1, 3, 7)),
        "predict_proba",
        _classes,
        (_plain, _float32),
        1e-6,
    ),
    "KNeighborsRegressor": (
        _near(neighbors.KNeighborsRegressor, n_neighbors=_of(1, 3, 7)),
        "predict",
        _values,
        (_plain, _float32),
        1e-6,
    ),
    "RadiusNeighborsClassifier": (
        _near(
            neighbors.RadiusNeighborsClassifier,
            radius=_of(0.3, 1.3, 50.0),
            outlier_label=_of("most_frequent", 1),
        ),
        "predict_proba",
        _classes,
        # On a grid the last digit decides whether a cosine is the radius or 0, in scikit-learn too.
        (_plain,),
        1e-6,
    ),
    "RadiusNeighborsRegressor": (
        _near(neighbors.RadiusNeighborsRegressor, radius=_of(0.3, 1.3, 50.0)),
        "predict",
        _values,
        (_plain,),
        1e-6,
    ),
    "GaussianNB": (st.builds(naive_bayes.GaussianNB), "predict_proba", _classes, _ALL, 1e-5),
    "MultinomialNB": (
        st.builds(naive_bayes.MultinomialNB, alpha=_of(0.1, 1)),
        "predict_proba",
        _classes,
        (_grid,),
        1e-9,
    ),
    "ComplementNB": (
        st.builds(naive_bayes.ComplementNB, norm=_YES),
        "predict_proba",
        _classes,
        (_grid,),
        1e-9,
    ),
    "BernoulliNB": (
        st.builds(naive_bayes.BernoulliNB, binarize=_of(None, 0.0, 0.5)),
        "predict_proba",
        _classes,
        (_zero_one,),
        1e-9,
    ),
    "CategoricalNB": (
        st.builds(naive_bayes.CategoricalNB, min_categories=st.just(4)),
        "predict_proba",
        _classes,
        (_grid,),
        1e-9,
    ),
    "LinearDiscriminantAnalysis": (
        st.builds(discriminant_analysis.LinearDiscriminantAnalysis, solver=_of("svd", "eigen")),
        "predict_proba",
        _classes,
        (_plain,),
        1e-6,
    ),
    "QuadraticDiscriminantAnalysis": (
        st.builds(discriminant_analysis.QuadraticDiscriminantAnalysis, reg_param=st.just(0.1)),
        "predict_proba",
        _classes,
        (_plain, _far),
        1e-6,
    ),
    "MLPClassifier": (
        st.builds(neural_network.MLPClassifier, **_NETWORK),
        "predict_proba",
        _classes,
        (_plain, _grid),
        1e-9,
    ),
    "MLPClassifier of labels": (
        st.builds(neural_network.MLPClassifier, **_NETWORK),
        "predict_proba",
        _labels,
        (_plain,),
        1e-9,
    ),
    "MLPRegressor": (
        st.builds(neural_network.MLPRegressor, **_NETWORK),
        "predict",
        _values,
        (_plain, _grid),
        1e-9,
    ),
    "PCA": (
        st.builds(decomposition.PCA, n_components=_of(None, 1, 0.8), whiten=_YES),
        "transform",
        None,
        (_plain, _far, _grid),
        1e-6,
    ),
    "TruncatedSVD": (
        st.builds(decomposition.TruncatedSVD, n_components=st.just(1)),
        "transform",
        None,
        _ALL,
        1e-7,
    ),
    "FastICA": (
        st.builds(decomposition.FastICA, whiten=_of("unit-variance", "arbitrary-variance", False)),
        "transform",
        None,
        (_plain,),
        1e-6,
    ),
    "FactorAnalysis": (
        st.builds(decomposition.FactorAnalysis, n_components=st.just(1)),
        "transform",
        None,
        (_plain,),
        1e-6,
    ),
    "projections": (
        _of(random_projection.GaussianRandomProjection(3), random_projection.SparseRandomProjection(3)),
        "transform",
        None,
        _ALL,
        1e-7,
    ),
    "selections": (
        _of(
            feature_selection.SelectKBest(feature_selection.f_regression, k=1),
            feature_selection.SelectPercentile(feature_selection.f_regression, percentile=60),
            feature_selection.RFE(linear_model.LinearRegression()),
            feature_selection.SelectFromModel(linear_model.LinearRegression()),
        ),
        "transform",
        _value,
        (_plain,),
        0,
    ),
    "VarianceThreshold": (
        st.builds(feature_selection.VarianceThreshold),
        "transform",
        None,
        (_holes, _constant),
        0,
    ),
    "clusters": (
        _of(
            cluster.KMeans(3, n_init=1),
            cluster.MiniBatchKMeans(3, n_init=1),
            cluster.BisectingKMeans(3),
            cluster.Birch(n_clusters=3),
        ),
        "predict",
        None,
        (_plain, _float32),
        0,
    ),
    "distances to centres": (
        _of(cluster.KMeans(3, n_init=1), cluster.BisectingKMeans(3), cluster.Birch()),
        "transform",
        None,
        (_plain, _float32),
        1e-6,
    ),
    "GaussianMixture": (
        st.builds(
            mixture.GaussianMixture,
            n_components=st.just(2),
            covariance_type=_of("full", "tied", "diag", "spherical"),
            reg_covar=st.just(1e-3),
        ),
        "predict_proba",
        None,
        (_plain, _grid, _far),
        1e-6,
    ),
    "StandardScaler": (
        st.builds(preprocessing.StandardScaler, with_mean=_YES, with_std=_YES),
        "transform",
        None,
        (*_ALL, _holes),
        1e-9,
    ),
    "MinMaxScaler": (
        st.builds(preprocessing.MinMaxScaler, clip=_YES, feature_range=_of((0, 1), (-1, 2))),
        "transform",
        None,
        (*_ALL, _holes),
        1e-9,
    ),
    "MaxAbsScaler": (st.builds(preprocessing.MaxAbsScaler), "transform", None, (*_ALL, _holes), 1e-9),
    "RobustScaler": (
        st.builds(preprocessing.RobustScaler, with_centering=_YES, with_scaling=_YES, unit_variance=_YES),
        "transform",
        None,
        (*_ALL, _holes),
        1e-9,
    ),
    "QuantileTransformer": (
        st.builds(
            preprocessing.QuantileTransformer,
            n_quantiles=_of(5, 40),
            output_distribution=_of("uniform", "normal"),
        ),
        "transform",
        None,
        (*_ALL, _holes),
        1e-7,
    ),
    "PowerTransformer": (
        st.builds(preprocessing.PowerTransformer, standardize=_YES),
        "transform",
        None,
        (_plain, _holes, _grid),
        1e-6,
    ),
    "Normalizer": (
        st.builds(preprocessing.Normalizer, norm=_of("l1", "l2", "max")),
        "transform",
        None,
        _ALL,
        1e-9,
    ),
    "Binarizer": (st.builds(preprocessing.Binarizer, threshold=_of(0, 1.0, 2)), "transform", None, _ALL, 0),
    "KBinsDiscretizer": (
        st.builds(
            preprocessing.KBinsDiscretizer,
            n_bins=_of(2, 4),
            encode=_of("onehot", "onehot-dense", "ordinal"),
            strategy=_of("uniform", "quantile", "kmeans"),
        ),
        "transform",
        None,
        _ALL,
        0,
    ),
    "PolynomialFeatures": (
        st.builds(
            preprocessing.PolynomialFeatures,
            degree=_of(0, 1, 2, 3, (2, 3)),
            interaction_only=_YES,
            include_bias=_YES,
        ),
        "transform",
        None,
        _ALL,
        1e-9,
    ),
    "SplineTransformer": (
        st.builds(
            preprocessing.SplineTransformer,
            n_knots=_of(2, 5),
            degree=_of(2, 3),
            knots=_of("uniform", "quantile"),
            extrapolation=_of("constant", "linear", "continue", "periodic"),
            include_bias=_YES,
        ),
        "transform",
        None,
        (_plain,),
        1e-6,
    ),
    "FunctionTransformer": (
        _of(
            *(
                preprocessing.FunctionTransformer(one)
                for one in (
                    None,
                    np.log1p,
                    np.sqrt,
                    np.cbrt,
                    np.rint,
                    np.trunc,
                    np.exp2,
                    np.log2,
                    np.reciprocal,
                )
            )
        ),
        "transform",
        None,
        (_plain,),
        1e-9,
    ),
    "SimpleImputer": (
        st.builds(
            impute.SimpleImputer,
            strategy=_of("mean", "median", "most_frequent", "constant"),
            add_indicator=_YES,
            keep_empty_features=_YES,
        ),
        "transform",
        None,
        (_holes, _grid),
        1e-9,
    ),
    "MissingIndicator": (
        st.builds(impute.MissingIndicator, features=_of("all", "missing-only"), error_on_new=st.just(False)),
        "transform",
        None,
        (_holes,),
        0,
    ),
    "KNNImputer": (
        st.builds(impute.KNNImputer, n_neighbors=_of(1, 3), weights=_WEIGHTS, add_indicator=_YES),
        "transform",
        None,
        (_holes,),
        1e-6,
    ),
}


@pytest.mark.parametrize("name", _CASES)
def test_equals_scikit_learn(name):
    """Rows of the fit and others, one row alone, one column, constant columns, NaN where it may be."""
    estimators, method, targets, kinds, tolerance = _CASES[name]

    @fitted_estimators.drawn(_EXAMPLES)
    @given(estimators, _of(*kinds), st.integers(0, 10**6), st.booleans())
    def hold(estimator, kind, seed, is_single):
        numbers = np.random.default_rng(seed)
        rows = kind(numbers, int(numbers.integers(12, 50)), int(numbers.integers(1, 6)))
        try:
            fitted = fitted_estimators.fit(
                estimator, rows, None if targets is None else targets(numbers, rows)
            )
        except ValueError:
            # scikit-learn does not take these rows with these parameters.
            assume(False)
        asked = rows[:1] if is_single else np.vstack([rows, _other(numbers, rows, kind)])
        fitted_estimators.assert_equal(fitted, asked, method, tolerance)

    hold()


def _other(numbers, rows, kind):
    # Categories and counts are from the same few, others lie beyond those of the fit too.
    if kind in (_grid, _zero_one):
        return numbers.permutation(rows)
    return rows[numbers.permutation(len(rows))] + rows[~np.isnan(rows)].std() * numbers.normal(
        size=rows.shape
    )


@fitted_estimators.drawn(6)
@given(
    st.builds(svm.SVC, decision_function_shape=_of("ovr", "ovo"), C=_of(0.1, 10), **_SVM),
    _of(_plain, _constant, _grid),
    st.integers(0, 10**6),
)
def test_machines_without_probabilities_choose_as_scikit_learn(estimator, kind, seed):
    """The largest score is the class of `predict`, also where votes are equal; `decision_function` is kept beside."""
    numbers = np.random.default_rng(seed)
    rows = kind(numbers, 40, 3)
    try:
        fitted = fitted_estimators.fit(estimator, rows, _classes(numbers, rows))
    except ValueError:
        assume(False)
    asked = rows if kind is _grid else rows + rows.std() * numbers.normal(size=rows.shape)
    answer = registry.predict(fitted, fitted_estimators.table(asked), registry.Store())
    values, decision = answer.values.numpy(), fitted.decision_function(asked)
    chosen = values.argmax(1) if values.shape[1] > 1 else (values[:, 0] > 0).astype(int)
    predicted = fitted.predict(asked)
    # A pair of classes that rounding alone tells apart may be told otherwise.
    fitted.decision_function_shape = "ovo"
    pairs = fitted.decision_function(asked).reshape(len(asked), -1)
    clear = (np.abs(pairs) > 1e-9).all(axis=1)
    close = 1e-6 * max(1, np.abs(decision).max())
    np.testing.assert_allclose(answer.scores.numpy()[clear], decision[clear], atol=close)
    np.testing.assert_array_equal(fitted.classes_[chosen][clear], predicted[clear])


@pytest.mark.parametrize("metric", ["euclidean", "manhattan"])
def test_nearest_centroid_chooses_as_scikit_learn(metric):
    """The largest score is of the nearest centroid."""
    numbers = np.random.default_rng(5)
    rows = numbers.normal(size=(80, 3))
    fitted = neighbors.NearestCentroid(metric=metric).fit(rows, numbers.integers(0, 3, 80))
    chosen = fitted_estimators.ours(fitted, rows, "predict").argmax(1)
    np.testing.assert_array_equal(fitted.classes_[chosen], fitted.predict(rows))


def test_equal_rows_are_at_distance_zero():
    """A neighbour at distance 0 alone counts with weights="distance", far from the origin too."""
    rows = np.array([[1e8, 1.0], [1e8, 1.0], [1e8 + 1, 1.0], [1e8 + 2, 3.0]])
    fitted = neighbors.KNeighborsClassifier(3, weights="distance", algorithm="kd_tree").fit(
        rows, [0, 1, 1, 1]
    )
    fitted_estimators.assert_equal(fitted, rows[:1], "predict_proba")
    assert fitted_estimators.ours(fitted, rows[:1], "predict").tolist() == [[0.5, 0.5]]


def test_more_rows_than_a_block(monkeypatch):
    """Blocks of a few rows give what one block gives; no row, no answer."""
    from headrace.models.exporters.estimators import distances

    numbers = np.random.default_rng(1)
    rows = numbers.normal(size=(50, 3))
    fitted = neighbors.KNeighborsClassifier(4).fit(rows, numbers.integers(0, 3, 50))
    whole = fitted_estimators.ours(fitted, rows, "predict")
    monkeypatch.setattr(distances, "_BLOCK_VALUES", 150)
    np.testing.assert_array_equal(fitted_estimators.ours(fitted, rows, "predict"), whole)
    assert fitted_estimators.ours(fitted, rows[:0], "predict").shape == (0, 3)


def test_a_row_that_scikit_learn_would_refuse_is_nan():
    """NaN among the features gives NaN, not the class of some neighbour; the other rows keep their answers."""
    rows = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]])
    asked = np.array([[0.0, np.nan], [1.0, 0.0]])
    for fitted in (
        neighbors.KNeighborsClassifier(1).fit(rows, [0, 1, 2]),
        svm.SVC().fit(rows, [0, 1, 2]),
        cluster.KMeans(2, n_init=1).fit(rows),
    ):
        answer = fitted_estimators.ours(fitted, asked, "predict")
        assert np.isnan(answer[0]).all()
        assert np.isfinite(answer[1]).all()
    bins = preprocessing.KBinsDiscretizer(2, strategy="uniform").fit(rows)
    assert np.isnan(fitted_estimators.ours(bins, asked)[0]).all()
    radius = neighbors.RadiusNeighborsClassifier(0.5).fit(rows, [0, 1, 2])
    assert np.isnan(fitted_estimators.ours(radius, np.array([[9.0, 9.0]]), "predict")).all()


def test_discriminant_axes_equal_scikit_learn():
    """LinearDiscriminantAnalysis as a transformer."""
    numbers = np.random.default_rng(3)
    rows = numbers.normal(size=(60, 4))
    for solver in ("svd", "eigen"):
        fitted = discriminant_analysis.LinearDiscriminantAnalysis(solver=solver, n_components=1)
        fitted_estimators.assert_equal(fitted.fit(rows, numbers.integers(0, 3, 60)), rows)


_REFUSED = {
    "SVC: kernel='precomputed' is not covered; kernel may be 'rbf', 'linear', 'poly', 'sigmoid'": svm.SVC(
        kernel="precomputed"
    ),
    "KNeighborsClassifier: weights=<function": neighbors.KNeighborsClassifier(weights=lambda found: found),
    "KNeighborsRegressor: metric='haversine' is not covered": neighbors.KNeighborsRegressor(
        metric="haversine"
    ),
    "FunctionTransformer: func='<lambda>' cannot become": preprocessing.FunctionTransformer(lambda x: x),
    "NMF: its transform is an optimization": decomposition.NMF(),
    "KNNImputer: weights and metric that are functions": impute.KNNImputer(weights=lambda found: found),
    "SplineTransformer: extrapolation='linear' is covered for a degree of 2": preprocessing.SplineTransformer(
        degree=1, extrapolation="linear"
    ),
    "Nystroem: kernel='chi2' is not covered": kernel_approximation.Nystroem(kernel="chi2"),
}


@pytest.mark.parametrize("reason", _REFUSED)
def test_what_is_not_covered_is_refused_before_the_fit(reason):
    """By the names of the estimator and of the parameter, with what there is instead."""
    assert registry.check(_REFUSED[reason]).startswith(reason)


_SAVED = {
    "kernels": (svm.SVC(probability=True, random_state=0), "predict", "predict_proba"),
    "neighbours": (neighbors.KNeighborsClassifier(3), "predict", "predict_proba"),
    "bayes": (naive_bayes.GaussianNB(), "predict", "predict_proba"),
    "networks": (neural_network.MLPClassifier((5,), max_iter=5), "predict", "predict_proba"),
    "decomposition": (decomposition.PCA(2), "transform", "transform"),
    "clusters": (cluster.BisectingKMeans(3), "predict", "predict"),
    "scaling": (preprocessing.QuantileTransformer(n_quantiles=20), "transform", "transform"),
    "expansion": (preprocessing.SplineTransformer(), "transform", "transform"),
    "imputing": (impute.KNNImputer(), "transform", "transform"),
}


@pytest.mark.parametrize("family", _SAVED)
def test_a_saved_model_gives_the_same(family, tmp_path):
    """Traced for any number of rows, saved, loaded."""
    estimator, ours, theirs = _SAVED[family]
    numbers = np.random.default_rng(2)
    rows = numbers.normal(size=(40, 3))
    fitted = fitted_estimators.fit(estimator, rows, numbers.integers(0, 3, 40))
    answer = fitted_estimators.saved(fitted, rows[:7], ours, str(tmp_path))
    np.testing.assert_allclose(answer, fitted_estimators.theirs(fitted, rows[:7], theirs), atol=1e-9)
