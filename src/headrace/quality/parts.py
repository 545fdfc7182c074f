"""The files of an Examples artifact as parts of a stage, each read a batch of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from headrace.authoring import Artifact
from headrace.errors import DataError
from headrace.formats import artifacts, parquet_files
from headrace.formats.examples import examples as examples_io

BATCH_ROWS = 10_000
# Rows of a Parquet file, whose batches are counted in rows, are not read together beyond this.
_BATCH_BYTES = 64 << 20


@dataclass(frozen=True)
class Part:
    """One file of one split.

    Attributes:
        index: Its place among all parts: by split, in the artifact's order, then by name.
        split: The split.
        number: Its place among the files of the split.
        num_files: How many there are.
        path: The file.
        payload: Its payload format.
    """

    index: int
    split: str
    number: int
    num_files: int
    path: str
    payload: str

    @property
    def is_parquet(self) -> bool:
        """Whether the file is Parquet, and not a TFRecord."""
        return self.payload == "FORMAT_PARQUET"


def parts_of(examples: Artifact, splits: Sequence[str]) -> list[Part]:
    """Return the parts of some splits of an artifact.

    Raises:
        EmptyDataError: If one has no file.
    """
    payload = artifacts.payload_format(examples)
    found: list[Part] = []
    for split in splits:
        paths = artifacts.split_files(examples, split)
        for number, path in enumerate(paths):
            found.append(Part(len(found), split, number, len(paths), path, payload))
    return found


def read(part: Part, *, batch_rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a part, one column for each feature; see `headrace.formats.examples.examples`.

    Raises:
        MalformedFileError: If the file is damaged.
        DataError: If a feature has values of several types among rows that are read together.
    """
    rows = min(batch_rows, _fitting_rows(part.path)) if part.is_parquet else batch_rows
    num_read = 0
    try:
        for batch in examples_io.read_file(part.path, part.payload, batch_rows=rows):
            yield batch
            num_read += batch.num_rows
    except RuntimeError as error:
        # What tfx_bsl says of a feature with values of two types, all other damage being told before.
        raise DataError(
            f"{part.path}: in a row of split '{part.split}' behind the {num_read:,} first of the file a feature has "
            f"values of another type than in others: {str(error).splitlines()[0].rstrip('.')}.",
            "give each feature one type where the data is written.",
        ) from error


def _fitting_rows(path: str) -> int:
    """Return how many rows of a Parquet file make a batch."""
    metadata = parquet_files.open_file(path).metadata
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    largest = max((group.total_byte_size / max(group.num_rows, 1) for group in groups), default=0)
    return max(1, int(_BATCH_BYTES / max(largest, 1)))
