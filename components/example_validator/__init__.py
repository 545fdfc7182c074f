"""`ExampleValidator`: statistics compared with the schema, with another span and with another split."""

from headrace.components.example_validator.component import ExampleValidator

__all__ = ["ExampleValidator"]
