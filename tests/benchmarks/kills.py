"""Kills runs at random moments, and checks what the next start makes of it.

    python tests/benchmarks/kills.py --kills 100

A small pipeline runs again and again in one store; the orchestrator, the worker server or a worker is killed
with -9 at a random moment. After each kill the run is resumed and the store is looked at: no execution is left
RUNNING, every LIVE artifact has the files that its digest says, nothing unfinished or temporary is left, no
process lives on, and the outputs are those of an undisturbed run.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

VICTIMS = ("orchestrator", "server", "worker")
NODES_PATH = Path(__file__).parent.parent / "integration"
# Of the time that an undisturbed run takes: before and after it, little happens.
_FIRST_PART, _LAST_PART = 0.35, 1.05
_SECONDS_TO_DIE = 15.0

SCRIPT = """
import json, sys
sys.path.insert(0, {folder!r})
import headrace, nodes
from headrace.errors import HeadraceError
from headrace.authoring import Pipeline

def build(seed):
    first = nodes.Slowly(text=seed).with_id("First")
    left = nodes.Use(given=first.outputs["out"], seconds=0.1).with_id("Left")
    right = nodes.Use(given=first.outputs["out"], seconds=0.2).with_id("Right")
    last = nodes.Join(given=left.outputs["out"]).with_id("Last")
    last.add_upstream_node(right)
    return Pipeline("kills", components=[first, left, right, last])

if __name__ == "__main__":
    run_id, seed, resumed = sys.argv[1:]
    result = headrace.run(
        build(seed), run_id=run_id, store="store", resume_from=resumed, show=False, cache=False, raise_on_failure=False
    )
    print(json.dumps({{node.node_id: nodes.read(node.outputs[0].uri) for node in result.nodes if node.outputs}}))
    sys.exit(0 if result.is_success else 1)
"""


@dataclass
class Report:
    """What was killed, and what was wrong afterwards."""

    kills: collections.Counter[str] = field(default_factory=collections.Counter)
    num_finished_before: int = 0
    num_failed_clearly: int = 0
    lost: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        killed = ", ".join(f"{count} {victim}" for victim, count in sorted(self.kills.items()))
        lines = [
            f"{sum(self.kills.values())} kills: {killed}",
            f"{self.num_finished_before} runs had ended before the kill, {self.num_failed_clearly} failed and said so",
            f"lost: {len(self.lost)}",
            *self.lost,
        ]
        return "\n".join(lines)


class Arena:
    """One store, and the runs that are killed in it.

    Args:
        folder: An empty folder.
        chance: Chooses victims and moments.
    """

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self._folder = folder
        self._chance = chance
        self._temporary = folder / "tmp"
        self._temporary.mkdir()
        self._script = folder / "killed.py"
        self._script.write_text(SCRIPT.format(folder=str(NODES_PATH)))
        started = time.monotonic()
        self._start("undisturbed", "seed", "").communicate(timeout=60)
        self._seconds = time.monotonic() - started

    def kill_one(self, number: int, report: Report) -> None:
        """Start a run, kill a part of it, start again, and note what is wrong."""
        victim = self._chance.choice(VICTIMS)
        run_id, seed = f"run-{number}", f"seed {number}"
        process = self._start(run_id, seed, "")
        time.sleep(self._chance.uniform(_FIRST_PART, _LAST_PART) * self._seconds)
        family = descendants(process.pid)
        victim = self._kill(process, family, victim)
        process.communicate(timeout=60)
        report.kills[victim] += 1
        report.num_finished_before += process.returncode == 0
        report.num_failed_clearly += process.returncode == 1
        # A kill before the run was recorded leaves nothing to resume.
        resumed = run_id if (self._folder / "store" / "logs" / run_id).exists() else ""
        again = self._start(f"{run_id}-again", seed, resumed)
        output, _ = again.communicate(timeout=60)
        place = f"kill {number} ({victim})"
        expected = (
            f'{{"First": "{seed}", "Left": "used {seed}", "Right": "used {seed}", "Last": "used {seed}"}}'
        )
        if again.returncode or output.strip() != expected:
            report.lost.append(f"{place}: the resumed run ended with {again.returncode}: {output.strip()}")
        report.lost += [f"{place}: {problem}" for problem in self._problems(family)]

    def _start(self, run_id: str, seed: str, resumed: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(self._script), run_id, seed, resumed],
            cwd=self._folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "HEADRACE_SERVER": "0", "TMPDIR": str(self._temporary)},
        )

    def _kill(self, process: subprocess.Popen[str], family: list[int], victim: str) -> str:
        """Kill the victim, or the orchestrator where it is not there; return what was killed."""
        servers = [pid for pid in family if "worker_server" in command_of(pid)]
        top = [pid for pid in servers if parent_of(pid) == process.pid]
        there = {"server": top, "worker": [pid for pid in servers if pid not in top]}
        if not there.get(victim):
            victim = "orchestrator"
        try:
            os.kill(self._chance.choice(there.get(victim) or [process.pid]), signal.SIGKILL)
        except ProcessLookupError:
            return "process that had just ended"
        return victim

    def _problems(self, family: list[int]) -> list[str]:
        problems = [f"process {pid} lives on" for pid in family if not ended(pid)]
        store = self._folder / "store"
        problems += [f"{name} is left in running/" for name in os.listdir(store / "running")]
        problems += [f"{path} is left" for path in (store / "artifacts").rglob(".unfinished")]
        problems += [f"{name} is left in the temporary folder" for name in os.listdir(self._temporary)]
        return problems + metadata_problems(store)


def metadata_problems(store: Path) -> list[str]:
    """Say what of a store's metadata does not fit its files."""
    from ml_metadata.proto import metadata_store_pb2 as proto

    from headrace.files.payloads import tree_digest
    from headrace.runtime.context import DIGEST_PROPERTY
    from headrace.store.open.store import Store

    problems = []
    known = set()
    with Store(str(store)).open() as opened, opened.handle() as handle:
        for execution in handle.store.get_executions():
            if execution.last_known_state in (proto.Execution.RUNNING, proto.Execution.NEW):
                problems.append(f"execution {execution.id} is recorded as running")
        for artifact in handle.store.get_artifacts():
            known.add(artifact.uri)
            if artifact.state != proto.Artifact.LIVE:
                problems.append(f"artifact {artifact.id} is not live")
            elif tree_digest(artifact.uri) != artifact.custom_properties[DIGEST_PROPERTY].string_value:
                problems.append(f"artifact {artifact.id} does not have the files that it should")
    for folder in (store / "artifacts").glob("*/*/*/*"):
        if str(folder) not in known:
            problems.append(f"{folder} belongs to no artifact")
    return problems


def descendants(pid: int) -> list[int]:
    """Return the processes below one, children before grandchildren."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        current = waiting.pop(0)
        for task in Path(f"/proc/{current}/task").glob("*/children"):
            try:
                children = [int(text) for text in task.read_text().split()]
            except (FileNotFoundError, ProcessLookupError):
                continue
            found += children
            waiting += children
    return found


def command_of(pid: int) -> str:
    """Return a process's command line; empty where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def parent_of(pid: int) -> int:
    """Return a process's parent; 0 where it is gone."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def ended(pid: int) -> bool:
    """Wait for a process to end; say whether it did."""
    deadline = time.monotonic() + _SECONDS_TO_DIE
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


def kill_many(num_kills: int, seed: int, folder: Path) -> Report:
    """Kill `num_kills` runs in one store and return what was lost."""
    arena = Arena(folder, random.Random(seed))
    report = Report()
    for number in range(num_kills):
        arena.kill_one(number, report)
    return report


def main() -> None:
    """Entry of the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=None, help="repeats the moments of an earlier command")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.randrange(1_000_000)
    folder = Path(tempfile.mkdtemp(prefix="headrace-kills-"))
    print(f"seed {seed}", flush=True)
    report = kill_many(arguments.kills, seed, folder)
    print(report)
    if report.lost:
        print(f"look at {folder}")
        sys.exit(1)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
