"""One pass over the rows: Beam reads each file once and gathers for all analyzers, and for statistics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa

from headrace.components.transform.analysis import Pass, Stream
from headrace.components.transform.layout import InputLayout, to_tensors
from headrace.components.transform.request import Dataset
from headrace.components.transform.tft_library import analyzer_cache, tfdv
from headrace.files.prefetch import prefetched
from headrace.runtime.context import ExecutionContext
from headrace.runtime.progress import Progress
from headrace.runtime.shared_folder import SharedFolder
from headrace.runtime.spread import Spread
from headrace.statistics import text_lengths
from headrace.statistics.accumulation import SplitAccumulator, SplitState


@dataclass
class Gathering:
    """What a pass has seen.

    Attributes:
        accumulators: For each stream label and operation label.
        statistics: What is known of the features of each dataset; empty where no statistics are wanted.
        sizes: Bytes of Arrow data of each dataset, which TFT's cache records.
        num_rows: Rows of all datasets.
    """

    accumulators: dict[str, dict[str, Any]]
    statistics: dict[analyzer_cache.DatasetKey, SplitState]
    sizes: dict[analyzer_cache.DatasetKey, int]
    num_rows: int = 0


class Gatherers:
    """How to make and merge a `Gathering`."""

    def __init__(self, what: Pass, options: tfdv.StatsOptions | None) -> None:
        self.what = what
        self._options = options
        self._statistics: SplitAccumulator | None = None

    @property
    def statistics(self) -> SplitAccumulator | None:
        """Made where it is used: generators hold what does not pickle."""
        if self._statistics is None and self._options is not None:
            self._statistics = SplitAccumulator(self._options)
        return self._statistics

    def __getstate__(self) -> tuple[Any, ...]:
        return self.what, self._options

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.what, self._options = state
        self._statistics = None

    def create(self, streams: Iterable[Stream] | None = None) -> Gathering:
        """A gathering that has seen nothing, for some streams or for all."""
        chosen = self.what.gatherers if streams is None else streams
        return Gathering(
            {
                stream.label: {label: one.create() for label, one in self.what.gatherers[stream].items()}
                for stream in chosen
            },
            {},
            {},
        )

    def compact(self, gathering: Gathering) -> Gathering:
        """The same, small enough to travel."""
        by_label = self._by_label()
        for stream, parts in gathering.accumulators.items():
            for label, accumulator in parts.items():
                parts[label] = by_label[stream][label].compact(accumulator)
        if self.statistics is not None:
            for state in gathering.statistics.values():
                self.statistics.compact(state)
        return gathering

    def merge(self, gatherings: Iterable[Gathering]) -> Gathering:
        """One gathering of all, in their order; they are used up."""
        merged = self.create()
        states: dict[analyzer_cache.DatasetKey, list[SplitState]] = {}
        by_label = self._by_label()
        for gathering in gatherings:
            for stream, parts in gathering.accumulators.items():
                known = merged.accumulators[stream]
                for label, accumulator in parts.items():
                    known[label] = by_label[stream][label].merge(known[label], accumulator)
            for dataset, size in gathering.sizes.items():
                merged.sizes[dataset] = merged.sizes.get(dataset, 0) + size
            for dataset, state in gathering.statistics.items():
                states.setdefault(dataset, []).append(state)
            merged.num_rows += gathering.num_rows
        if self.statistics is not None:
            merged.statistics = {
                dataset: self.statistics.compact(self.statistics.merge(parts))
                for dataset, parts in states.items()
            }
        return merged

    def _by_label(self) -> Mapping[str, Mapping[str, Any]]:
        return {stream.label: parts for stream, parts in self.what.gatherers.items()}


def gather(
    pipeline: beam.Pipeline,
    context: ExecutionContext,
    datasets: Sequence[Dataset],
    results: SharedFolder[Gathering],
    *,
    layout: InputLayout,
    gatherers: Gatherers,
    is_local: bool = False,
) -> None:
    """Add a pass over `datasets` to a pipeline; each file leaves a `Gathering`.

    Args:
        pipeline: Gets the step.
        context: The execution.
        datasets: What to read.
        results: Where each file's gathering goes.
        layout: The columns to read.
        gatherers: What to gather.
        is_local: Whether only this process can compute what the gatherers look at.
    """
    files = [(dataset.key, path, dataset.payload) for dataset in datasets for path in dataset.files]
    step = _GatherFile(layout, gatherers, results, context.progress)
    _ = (
        pipeline
        | "Files" >> beam.Create(list(enumerate(files)), reshuffle=len(files) > 1)
        | "Gather" >> beam.ParDo(Spread(step, context.side_processes, is_local=is_local))
    )


class _GatherFile(beam.DoFn):
    """Reads one file and gathers from all its rows."""

    def __init__(
        self, layout: InputLayout, gatherers: Gatherers, results: SharedFolder[Gathering], progress: Progress
    ) -> None:
        self._results = results
        self._progress = progress
        self._layout = layout
        self._gatherers = gatherers

    def setup(self) -> None:
        """Load the phase's function once per worker."""
        text_lengths.install()
        source = self._gatherers.what.function
        self._adapter = self._layout.adapter()
        self._function = source.load(list(self._layout.representations)) if source is not None else None

    def process(self, element: tuple[int, tuple[analyzer_cache.DatasetKey, str, str]]) -> None:
        index, (dataset, path, payload) = element
        streams = self._gatherers.what.streams_of(dataset)
        gathering = self._gatherers.create(streams)
        size = 0
        for batch in prefetched(self._layout.read_file(path, payload)):
            size += batch.nbytes
            gathering.num_rows += batch.num_rows
            if self._gatherers.statistics is not None:
                state = gathering.statistics.setdefault(dataset, SplitState())
                self._gatherers.statistics.add(state, batch)
            self._add(gathering, streams, batch)
            self._progress.add_rows(batch.num_rows)
        gathering.sizes[dataset] = size
        self._results.keep(index, self._gatherers.compact(gathering))

    def _add(self, gathering: Gathering, streams: Sequence[Stream], batch: pa.RecordBatch) -> None:
        if not streams or self._function is None:
            return
        tensors = self._function(to_tensors(self._adapter, self._layout, batch))
        columns = {name: np.asarray(tensor) for name, tensor in tensors.items()}
        for stream in streams:
            parts = gathering.accumulators[stream.label]
            for label, one in self._gatherers.what.gatherers[stream].items():
                parts[label] = one.add(parts[label], columns)
