"""Ensembles, wrappers and linear models as TensorFlow operations give what scikit-learn's own methods give."""

from __future__ import annotations

import numpy as np
import pytest
from fitted_estimators import assert_equal, fit, ours, saved, theirs
from sklearn import (
    calibration,
    compose,
    cross_decomposition,
    decomposition,
    dummy,
    ensemble,
    isotonic,
    linear_model,
    multiclass,
    multioutput,
    naive_bayes,
    pipeline,
    preprocessing,
    svm,
    tree,
)
from sklearn.datasets import make_classification

from headrace.models.exporters.estimators import registry

STUMP = tree.DecisionTreeClassifier(max_depth=2, random_state=0)
LOGISTIC = linear_model.LogisticRegression()
SCALED = pipeline.make_pipeline(preprocessing.StandardScaler(), LOGISTIC)

PROBABILITIES = [
    ensemble.AdaBoostClassifier(n_estimators=12, algorithm="SAMME", random_state=0),
    ensemble.AdaBoostClassifier(LOGISTIC, n_estimators=5, algorithm="SAMME", random_state=0),
    ensemble.BaggingClassifier(n_estimators=8, max_features=0.5, max_samples=0.5, random_state=0),
    ensemble.BaggingClassifier(
        SCALED, n_estimators=4, max_features=3, bootstrap_features=True, random_state=0
    ),
    ensemble.BaggingClassifier(svm.LinearSVC(), n_estimators=4, random_state=0),
    # Some of its members see one class alone.
    ensemble.BaggingClassifier(n_estimators=10, max_samples=4, random_state=0),
    ensemble.HistGradientBoostingClassifier(max_iter=4, random_state=0),
    ensemble.StackingClassifier([("a", STUMP), ("b", svm.LinearSVC()), ("c", "drop")], cv=3),
    ensemble.StackingClassifier([("a", STUMP), ("b", SCALED)], STUMP, cv=3, passthrough=True),
    ensemble.StackingClassifier([("a", STUMP), ("b", LOGISTIC)], stack_method="predict", cv=3),
    calibration.CalibratedClassifierCV(STUMP, cv=3),
    calibration.CalibratedClassifierCV(svm.LinearSVC(), method="isotonic", cv=3),
    calibration.CalibratedClassifierCV(naive_bayes.GaussianNB(), method="isotonic", ensemble=False, cv=3),
    multiclass.OneVsRestClassifier(LOGISTIC),
    multiclass.OneVsRestClassifier(STUMP),
    dummy.DummyClassifier(),
    dummy.DummyClassifier(strategy="most_frequent"),
    dummy.DummyClassifier(strategy="uniform"),
    pipeline.make_pipeline(
        pipeline.FeatureUnion(
            [
                ("a", preprocessing.StandardScaler()),
                ("b", decomposition.PCA(2)),
                ("c", "passthrough"),
                ("d", "drop"),
            ]
        ),
        LOGISTIC,
    ),
]
DECISIONS = [
    svm.LinearSVC(),
    linear_model.RidgeClassifier(),
    linear_model.RidgeClassifierCV(),
    linear_model.Perceptron(random_state=0),
    linear_model.PassiveAggressiveClassifier(random_state=0),
    linear_model.SGDClassifier(random_state=0),
    multiclass.OneVsRestClassifier(svm.LinearSVC()),
    multiclass.OneVsOneClassifier(svm.LinearSVC()),
    multiclass.OneVsOneClassifier(STUMP),
]
TREE = tree.DecisionTreeRegressor(max_depth=4, random_state=0)
NUMBERS = [
    ensemble.AdaBoostRegressor(n_estimators=12, random_state=0),
    ensemble.BaggingRegressor(n_estimators=7, max_features=0.5, random_state=0),
    ensemble.HistGradientBoostingRegressor(max_iter=4, random_state=0),
    ensemble.HistGradientBoostingRegressor(loss="poisson", max_iter=4, random_state=0),
    ensemble.StackingRegressor([("a", TREE), ("b", linear_model.Ridge())], cv=3, passthrough=True),
    compose.TransformedTargetRegressor(linear_model.Ridge(), func=np.log1p, inverse_func=np.expm1),
    compose.TransformedTargetRegressor(TREE, transformer=preprocessing.StandardScaler()),
    compose.TransformedTargetRegressor(TREE, transformer=preprocessing.MinMaxScaler()),
    compose.TransformedTargetRegressor(TREE, transformer=preprocessing.RobustScaler()),
    compose.TransformedTargetRegressor(),
    ensemble.VotingRegressor([("a", TREE), ("b", linear_model.Ridge())], weights=[1, 2]),
    linear_model.PoissonRegressor(),
    linear_model.GammaRegressor(),
    linear_model.TweedieRegressor(power=1.5),
    linear_model.TweedieRegressor(power=0, link="log"),
    linear_model.LassoCV(cv=3),
    linear_model.ElasticNet(0.01),
    linear_model.Lars(),
    linear_model.LassoLarsIC(),
    linear_model.OrthogonalMatchingPursuit(n_nonzero_coefs=2),
    linear_model.BayesianRidge(),
    linear_model.ARDRegression(),
    linear_model.HuberRegressor(),
    linear_model.TheilSenRegressor(random_state=0, max_subpopulation=100),
    linear_model.QuantileRegressor(alpha=0.01),
    linear_model.SGDRegressor(random_state=0),
    svm.LinearSVR(random_state=0),
    cross_decomposition.PLSRegression(2),
    dummy.DummyRegressor(strategy="median"),
]
SEVERAL = [
    multioutput.MultiOutputRegressor(TREE),
    TREE,
    ensemble.RandomForestRegressor(5, random_state=0),
    linear_model.Ridge(),
    linear_model.MultiTaskLasso(0.01),
    cross_decomposition.PLSRegression(2),
]


def _name(estimator):
    return type(estimator).__name__


def _rows(classes=3):
    features, label = make_classification(
        160, 5, n_informative=4, n_redundant=0, n_classes=classes, random_state=3
    )
    return np.round(features, 1), label


@pytest.mark.parametrize("estimator", PROBABILITIES, ids=_name)
def test_probabilities_are_those_of_scikit_learn(estimator):
    for classes in (2, 3):
        rows, label = _rows(classes)
        # Numbers of classes need not begin with 0.
        if not isinstance(estimator, ensemble.StackingClassifier) or estimator.stack_method != "predict":
            label = label + 4
        fitted = fit(estimator, rows, label)
        assert_equal(fitted, rows, "predict_proba")
        assert registry.told(fitted) is not None


@pytest.mark.filterwarnings("ignore:.*SAMME.R.*:FutureWarning")
def test_the_older_way_of_adaboost_is_that_of_scikit_learn():
    for classes in (2, 3):
        rows, label = _rows(classes)
        if "algorithm" in ensemble.AdaBoostClassifier().get_params():
            estimator = ensemble.AdaBoostClassifier(STUMP, n_estimators=6, random_state=0)
            assert_equal(fit(estimator, rows, label), rows, "predict_proba")


@pytest.mark.parametrize("estimator", DECISIONS, ids=_name)
def test_scores_are_those_of_scikit_learn(estimator):
    for classes in (2, 3):
        rows, label = _rows(classes)
        assert_equal(fit(estimator, rows, label), rows, "decision_function")


@pytest.mark.parametrize("estimator", NUMBERS, ids=_name)
def test_predictions_are_those_of_scikit_learn(estimator):
    rows, _ = _rows()
    label = np.abs(rows[:, 0] * rows[:, 1] + rows[:, 2]) + 0.1
    assert_equal(fit(estimator, rows, label), rows, "predict")


@pytest.mark.parametrize("estimator", SEVERAL, ids=_name)
def test_several_targets_are_those_of_scikit_learn(estimator):
    rows, _ = _rows()
    assert_equal(fit(estimator, rows, rows[:, :2] * rows[:, 2:3]), rows, "predict")


@pytest.mark.parametrize(
    "estimator",
    [
        ensemble.HistGradientBoostingClassifier(max_iter=4, random_state=0, categorical_features=[2, 4]),
        ensemble.HistGradientBoostingRegressor(max_iter=4, random_state=0, loss="gamma"),
        ensemble.BaggingClassifier(n_estimators=8, max_features=0.5, random_state=0),
    ],
    ids=_name,
)
def test_missing_values_go_where_scikit_learn_sends_them(estimator):
    rows, label = _rows()
    rows[:, 2], rows[:, 4] = np.floor(3 * np.abs(rows[:, 2])), np.floor(2 * np.abs(rows[:, 4]))
    rows[np.random.default_rng(0).random(rows.shape) < 0.15] = np.nan
    fitted = fit(estimator, rows, label + 1)
    # Categories that were not seen, too.
    seen = np.concatenate([rows, np.where(np.isnan(rows), 0, rows + 30)])
    assert_equal(fitted, seen, "predict_proba" if hasattr(fitted, "classes_") else "predict")


def test_each_label_of_several_has_its_probability():
    rows, _ = _rows()
    labels = (rows[:, :2] > 0).astype(int)
    fitted = fit(multiclass.OneVsRestClassifier(LOGISTIC), rows, labels)
    assert_equal(fitted, rows, "predict_proba")
    # A column that never changes.
    labels[:, 1] = 1
    assert_equal(fit(multiclass.OneVsRestClassifier(LOGISTIC), rows, labels), rows, "predict_proba")
    forest = fit(ensemble.RandomForestClassifier(3), rows, labels)
    assert "several columns" in str(registry.check(forest))


@pytest.mark.parametrize("bounds", ["clip", "nan"])
def test_a_rising_function_is_that_of_scikit_learn(bounds):
    rows = _rows()[0][:, :1]
    fitted = fit(isotonic.IsotonicRegression(out_of_bounds=bounds), rows[:80], rows[:80, 0] ** 2)
    assert_equal(fitted, rows, "predict")


def test_what_was_saved_answers_the_same(tmp_path):
    rows, label = _rows()
    stack = ensemble.StackingClassifier(
        [
            ("a", ensemble.AdaBoostClassifier(n_estimators=12, algorithm="SAMME", random_state=0)),
            ("b", ensemble.HistGradientBoostingClassifier(max_iter=4)),
            (
                "c",
                calibration.CalibratedClassifierCV(
                    ensemble.RandomForestClassifier(9), method="isotonic", cv=2
                ),
            ),
        ],
        cv=2,
    )
    fitted = fit(stack, rows, label)
    np.testing.assert_allclose(
        saved(fitted, rows, "predict", str(tmp_path)), theirs(fitted, rows, "predict_proba"), atol=1e-9
    )
    assert ours(fitted, rows[:1], "predict").shape == (1, 3)


def test_what_is_not_covered_is_named():
    def double(values):
        return 2 * values

    assert "inverse_func" in str(
        registry.check(compose.TransformedTargetRegressor(func=double, inverse_func=double))
    )
    assert "QuantileTransformer" in str(
        registry.check(compose.TransformedTargetRegressor(transformer=preprocessing.QuantileTransformer()))
    )
    assert "LabelSpreading" in str(registry.check(ensemble.BaggingClassifier(_spreading())))
    assert "MultiOutputClassifier" in str(registry.check(multioutput.MultiOutputClassifier(LOGISTIC)))


def _spreading():
    from sklearn.semi_supervised import LabelSpreading

    return LabelSpreading()
