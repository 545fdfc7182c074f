"""Bring data into a pipeline: CSV, Parquet and TFRecord files become an `Examples` artifact."""

from headrace.components.example_gen.component import CsvExampleGen, ImportExampleGen, ParquetExampleGen
from headrace.components.example_gen.frame_component import DataFrameExampleGen
from headrace.components.example_gen.function_component import FunctionExampleGen
from headrace.components.example_gen.text_component import TextExampleGen

__all__ = [
    "CsvExampleGen",
    "DataFrameExampleGen",
    "FunctionExampleGen",
    "ImportExampleGen",
    "ParquetExampleGen",
    "TextExampleGen",
]
