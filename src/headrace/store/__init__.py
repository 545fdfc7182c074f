"""The store: ML Metadata, artifacts, logs, locks. The only package that imports `ml_metadata`."""
