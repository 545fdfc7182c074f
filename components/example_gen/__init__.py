"""Bring data into a pipeline: CSV, Parquet and TFRecord files become an `Examples` artifact."""

from headrace.components.example_gen.component import CsvExampleGen, ImportExampleGen, ParquetExampleGen
from headrace.components.example_gen.function_component import FunctionExampleGen

__all__ = ["CsvExampleGen", "FunctionExampleGen", "ImportExampleGen", "ParquetExampleGen"]
