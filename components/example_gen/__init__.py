"""Bring data into a pipeline: files of many forms, tables in memory and what functions yield become `Examples`."""

from headrace.components.example_gen.component import CsvExampleGen, ImportExampleGen, ParquetExampleGen
from headrace.components.example_gen.frame_component import DataFrameExampleGen
from headrace.components.example_gen.function_component import FunctionExampleGen
from headrace.components.example_gen.json_component import JsonExampleGen
from headrace.components.example_gen.text_component import TextExampleGen

__all__ = [
    "CsvExampleGen",
    "DataFrameExampleGen",
    "FunctionExampleGen",
    "ImportExampleGen",
    "JsonExampleGen",
    "ParquetExampleGen",
    "TextExampleGen",
]
