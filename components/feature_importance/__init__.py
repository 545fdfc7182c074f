"""`FeatureImportance`: how much a model's score depends on each feature, by permutation."""

from headrace.components.feature_importance.component import FeatureImportance

__all__ = ["FeatureImportance"]
