"""Computes feature statistics with TensorFlow Data Validation.

One Beam element is a part of a split: some of its files. A part becomes the state of TFDV's accumulators,
and the states of a split are merged in the order of its files, so the same files give the same bytes
whatever the runner does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa
import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from headrace.components.statistics_gen import accumulation, sampling
from headrace.components.statistics_gen.options import read_options, read_sample_rates
from headrace.errors import DataError, DefinitionError, EmptyDataError, listed
from headrace.io import artifacts, protos
from headrace.sdk import Artifact, progress
from headrace.sdk.context import ExecutionContext
from headrace.sdk.executor import BeamExecutor
from headrace.sdk.spread import Spread

# Enough for a cluster, few enough to merge; fixed, because the parts decide how floats are summed.
_MAX_PARTS_PER_SPLIT = 64
_OWN_PAYLOADS = ("FORMAT_TF_EXAMPLE", "FORMAT_PARQUET")
_SHARDED_PREFIX = "FeatureStats"


class Executor(BeamExecutor):
    """Writes `Split-{name}/FeatureStats.pb` for each kept split."""

    def execute(self, context: ExecutionContext) -> None:
        """Compute and write the statistics of each kept split.

        Raises:
            DefinitionError: If a parameter is malformed, or no split is left.
            UnknownSplitError: If a parameter names a split that the examples do not have.
            EmptyDataError: If a split has no row.
            DataError: If a feature has values of two types.
        """
        examples, statistics = context.input("examples"), context.output("statistics")
        kept = _kept_splits(context, examples)
        options = read_options(context)
        rates = read_sample_rates(context, options, kept)
        is_sharded = bool(context.parameter("sharded_stats_output", False))
        if is_sharded and not tfdv.default_sharded_output_supported():
            raise DefinitionError(
                f"{context.node_id}: sharded_stats_output is not supported by this build of TFDV.",
                "leave sharded_stats_output out.",
            )
        payload = artifacts.payload_format(examples)
        sampled = {split: _with_sample_rate(options, rate) for split, rate in rates.items()}
        with self.beam_pipeline(is_spread=True) as pipeline:
            if payload not in _OWN_PAYLOADS:
                _compute_with_tfxio(pipeline, examples, statistics, sampled, is_sharded)
            elif is_sharded or not accumulation.can_accumulate(options):
                _compute_with_tfdv(pipeline, examples, statistics, sampled, is_sharded)
            else:
                _compute(pipeline, examples, statistics, sampled)
        _check_and_describe(context, statistics, kept)
        # Set last: an artifact must not name a split whose file was never written.
        statistics.split_names = artifacts.encode_split_names(kept)
        statistics.span = examples.span
        statistics.set_string_custom_property("stats_dashboard_link", "")
        # JSON text inside a JSON value, as TFX 1.16 records it.
        statistics.set_json_value_custom_property("sample_rate_by_split", json.dumps(rates, sort_keys=True))


def _kept_splits(context: ExecutionContext, examples: Artifact) -> list[str]:
    exclude: Any = context.json_parameter("exclude_splits") or []
    where = f"{context.node_id}: exclude_splits"
    if not isinstance(exclude, list):
        raise DefinitionError(f"{where} is a {type(exclude).__name__}: {exclude!r}.", "give a list of names.")
    kept = artifacts.keep_splits(examples, exclude, where)
    if not kept:
        raise DefinitionError(
            f"{context.node_id}: no split is left. The examples have splits "
            f"{listed(artifacts.split_names(examples))}, and exclude_splits names {listed(exclude)}.",
            "take a split out of exclude_splits.",
        )
    return kept


def _with_sample_rate(options: tfdv.StatsOptions, rate: float) -> tfdv.StatsOptions:
    copy = tfdv.StatsOptions.from_json(options.to_json())
    copy.sample_rate = None if rate == 1.0 else rate
    return copy


def _check_and_describe(context: ExecutionContext, statistics: Artifact, kept: Sequence[str]) -> None:
    """Put rows and features into the summary; refuse a split without rows."""
    texts = []
    features: set[tuple[str, ...]] = set()
    for split in kept:
        dataset = protos.read_binary(
            _statistics_path(statistics, split), statistics_pb2.DatasetFeatureStatisticsList
        ).datasets[0]
        if not dataset.num_examples:
            raise EmptyDataError(
                f"{context.node_id}: split '{split}' has no row to compute statistics of.",
                f"exclude it with exclude_splits=['{split}'], or give it rows: change the output split of "
                "ExampleGen, or raise the sample rate.",
            )
        features |= {tuple(feature.path.step) for feature in dataset.features}
        texts.append(f"{split} {int(dataset.num_examples):,} rows")
    context.summarize("statistics", f"{', '.join(texts)}; {len(features)} features")


def _statistics_path(statistics: Artifact, split: str) -> str:
    return os.path.join(statistics.uri, f"Split-{split}", protos.STATISTICS_FILE)


@dataclass(frozen=True)
class _Part:
    """Some consecutive files of one split."""

    split: str
    index: int
    first_file: int
    paths: tuple[str, ...]


def _parts(examples: Artifact, split: str) -> list[_Part]:
    paths = artifacts.split_files(examples, split)
    size = -(-len(paths) // _MAX_PARTS_PER_SPLIT)
    return [
        _Part(split, index, first, tuple(paths[first : first + size]))
        for index, first in enumerate(range(0, len(paths), size))
    ]


def _read_schema(options: tfdv.StatsOptions) -> schema_pb2.Schema | None:
    """The schema to read with: only where the options ask to read no more than it names."""
    if not options.experimental_filter_read_paths or options.feature_allowlist:
        return None
    if options.schema is None:
        raise DefinitionError(
            "experimental_filter_read_paths needs a schema or a feature_allowlist.",
            "connect the input 'schema', or leave the option out.",
        )
    return options.schema


class _ReadPart(beam.DoFn):
    """Reads a part as record batches, sampled as the options of its split say."""

    def __init__(self, options: Mapping[str, tfdv.StatsOptions], payload: str) -> None:
        self._options = {split: item.to_json() for split, item in options.items()}
        self._payload = payload
        self._reported = ""

    def process(self, part: _Part) -> Iterator[Any]:
        if part.split != self._reported:
            progress.report(f"computing statistics of {part.split}")
            self._reported = part.split
        options = tfdv.StatsOptions.from_json(self._options[part.split])
        for offset, path in enumerate(part.paths):
            yield from sampling.read_sampled(
                path,
                self._payload,
                _read_schema(options),
                options.sample_rate,
                seed=part.first_file + offset,
            )


class _Accumulate(_ReadPart):
    """Turns a part into the state of its accumulators."""

    def process(self, part: _Part) -> Iterator[tuple[str, tuple[int, accumulation.SplitState]]]:
        accumulator = accumulation.SplitAccumulator(tfdv.StatsOptions.from_json(self._options[part.split]))
        state = accumulation.SplitState()
        for batch in super().process(part):
            with _types_explained(part.split):
                accumulator.add(state, batch)
        yield part.split, (part.index, state)


class _MergeAndWrite(beam.DoFn):
    """Merges the states of a split in the order of its files and writes the statistics."""

    def __init__(self, options: Mapping[str, tfdv.StatsOptions], paths: Mapping[str, str]) -> None:
        self._options = {split: item.to_json() for split, item in options.items()}
        self._paths = dict(paths)

    def process(self, element: tuple[str, Iterable[tuple[int, accumulation.SplitState]]]) -> None:
        split, states = element
        accumulator = accumulation.SplitAccumulator(tfdv.StatsOptions.from_json(self._options[split]))
        with _types_explained(split):
            merged = accumulator.merge(state for _, state in sorted(states, key=lambda item: item[0]))
        protos.write_binary(self._paths[split], accumulator.extract(merged))


class _types_explained:  # noqa: N801 - reads as a statement
    """Names the split where TFDV finds a feature with values of two types."""

    def __init__(self, split: str) -> None:
        self._split = split

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, TypeError) and "Cannot determine the type of feature" in str(error):
            name = str(error).split("feature ", 1)[1].split(". Found", 1)[0]
            raise DataError(
                f"split '{self._split}': feature '{name}' has values of two types in different rows.",
                f"give '{name}' one type where the data is written, and run ExampleGen again.",
            ) from error


def _compute(
    pipeline: beam.Pipeline,
    examples: Artifact,
    statistics: Artifact,
    options: Mapping[str, tfdv.StatsOptions],
) -> None:
    """Compute all splits in one small pipeline: parts, states, statistics."""
    parts = [part for split in options for part in _parts(examples, split)]
    paths = {split: _statistics_path(statistics, split) for split in options}
    _ = (
        pipeline
        | "Parts" >> beam.Create(parts, reshuffle=len(parts) > 1)
        | "Accumulate" >> beam.ParDo(Spread(_Accumulate(options, artifacts.payload_format(examples))))
        | "PerSplit" >> beam.GroupByKey()
        | "MergeAndWrite" >> beam.ParDo(_MergeAndWrite(options, paths))
    )


def _compute_with_tfdv(
    pipeline: beam.Pipeline,
    examples: Artifact,
    statistics: Artifact,
    options: Mapping[str, tfdv.StatsOptions],
    is_sharded: bool,
) -> None:
    """Compute each split with TFDV's own transform, for options that need it."""
    read = _ReadPart(options, artifacts.payload_format(examples))
    for split, split_options in options.items():
        batches = (
            pipeline
            | f"Parts[{split}]" >> beam.Create(_parts(examples, split))
            | f"Read[{split}]" >> beam.ParDo(read).with_output_types(pa.RecordBatch)
        )
        all_rows = _with_sample_rate(split_options, 1.0)
        _write_with_tfdv(batches, all_rows, split, _statistics_path(statistics, split), is_sharded)


def _compute_with_tfxio(
    pipeline: beam.Pipeline,
    examples: Artifact,
    statistics: Artifact,
    options: Mapping[str, tfdv.StatsOptions],
    is_sharded: bool,
) -> None:
    """Compute each split as stock TFX does, for payloads that Headrace does not read itself."""
    # Loads all of TFX's components, TFMA and TFT with them: a second that other payloads need not wait.
    from tfx.components.util import tfxio_utils

    for split, split_options in options.items():
        source = tfxio_utils.get_split_tfxio(
            examples=[examples],
            split=split,
            telemetry_descriptors=["StatisticsGen"],
            schema=_read_schema(split_options),
        )
        batches = pipeline | f"Read[{split}]" >> source.BeamSource()
        _write_with_tfdv(batches, split_options, split, _statistics_path(statistics, split), is_sharded)


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
        | f"Write[{split}]"
        >> beam.Map(lambda merged: protos.write_binary(path, accumulation.in_order(merged)))
    )
