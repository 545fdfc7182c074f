"""Bring data into a pipeline: files, tables in memory, databases and functions become an `Examples` artifact."""

from headrace.components.example_gen.audio_component import AudioExampleGen
from headrace.components.example_gen.component import CsvExampleGen, ImportExampleGen, ParquetExampleGen
from headrace.components.example_gen.frame_component import DataFrameExampleGen
from headrace.components.example_gen.function_component import FunctionExampleGen
from headrace.components.example_gen.image_component import ImageFolderExampleGen
from headrace.components.example_gen.json_component import JsonExampleGen
from headrace.components.example_gen.sql_component import SqlExampleGen
from headrace.components.example_gen.text_component import TextExampleGen

__all__ = [
    "AudioExampleGen",
    "CsvExampleGen",
    "DataFrameExampleGen",
    "FunctionExampleGen",
    "ImageFolderExampleGen",
    "ImportExampleGen",
    "JsonExampleGen",
    "ParquetExampleGen",
    "SqlExampleGen",
    "TextExampleGen",
]
