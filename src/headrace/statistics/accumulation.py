"""Statistics of a split, accumulated batch by batch and merged file by file.

TFDV's own generators do the work, called directly instead of through `tfdv.GenerateStatistics`: that
transform spreads one split over some sixty Beam steps, whose building takes seconds, and counts values
in Python, one element for each. The one generator that is a Beam transform, exact top values and uniques,
is replaced by counting in Arrow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from tensorflow_metadata.proto.v0 import statistics_pb2

from headrace.authoring import generations
from headrace.statistics import tfdv_internals
from headrace.statistics.number_keeping import NumberKeeper, NumbersByFeature
from headrace.statistics.ordering import in_order
from headrace.statistics.tfdv_internals import arrow_util, constants, merge_util, slicing_util, stats_impl
from headrace.statistics.value_counts import ValueCounter, ValueCounts

NO_SLICE = ""
# To be changed with what `SplitState` holds: kept states of another form are not read.
STATE_FORMAT = "statistics state 2"


@dataclass
class SliceState:
    """What is known of one slice so far; picklable.

    Attributes:
        accumulators: One for each of TFDV's combining generators.
        value_counts: How often each value occurs, by feature.
    """

    accumulators: list[Any]
    value_counts: ValueCounts


@dataclass
class SplitState:
    """What is known of one split, or of a part of it.

    Attributes:
        slices: What TFDV's statistics are made of, by slice.
        numbers: The numbers of all rows, by feature.
    """

    slices: dict[str, SliceState] = field(default_factory=dict)
    numbers: NumbersByFeature = field(default_factory=dict)


class SplitAccumulator:
    """Computes the statistics that `options` ask for.

    Args:
        options: A `tfdv.StatsOptions` of which `why_not` says nothing.
        share: Share of the split's data that is added to one state; see `numbers.limit_of`.
    """

    def __init__(self, options: Any, share: float = 1.0) -> None:
        self._options = options
        self._keeper = NumberKeeper(options, share)
        generators = stats_impl.get_generators(options)
        self._combiners = [item for item in generators if not _is_exact_top_k(item)]
        self._counter = ValueCounter(options) if len(self._combiners) < len(generators) else None
        for combiner in self._combiners:
            combiner.setup()
        self._slice_fn = _make_slice_fn(options)

    def add(self, state: SplitState, batch: pa.RecordBatch) -> None:
        """Add the rows of a batch to `state`."""
        if self._options.feature_allowlist:
            batch = _select(batch, self._options.feature_allowlist)
        self._keeper.add(state.numbers, batch)
        for name, sliced in self._slice_fn(batch):
            current = state.slices.get(name)
            if current is None:
                current = state.slices[name] = SliceState(
                    [combiner.create_accumulator() for combiner in self._combiners], ValueCounts()
                )
            current.accumulators = [
                combiner.add_input(accumulator, sliced)
                for combiner, accumulator in zip(self._combiners, current.accumulators)
            ]
            if self._counter is not None:
                self._counter.add(current.value_counts, sliced)

    def compact(self, state: SplitState) -> SplitState:
        """Return the same state, small enough to travel; `state` is used up."""
        self._keeper.fold(state.numbers)
        for current in state.slices.values():
            current.accumulators = [
                combiner.compact(accumulator)
                for combiner, accumulator in zip(self._combiners, current.accumulators)
            ]
        return state

    def merge(self, states: Iterable[SplitState]) -> SplitState:
        """Merge the states of consecutive parts, in the order given; the parts are used up."""
        merged = SplitState()
        for state in states:
            self._keeper.merge(merged.numbers, state.numbers)
            for name, part in state.slices.items():
                known = merged.slices.get(name)
                if known is None:
                    merged.slices[name] = part
                    continue
                known.accumulators = [
                    combiner.merge_accumulators([left, right])
                    for combiner, left, right in zip(self._combiners, known.accumulators, part.accumulators)
                ]
                known.value_counts.merge(part.value_counts)
        return merged

    def extract(self, state: SplitState) -> statistics_pb2.DatasetFeatureStatisticsList:
        """Return the statistics: one dataset per slice, all examples first, features by path."""
        parts: list[statistics_pb2.DatasetFeatureStatistics] = []
        for name, current in state.slices.items():
            found = [
                combiner.extract_output(combiner.compact(accumulator))
                for combiner, accumulator in zip(self._combiners, current.accumulators)
            ]
            if self._counter is not None:
                found += self._counter.extract(current.value_counts)
            for part in found:
                if name != NO_SLICE:
                    part.name = name
            parts += found
        # As TFDV does: without a single row there is one dataset that says so.
        merged = merge_util.merge_dataset_feature_statistics(
            parts or [statistics_pb2.DatasetFeatureStatistics()]
        )
        return in_order(merged)


def why_not(options: Any) -> str:
    """Return why TFDV's transform must compute what options ask for; empty where `SplitAccumulator` does.

    It does not do generators that are Beam transforms (mutual information of a label), exact top values
    with weights, semantic statistics of sampled batches, and results in partitions.
    """
    if unknown := tfdv_internals.unknown_options(options):
        return unknown
    is_weighted = bool(options.example_weight_map.all_weight_features())
    for generator in stats_impl.get_generators(options):
        if _is_exact_top_k(generator):
            if is_weighted:
                return "exact top values with weights are asked for"
        elif not isinstance(generator, tfdv_internals.CombinerStatsGenerator):
            return f"{type(generator).__name__} is a Beam transform"
    needs = {
        "semantic_domain_stats_sample_rate is set": options.semantic_domain_stats_sample_rate is not None,
        "experimental_num_feature_partitions is set": options.experimental_num_feature_partitions != 1,
        "experimental_result_partitions is set": options.experimental_result_partitions != 1,
    }
    return next((reason for reason, holds in needs.items() if holds), "")


def _is_exact_top_k(generator: Any) -> bool:
    return isinstance(generator, tfdv_internals.TopKUniquesStatsGenerator)


def _select(batch: pa.RecordBatch, names: Iterable[str]) -> pa.RecordBatch:
    columns = {name: arrow_util.get_column(batch, name, missing_ok=True) for name in names}
    kept = {name: column for name, column in columns.items() if column is not None}
    return pa.RecordBatch.from_arrays(list(kept.values()), list(kept))


def _make_slice_fn(options: Any) -> Callable[[pa.RecordBatch], Iterator[tuple[str, pa.RecordBatch]]]:
    """Return the function that splits a batch into named slices, as `tfdv.GenerateStatistics` does."""
    functions, queries = _slice_functions_and_queries(options)
    if functions:
        all_functions = [slicing_util.default_slicer, *functions]
        return lambda batch: slicing_util.generate_slices(batch, slice_functions=all_functions)
    if queries:
        slicer = slicing_util.GenerateSlicesSqlDoFn(slice_sqls=queries)
        slicer.setup()
        return slicer.process
    name = constants.DEFAULT_SLICE_KEY if options.slicing_config else NO_SLICE
    return lambda batch: iter([(name, batch)])


def _slice_functions_and_queries(options: Any) -> tuple[list[Any], list[str]]:
    if generations.HAS_SQL_SLICES:
        if options.slicing_config:
            functions, queries = slicing_util.convert_slicing_config_to_slice_functions_and_sqls(
                options.slicing_config
            )
            return functions, queries
        return options.experimental_slice_functions or [], options.experimental_slice_sqls or []
    if options.slicing_config:
        return slicing_util.convert_slicing_config_to_slice_functions(options.slicing_config), []
    return options.experimental_slice_functions or [], []
