"""What a node costs beside its work: trivial nodes under Headrace and under TFX's LocalDagRunner.

    python tests/benchmarks/overhead.py --nodes 500

Each runner gets a process of its own and the same pipeline of components that write one small file. Printed:
seconds for the whole run and per node, the first run and the cached one, and the peak memory of the process
that orchestrates.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

NODES_PATH = str(Path(__file__).parent.parent / "integration")


def build(num_nodes: int, folder: str) -> Any:
    """Return a pipeline of `num_nodes` trivial components, in pairs of which the second uses the first."""
    import nodes
    from tfx.orchestration import metadata

    from headrace.authoring import Pipeline

    components: list[Any] = []
    for number in range(num_nodes // 2):
        make = nodes.Make(text=str(number)).with_id(f"make{number}")
        components += [make, nodes.Use(given=make.outputs["out"]).with_id(f"use{number}")]
    config = metadata.sqlite_metadata_connection_config(f"{folder}/metadata.db")
    return Pipeline("overhead", f"{folder}/root", config, components)


def run_headrace(num_nodes: int, folder: str) -> None:
    """Run the pipeline under Headrace."""
    import headrace

    headrace.run(build(num_nodes, folder), store=f"{folder}/store", show=False).raise_for_failure()


def run_stock(num_nodes: int, folder: str) -> None:
    """Run the pipeline under TFX's LocalDagRunner."""
    from tfx.orchestration.local.local_dag_runner import LocalDagRunner

    LocalDagRunner().run(build(num_nodes, folder))


RUNNERS = {"headrace": run_headrace, "LocalDagRunner": run_stock}


def measure(runner: str, num_nodes: int, folder: str) -> dict[str, float]:
    """Run in a process of its own and return what it measured."""
    command = [sys.executable, __file__, "--nodes", str(num_nodes), "--child", runner, folder]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def run_child(runner: str, num_nodes: int, folder: str) -> None:
    """Run once in this process and print seconds and megabytes as JSON."""
    sys.path.insert(0, NODES_PATH)
    import nodes  # noqa: F401 - not part of what is measured

    started = time.monotonic()
    RUNNERS[runner](num_nodes, folder)
    seconds = time.monotonic() - started
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "megabytes": peak_mb}))


def main() -> None:
    """Entry of the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=500)
    parser.add_argument("--child", nargs=2, metavar=("RUNNER", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        run_child(arguments.child[0], arguments.nodes, arguments.child[1])
        return
    for runner in RUNNERS:
        with tempfile.TemporaryDirectory() as folder:
            for title in ("first", "cached"):
                measured = measure(runner, arguments.nodes, folder)
                print(
                    f"{runner:15} {title:7} {measured['seconds']:7.1f} s "
                    f"{1000 * measured['seconds'] / arguments.nodes:6.1f} ms per node "
                    f"{measured['megabytes']:5.0f} MB",
                    flush=True,
                )


if __name__ == "__main__":
    main()
