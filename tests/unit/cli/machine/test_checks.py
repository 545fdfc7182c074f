"""`headrace doctor`."""

from __future__ import annotations

import json
import os
import re

import pytest

from headrace.cli.machine import checks, machine
from headrace.cli.machine.checks import BAD, GOOD, WARNING, Check
from headrace.cli.machine.tested_versions import COMMON, GENERATIONS

_PROJECT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", "..", ".."))
_REINSTALL = f"Install the tested versions: make -C {_PROJECT} set-up"
_REQUIREMENTS = os.path.join(_PROJECT, "requirements")


_NEWER_SYSTEM = "; or use Debian 13 or Ubuntu 24.04, where Python 3.10 to 3.13 fit"


@pytest.mark.parametrize(
    ("version", "glibc", "words", "way_out"),
    [
        ("3.9.1", "2.41", "TFX runs on Python 3.10 to 3.13 beside glibc 2.41", ""),
        ("3.14.0", "2.41", "TFX runs on Python 3.10 to 3.13 beside glibc 2.41", ""),
        ("3.14.0", "2.36", "TFX runs on Python 3.10 beside glibc 2.36", ""),
        ("3.11.2", "2.36", "TFX runs on Python 3.10 beside glibc 2.36", _NEWER_SYSTEM),
    ],
)
def test_a_python_that_no_generation_runs_on(monkeypatch, version, glibc, words, way_out):
    """One sentence says what fits here, one what to do; a newer system only where it would help."""
    monkeypatch.setattr(checks, "inspect_machine", lambda: machine.Machine(1, 1, _parts(glibc)))
    monkeypatch.setattr(checks.sys, "executable", "/usr/bin/python3")

    assert checks.check_python(_parts(version)) == Check(
        "Python",
        BAD,
        f"{version} at /usr/bin/python3; {words}",
        f"make the virtual environment with Python 3.10 (pyenv install 3.10, or uv python install 3.10){way_out}.",
    )


def test_where_no_tfx_can_run_nothing_else_is_looked_at(monkeypatch):
    """One line says so; that packages are missing too is of no use."""
    _installed(monkeypatch, {"tfx": None, "dill": None})
    monkeypatch.setattr(checks, "inspect_machine", lambda: machine.Machine(1, 1, (2, 36)))
    monkeypatch.setattr(checks.sys, "version_info", (3, 11, 2, "final", 0))

    found = list(checks.run_checks(".headrace"))

    assert [(check.name, check.outcome) for check in found] == [("Python", BAD), ("System", GOOD)]


@pytest.mark.parametrize(
    ("tfx", "version", "glibc"),
    [
        ("1.16", "3.10.0", "2.36"),
        ("1.21", "3.11.0", "2.39"),
        ("1.21", "3.13.9", "2.41"),
        ("1.16", "3.10.1", "2.41"),
        (None, "3.10.0", ""),
    ],
)
def test_a_python_that_fits(monkeypatch, tfx, version, glibc):
    """Each generation with its own; where the C library is another one, the system's check says so."""
    _installed(monkeypatch, {"tfx": tfx})
    monkeypatch.setattr(checks, "inspect_machine", lambda: machine.Machine(1, 1, _parts(glibc)))

    assert checks.check_python(_parts(version)).outcome == GOOD


def test_a_generation_on_a_python_that_it_was_not_tested_with(monkeypatch):
    """An installer that was told to ignore what TFX requires puts 1.16 beside Python 3.12."""
    _installed(monkeypatch, {"tfx": "1.16.0"})
    monkeypatch.setattr(checks, "inspect_machine", lambda: machine.Machine(1, 1, (2, 41)))
    monkeypatch.setattr(checks.sys, "executable", "/usr/bin/python3")

    assert checks.check_python((3, 12, 1)) == Check(
        "Python", WARNING, "3.12.1 at /usr/bin/python3; TFX 1.16 is tested with Python 3.10", _REINSTALL
    )


def _parts(version):
    return tuple(int(part) for part in version.split(".") if part)


def _installed(monkeypatch, changes):
    """Make exactly the tested versions of TFX 1.16 look installed, but for the changes."""
    generation = GENERATIONS[0]
    versions = {"tfx": generation.tfx, **{name: items[0] for name, items in generation.packages.items()}}
    versions.update({name: items[-1] for name, items in COMMON.items()})
    versions.update(changes)
    monkeypatch.setattr(checks, "_version", versions.get)


def test_tested_versions_are_told_in_one_line(monkeypatch):
    """A patch release of a tested version is tested."""
    _installed(monkeypatch, {"tensorflow": "2.16.9"})

    assert list(checks.check_packages()) == [
        Check(
            "Packages",
            GOOD,
            "tfx 1.16, tensorflow 2.16.9, apache-beam 2.74, ml-metadata 1.16 and 17 others, as tested",
        )
    ]


def test_a_missing_package_says_why_it_is_needed(monkeypatch):
    """Stock pins leave dill out."""
    _installed(monkeypatch, {"dill": None})

    assert next(iter(checks.check_packages())) == Check(
        "dill",
        BAD,
        "not installed",
        f"tfx_bsl and tensorflow_transform import it and do not require it. {_REINSTALL}",
    )


def test_another_version_is_a_warning(monkeypatch):
    """It may work; it was not tested. 10.0 is not within 1."""
    _installed(monkeypatch, {"numpy": "1.2", "pyarrow": "100.0"})

    found = {check.name: (check.outcome, check.text) for check in checks.check_packages()}

    assert found["numpy"] == (WARNING, "1.2; tested with 1.26")
    assert found["pyarrow"] == (WARNING, "100.0; tested with 10")


def test_another_tfx_is_bad(monkeypatch):
    """Both generations are named."""
    _installed(monkeypatch, {"tfx": "1.14.0"})

    first = next(iter(checks.check_packages()))

    assert (first.outcome, first.text) == (BAD, "1.14.0; tested with 1.16 and 1.21")


@pytest.mark.parametrize(
    ("index", "name"), [(0, "tfx-1.16-py3.10.txt"), (1, "tfx-1.21.txt")], ids=["1.16", "1.21"]
)
def test_the_table_agrees_with_the_lock_files(index, name):
    """A lock file that moves on takes the table with it."""
    path = os.path.join(_REQUIREMENTS, name)
    with open(path, encoding="utf-8") as file:
        pins = re.findall(r"^([A-Za-z0-9.-]+)==([^ ;\\\n]+)", file.read(), re.MULTILINE)
    locked: dict[str, list[str]] = {}
    for package, version in pins:
        locked.setdefault(package.lower(), []).append(version)
    generation = GENERATIONS[index]
    tested = {"tfx": (generation.tfx,), **generation.packages, **COMMON}

    for package, wanted in tested.items():
        versions = locked[package.lower()]
        assert all(any(checks._is_within(v, item) for item in wanted) for v in versions), (package, versions)


@pytest.mark.parametrize(
    ("gib", "cpus", "outcomes"), [(2, 1, [BAD, WARNING]), (6, 2, [WARNING, GOOD]), (24, 2, [GOOD, GOOD])]
)
def test_memory_and_processors(monkeypatch, gib, cpus, outcomes):
    """Too little stops, little warns."""
    monkeypatch.setattr(checks, "inspect_machine", lambda: machine.Machine(gib * 2**30, cpus, (2, 36)))

    assert [check.outcome for check in checks.check_machine()] == outcomes


def test_an_old_c_library_is_bad_for_the_new_generation(monkeypatch):
    """It says which TFX to install."""
    _installed(monkeypatch, {"tfx": "1.21.0"})
    monkeypatch.setattr(checks.platform, "system", lambda: "Linux")
    monkeypatch.setattr(checks.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(checks, "inspect_machine", lambda: machine.Machine(1, 1, (2, 36)))

    assert checks.check_platform() == Check(
        "System", BAD, "Linux x86_64, glibc 2.36", "TFX 1.21 needs glibc 2.39: install TFX 1.16."
    )


@pytest.mark.parametrize(("tfx", "outcome"), [(None, BAD), ("1.21.0", WARNING)])
def test_a_system_that_tfx_was_not_tested_on(monkeypatch, tfx, outcome):
    """TFX may be there all the same: it has packages for some Macs."""
    _installed(monkeypatch, {"tfx": tfx})
    monkeypatch.setattr(checks.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(checks.platform, "machine", lambda: "arm64")
    monkeypatch.setattr(checks, "inspect_machine", lambda: machine.Machine(1, 1, ()))

    assert checks.check_platform() == Check(
        "System",
        outcome,
        "Darwin arm64; the tested versions of TFX are for Linux on x86-64 with glibc",
        "run it in such a container or virtual machine, for example Debian 13 with Python 3.13.",
    )


def test_outside_the_project_another_installation_is_the_advice(monkeypatch, tmp_path):
    """A wheel has no `make`."""
    monkeypatch.setattr(
        checks.headrace, "__file__", str(tmp_path / "site-packages" / "headrace" / "__init__.py")
    )
    _installed(monkeypatch, {"pyfarmhash": None})

    assert next(iter(checks.check_packages())) == Check(
        "pyfarmhash",
        BAD,
        "not installed",
        "It has no wheels: it needs a C++ compiler (apt install g++ python3-dev). Install Headrace into an empty "
        "virtual environment: pip takes versions that fit each other.",
    )


def test_folders_that_cannot_be_written_or_are_full(monkeypatch, project):
    """A store that is not there yet is looked for at the nearest folder above."""
    monkeypatch.setattr(checks, "_write_problem", lambda path: "Read-only file system" if path == "/" else "")
    monkeypatch.setattr(checks, "free_bytes", lambda path: 2**27)

    found = {check.name: check for check in checks.check_folders("/none/here")}

    assert found["Store"] == Check(
        "Store",
        BAD,
        "/none/here cannot be written: Read-only file system",
        "make it writable and give it room, or name another with --store DIR.",
    )
    assert found["Folder"].text == f"{project}, 0.1 GiB free"
    assert found["Folder"].outcome == BAD


@pytest.mark.parametrize(("outcome", "code"), [(GOOD, 0), (WARNING, 0), (BAD, 1)])
def test_doctor_prints_a_line_per_check(headrace, monkeypatch, outcome, code):
    """And exits 1 where something must be mended."""
    found = [Check("Python", GOOD, "3.10"), Check("Memory", outcome, "1.0 GiB", "buy some.")]
    monkeypatch.setattr(checks, "run_checks", lambda store: iter(found))

    result = headrace("doctor")

    sign = {GOOD: "✓", WARNING: "!", BAD: "✗"}[outcome]
    last = {
        GOOD: "Ready. Try: headrace run taxi",
        WARNING: "Ready, 1 to look at. Try: headrace run taxi",
        BAD: "1 to mend before a pipeline can run, 0 to look at.",
    }[outcome]
    assert result.exit_code == code
    assert result.output == (
        f"✓ Python       3.10\n{sign} Memory       1.0 GiB\n               buy some.\n\n{last}\n"
    )
    as_json = headrace("doctor", "--json")
    assert as_json.exit_code == code
    assert json.loads(as_json.output)[1]["outcome"] == outcome
