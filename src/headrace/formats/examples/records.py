"""Serialized records that lie in one buffer, so that many are looked at without an object for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

# Zero bytes behind the last record: who looks at all records at once reads a little beyond each.
PADDING_BYTES = 256
_PADDING = bytes(PADDING_BYTES)


@dataclass(frozen=True)
class Records(Sequence[bytes]):
    """Records, in the order of a file.

    Attributes:
        data: The buffer, `PADDING_BYTES` longer than its last record.
        starts: Where each record begins; increasing.
        ends: Where each record ends.
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, records: Sequence[bytes]) -> Records:
        """Copy records into one buffer."""
        ends = np.cumsum(np.fromiter(map(len, records), np.int64, len(records)))
        data = np.frombuffer(b"".join([*records, _PADDING]), np.uint8)
        return cls(data, np.concatenate([np.zeros(1, np.int64), ends[:-1]]) if len(ends) else ends, ends)

    @classmethod
    def joined(cls, pieces: Sequence[Piece]) -> Records:
        """Copy the records of several buffers, or parts of them, into one."""
        buffers: list[Any] = []
        starts, ends = [], []
        at = 0
        for piece in pieces:
            first, last = int(piece.starts[0]), int(piece.ends[-1])
            buffers.append(memoryview(piece.data)[first:last])
            starts.append(piece.starts + (at - first))
            ends.append(piece.ends + (at - first))
            at += last - first
        data = np.frombuffer(b"".join([*buffers, _PADDING]), np.uint8)
        return cls(data, np.concatenate(starts), np.concatenate(ends))

    def __len__(self) -> int:
        return len(self.starts)

    @overload
    def __getitem__(self, index: int) -> bytes: ...

    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...

    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        return self.data[self.starts[index] : self.ends[index]].tobytes()

    def take(self, rows: NDArray[np.int64]) -> list[bytes]:
        """Return some of the records."""
        data = memoryview(self.data)
        return [
            bytes(data[start:end]) for start, end in zip(self.starts[rows].tolist(), self.ends[rows].tolist())
        ]

    def to_list(self) -> list[bytes]:
        """Return all records."""
        return self.take(np.arange(len(self)))


@dataclass(frozen=True)
class Piece:
    """Consecutive records of a buffer; see `Records`."""

    data: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts)

    def part(self, first: int, last: int) -> Piece:
        """Return the records `first` to `last`, which is left out."""
        return Piece(self.data, self.starts[first:last], self.ends[first:last])
