"""Infers a schema from statistics with TensorFlow Data Validation."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.errors import DefinitionError, listed
from headrace.formats import artifacts, protos
from headrace.runtime.context import ExecutionContext
from headrace.runtime.executor import Executor as ExecutorBase

_log = logging.getLogger(__name__)


class Executor(ExecutorBase):
    """Writes `schema.pbtxt`."""

    def execute(self, context: ExecutionContext) -> None:
        """Infer the schema of the first kept split, and widen it by each further one.

        Raises:
            UnknownSplitError: If `exclude_splits` names a split that the statistics do not have.
            DefinitionError: If no split is left.
            MissingFileError: If the statistics of a split have no file.
            MalformedFileError: If that file does not parse.
        """
        statistics = context.input("statistics")
        infer_shape = bool(context.parameter("infer_feature_shape", True))
        exclude = context.json_parameter("exclude_splits") or []
        kept = artifacts.keep_splits(statistics, exclude, f"{context.node_id}: exclude_splits")
        schema: schema_pb2.Schema | None = None
        empty = []
        for split in kept:
            context.progress.report(f"inferring from {split}")
            split_statistics = protos.read_statistics(statistics, split)
            if not any(dataset.num_examples for dataset in split_statistics.datasets):
                # It says nothing of any feature, not even that one may be missing.
                empty.append(split)
            elif schema is None:
                schema = tfdv.infer_schema(split_statistics, infer_shape)
            else:
                schema = tfdv.update_schema(schema, split_statistics, infer_shape)
        if not kept:
            raise DefinitionError(
                f"{context.node_id}: no split is left to infer a schema from. The statistics have splits "
                f"{listed(artifacts.split_names(statistics))}, and exclude_splits names {listed(exclude)}.",
                "take a split out of exclude_splits.",
            )
        schema = schema or schema_pb2.Schema()
        protos.write_schema(context.output("schema").uri, schema)
        notes = _notes(schema, empty)
        for note in notes:
            _log.warning("%s: %s.", context.node_id, note)
        context.summarize("schema", "; ".join([protos.schema_summary(schema), *notes]))


def _notes(schema: schema_pb2.Schema, empty: Sequence[str]) -> list[str]:
    """What the reader of the summary should know: splits without rows, features that were put aside."""
    notes = []
    if empty:
        notes.append(f"warning: no row in {listed(empty)}, so nothing is inferred from it")
    deprecated = [
        feature.name for feature in schema.feature if feature.lifecycle_stage == schema_pb2.DEPRECATED
    ]
    if deprecated:
        notes.append(
            f"warning: the splits disagree about the type of {listed(deprecated)}, marked DEPRECATED, which no later "
            "node reads"
        )
    return notes
