"""Ready pipelines on real data."""
