"""`SchemaGen`: a schema inferred from statistics."""

from headrace.components.schema_gen.component import SchemaGen

__all__ = ["SchemaGen"]
