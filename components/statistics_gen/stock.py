"""TFDV's own transform, for what Headrace does not compute itself.

It is slower and complete: payloads other than tf.Example and Parquet, results in shards, statistics of labels and of
samples of a semantic domain.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import apache_beam as beam
import pyarrow as pa
import tensorflow_data_validation as tfdv
from apache_beam.options.pipeline_options import TypeOptions

from headrace.authoring import Artifact
from headrace.components.statistics_gen.parts import (
    ReadPart,
    parts_of,
    read_schema,
    statistics_path,
    with_sample_rate,
)
from headrace.formats import protos
from headrace.runtime.context import ExecutionContext
from headrace.statistics import ordering

_SHARDED_PREFIX = "FeatureStats"


def compute(
    pipeline: beam.Pipeline,
    context: ExecutionContext,
    examples: Sequence[Artifact],
    statistics: Artifact,
    options: Mapping[str, tfdv.StatsOptions],
    *,
    is_sharded: bool,
    is_own_payload: bool,
) -> None:
    """Compute each split with TFDV's own transform, for options or payloads that need it.

    Args:
        pipeline: Gets the steps of all splits.
        context: The execution.
        examples: One artifact for each span.
        statistics: Where they go.
        options: By split.
        is_sharded: Whether TFDV's records are written beside the one file.
        is_own_payload: Whether Headrace reads the payload itself; else stock TFX does.
    """
    # The type hints of TFDV's lifts (label_feature) are none that this Beam accepts; its transforms are right.
    pipeline.options.view_as(TypeOptions).pipeline_type_check = False
    for split, split_options in options.items():
        path = statistics_path(statistics, split)
        if is_own_payload:
            batches = (
                pipeline
                | f"Parts[{split}]" >> beam.Create(parts_of(examples, split, range(len(examples))))
                | f"Read[{split}]"
                >> beam.ParDo(ReadPart(options, context.progress)).with_output_types(pa.RecordBatch)
            )
            # Sampled already, while it was read.
            _write_with_tfdv(batches, with_sample_rate(split_options, 1.0), split, path, is_sharded)
        else:
            source = _tfxio(examples, split, split_options)
            batches = pipeline | f"Read[{split}]" >> source.BeamSource()
            _write_with_tfdv(batches, split_options, split, path, is_sharded)


def _tfxio(examples: Sequence[Artifact], split: str, options: tfdv.StatsOptions) -> Any:
    # Loads all of TFX's components, TFMA and TFT with them: a second that other payloads need not wait.
    from tfx.components.util import tfxio_utils

    return tfxio_utils.get_split_tfxio(
        examples=list(examples),
        split=split,
        telemetry_descriptors=["StatisticsGen"],
        schema=read_schema(options),
    )


def _write_with_tfdv(
    batches: beam.PCollection, options: tfdv.StatsOptions, split: str, path: str, is_sharded: bool
) -> None:
    found = batches | f"Compute[{split}]" >> tfdv.GenerateStatistics(options)
    if is_sharded:
        prefix = os.path.join(os.path.dirname(path), _SHARDED_PREFIX + tfdv.default_sharded_output_suffix())
        _ = found | f"Write[{split}]" >> tfdv.WriteStatisticsToRecordsAndBinaryFile(
            binary_proto_path=path, records_path_prefix=prefix
        )
        return
    _ = (
        found
        | f"Merge[{split}]" >> tfdv.MergeDatasetFeatureStatisticsList()
        | f"Write[{split}]" >> beam.Map(lambda merged: protos.write_binary(path, ordering.in_order(merged)))
    )
