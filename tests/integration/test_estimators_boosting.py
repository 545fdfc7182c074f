"""XGBoost's trees as TensorFlow operations give what its own `predict_proba` and `predict` give."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
import xgboost
from sklearn.datasets import make_classification

from headrace.models.exporters.estimators import registry
from headrace.models.exporters.estimators.table import Table


def _rows(classes):
    features, label = make_classification(
        400, 5, n_informative=4, n_redundant=0, n_classes=classes, random_state=2
    )
    features = np.round(features, 2)
    features[np.random.default_rng(0).random(features.shape) < 0.1] = np.nan
    return features, label


def _predict(model, features):
    assert registry.check(model) is None
    return registry.predict(model, Table.of(tf.constant(features)), registry.Store()).values.numpy()


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("given", [{}, {"base_score": 0.3}, {"num_parallel_tree": 2, "subsample": 0.7}])
def test_classes_have_the_probabilities_of_xgboost(classes, given):
    features, label = _rows(classes)
    model = xgboost.XGBClassifier(n_estimators=15, max_depth=4, n_jobs=1, **given).fit(features, label)
    np.testing.assert_allclose(_predict(model, features), model.predict_proba(features), atol=1e-6)


def test_after_early_stopping_the_best_rounds_count():
    features, label = _rows(2)
    model = xgboost.XGBClassifier(n_estimators=200, learning_rate=1.0, early_stopping_rounds=3, n_jobs=1)
    model.fit(features[:300], label[:300], eval_set=[(features[300:], label[300:])], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    model.set_params(early_stopping_rounds=None)
    np.testing.assert_allclose(_predict(model, features), model.predict_proba(features), atol=1e-6)


@pytest.mark.parametrize("objective", ["reg:squarederror", "count:poisson"])
def test_numbers_are_those_of_xgboost(objective):
    features, label = _rows(3)
    model = xgboost.XGBRegressor(n_estimators=15, objective=objective, n_jobs=1).fit(features, label)
    np.testing.assert_allclose(_predict(model, features)[:, 0], model.predict(features), rtol=1e-5, atol=1e-5)


def test_what_is_not_covered_is_named():
    assert "dart" in str(registry.check(xgboost.XGBClassifier(booster="dart")))
    assert "missing" in str(registry.check(xgboost.XGBClassifier(missing=0.0)))
