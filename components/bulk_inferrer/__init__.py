"""BulkInferrer: a model's predictions for every example."""

from headrace.components.bulk_inferrer.component import BulkInferrer

__all__ = ["BulkInferrer"]
