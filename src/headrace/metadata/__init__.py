"""ML Metadata: the only place that imports `ml_metadata`."""
