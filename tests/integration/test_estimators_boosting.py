"""XGBoost's trees as TensorFlow operations give what its own `predict_proba` and `predict` give."""

from __future__ import annotations

import lightgbm
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


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("booster", [{"booster": "dart", "rate_drop": 0.5}, {"booster": "gblinear"}])
def test_other_boosters_too(classes, booster):
    features, label = _rows(classes)
    model = xgboost.XGBClassifier(n_estimators=12, n_jobs=1, **booster).fit(features, label)
    np.testing.assert_allclose(_predict(model, features), model.predict_proba(features), atol=1e-6)


def test_another_number_may_stand_for_what_is_missing():
    features, label = _rows(2)
    features = np.nan_to_num(features, nan=-1.0)
    model = xgboost.XGBClassifier(n_estimators=12, missing=-1.0, n_jobs=1).fit(features, label)
    np.testing.assert_allclose(_predict(model, features), model.predict_proba(features), atol=1e-6)


def test_what_is_not_covered_is_named():
    assert "rank:ndcg" in str(registry.check(xgboost.XGBRegressor(objective="rank:ndcg")))
    assert "linear_tree" in str(registry.check(lightgbm.LGBMRegressor(linear_tree=True)))
    assert "multi_output" in str(registry.check(xgboost.XGBRegressor(multi_strategy="multi_output_tree")))


def _zeros(features):
    """Zeros in it, and what is nearly zero to LightGBM and what is not."""
    found = features.copy()
    chosen = np.random.default_rng(3).random(features.shape)
    for place, value in enumerate((0.0, 1e-36, -1e-36, 1e-34, -1e-34)):
        found[(chosen > place * 0.04) & (chosen < place * 0.04 + 0.04)] = value
    return found


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"zero_as_missing": True},
        {"use_missing": False},
        {"boosting_type": "dart"},
        {"boosting_type": "rf", "bagging_fraction": 0.6, "bagging_freq": 1},
        {"categorical_feature": [4], "min_data_per_group": 5, "cat_smooth": 1},
        {"objective": "multiclassova", "num_class": 3},
        {"is_unbalance": True, "objective": "binary", "sigmoid": 0.5},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:.*categorical_feature.*", "ignore:.*[Ff]eature names.*")
def test_classes_have_the_probabilities_of_lightgbm(given):
    objective = given.get("objective")
    for classes in {"binary": [2], "multiclassova": [3]}.get(objective, [2, 3]):
        features, label = _rows(classes)
        features = _zeros(features)
        features[:, 4] = np.where(np.isnan(features[:, 4]), np.nan, np.floor(3 * np.abs(features[:, 4])))
        own = {name: value for name, value in given.items() if name != "num_class"}
        model = lightgbm.LGBMClassifier(
            n_estimators=15, num_leaves=12, min_child_samples=3, verbose=-1, n_jobs=1, **own
        )
        model.fit(features, label)
        # Categories that were not there, cut off to whole numbers, and below zero.
        seen = np.concatenate([features, features])
        seen[: len(features), 4] += np.random.default_rng(0).choice([0, 0.5, 40, -0.5, -3], len(features))
        np.testing.assert_allclose(_predict(model, seen), model.predict_proba(seen), atol=1e-12)


@pytest.mark.parametrize(
    "given", [{"reg_sqrt": True}, {"objective": "poisson"}, {"objective": "mae"}], ids=str
)
@pytest.mark.filterwarnings("ignore:.*[Ff]eature names.*")
def test_numbers_are_those_of_lightgbm(given):
    features, label = _rows(3)
    model = lightgbm.LGBMRegressor(n_estimators=15, verbose=-1, n_jobs=1, **given).fit(features, label)
    np.testing.assert_allclose(_predict(model, features)[:, 0], model.predict(features), rtol=1e-12)


def test_one_leaf_is_a_tree_too():
    features, label = _rows(2)
    model = lightgbm.LGBMRegressor(n_estimators=2, min_child_samples=1000, verbose=-1, n_jobs=1)
    model.fit(features, label)
    np.testing.assert_allclose(_predict(model, features)[:, 0], label.mean(), rtol=1e-12)
