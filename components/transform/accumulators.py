"""What analyzers gather from the rows: one accumulator per analyzer, over batches of tensors.

Each class here stands for one of TFT's accumulate operations. It is small and pickles, so Beam's workers get
it without the graph it came from.
"""

from __future__ import annotations

import collections
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from headrace.components.transform import tft_internals
from headrace.components.transform.tft_internals import analyzer_nodes

Columns = Mapping[str, np.ndarray[Any, Any]]


class Gatherer(Protocol):
    """Gathers what one analyzer needs."""

    keys: tuple[str, ...]

    def create(self) -> Any:
        """An accumulator that has seen nothing."""

    def add(self, accumulator: Any, columns: Columns) -> Any:
        """The accumulator after one more batch."""

    def merge(self, some: Any, others: Any) -> Any:
        """The accumulator of both."""

    def compact(self, accumulator: Any) -> Any:
        """The same, small enough to travel."""

    def elements(self, accumulator: Any) -> list[Any]:
        """The values that TFT's operation has as its output."""


class Combined:
    """A combiner of TFT over whole batches: moments, quantiles, minimum, covariance and so on."""

    def __init__(self, combiner: analyzer_nodes.Combiner, keys: tuple[str, ...]) -> None:
        self.combiner = combiner
        self.keys = keys

    def create(self) -> Any:
        return self.combiner.create_accumulator()

    def add(self, accumulator: Any, columns: Columns) -> Any:
        return self.combiner.add_input(accumulator, tuple(columns[key] for key in self.keys))

    def merge(self, some: Any, others: Any) -> Any:
        return self.combiner.merge_accumulators([some, others])

    def compact(self, accumulator: Any) -> Any:
        return self.combiner.compact(accumulator)

    def elements(self, accumulator: Any) -> list[Any]:
        return [accumulator]


class CombinedPack:
    """Several `Combined` that TFT reads from one place; the output is one dict by label."""

    def __init__(self, parts: Mapping[str, Combined]) -> None:
        self._parts = dict(parts)
        self.keys = tuple(key for part in self._parts.values() for key in part.keys)

    def create(self) -> Any:
        return [part.create() for part in self._parts.values()]

    def add(self, accumulator: Any, columns: Columns) -> Any:
        return [part.add(one, columns) for part, one in zip(self._parts.values(), accumulator)]

    def merge(self, some: Any, others: Any) -> Any:
        return [part.merge(one, other) for part, one, other in zip(self._parts.values(), some, others)]

    def compact(self, accumulator: Any) -> Any:
        return [part.compact(one) for part, one in zip(self._parts.values(), accumulator)]

    def elements(self, accumulator: Any) -> list[Any]:
        return [dict(zip(self._parts, accumulator))]


class CombinedPerKey:
    """A combiner of TFT for each value of a key column."""

    def __init__(self, combiner: analyzer_nodes.Combiner, keys: tuple[str, ...]) -> None:
        self._combiner = combiner
        self.keys = keys

    def create(self) -> Any:
        return {}

    def add(self, accumulator: Any, columns: Columns) -> Any:
        rows = tft_internals.split_inputs_by_key([columns[key] for key in self.keys])
        for key, values in rows:
            known = accumulator.get(key)
            accumulator[key] = self._combiner.add_input(
                self._combiner.create_accumulator() if known is None else known, values
            )
        return accumulator

    def merge(self, some: Any, others: Any) -> Any:
        for key, other in others.items():
            known = some.get(key)
            some[key] = other if known is None else self._combiner.merge_accumulators([known, other])
        return some

    def compact(self, accumulator: Any) -> Any:
        return {key: self._combiner.compact(one) for key, one in accumulator.items()}

    def elements(self, accumulator: Any) -> list[Any]:
        return sorted(accumulator.items())


class Counted:
    """How often each token occurs."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self.keys = keys

    def create(self) -> Any:
        return collections.Counter()

    def add(self, accumulator: Any, columns: Columns) -> Any:
        (key,) = self.keys
        accumulator.update(columns[key].tolist())
        return accumulator

    def merge(self, some: Any, others: Any) -> Any:
        some.update(others)
        return some

    def compact(self, accumulator: Any) -> Any:
        return accumulator

    def elements(self, accumulator: Any) -> list[Any]:
        # Sorted, so that the cache that keeps them is the same for the same rows in any order.
        return sorted(accumulator.items())


class Weighed(Counted):
    """The sum of each token's weights."""

    def add(self, accumulator: Any, columns: Columns) -> Any:
        token_key, weight_key = self.keys
        for token, weight in zip(columns[token_key].tolist(), columns[weight_key].tolist()):
            accumulator[token] = accumulator.get(token, 0) + weight
        return accumulator


def gatherer(operation: Any, keys: Sequence[str] | None) -> Gatherer | None:
    """What gathers for one of TFT's operations; `None` for one that Headrace leaves to TFT.

    Args:
        operation: A node of TFT's analysis graph.
        keys: The tensors that it reads; `None` where it reads a whole batch.
    """
    if isinstance(operation, analyzer_nodes.PackedCombineAccumulate):
        return CombinedPack(
            {part.label: Combined(part.combiner, tuple(part.keys)) for part in operation.combiners}
        )
    if keys is None:
        return None
    if isinstance(operation, analyzer_nodes.CacheableCombineAccumulate):
        return Combined(operation.combiner, tuple(keys))
    if isinstance(operation, analyzer_nodes.CacheableCombinePerKeyAccumulate):
        return CombinedPerKey(operation.combiner, tuple(keys))
    if isinstance(operation, analyzer_nodes.VocabularyAccumulate):
        if operation.vocab_ordering_type == tft_internals.FREQUENCY:
            return Counted(tuple(keys))
        if operation.vocab_ordering_type == tft_internals.WEIGHTED_FREQUENCY:
            return Weighed(tuple(keys))
    return None
