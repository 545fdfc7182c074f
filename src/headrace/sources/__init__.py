"""Where Examples come from: files found by span and version, read as rows, divided into splits; users' own functions."""

from headrace.sources.declaring import ExampleSource, example_source
from headrace.sources.source import Unreadable

__all__ = ["ExampleSource", "Unreadable", "example_source"]
