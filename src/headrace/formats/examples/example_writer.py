"""Write one shard of one split of an Examples artifact, under the file names that TFX gives it."""

from __future__ import annotations

import contextlib
import os
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from headrace.files import create_file, publish, whole_files
from headrace.formats.examples import tfrecord


def tfrecord_path(folder: str, shard: int, num_shards: int) -> str:
    """Return the path of a TFRecord shard: `{folder}/data_tfrecord-00000-of-00001.gz`."""
    return os.path.join(folder, f"data_tfrecord-{shard:05}-of-{num_shards:05}.gz")


def parquet_path(folder: str, shard: int, num_shards: int) -> str:
    """Return the path of a Parquet shard: `{folder}/data_parquet-00000-of-00001.parquet`."""
    return os.path.join(folder, f"data_parquet-{shard:05}-of-{num_shards:05}.parquet")


class ParquetWriter:
    """Writes record batches to a Parquet file that appears under its name only when it is complete.

    Args:
        path: The file's final path.
        schema: The columns of every batch.

    Use as a context manager; leaving it with an exception removes the unfinished file. The codec is that of
    TFX: Snappy.
    """

    def __init__(self, path: str, schema: pa.Schema) -> None:
        self.path = path
        self._unfinished_path = whole_files.aside(path)
        self._file = create_file(self._unfinished_path)
        try:
            self._writer = pq.ParquetWriter(self._file, schema, compression="snappy")
        except BaseException:
            self._file.close()
            os.remove(self._unfinished_path)
            raise

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows, in order, as one row group; an empty batch writes nothing."""
        if batch.num_rows:
            self._writer.write_table(pa.Table.from_batches([batch]))

    def __enter__(self) -> ParquetWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._writer.close()
                self._file.close()
                publish(self._unfinished_path, self.path)
        finally:
            # Closed in any case: a Parquet writer left open writes its footer when Python collects it.
            with contextlib.suppress(OSError, pa.ArrowException):
                self._writer.close()
            with contextlib.suppress(OSError):
                self._file.close()
            if os.path.exists(self._unfinished_path):
                os.remove(self._unfinished_path)


SplitWriter = tfrecord.Writer | ParquetWriter
