"""What starting costs: a chain of trivial function components, as whole processes, beside Python that does nothing.

    python tests/benchmarks/start.py --nodes 10 --repeats 3

The components are defined in a file, with TFX's own imports or with `from tfx import v1 as tfx`, in a module, or in a
script, which Python or Headrace starts. Each way runs in a folder of its own: first with nothing in its store, then all
cached. Printed: the least seconds of some repeats, and how many times as long as an empty Python process that is.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# How long a file must not have changed for its reading to be trusted, with room.
_AGE_SECONDS = 0.5
_PLAIN = """
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Integer
"""
_V1 = """
from tfx import v1 as tfx

Integer = tfx.types.standard_artifacts.Integer
InputArtifact, OutputArtifact = tfx.dsl.components.InputArtifact, tfx.dsl.components.OutputArtifact
component = tfx.dsl.components.component
"""
_COMPONENTS = """

@component
def Start(number: OutputArtifact[Integer]):
    number.value = 0


@component
def Add(before: InputArtifact[Integer], number: OutputArtifact[Integer]):
    number.value = before.value + 1
"""
_PIPELINE = """

def create_pipeline():
    nodes = [Start()]
    for index in range({others}):
        nodes.append(Add(before=nodes[-1].outputs["number"]).with_id(f"Add{{index}}"))
    return Pipeline("chain", components=nodes)
"""
_OURS = "from headrace.authoring import Pipeline\n"
_RUNS = """

if __name__ == "__main__":
    import headrace

    headrace.run(create_pipeline())
"""
# Each run loads what it needs; `warm.py` measures what a server that stays spares.
os.environ.setdefault("HEADRACE_SERVER", "0")
_PYTHON = (sys.executable,)
_HEADRACE = (os.path.join(os.path.dirname(sys.executable), "headrace"), "run")


@dataclass(frozen=True)
class Way:
    """One way to start the chain.

    Attributes:
        title: What the table calls it.
        command: The command.
        files: What the folder holds, by name.
    """

    title: str
    command: tuple[str, ...]
    files: dict[str, str]


def ways(num_nodes: int) -> list[Way]:
    """Return all ways to start a chain of so many nodes."""
    pipeline = _PIPELINE.format(others=num_nodes - 1)
    plain, v1 = (f"{_OURS}{head}{_COMPONENTS}{pipeline}" for head in (_PLAIN, _V1))
    module = f"{_OURS}from chain_nodes import Add, Start\n{pipeline}"
    return [
        Way("headrace run, file", (*_HEADRACE, "chain.py"), {"chain.py": plain}),
        Way("headrace run, file, tfx.v1", (*_HEADRACE, "chain.py"), {"chain.py": v1}),
        Way(
            "headrace run, module",
            (*_HEADRACE, "chain:create_pipeline"),
            {"chain.py": module, "chain_nodes.py": f"{_PLAIN}{_COMPONENTS}"},
        ),
        Way("python, script", (*_PYTHON, "chain.py"), {"chain.py": plain + _RUNS}),
        Way("python, script, tfx.v1", (*_PYTHON, "chain.py"), {"chain.py": v1 + _RUNS}),
    ]


def seconds_of(command: Sequence[str], folder: Path) -> float:
    """Run a command to its end."""
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return seconds


def measure(way: Way, folder: Path, repeats: int) -> tuple[float, float]:
    """Return the least seconds of first runs and of cached ones."""
    folder.mkdir()
    for name, text in way.files.items():
        (folder / name).write_text(text)
    time.sleep(_AGE_SECONDS)
    first, cached = [], []
    for _ in range(repeats):
        shutil.rmtree(folder / ".headrace", ignore_errors=True)
        first.append(seconds_of(way.command, folder))
        cached.append(seconds_of(way.command, folder))
    return min(first), min(cached)


def main() -> None:
    """Entry of the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="", help="a part of the titles of the ways to measure")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        nothing = min(seconds_of((*_PYTHON, "-c", "pass"), folder) for _ in range(arguments.repeats))
        print(f"{'python -c pass':28} {nothing:6.2f} s", flush=True)
        for number, way in enumerate(ways(arguments.nodes)):
            if arguments.only not in way.title:
                continue
            first, cached = measure(way, folder / str(number), arguments.repeats)
            print(
                f"{way.title:28} first {first:6.2f} s {first / nothing:6.0f}x   "
                f"cached {cached:6.2f} s {cached / nothing:6.0f}x",
                flush=True,
            )


if __name__ == "__main__":
    main()
