"""Estimators as TensorFlow operations give what scikit-learn's own `predict_proba` and `predict` give."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from sklearn import ensemble, linear_model, model_selection, pipeline, preprocessing, tree
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.datasets import make_classification

from headrace.models.exporters.estimators import registry
from headrace.models.exporters.estimators.table import Block, Table

CLASSIFIERS = [
    linear_model.LogisticRegression(),
    linear_model.LogisticRegression(solver="liblinear"),
    linear_model.LogisticRegression(solver="newton-cholesky"),
    linear_model.SGDClassifier(loss="log_loss", random_state=0),
    linear_model.SGDClassifier(loss="modified_huber", random_state=0),
    tree.DecisionTreeClassifier(max_depth=4, random_state=0),
    ensemble.RandomForestClassifier(20, random_state=0),
    ensemble.ExtraTreesClassifier(20, max_depth=3, random_state=0),
    ensemble.GradientBoostingClassifier(n_estimators=10, random_state=0),
    ensemble.VotingClassifier(
        [
            ("a", linear_model.LogisticRegression()),
            ("b", tree.DecisionTreeClassifier(max_depth=3, random_state=0)),
        ],
        voting="soft",
        weights=[1, 3],
    ),
    model_selection.GridSearchCV(tree.DecisionTreeClassifier(random_state=0), {"max_depth": [1, 3]}, cv=2),
    pipeline.make_pipeline(
        ColumnTransformer([("some", "passthrough", ["x3", "x0"])], remainder="drop"),
        linear_model.LogisticRegression(),
    ),
    pipeline.make_pipeline(
        ColumnTransformer(
            [("some", "drop", [1]), ("more", "passthrough", make_column_selector("x[23]"))],
            remainder="passthrough",
        ),
        tree.DecisionTreeClassifier(max_depth=4, random_state=0),
    ),
]
REGRESSORS = [
    linear_model.LinearRegression(),
    linear_model.Ridge(),
    linear_model.Lasso(0.01),
    linear_model.PoissonRegressor(),
    linear_model.TweedieRegressor(power=0),
    tree.DecisionTreeRegressor(max_depth=4, random_state=0),
    ensemble.RandomForestRegressor(10, random_state=0),
    ensemble.GradientBoostingRegressor(n_estimators=10, random_state=0),
    ensemble.GradientBoostingRegressor(n_estimators=5, loss="huber", init="zero", random_state=0),
]
NAMES = tuple(f"x{number}" for number in range(6))


def _rows(classes: int) -> tuple[pd.DataFrame, np.ndarray]:
    features, label = make_classification(
        300, 6, n_informative=5, n_redundant=0, n_classes=classes, random_state=1
    )
    # Values that are thresholds' neighbours in float32, and ties.
    return pd.DataFrame(np.round(features, 2), columns=NAMES), label


def _predict(model, frame):
    table = Table([Block(NAMES, tf.constant(frame.to_numpy()))])
    return registry.predict(model, table, registry.Store())


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda model: str(type(model).__name__))
def test_a_classifier_has_the_probabilities_of_scikit_learn(model, classes):
    frame, label = _rows(classes)
    model.fit(frame, label)
    assert registry.check(model) is None
    found = _predict(model, frame)
    np.testing.assert_allclose(found.values.numpy(), model.predict_proba(frame), atol=1e-9)
    np.testing.assert_array_equal(found.classes, model.classes_)


@pytest.mark.parametrize("model", REGRESSORS, ids=lambda model: str(type(model).__name__))
def test_a_regressor_has_the_predictions_of_scikit_learn(model):
    frame, label = _rows(3)
    model.fit(frame, label)
    np.testing.assert_allclose(_predict(model, frame).values.numpy()[:, 0], model.predict(frame), atol=1e-9)


def test_trees_send_missing_values_where_scikit_learn_does():
    frame, label = _rows(2)
    frame = frame.mask(np.random.default_rng(0).random(frame.shape) < 0.2)
    model = ensemble.RandomForestClassifier(10, random_state=0).fit(frame, label)
    np.testing.assert_allclose(_predict(model, frame).values.numpy(), model.predict_proba(frame), atol=1e-9)


def test_what_is_not_covered_is_named():
    class Mine(linear_model.LogisticRegression):
        def predict_proba(self, X):
            return super().predict_proba(X) ** 2

    assert registry.check(ensemble.VotingClassifier([("a", linear_model.LogisticRegression())])) is not None
    assert "Mine" in str(registry.check(pipeline.make_pipeline(Mine())))
    assert "FunctionTransformer" in str(registry.check(preprocessing.FunctionTransformer(lambda rows: rows)))
