"""Into which split a record goes: by the hash of its bytes, as TFX decides it, so that both agree; or as was planned."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from headrace.errors import DataError, DefinitionError
from headrace.formats import split_names
from headrace.runtime.shared_folder import SharedFolder
from headrace.sources.division.value_digest import ValueDigest

if TYPE_CHECKING:
    from headrace.sources.rows import Rows
    from headrace.splits.shares import Shares

# SHA-256 as eight words: what the remainder is computed from, a word at a time.
_WORDS = 8
_SAME_EACH_TIME = (
    "run it again when nobody writes there; a function that yields rows has to yield the same each time, in the same "
    "order: sort what it looks up, and give a seed to what it draws."
)


@dataclass(frozen=True)
class Partition:
    """The splits that one input split is divided into.

    Attributes:
        splits: Names of the output splits.
        bounds: For each, the first bucket after its own; empty where there is one split, and nothing to decide.
        feature: The feature that decides; `None` for the whole record.
    """

    splits: tuple[str, ...]
    bounds: tuple[int, ...] = ()
    feature: str | None = None
    dropped: ClassVar[None] = None

    def chooser(self, index: int) -> HashChooser:
        """Return what chooses for the rows of part `index`, in order."""
        return HashChooser(self)

    def assign(self, keys: Sequence[bytes]) -> NDArray[Any]:
        """Return for each key the position of its split in `splits`.

        The bucket is SHA-256 of the key, as a big-endian number, modulo the number of buckets.
        """
        if not self.bounds or not keys:
            return np.zeros(len(keys), np.int64)
        sha256 = hashlib.sha256
        digests = b"".join([sha256(key).digest() for key in keys])
        words = np.frombuffer(digests, ">u4").reshape(-1, _WORDS).astype(np.uint64)
        num_buckets = np.uint64(self.bounds[-1])
        buckets = np.zeros(len(words), np.uint64)
        for place in range(_WORDS):
            # Stays below 2**64: hash_buckets are 32-bit.
            buckets = ((buckets << np.uint64(32)) | words[:, place]) % num_buckets
        places: NDArray[Any] = np.searchsorted(np.array(self.bounds, np.uint64), buckets, side="right")
        return places


class HashChooser:
    """Chooses by the bytes of each row alone."""

    def __init__(self, partition: Partition) -> None:
        self._partition = partition

    def choose(self, rows: Rows) -> NDArray[Any]:
        """Return for each row the position of its split."""
        if not self._partition.bounds:
            return np.zeros(rows.num_rows, np.int64)
        return self._partition.assign(rows.keys(self._partition.feature))

    def look(self, rows: Rows) -> None:
        """They may be any rows."""

    def check_end(self) -> None:
        """There may be any number of them."""


@dataclass(frozen=True)
class Planned:
    """A division that was decided when all rows had been looked at.

    Attributes:
        splits: Names of the output splits.
        chosen: For each part the position of each row's split in `splits`; negative for a row that goes into none.
        dropped: The feature that is left out of what is written.
        feature: The feature that decided; `None` where none did.
        digests: For each part its digest, see `ValueDigest`; none where nobody knows it.
    """

    splits: tuple[str, ...]
    chosen: SharedFolder[NDArray[np.int16]]
    dropped: str | None = None
    feature: str | None = None
    digests: tuple[int, ...] = ()

    def chooser(self, index: int) -> PlannedChooser:
        """Return what chooses for the rows of part `index`, in order."""
        digest = self.digests[index] if self.digests else None
        return PlannedChooser(self.chosen.result(index), self.feature, digest)


class PlannedChooser:
    """Chooses for the rows in the order in which they were looked at."""

    def __init__(
        self, chosen: NDArray[np.int16], feature: str | None = None, digest: int | None = None
    ) -> None:
        self._chosen = chosen
        self._num_rows = 0
        self._feature = feature
        self._wanted = digest
        self._digest = ValueDigest(feature)

    def look(self, rows: Rows) -> None:
        """See whether rows are those of the first time, before features are left out."""
        self._digest.add(rows)

    def choose(self, rows: Rows) -> NDArray[Any]:
        """Return for each row the position of its split.

        Raises:
            DataError: If there are more rows now.
        """
        first, self._num_rows = self._num_rows, self._num_rows + rows.num_rows
        if self._num_rows > len(self._chosen):
            raise self._other_rows("more")
        return self._chosen[first : self._num_rows]

    def check_end(self) -> None:
        """See that each row came, and where it did the first time.

        Raises:
            DataError: If there are fewer rows now, or others, or in another order.
        """
        if self._num_rows < len(self._chosen):
            raise self._other_rows("fewer")
        if self._wanted is not None and self._digest.value() != self._wanted:
            raise DataError(
                f"the input gave other values of '{self._feature}', or in another order, when the rows were looked at "
                "than when they were written: each would have come into the split of another.",
                _SAME_EACH_TIME,
            )

    def _other_rows(self, how: str) -> DataError:
        return DataError(
            f"the input gave {len(self._chosen):,} rows when it was looked at, and {how} when these were written.",
            _SAME_EACH_TIME,
        )


AnyPartition: TypeAlias = "Partition | Planned"
Chooser: TypeAlias = "HashChooser | PlannedChooser"


def partition_of(shares: Shares, feature: str | None) -> Partition:
    """Return how one of several input splits is divided by hash."""
    return Partition(shares.names, tuple(map(int, np.cumsum(shares.weights))), feature)


def check_names(found: Sequence[AnyPartition], where: str) -> None:
    """Check that each output split has a name for a folder of its own.

    Raises:
        DefinitionError: If not.
    """
    names = [name for partition in found for name in partition.splits]
    split_names.check_given(names, where)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DefinitionError(f"split '{twice[0]}' is named twice.", "give each split its own name.")


def partitions(input_config: Any, output_config: Any) -> list[Partition]:
    """Return how each input split is divided.

    Args:
        input_config: TFX's `Input` proto.
        output_config: TFX's `Output` proto.

    Raises:
        DefinitionError: If names are missing, double or no names for folders, buckets are not positive, or
            several input splits meet output splits.
    """
    outputs = output_config.split_config.splits
    found = []
    if not input_config.splits:
        raise DefinitionError("input_config has no split.", "name at least one, with its file pattern.")
    if not outputs:
        for split in input_config.splits:
            if not split.name or not split.pattern:
                raise DefinitionError(
                    f"input_config: a split has name '{split.name}' and pattern '{split.pattern}'.",
                    "give each input split a name and a pattern.",
                )
            found.append(Partition((split.name,)))
    else:
        if len(input_config.splits) != 1:
            raise DefinitionError(
                f"input_config has {len(input_config.splits)} splits and output_config names splits too.",
                "keep one input split, or drop output_config's split_config.",
            )
        for split in outputs:
            if not split.name or split.hash_buckets <= 0:
                raise DefinitionError(
                    f"output_config: split '{split.name}' has {split.hash_buckets} hash buckets.",
                    "give each output split a name and 1 or more hash_buckets.",
                )
        config = output_config.split_config
        feature = config.partition_feature_name if config.HasField("partition_feature_name") else None
        bounds = np.cumsum([split.hash_buckets for split in outputs])
        found.append(Partition(tuple(split.name for split in outputs), tuple(map(int, bounds)), feature))
    check_names(found, "output_config" if outputs else "input_config")
    return found
