"""`ImportSchemaGen`: a schema that is kept in a file, brought into the pipeline."""

from headrace.components.import_schema_gen.component import ImportSchemaGen

__all__ = ["ImportSchemaGen"]
