"""An estimator on raw features, one of them text, with missing values; what test_estimator_pipeline trains."""

from __future__ import annotations

from typing import Any


def build_model(features: Any, hyperparameters: dict[str, Any]) -> Any:
    """A forest on encoded texts and filled numbers."""
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    texts = make_pipeline(
        SimpleImputer(missing_values=None, strategy="constant", fill_value="none"),
        OneHotEncoder(handle_unknown="ignore"),
    )
    columns = ColumnTransformer(
        [("texts", texts, ["payment"]), ("numbers", SimpleImputer(add_indicator=True), ["fare", "miles"])]
    )
    return make_pipeline(columns, RandomForestClassifier(20, max_depth=10, random_state=0))
