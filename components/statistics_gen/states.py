"""What is known of a part of a split: the state of TFDV's accumulators, and what its texts and pictures are like."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa
import tensorflow_data_validation as tfdv

from headrace.formats import contents as contents_files
from headrace.formats import descriptions, protos
from headrace.quality import contents
from headrace.quality.contents import ContentsByFeature, ContentsKeeper
from headrace.statistics import number_keeping
from headrace.statistics.accumulation import STATE_FORMAT, SplitAccumulator, SplitState

# To be changed with what `State` holds: kept states of another form are not read.
FORMAT = f"{STATE_FORMAT}, contents 1"


@dataclass
class State:
    """What is known so far; picklable.

    Attributes:
        statistics: What TFDV's statistics, and the table of the numbers, are made of.
        contents: What is known of texts and pictures, by feature.
    """

    statistics: SplitState = field(default_factory=SplitState)
    contents: ContentsByFeature = field(default_factory=dict)


class Accumulator:
    """Makes states of batches of rows, merges them, and writes what they say.

    Args:
        options: A `tfdv.StatsOptions` that `SplitAccumulator` takes.
        share: Share of the split's data that is added to one state.
        seed: Tells the parts of a split apart; see `Part`.
    """

    def __init__(self, options: tfdv.StatsOptions, share: float = 1.0, seed: int = 0) -> None:
        self._statistics = SplitAccumulator(options, share)
        self._contents = ContentsKeeper(options.feature_allowlist or (), share, seed)

    def add(self, state: State, batch: pa.RecordBatch) -> None:
        """Add the rows of a batch to `state`."""
        self._statistics.add(state.statistics, batch)
        self._contents.add(state.contents, batch)

    def compact(self, state: State) -> State:
        """Return the same state, small enough to travel; `state` is used up."""
        return State(self._statistics.compact(state.statistics), state.contents)

    def merge(self, states: Iterable[State]) -> State:
        """Merge the states of consecutive parts, in the order given; the parts are used up."""
        merged = State()

        # One after another: each is added to those before it, and gone.
        def statistics() -> Iterable[SplitState]:
            for state in states:
                self._contents.merge(merged.contents, state.contents)
                yield state.statistics

        merged.statistics = self._statistics.merge(statistics())
        return merged

    def write(self, state: State, path: str) -> None:
        """Write TFDV's file of a split, and beside it what that does not hold; `state` is used up."""
        protos.write_binary(path, self._statistics.extract(state.statistics))
        folder = os.path.dirname(path)
        descriptions.write(folder, number_keeping.described(state.statistics.numbers))
        descriptions.write_distributions(folder, number_keeping.distributions(state.statistics.numbers))
        contents_files.write(folder, contents.described(state.contents))
