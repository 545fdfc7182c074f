"""One try: a command is disturbed, the next is not, and then all must be as if nothing had been."""

from __future__ import annotations

import contextlib
import csv
import random
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import process_tree
import store_checks
import tortured
from arena import Arena, Job, Running, Stuck
from disturbances import Hit, Kind, small_disk

from headrace.files.payloads import tree_digest

_SECONDS_TO_END = 300.0
_SECONDS_TO_DIE = 60.0
_TABLE_SHARE = 0.25
_NODES = {
    "small": {"First", "Left", "Right", "Last"},
    "wide": {"Node0", "Node1", "Fragile", "Node2", "Node3"},
    "table": {"CsvExampleGen", "StatisticsGen", "SchemaGen"},
}
_NUM_ROWS = 400


@dataclass
class Try:
    """What was tried, and what was wrong.

    Attributes:
        number: Which of this command's tries.
        kind: The disturbance.
        pipeline: What ran.
        story: What happened, step by step.
        violations: What must not be.
        skipped: Why it could not be tried.
        has_hit: Whether the disturbance met a living command.
    """

    number: int
    kind: Kind
    pipeline: str = ""
    story: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    skipped: str = ""
    has_hit: bool = False
    seconds: float = 0.0


class Torturer:
    """Makes tries in one arena; used by one thread.

    Args:
        arena: Where.
        is_quick: Whether nothing may take long: for a test.
    """

    def __init__(self, arena: Arena, is_quick: bool) -> None:
        self._arena = arena
        self._is_quick = is_quick
        self._durations: dict[str, float] = {}
        self._digests: dict[str, str] = {}
        self._place = arena.folder
        self._num_places = 0

    def attempt(self, number: int, kind: Kind, chance: random.Random) -> Try:
        """Make one try and return how it went."""
        done = Try(number, kind)
        started = time.monotonic()
        with contextlib.ExitStack() as stack:
            # A new store from time to time, so that its first opening is disturbed too.
            if kind.needs == "disk" or not self._num_places or chance.random() < 0.15:
                self._new_place()
            if kind.needs == "disk":
                try:
                    stack.enter_context(small_disk(self._place))
                except OSError as error:
                    done.skipped = f"no disk can be mounted: {error}"
                    return done
            else:
                self._place.mkdir(exist_ok=True)
            with contextlib.suppress(Stuck):
                self._disturb(done, chance)
        if done.violations or kind.needs == "disk":
            self._num_places = 0
        done.seconds = time.monotonic() - started
        return done

    def _new_place(self) -> None:
        self._num_places += 1
        self._place = self._arena.folder / f"place-{time.monotonic_ns()}"

    @property
    def _store(self) -> Path:
        return self._place / "store"

    def _disturb(self, done: Try, chance: random.Random) -> None:
        kind = done.kind
        seed = f"seed {done.number} {chance.random():.6f}"
        done.pipeline = self._choose(kind, chance)
        first = self._job(done, seed, chance)
        duration = self._duration(done.pipeline) if kind.victim != "gc" else self._gc_duration(done, seed)
        before = store_checks.newest_run(self._store)
        running = self._arena.start(first, self._place)
        moment = chance.uniform(0.0, duration)
        has_ended = kind.strike.__name__ != "_nothing" and self._arena.has_ended(moment)
        hit = Hit(self._arena, running, self._store, chance, self._is_quick)
        what = "" if has_ended else kind.strike(hit)
        done.has_hit = bool(what)
        code = self._wait(done, running)
        done.story.append(f"{first}: {what or 'not hit'} after {moment:.2f} s, exit code {code}")
        self._judge(done, code, running)
        if kind.ends_in_order:
            self._look(done, running, "before the next start")
        if kind.needs == "disk":
            (self._place / "ballast").unlink(missing_ok=True)
        (self._place / "stone").unlink(missing_ok=True)
        run_id = store_checks.newest_run(self._store)
        self._go_on(done, "" if run_id == before else run_id, seed, chance)

    def _choose(self, kind: Kind, chance: random.Random) -> str:
        if kind.victim in ("gc", "listener"):
            return "small"
        if kind.victim == "fail fast":
            return "wide"
        return (
            "table"
            if chance.random() < _TABLE_SHARE and not self._is_quick
            else chance.choice(["small", "wide"])
        )

    def _job(self, done: Try, seed: str, chance: random.Random) -> Job:
        kind = done.kind
        limit = int(10 ** chance.uniform(2, 5.8)) if kind.needs == "limit" else 0
        if kind.victim == "gc":
            return Job(["gc", "--keep-last", str(chance.randint(0, 1)), "--store", "store"])
        if kind.victim == "listener":
            events, share = str(chance.randint(0, 9)), chance.choice(["once", "always"])
            return Job(["store", seed, events, share], call="run_with_bad_listener")
        options = ["--plain"]
        if kind.victim == "fail fast":
            (self._place / "stone").touch()
            options += ["--fail", "fast", "--workers", str(chance.randint(1, 4))]
        return Job([*self._run(done.pipeline, seed), *options], file_limit=limit)

    def _run(self, pipeline: str, seed: str) -> list[str]:
        arguments = ["run", f"tortured:{pipeline}", "--store", "store"]
        if pipeline == "table":
            _write_table(self._place / "data")
            return [*arguments, "--no-cache"]
        stone = ["--set", f"stone={self._place / 'stone'}"] if pipeline == "wide" else []
        return [*arguments, "--set", f"seed={seed}", *stone]

    def _duration(self, pipeline: str) -> float:
        """How long an undisturbed run takes, in a store of its own; measured once."""
        if pipeline not in self._durations:
            place, self._place = self._place, self._arena.folder / f"undisturbed-{pipeline}"
            self._place.mkdir()
            started = time.monotonic()
            running = self._arena.start(Job([*self._run(pipeline, "seed"), "--plain"]), self._place)
            code = self._arena.wait(running, _SECONDS_TO_END)
            self._durations[pipeline] = time.monotonic() - started
            if code:
                raise RuntimeError(f"an undisturbed run ended with {code}:\n{running.output}")
            made = store_checks.outputs(self._store, store_checks.newest_run(self._store))
            self._digests |= (
                {node: tree_digest(str(path)) for node, path in made.items()} if pipeline == "table" else {}
            )
            self._place = place
        return self._durations[pipeline]

    def _gc_duration(self, done: Try, seed: str) -> float:
        """Leave something to collect, and return how long a collection takes: measured once."""
        for number in range(2):
            running = self._arena.start(Job(self._run("small", f"{seed} {number}")), self._place)
            code = self._arena.wait(running, _SECONDS_TO_END)
            if code:
                done.violations.append(f"an undisturbed run ended with {code}: {_tail(running)}")
        if "gc" not in self._durations:
            started = time.monotonic()
            self._finish(done, Job(["gc", "--keep-last", "1", "--store", "store"]))
            self._durations["gc"] = time.monotonic() - started
        return self._durations["gc"]

    def _wait(self, done: Try, running: Running) -> int:
        try:
            return self._arena.wait(running, _SECONDS_TO_END)
        except Stuck as error:
            done.violations.append(f"the disturbed command {error}")
            raise

    def _judge(self, done: Try, code: int, running: Running) -> None:
        """The exit code must say what happened: 0 only for all the work."""
        kind = done.kind
        if code == 0 and kind.victim != "gc":
            run_id = store_checks.newest_run(self._store)
            missing = _NODES[done.pipeline] - set(store_checks.outputs(self._store, run_id))
            if missing:
                done.violations.append(
                    f"exit code 0, and run {run_id} did not make {', '.join(sorted(missing))}"
                )
        elif code and code not in kind.exit_codes:
            done.violations.append(f"exit code {code}: {_tail(running)}")
        if kind.must_succeed and code:
            done.violations.append("this must not stop a command")

    def _go_on(self, done: Try, run_id: str, seed: str, chance: random.Random) -> None:
        """Start again, now and then disturbed once more, until a start is not; then all must be well."""
        again = Job([*self._run(done.pipeline, seed), "--plain"])
        if run_id and done.kind.victim == "run" and chance.random() < 0.6:
            again = Job(["resume", run_id, "--store", "store", "--plain"])
        if done.kind.victim == "gc" or chance.random() < 0.1:
            self._finish(done, Job(["gc", "--keep-last", "2", "--store", "store"]))
        if chance.random() < 0.15:
            running = self._arena.start(again, self._place)
            self._arena.has_ended(chance.uniform(0.0, 1.0))
            process_tree.send([running.pid], signal.SIGKILL)
            done.story.append(f"{again}: killed once more, exit code {self._wait(done, running)}")
        running = self._finish(done, again)
        made = store_checks.outputs(self._store, store_checks.newest_run(self._store))
        done.violations += self._differences(done.pipeline, seed, made)
        self._look(done, running, "after the next start")

    def _finish(self, done: Try, job: Job) -> Running:
        running = self._arena.start(job, self._place)
        code = self._wait(done, running)
        done.story.append(f"{job}: exit code {code}")
        if code:
            done.violations.append(f"the next start ended with {code}: {_tail(running)}")
        return running

    def _differences(self, pipeline: str, seed: str, made: dict[str, Path]) -> list[str]:
        """What is not as an undisturbed run makes it."""
        if set(made) != _NODES[pipeline]:
            return [f"the next start made only {', '.join(sorted(made)) or 'nothing'}"]
        found = []
        for node, path in made.items():
            if pipeline == "table":
                is_same = tree_digest(str(path)) == self._digests[node]
            else:
                is_same = path.exists() and tortured.read(str(path)) == _expected(node, seed)
            if not is_same:
                found.append(f"{node} is not what an undisturbed run makes: {path}")
        return found

    def _look(self, done: Try, running: Running, when: str) -> None:
        mark = running.mark.rpartition("-")[0] + "-"
        for pid in process_tree.left_after(mark, _SECONDS_TO_DIE):
            done.violations.append(f"{when}: process {pid} lives on: {process_tree.name_of(pid)}")
            process_tree.send([pid], signal.SIGKILL)
        found = store_checks.problems(self._store)
        found += [f"left behind: {path}" for path in (self._place / "tmp").iterdir() if not _is_report(path)]
        done.violations += [f"{when}: {problem}" for problem in found]


def _is_report(path: Path) -> bool:
    """The traceback of an error that was not expected: kept on purpose, and said so."""
    return path.name.startswith("headrace-error-")


def _expected(node: str, seed: str) -> str:
    texts = {"First": seed, "Left": f"left of {seed}", "Right": f"right of {seed}", "Last": f"left of {seed}"}
    if node == "Fragile":
        return seed
    return texts.get(node) or f"{seed} {node.removeprefix('Node')}"


def _write_table(folder: Path) -> None:
    if folder.exists():
        return
    folder.mkdir()
    with (folder / "rows.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["number", "half", "word"])
        writer.writerows([row, row / 2, f"word {row % 7}"] for row in range(_NUM_ROWS))


def _tail(running: Running) -> str:
    return " / ".join(line.strip() for line in running.output.strip().splitlines()[-4:])[-600:]
