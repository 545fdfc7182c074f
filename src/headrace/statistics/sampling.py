"""Read a file of examples, or a fixed sample of its rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from tensorflow_metadata.proto.v0 import schema_pb2

from headrace.files.prefetch import prefetched
from headrace.formats.examples import examples
from headrace.runtime.progress import Progress


def read_sampled(
    path: str,
    payload: str,
    schema: schema_pb2.Schema | None,
    rate: float | None,
    seed: int,
    progress: Progress,
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file; with a rate, each with that probability.

    TFDV samples whole batches with a new seed in each run; sampling rows with a fixed seed keeps the
    share close to the rate for small data too, and gives the same statistics each time.

    Args:
        path: A file of an Examples artifact.
        payload: Its payload format.
        schema: What to read; `None` for all features.
        rate: Share of rows above 0 and at most 1; `None` for all.
        seed: Tells the files of a split apart.
        progress: Gets the rows of the file.
    """
    random = np.random.Generator(np.random.Philox(key=seed))
    # Reading and TFDV take about as long as each other, and mostly let go of Python's global lock.
    for batch in prefetched(examples.read_file(path, payload, schema)):
        progress.add_rows(batch.num_rows)
        if rate is not None:
            batch = batch.filter(pa.array(random.random(batch.num_rows) < rate))
        if batch.num_rows:
            yield batch
