"""The Beam stages of StatisticsGen.

One Beam element is a part of a split: some of its files. A part becomes the state of TFDV's accumulators,
and the states of a split are merged in the order of its files, so the same files give the same bytes
whatever the runner does. Of several artifacts, such as spans, each becomes one state, which is kept: those
that were seen before are not read again.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa
import tensorflow_data_validation as tfdv
from apache_beam.options.pipeline_options import TypeOptions
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.authoring import Artifact
from headrace.errors import DataError, DefinitionError
from headrace.formats import artifacts, protos, quartiles
from headrace.runtime import partial_results
from headrace.runtime.context import ExecutionContext
from headrace.runtime.partial_results import PartialResults
from headrace.runtime.progress import Progress
from headrace.runtime.shared_folder import SharedFolder
from headrace.runtime.spread import Spread
from headrace.statistics import accumulation, sampling

# Enough for a cluster, few enough to merge; fixed, because the parts decide how floats are summed.
_MAX_PARTS_PER_SPLIT = 64
_SHARDED_PREFIX = "FeatureStats"
_NO_SPAN = -1


def statistics_path(statistics: Artifact, split: str) -> str:
    return os.path.join(statistics.uri, f"Split-{split}", protos.STATISTICS_FILE)


def with_sample_rate(options: tfdv.StatsOptions, rate: float) -> tfdv.StatsOptions:
    copy = tfdv.StatsOptions.from_json(options.to_json())
    copy.sample_rate = None if rate == 1.0 else rate
    return copy


@dataclass(frozen=True)
class _Part:
    """Some consecutive files of one split of an artifact.

    Attributes:
        split: The split.
        span: Place of the artifact among the inputs.
        index: Place of the part in the artifact.
        first_file: Place of its first file there.
        paths: Its files.
        payload: Their payload format.
    """

    split: str
    span: int
    index: int
    first_file: int
    paths: tuple[str, ...]
    payload: str


def _parts(examples: Sequence[Artifact], split: str, spans: Iterable[int]) -> list[_Part]:
    found = []
    for span in spans:
        paths = artifacts.split_files(examples[span], split)
        payload = artifacts.payload_format(examples[span])
        size = -(-len(paths) // _MAX_PARTS_PER_SPLIT)
        found += [
            _Part(split, span, index, first, tuple(paths[first : first + size]), payload)
            for index, first in enumerate(range(0, len(paths), size))
        ]
    return found


def _state_path(kept: PartialResults, examples: Artifact, split: str, options: tfdv.StatsOptions) -> str:
    """Where the state of an artifact's split is kept."""
    # TFDV's version fixes that of tfx_bsl, whose sketches are part of a state.
    return kept.path(
        artifacts.content_digest(examples),
        accumulation.STATE_FORMAT,
        tfdv.__version__,
        options.to_json(),
        artifacts.payload_format(examples),
        split,
    )


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

    def __init__(self, options: Mapping[str, tfdv.StatsOptions], progress: Progress) -> None:
        self._options = {split: item.to_json() for split, item in options.items()}
        self._progress = progress
        self._reported = ""

    def process(self, part: _Part) -> Iterator[Any]:
        if part.split != self._reported:
            self._progress.report(f"computing statistics of {part.split}")
            self._reported = part.split
        options = tfdv.StatsOptions.from_json(self._options[part.split])
        for offset, path in enumerate(part.paths):
            yield from sampling.read_sampled(
                path,
                part.payload,
                _read_schema(options),
                options.sample_rate,
                seed=part.first_file + offset,
                progress=self._progress,
            )


class _Accumulate(_ReadPart):
    """Turns a part into the state of its accumulators."""

    def process(self, part: _Part) -> Iterator[tuple[str, tuple[int, int, bytes]]]:
        # As bytes, which Beam hands on as they are: its own pickling of a state takes longer than merging it.
        yield part.split, (part.span, part.index, pickle.dumps(self.state(part)))

    def state(self, part: _Part) -> accumulation.SplitState:
        """The state of one part."""
        accumulator = accumulation.SplitAccumulator(tfdv.StatsOptions.from_json(self._options[part.split]))
        state = accumulation.SplitState()
        for batch in super().process(part):
            with _types_explained(part.split):
                accumulator.add(state, batch)
        return accumulator.compact(state)


class _MergeAndWrite(beam.DoFn):
    """Merges the states of a split, those of each span first, and writes the statistics.

    Args:
        accumulate: Reads a part whose state is gone.
        options: By split.
        paths: Where the statistics go, by split.
        states: Where the state of each span is kept, by split; empty where it is not.
        kept_parts: The parts of each span whose state was kept, by split, for one that is gone meanwhile.
        written: Where each split says that its statistics are written, in the order of `options`.
    """

    def __init__(
        self,
        accumulate: _Accumulate,
        options: Mapping[str, tfdv.StatsOptions],
        paths: Mapping[str, str],
        states: Mapping[str, Sequence[str]],
        kept_parts: Mapping[str, Sequence[_Part]],
        written: SharedFolder[None],
    ) -> None:
        self._written = written
        self._accumulate = accumulate
        self._kept_parts = {split: list(parts) for split, parts in kept_parts.items()}
        self._options = {split: item.to_json() for split, item in options.items()}
        self._paths = dict(paths)
        self._states = dict(states)

    def process(self, element: tuple[str, Iterable[tuple[int, int, bytes]]]) -> None:
        split, parts = element
        accumulator = accumulation.SplitAccumulator(tfdv.StatsOptions.from_json(self._options[split]))
        by_span: dict[int, list[bytes]] = {}
        for span, _, state in sorted(parts):
            by_span.setdefault(span, []).append(state)
        with _types_explained(split):
            spans = [
                self._span(accumulator, split, span, by_span.get(span), path)
                for span, path in enumerate(self._states[split])
            ]
            merged = accumulator.merge(spans)
        protos.write_binary(self._paths[split], accumulator.extract(merged))
        quartiles.write(os.path.dirname(self._paths[split]), accumulator.quartiles(merged))
        self._written.keep(list(self._options).index(split), None)

    def _span(
        self,
        accumulator: accumulation.SplitAccumulator,
        split: str,
        span: int,
        parts: list[bytes] | None,
        path: str,
    ) -> accumulation.SplitState:
        """The state of one span: of the parts that were read, or as it was kept."""
        if parts is None:
            kept = partial_results.load(path)
            if isinstance(kept, accumulation.SplitState):
                return kept
            read = [self._accumulate.state(part) for part in self._kept_parts[split] if part.span == span]
        else:
            read = [pickle.loads(part) for part in parts]
        state = accumulator.compact(accumulator.merge(read))
        partial_results.dump(path, state)
        return state


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


def compute(
    pipeline: beam.Pipeline,
    context: ExecutionContext,
    examples: Sequence[Artifact],
    statistics: Artifact,
    options: Mapping[str, tfdv.StatsOptions],
) -> SharedFolder[None]:
    """Compute all splits in one small pipeline: parts, states, statistics.

    Returns:
        Where each split says that it is written, in the order of `options`.
    """
    paths = {split: statistics_path(statistics, split) for split in options}
    states = {
        split: [_state_path(context.partial_results, span, split, split_options) for span in examples]
        for split, split_options in options.items()
    }
    new = {
        split: [span for span, path in enumerate(places) if not partial_results.is_kept(path)]
        for split, places in states.items()
    }
    parts = [part for split in options for part in _parts(examples, split, new[split])]
    # A split of which nothing is read is written too.
    parts += [_Part(split, _NO_SPAN, 0, 0, (), "") for split in options if not new[split]]
    kept_parts = {
        split: _parts(examples, split, set(range(len(examples))) - set(spans)) for split, spans in new.items()
    }
    accumulate = _Accumulate(options, context.progress)
    stage = f"{context.node_id}: Beam stage 'MergeAndWrite'"
    written: SharedFolder[None] = SharedFolder.make(context.tmp_path, stage, len(options))
    merge = _MergeAndWrite(accumulate, options, paths, states, kept_parts, written)
    _ = (
        pipeline
        | "Parts" >> beam.Create(parts, reshuffle=len(parts) > 1)
        | "Accumulate" >> beam.ParDo(Spread(accumulate, context.side_processes))
        | "PerSplit" >> beam.GroupByKey()
        | "MergeAndWrite" >> beam.ParDo(Spread(merge, context.side_processes))
    )
    return written


def compute_with_tfdv(
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
                | f"Parts[{split}]" >> beam.Create(_parts(examples, split, range(len(examples))))
                | f"Read[{split}]"
                >> beam.ParDo(_ReadPart(options, context.progress)).with_output_types(pa.RecordBatch)
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
        schema=_read_schema(options),
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
        | f"Write[{split}]"
        >> beam.Map(lambda merged: protos.write_binary(path, accumulation.in_order(merged)))
    )
