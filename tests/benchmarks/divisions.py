"""What it costs to divide rows otherwise than by TFX's hash: CsvExampleGen once for each way, on taxi rows.

::

    make bench STAGES=divisions
    make bench STAGES=divisions ROWS=1000000

Printed: the seconds of the node, once the libraries are loaded, the best of two, and how many times those of the hash
that is.
"""

from __future__ import annotations

import os
import shutil
from typing import Any

from taxi_data import write_csv

_REPEAT = 2
_SHARES = {"train": 3, "valid": 1, "test": 1}


def _ways() -> list[Any]:
    from headrace import splits

    return [
        splits.by_hash(),
        splits.shuffle(seed=113),
        splits.group("company", missing="exclude"),
        splits.time("trip_start_timestamp", gap="24h"),
        splits.column("payment_type", names=_PAYMENTS, missing="exclude"),
        splits.stratify("payment_type"),
        # Some 8,000 different numbers, of which each is a class.
        splits.stratify("trip_start_timestamp", bins=0),
        splits.stratify("tips"),
    ]


# Each way of paying as a split of its own, or all that are rare as one.
_PAYMENTS = {
    "Cash": "train",
    "Credit Card": "valid",
    **dict.fromkeys(("Dispute", "No Charge", "Pcard", "Prcard", "Unknown"), "test"),
}


def table(folder: str, num_rows: int) -> str:
    """Run the component in a folder and return the table as Markdown."""
    from headrace.orchestration.runners.local.workers import Workers

    data = os.path.join(folder, "divided")
    write_csv(data, num_rows)
    store = os.path.join(folder, "store")
    executors = ("apache_beam", "headrace.components.example_gen.csv_executor")
    lines = [f"| {num_rows:,} rows | CsvExampleGen s | times the hash |", "|---|---:|---:|"]
    hashed = 0.0
    with Workers(lambda: list(executors)) as workers:
        _seconds(data, None, workers, store)
        for way in _ways():
            seconds = min(_seconds(data, way, workers, store) for _ in range(_REPEAT))
            hashed = hashed or seconds
            lines.append(f"| `{way}` | {seconds:.2f} | {seconds / hashed:.2f} |")
    return "\n".join(lines)


def _seconds(data: str, way: Any, workers: Any, store: str) -> float:
    from headrace.authoring import Pipeline
    from headrace.components import CsvExampleGen
    from headrace.orchestration.engine import start as engine
    from headrace.run_options import RunOptions

    given = {} if way is None else {"split_by": way}
    if way is not None and way.kind != "column":
        given["splits"] = _SHARES
    shutil.rmtree(store, ignore_errors=True)
    pipeline = Pipeline("divided", components=[CsvExampleGen(input_base=data, **given)])
    result = engine.run(pipeline, RunOptions(store=store, cache=False), pool=workers)
    result.raise_for_failure()
    return float(result.nodes[0].seconds)
