"""BulkInferrer: a model's predictions for every example."""
