"""Reading what a source found: in parts of similar size, each in one worker."""

from __future__ import annotations

import abc
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from headrace.sources.source import Unreadable

if TYPE_CHECKING:
    from headrace.sources.rows import Rows

# One shard for each this much input: large enough that a file is worth opening, small enough that the
# stages after this one have as many files to read at once as there are processors.
SHARD_BYTES = 32 << 20

Piece = TypeVar("Piece")


@dataclass(frozen=True)
class Part:
    """What one worker reads at a time, and the shards it writes of each split.

    Attributes:
        split: Position of the input split.
        pieces: What to read, in order; what a piece is, the reader knows.
        shards: Numbers of the shards.
        num_shards: The number of shards of all parts.
    """

    split: int
    pieces: tuple[Any, ...]
    shards: tuple[int, ...]
    num_shards: int


class Reader(abc.ABC):
    """Reads the items of a source. Instances, pieces and what is learned travel to Beam's workers by pickle."""

    @abc.abstractmethod
    def plan(self, items: Sequence[Any], num_shards: int | None) -> tuple[int, list[list[Any]]]:
        """Divide the items of one input split into lists of pieces, in the order of the rows.

        Args:
            items: The split's `InputSplit.items`, at least one.
            num_shards: Shards asked for; `None` to choose by size.

        Returns:
            The number of shards, and at most as many lists of pieces, none of them empty.
        """

    def remarks(self, items: Sequence[Any]) -> list[str]:
        """Return what a reader should know of the items though it is no error; by default nothing."""
        return []

    def learn(self, pieces: Sequence[Any]) -> Any:
        """Return what `read` must know of these pieces before any is read, such as types; by default nothing."""
        return None

    @abc.abstractmethod
    def read(self, pieces: Sequence[Any], learned: Sequence[Any]) -> Iterator[Rows | Unreadable]:
        """Yield the rows of some pieces, in order; of a format with columns at least a batch without rows.

        A batch should fit into a few tens of megabytes. An item that cannot be read is yielded as `Unreadable` where
        the others can be; what spoils all is raised.

        Args:
            pieces: One list of `plan`.
            learned: What `learn` returned for every list of `plan`.
        """

    def widened(self) -> Reader | None:
        """Return a reader of the same that learns which features hold floats, where integers stand beside floats.

        It is asked for once that was found, and all is read from the start; `None` where it would find nothing new.
        """
        return None

    @property
    def needs_learning(self) -> bool:
        """Whether `learn` must see all pieces before `read`."""
        return type(self).learn is not Reader.learn


def shards_for(size_bytes: int, num_shards: int | None) -> int:
    """Return the number of shards asked for, or that suits an input of this size."""
    return num_shards or max(1, math.ceil(size_bytes / SHARD_BYTES))


def group(pieces: Sequence[Piece], sizes: Sequence[int], num_groups: int) -> list[list[Piece]]:
    """Divide pieces that cannot be cut into at most `num_groups` lists of similar size, in order."""
    total = max(1, sum(sizes))
    groups: dict[int, list[Piece]] = {}
    before = 0
    for piece, size in zip(pieces, sizes):
        groups.setdefault(min(num_groups - 1, before * num_groups // total), []).append(piece)
        before += size
    return list(groups.values())


def parts(split: int, reader: Reader, items: Sequence[Any], num_shards: int | None) -> list[Part]:
    """Return the parts of one input split; together they write shards 0 to the last."""
    total, lists = reader.plan(items, num_shards)
    bounds = [total * index // len(lists) for index in range(len(lists) + 1)]
    return [
        Part(split, tuple(pieces), tuple(range(bounds[index], bounds[index + 1])), total)
        for index, pieces in enumerate(lists)
    ]
