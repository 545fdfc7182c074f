"""Plants one fault after the other in a copy of the tree, and runs the tests that should notice it.

    python tests/mutants --area metadata

A fault is a row of `table/*.yaml`: a file, an exact text in it, the text in its place, and the tests that fit. Prints
for each whether a test noticed; exit code 1 where less than nine of ten were noticed, where a row no longer fits the
code (its text does not occur exactly once), or where a test fails without any fault.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import queue
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from copied_tree import CopiedTree, Verdict
from mutant import Mutant, read_table

ROOT = Path(__file__).resolve().parents[2]
_ENOUGH = 0.9


def chosen(mutants: Sequence[Mutant], areas: Sequence[str], names: Sequence[str]) -> list[Mutant]:
    """Return the mutants of some areas, or whose names hold one of some texts."""
    return [
        mutant
        for mutant in mutants
        if (not areas or mutant.area in areas) and (not names or any(text in mutant.name for text in names))
    ]


def try_all(mutants: Sequence[Mutant], jobs: int) -> dict[str, tuple[Verdict, float]]:
    """Try each mutant, several at a time, each in a copy of its own; print a line for each."""
    folder = Path(tempfile.mkdtemp(prefix="headrace-mutants-"))
    trees: queue.SimpleQueue[CopiedTree] = queue.SimpleQueue()
    for number in range(jobs):
        trees.put(CopiedTree.make(ROOT, folder / str(number)))
    found: dict[str, tuple[Verdict, float]] = {}

    def attempt(mutant: Mutant) -> None:
        tree = trees.get()
        started = time.monotonic()
        try:
            verdict = tree.attempt(mutant)
        finally:
            trees.put(tree)
        found[mutant.name] = verdict, time.monotonic() - started
        print(f"{verdict.value:10} {found[mutant.name][1]:6.1f} s  {mutant.area}/{mutant.name}", flush=True)

    try:
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            for _ in pool.map(attempt, mutants):
                pass
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return found


def check_tests(mutants: Sequence[Mutant]) -> list[str]:
    """Return the tests that fail without any fault: they notice nothing."""
    targets = dict.fromkeys(test for mutant in mutants for test in mutant.tests)
    folder = Path(tempfile.mkdtemp(prefix="headrace-mutants-"))
    try:
        tree = CopiedTree.make(ROOT, folder / "tree")
        return [] if tree.passes(list(targets)) else [t for t in targets if not tree.passes([t])]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def summary(mutants: Sequence[Mutant], found: dict[str, tuple[Verdict, float]]) -> str:
    """The table of areas, and each mutant that nobody noticed."""
    counts: dict[str, collections.Counter[Verdict]] = collections.defaultdict(collections.Counter)
    for mutant in mutants:
        counts[mutant.area][found[mutant.name][0]] += 1
    lines = ["", f"{'area':20} {'mutants':>8} " + " ".join(f"{verdict.value:>10}" for verdict in Verdict)]
    for area, count in sorted(counts.items()):
        lines.append(
            f"{area:20} {count.total():8} " + " ".join(f"{count[verdict]:10}" for verdict in Verdict)
        )
    for mutant in mutants:
        verdict = found[mutant.name][0]
        if verdict is not Verdict.NOTICED:
            lines.append(f"\n{verdict.value}: {mutant.area}/{mutant.name}: {mutant.slip}\n  in {mutant.file}")
    return "\n".join(lines)


def main() -> int:
    """Entry of the command."""
    parser = argparse.ArgumentParser(prog="make mutants", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--area", nargs="*", default=[], help="only these files of table/, without .yaml")
    parser.add_argument("--name", nargs="*", default=[], help="only mutants whose names hold one of these")
    parser.add_argument("--jobs", type=int, default=2, help="mutants at the same time")
    parser.add_argument("--stale", action="store_true", help="only say which rows no longer fit the code")
    parser.add_argument("--trust", action="store_true", help="do not run the tests without a fault first")
    arguments = parser.parse_args()
    mutants = chosen(read_table(Path(__file__).parent / "table"), arguments.area, arguments.name)
    if not mutants:
        parser.error("no such mutant")
    stale = [mutant for mutant in mutants if not mutant.fits(ROOT)]
    for mutant in stale:
        print(f"stale      {mutant.area}/{mutant.name}: its text is not exactly once in {mutant.file}")
    if arguments.stale:
        print(f"{len(mutants)} mutants, {len(stale)} stale")
        return int(bool(stale))
    broken = [] if arguments.trust else check_tests(mutants)
    for test in broken:
        print(f"fails without a fault: {test}")
    if broken:
        return 1
    started = time.monotonic()
    fitting = [mutant for mutant in mutants if mutant not in stale]
    found = try_all(fitting, arguments.jobs)
    print(summary(fitting, found))
    num_noticed = sum(verdict is Verdict.NOTICED for verdict, _ in found.values())
    share = num_noticed / len(mutants)
    print(
        f"\n{num_noticed} of {len(mutants)} noticed ({share:.0%}), {len(stale)} stale, "
        f"{time.monotonic() - started:.0f} s"
    )
    return int(share < _ENOUGH or bool(stale))


if __name__ == "__main__":
    sys.exit(main())
