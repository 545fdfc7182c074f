"""Copies a schema file into the pipeline, after checking it."""

from __future__ import annotations

import os

from tensorflow_metadata.proto.v0 import schema_pb2

from headrace import files
from headrace.errors import MalformedFileError, MissingFileError
from headrace.files import addresses
from headrace.formats import protos
from headrace.runtime.context import ExecutionContext
from headrace.runtime.executor import Executor as ExecutorBase


class Executor(ExecutorBase):
    """Writes `schema.pbtxt`."""

    def execute(self, context: ExecutionContext) -> None:
        """Check that the file is a schema, and copy it byte for byte.

        Raises:
            MissingFileError: If there is no such file.
            MalformedFileError: If it does not parse as a schema, or holds no feature.
        """
        path = str(context.parameter("schema_file", ""))
        if addresses.is_elsewhere(path) and not files.is_file(path):
            raise MissingFileError(
                f"{context.node_id}: there is no file at schema_file '{path}'.", "correct the address."
            )
        if not files.is_file(path):
            raise MissingFileError(
                f"{context.node_id}: schema_file '{path}' is not a file (looked in {os.getcwd()}).",
                "correct the path; a relative path starts at the folder where the command runs.",
            )
        try:
            schema = protos.read_text(path, schema_pb2.Schema)
        except MalformedFileError as error:
            raise MalformedFileError(f"{context.node_id}: {error.problem}", error.fix) from error
        if not schema.feature:
            raise MalformedFileError(
                f"{context.node_id}: {path} is a Schema without any feature.",
                "give a file with features, such as the schema.pbtxt that SchemaGen wrote.",
            )
        destination = os.path.join(context.output("schema").uri, protos.SCHEMA_FILE)
        files.copy_file(path, destination)
        context.summarize("schema", protos.schema_summary(schema))
