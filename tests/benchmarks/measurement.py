"""Run a command and measure it: seconds, and the peak memory of its largest process and of all together."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_SECONDS_BETWEEN_SAMPLES = 0.2
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Measured:
    """What a command took.

    Attributes:
        seconds: From its start to its end.
        first_line_seconds: From its start to the first line that it printed; 0.0 where it printed none.
        largest_bytes: Most memory that one of its processes had in use (resident).
        total_bytes: Most that all of them had in use, shared pages counted once for each process.
        processor_seconds: What all its processes used of the processors, up to the last sample.
        output: What it printed.
        exit_code: Its exit code.
    """

    seconds: float = 0.0
    first_line_seconds: float = 0.0
    largest_bytes: int = 0
    total_bytes: int = 0
    processor_seconds: float = 0.0
    output: str = ""
    exit_code: int = 0


def measure(
    command: Sequence[str], folder: str, environment: Mapping[str, str] | None = None, log: str = ""
) -> Measured:
    """Run a command in a folder to its end; standard error goes to the file `log`."""
    measured = Measured()
    started = time.perf_counter()
    with open(log or os.devnull, "ab") as errors:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={"HEADRACE_SERVER": "0", **os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        ended = threading.Event()
        sampler = threading.Thread(target=_sample, args=(process.pid, measured, ended))
        sampler.start()
        lines = []
        assert process.stdout is not None
        for line in process.stdout:
            if not lines:
                measured.first_line_seconds = time.perf_counter() - started
            lines.append(line)
        measured.exit_code = process.wait()
        measured.seconds = time.perf_counter() - started
        ended.set()
        sampler.join()
    measured.output = "".join(lines)
    return measured


def _sample(pid: int, measured: Measured, ended: threading.Event) -> None:
    seconds: dict[int, float] = {}
    while not ended.wait(_SECONDS_BETWEEN_SAMPLES):
        tree = _tree(pid)
        for one in tree:
            seconds[one] = max(seconds.get(one, 0.0), _processor_seconds(one))
        measured.processor_seconds = sum(seconds.values())
        sizes = [_resident_bytes(one) for one in tree]
        measured.largest_bytes = max(measured.largest_bytes, *sizes)
        measured.total_bytes = max(measured.total_bytes, sum(sizes))


def _tree(pid: int) -> list[int]:
    """Return a process and all that come from it; where there is no /proc, the process alone."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def _resident_bytes(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0


def processor_seconds(pid: int) -> float:
    """Return what a process and all that live and come from it have used of the processors."""
    return sum(_processor_seconds(one) for one in _tree(pid))


def _processor_seconds(pid: int) -> float:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def machine() -> str:
    """Return the size of this machine, and how busy it is with other work."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores, {memory:.0f} GB; load {os.getloadavg()[0]:.1f} before the start"
