"""What `headrace doctor` tries in a process of its own: `python -m headrace.cli.machine.probes beam`."""

from __future__ import annotations

import os
import sys
import tempfile

from headrace.cli import noise


def probe_beam() -> str:
    """Run a small Beam pipeline in process and check its result."""
    import apache_beam as beam

    from headrace.runtime import beam_options

    with tempfile.TemporaryDirectory(prefix="headrace-doctor-") as folder:
        path = os.path.join(folder, "sum")
        with beam_options.make_pipeline([]) as pipeline:
            total = pipeline | beam.Create([1, 2, 3]) | beam.CombineGlobally(sum)
            _ = total | beam.Map(_write, path)
        with open(path, encoding="ascii") as file:
            found = file.read()
    if found != "6":
        raise RuntimeError(f"Beam added 1, 2 and 3 to {found}")
    return "ran a pipeline in process"


def _write(total: int, path: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(str(total))


def probe_metadata() -> str:
    """Open a new store and read from it."""
    from headrace.store.open.store import Store

    with (
        tempfile.TemporaryDirectory(prefix="headrace-doctor-") as folder,
        Store(os.path.join(folder, "store")).open() as store,
        store.handle() as handle,
    ):
        handle.store.get_contexts()
    return "opened a store"


if __name__ == "__main__":
    noise.silence()
    print({"beam": probe_beam, "metadata": probe_metadata}[sys.argv[1]]())
