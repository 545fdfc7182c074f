"""`StatisticsGen`: feature statistics of each split, computed with TensorFlow Data Validation."""

from headrace.components.statistics_gen.component import StatisticsGen

__all__ = ["StatisticsGen"]
