"""Parquet files: row groups that become features, or stay rows of Parquet."""
