"""Bring data into a pipeline: CSV, Parquet and TFRecord files become an `Examples` artifact."""

from headrace.components.example_gen.component import CsvExampleGen, ImportExampleGen, ParquetExampleGen

__all__ = ["CsvExampleGen", "ImportExampleGen", "ParquetExampleGen"]
