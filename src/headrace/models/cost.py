"""What a model costs: its size on disk, the memory of a process that has loaded it, and the time of a batch."""

from __future__ import annotations

import os
import resource
import statistics
import sys
import time
from dataclasses import dataclass

from headrace.models import inputs
from headrace.models.inputs import Batch
from headrace.models.model import Model
from headrace.models.signatures import SERVING
from headrace.runtime.processes.fresh_processes import FILE_BYTES, resident_file_bytes


@dataclass(frozen=True)
class Cost:
    """What was measured of a model.

    Attributes:
        size_bytes: Of its files.
        load_seconds: To load it.
        memory_bytes: The most that the process has had in memory so far, libraries included.
        rows: Of the batch that was asked.
        batch_seconds: The median time of a call with this batch.
    """

    size_bytes: int
    load_seconds: float
    memory_bytes: int
    rows: int
    batch_seconds: float

    @property
    def row_seconds(self) -> float:
        """The time of one row of the batch."""
        return self.batch_seconds / max(self.rows, 1)


def measure(model: Model, batch: Batch, *, signature: str = SERVING, calls: int = 5) -> Cost:
    """Ask a model once to warm it up, then `calls` times, and return what it costs.

    Raises:
        ModelError: If it cannot answer.
    """
    model.call(batch, signature)
    seconds = []
    for _ in range(calls):
        started = time.perf_counter()
        model.call(batch, signature)
        seconds.append(time.perf_counter() - started)
    return Cost(
        model.files.size_bytes,
        model.load_seconds,
        peak_memory_bytes(),
        inputs.num_rows(batch),
        statistics.median(seconds),
    )


def peak_memory_bytes() -> int:
    """Largest resident memory of this process, as if it had read the libraries' files itself."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    peak = peak if sys.platform == "darwin" else peak * 1024
    file_bytes = int(os.environ.get(FILE_BYTES, "0"))
    # What of these files a fork has not touched does not count as its own.
    return peak + max(0, file_bytes - resident_file_bytes()) if file_bytes else peak
