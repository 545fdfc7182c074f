"""Disturbs pipelines at random moments, and checks what the next start makes of it.

    python tests/torture --minutes 60 --seed 1

Each try disturbs one command in one way at one moment: `Ctrl-C`, a signal, a kill, a pause, a full disk, a busy
database, a listener that raises, a node that fails fast. Then the next command goes on, and the store is read with
SQLite alone: nothing runs for ever, every artifact has its files, nothing is left behind, the results are those
of an undisturbed run, and the exit code said what happened. Exit code 1 where something was wrong.
"""

from __future__ import annotations

import argparse
import collections
import itertools
import queue
import random
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from arena import Arena
from disturbances import KINDS, Kind
from tries import Torturer, Try


def chosen(texts: Sequence[str]) -> list[Kind]:
    """Return the kinds of these names; a text that is no name stands for all whose names hold it."""
    names = {kind.name for kind in KINDS}
    return [
        kind
        for kind in KINDS
        if not texts or any(text == kind.name or (text not in names and text in kind.name) for text in texts)
    ]


def planned(kinds: Sequence[Kind], seed: int, arguments: argparse.Namespace) -> Iterator[tuple[int, Kind]]:
    """Yield the number and the kind of each try: every kind once, in random order, again and again."""
    chance = random.Random(seed)
    deadline = time.monotonic() + arguments.minutes * 60
    number = 0
    for turn in itertools.count():
        if arguments.each and turn >= arguments.each:
            return
        for kind in chance.sample(kinds, len(kinds)):
            if not arguments.each and time.monotonic() > deadline:
                return
            number += 1
            if not arguments.only or number in arguments.only:
                yield number, kind
            elif number > max(arguments.only):
                return


def torture(kinds: Sequence[Kind], seed: int, folder: Path, arguments: argparse.Namespace) -> list[Try]:
    """Make the tries, several at a time, and print a line for each."""
    waiting = planned(kinds, seed, arguments)
    guard = threading.Lock()
    done: queue.SimpleQueue[Try | BaseException] = queue.SimpleQueue()

    def work(name: str) -> None:
        place = folder / name
        place.mkdir()
        arena = Arena(place, f"{folder.name}-{name}")
        is_kept = False
        try:
            torturer = Torturer(arena, arguments.quick)
            while True:
                with guard:
                    number, kind = next(waiting, (0, None))
                if kind is None:
                    return
                attempt = torturer.attempt(number, kind, random.Random(f"{seed}-{number}"))
                is_kept = is_kept or bool(attempt.violations)
                print(line(attempt), flush=True)
                done.put(attempt)
        except BaseException as error:
            traceback.print_exc()
            done.put(error)
        finally:
            arena.close(is_kept)

    threads = [threading.Thread(target=work, args=(f"arena-{number}",)) for number in range(arguments.jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = []
    while not done.empty():
        item = done.get()
        if isinstance(item, BaseException):
            raise item
        found.append(item)
    return found


def line(attempt: Try) -> str:
    """One line about one try."""
    verdict = (
        "skipped" if attempt.skipped else f"{len(attempt.violations)} WRONG" if attempt.violations else "ok"
    )
    story = attempt.skipped or "; ".join(attempt.story)
    return f"{attempt.number:5} {verdict:8} {attempt.kind.name:24} {attempt.seconds:5.1f} s  {story}"


def summary(attempts: Sequence[Try], seed: int, folder: Path) -> str:
    """The table of kinds, and what was wrong with how to try it again."""
    lines = ["", f"{'kind':24} {'tries':>6} {'hit':>6} {'wrong':>6}"]
    by_kind: dict[str, list[Try]] = collections.defaultdict(list)
    for attempt in attempts:
        by_kind[attempt.kind.name].append(attempt)
    for name, group in sorted(by_kind.items()):
        skipped = next((f"  skipped: {a.skipped}" for a in group if a.skipped), "")
        hits, wrong = sum(a.has_hit for a in group), sum(bool(a.violations) for a in group)
        lines.append(f"{name:24} {len(group):6} {hits:6} {wrong:6}{skipped}")
    wrong_ones = sorted((a for a in attempts if a.violations), key=lambda a: a.number)
    for attempt in wrong_ones:
        lines += ["", f"try {attempt.number}, {attempt.kind.name}:"]
        lines += [f"  {step}" for step in attempt.story]
        lines += [f"  WRONG: {violation}" for violation in attempt.violations]
    if wrong_ones:
        numbers = " ".join(str(a.number) for a in wrong_ones[:10])
        lines += ["", f"Again: make torture ARGS='--seed {seed} --only {numbers}'", f"Look at: {folder}"]
    lines.append(f"{len(attempts)} tries, {len(wrong_ones)} wrong, seed {seed}")
    return "\n".join(lines)


def main() -> int:
    """Entry of the command."""
    parser = argparse.ArgumentParser(prog="make torture", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="begin no further try after so many")
    parser.add_argument("--each", type=int, default=0, help="try each kind so often, however long that takes")
    parser.add_argument("--seed", type=int, default=None, help="repeats the choices of an earlier command")
    parser.add_argument("--only", type=int, nargs="*", default=[], help="only tries of these numbers")
    parser.add_argument("--kinds", nargs="*", default=[], help="only these kinds, by name or a part of it")
    parser.add_argument(
        "--jobs", type=int, default=2, help="tries at the same time, each in a store of its own"
    )
    parser.add_argument("--quick", action="store_true", help="only what takes little time: for a test")
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.randrange(1_000_000)
    kinds = chosen(arguments.kinds)
    if not kinds:
        parser.error(f"no such kind; there are: {', '.join(kind.name for kind in KINDS)}")
    folder = Path(tempfile.mkdtemp(prefix="headrace-torture-"))
    print(f"seed {seed}", flush=True)
    attempts = torture(kinds, seed, folder, arguments)
    print(summary(attempts, seed, folder))
    if any(attempt.violations for attempt in attempts):
        return 1
    folder.rmdir()
    return 0


if __name__ == "__main__":
    sys.exit(main())
