"""What an ExampleGen reads from: files of one format, in parts of similar size."""

from __future__ import annotations

import abc
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

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
        pieces: What to read, in order; what a piece is, the source knows.
        shards: Numbers of the shards.
        num_shards: The number of shards of all parts.
    """

    split: int
    pieces: tuple[Any, ...]
    shards: tuple[int, ...]
    num_shards: int


class Source(abc.ABC):
    """A file format. Instances travel to Beam workers by pickle."""

    @abc.abstractmethod
    def plan(self, paths: Sequence[str], num_shards: int | None) -> tuple[int, list[list[Any]]]:
        """Divide files into lists of pieces, in the order of the rows.

        Args:
            paths: The files, at least one.
            num_shards: Shards asked for; `None` to choose by size.

        Returns:
            The number of shards, and at most as many lists of pieces, none of them empty.
        """

    def remarks(self, paths: Sequence[str]) -> list[str]:
        """Return what a reader should know of the files though it is no error; by default nothing."""
        return []

    def survey(self, pieces: Sequence[Any]) -> Any:
        """Return what `read` must know of these pieces before any is read; by default nothing."""
        return None

    @abc.abstractmethod
    def read(self, pieces: Sequence[Any], surveys: Sequence[Any]) -> Iterator[Rows]:
        """Yield the rows of some pieces, in order; of a format with columns at least a batch without rows.

        Args:
            pieces: One list of `plan`.
            surveys: What `survey` returned for every list of `plan`.
        """

    @property
    def needs_survey(self) -> bool:
        """Whether `survey` must see all pieces before `read`."""
        return type(self).survey is not Source.survey


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


def parts(split: int, source: Source, paths: Sequence[str], num_shards: int | None) -> list[Part]:
    """Return the parts of one input split; together they write shards 0 to the last."""
    total, lists = source.plan(paths, num_shards)
    bounds = [total * index // len(lists) for index in range(len(lists) + 1)]
    return [
        Part(split, tuple(pieces), tuple(range(bounds[index], bounds[index + 1])), total)
        for index, pieces in enumerate(lists)
    ]
