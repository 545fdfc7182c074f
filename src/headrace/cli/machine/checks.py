"""The checks of `headrace doctor`. None of them imports a heavy library into this process."""

from __future__ import annotations

import concurrent.futures
import importlib.metadata
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import headrace
from headrace.cli.machine.machine import free_bytes, inspect_machine
from headrace.cli.machine.tested_versions import COMMON, GENERATIONS, Generation
from headrace.ui.units import format_gigabytes

GOOD, WARNING, BAD = "good", "warning", "bad"

_PROBE_TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Check:
    """One finding: what was looked at, `good`, `warning` or `bad`, what was found, what to do."""

    name: str
    outcome: str
    text: str
    advice: str = ""


def run_checks(store: str) -> Iterator[Check]:
    """Yield the findings as they are made, quick ones first; where no TFX can run, only those that say so.

    Args:
        store: Folder of the store that must be writable.
    """
    bases = [check_python(sys.version_info[:3]), check_platform()]
    yield from bases
    if any(check.outcome == BAD for check in bases):
        return
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        # They take seconds, in processes of their own: started first, told last.
        probes = [(name, pool.submit(_probe, name)) for name in ("beam", "metadata")]
        yield from check_packages()
        yield from check_machine()
        yield from check_folders(store)
        titles = {"beam": "Beam", "metadata": "ML Metadata"}
        for name, probe in probes:
            outcome, text = probe.result()
            advice = "" if outcome == GOOD else _reinstall()
            yield Check(titles[name], outcome, text, advice)


def check_python(version: tuple[int, ...]) -> Check:
    """Check that a generation of TFX runs on this Python beside this C library."""
    text = f"{'.'.join(str(part) for part in version)} at {sys.executable}"
    glibc = inspect_machine().glibc
    there = [item for item in GENERATIONS if not glibc or glibc >= item.min_glibc]
    if not any(version[:2] in item.pythons for item in there):
        beside = f" beside glibc {_dotted(glibc)}" if glibc else ""
        elsewhere = (
            f"; or use Debian 13 or Ubuntu 24.04, where {_pythons(GENERATIONS)} fit"
            if any(version[:2] in item.pythons for item in GENERATIONS)
            else ""
        )
        return Check(
            "Python",
            BAD,
            f"{text}; TFX runs on {_pythons(there)}{beside}",
            "make the virtual environment with Python 3.10 (pyenv install 3.10, or uv python install 3.10)"
            f"{elsewhere}.",
        )
    installed = _generation()
    if installed is not None and version[:2] not in installed.pythons:
        return Check(
            "Python",
            WARNING,
            f"{text}; TFX {installed.tfx} is tested with {_pythons([installed])}",
            _reinstall(),
        )
    return Check("Python", GOOD, text)


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _pythons(generations: Sequence[Generation]) -> str:
    """Name the versions of Python that the generations run on, such as `Python 3.10 to 3.13`."""
    versions = sorted({version for item in generations for version in item.pythons})
    last = f" to {_dotted(versions[-1])}" if len(versions) > 1 else ""
    return f"Python {_dotted(versions[0])}{last}"


def check_platform() -> Check:
    """Check that TFX's wheels exist for this system."""
    system, processor = platform.system(), platform.machine()
    glibc = inspect_machine().glibc
    text = f"{system} {processor}{f', glibc {_dotted(glibc)}' if glibc else ''}"
    generation = _generation()
    if system == "Linux" and processor == "x86_64" and glibc:
        if generation is not None and glibc < generation.min_glibc:
            wanted = _dotted(generation.min_glibc)
            return Check("System", BAD, text, f"TFX {generation.tfx} needs glibc {wanted}: install TFX 1.16.")
        return Check("System", GOOD, text)
    return Check(
        "System",
        WARNING if generation else BAD,
        f"{text}; the tested versions of TFX are for Linux on x86-64 with glibc",
        "run it in such a container or virtual machine, for example Debian 13 with Python 3.13.",
    )


def check_packages() -> Iterator[Check]:
    """Compare the installed versions with the tested ones; fitting packages are told in one line."""
    generation = _generation()
    if generation is None:
        found = _version("tfx") or "not installed"
        known = " and ".join(item.tfx for item in GENERATIONS)
        yield Check("tfx", BAD, f"{found}; tested with {known}", _reinstall())
        tested = dict(COMMON)
    else:
        tested = {"tfx": (generation.tfx,), **generation.packages, **COMMON}
    fitting = []
    for name, wanted in tested.items():
        version = _version(name)
        if version is None:
            yield Check(name, BAD, "not installed", _advice(name))
        elif not any(_is_within(version, item) for item in wanted):
            yield Check(name, WARNING, f"{version}; tested with {' and '.join(wanted)}", _reinstall())
        else:
            fitting.append(f"{name} {version}")
    if fitting:
        # The first are those that people ask about.
        others = f" and {len(fitting) - 4} others" if len(fitting) > 4 else ""
        yield Check("Packages", GOOD, f"{', '.join(fitting[:4])}{others}, as tested")


def _generation() -> Generation | None:
    version = _version("tfx")
    return next((item for item in GENERATIONS if version and _is_within(version, item.tfx)), None)


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _is_within(version: str, tested: str) -> bool:
    """Whether a version is the tested one: `1.16.2` is within `1.16`, and `3.1.0` within `3`."""
    parts = tested.split(".")
    return version.split(".")[: len(parts)] == parts


def _reinstall() -> str:
    """Where the project's folder is there, it has the tested versions; a wheel has their limits."""
    project = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(headrace.__file__))))
    if os.path.exists(os.path.join(project, "requirements", "set_up.sh")):
        return f"Install the tested versions: make -C {project} set-up"
    return "Install Headrace into an empty virtual environment: pip takes versions that fit each other."


def _advice(name: str) -> str:
    reasons = {
        "dill": "tfx_bsl and tensorflow_transform import it and do not require it. ",
        "tensorboard": "TensorFlow imports it and does not always require it. ",
        "pyfarmhash": "It has no wheels: it needs a C++ compiler (apt install g++ python3-dev). ",
    }
    return f"{reasons.get(name, '')}{_reinstall()}"


def check_machine() -> Iterator[Check]:
    """Check memory and processors, those of a container where one limits them."""
    machine = inspect_machine()
    memory = format_gigabytes(machine.memory_bytes)
    if not machine.memory_bytes:
        yield Check("Memory", WARNING, "its size is not known")
    elif machine.memory_bytes < 3 * 2**30:
        yield Check("Memory", BAD, memory, "4 GiB are needed: TensorFlow and Beam take 1 GiB per worker.")
    elif machine.memory_bytes < 7.5 * 2**30:
        yield Check("Memory", WARNING, memory, "run one node at a time: --workers 1.")
    else:
        yield Check("Memory", GOOD, memory)
    cpus = f"{machine.num_cpus:g}"
    if machine.num_cpus < 2:
        yield Check("Processors", WARNING, cpus, "nodes run one after another; two or more are better.")
    else:
        yield Check("Processors", GOOD, cpus)


def check_folders(store: str) -> Iterator[Check]:
    """Check that the folders that a run writes to can be written, and that the disk has room."""
    folders = {"Folder": os.getcwd(), "Store": os.path.abspath(store), "Temporary": tempfile.gettempdir()}
    for name, path in folders.items():
        place = path
        while not os.path.exists(place):
            # A store that does not exist yet is made below the nearest folder that does.
            place = os.path.dirname(place)
        problem = _write_problem(place)
        free = free_bytes(place)
        if problem:
            yield Check(name, BAD, f"{path} cannot be written: {problem}", _FOLDER_ADVICE[name])
        elif free < 2**28:
            yield Check(name, BAD, f"{path}, {format_gigabytes(free)} free", _FOLDER_ADVICE[name])
        elif free < 2 * 2**30:
            yield Check(name, WARNING, f"{path}, {format_gigabytes(free)} free", "free some space.")
        else:
            yield Check(name, GOOD, f"{path}, {format_gigabytes(free)} free")


_FOLDER_ADVICE = {
    "Folder": "run the command in a folder that you own, or name a store elsewhere with --store DIR.",
    "Store": "make it writable and give it room, or name another with --store DIR.",
    "Temporary": "set TMPDIR to a folder that can be written and has room.",
}


def _write_problem(path: str) -> str:
    try:
        with tempfile.NamedTemporaryFile(dir=path, prefix=".headrace-doctor-") as file:
            file.write(b"x")
            file.flush()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _probe(name: str) -> tuple[str, str]:
    """Run one of `headrace.cli.machine.probes` in a process of its own, which may hang or crash."""
    started = time.monotonic()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "headrace.cli.machine.probes", name],
            capture_output=True,
            text=True,
            timeout=_PROBE_TIMEOUT_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return BAD, f"gave no answer in {_PROBE_TIMEOUT_SECONDS} s"
    if done.returncode == 0:
        text = done.stdout.strip().splitlines()[-1:]
        return GOOD, f"{''.join(text)} ({time.monotonic() - started:.1f} s with its start)"
    last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
    return BAD, f"failed: {last[0]}"
