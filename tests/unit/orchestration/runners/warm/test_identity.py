"""The name of a server: what cannot be changed any more once libraries are loaded."""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

import pytest

from headrace.orchestration.runners.warm import identity

_PLAIN = {"HOME": "/home/a", "LANG": "C"}


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One folder of installed packages."""
    path = tmp_path / "site-packages"
    (path / "numpy-1.0.dist-info").mkdir(parents=True)
    monkeypatch.setattr(identity, "library_folders", lambda: (str(path),))
    return path


@pytest.mark.parametrize(
    "variable",
    ["TF_ENABLE_ONEDNN_OPTS", "KERAS_BACKEND", "OMP_NUM_THREADS", "LD_PRELOAD", "PYTHONHASHSEED", "CUDA_VISIBLE_DEVICES",
     "LC_ALL", "TZ", "HOME", "PATH", "TQDM_NCOLS"],
)  # fmt: skip
def test_what_libraries_read_when_they_load_is_part_of_it(variable: str):
    assert identity.name({**_PLAIN, variable: "1"}) != identity.name(_PLAIN)
    assert identity.name({**_PLAIN, variable: "1"}) != identity.name({**_PLAIN, variable: "2"})


@pytest.mark.parametrize("variable", ["PWD", "TMPDIR", "PYTHONPATH", "PYTHONUNBUFFERED", "ANYTHING"])
def test_what_each_run_hands_over_is_not(variable: str):
    assert identity.name({**_PLAIN, variable: "1"}) == identity.name(_PLAIN)


def test_what_libraries_set_in_the_runs_process_is_not():
    """A script with two runs, whose process loads scikit-learn between them."""
    assert identity.name({**_PLAIN, "KMP_INIT_AT_FORK": "FALSE"}) == identity.name(_PLAIN)
    assert identity.name({**_PLAIN, "KMP_INIT_AT_FORK": "TRUE"}) != identity.name(_PLAIN)


def test_a_package_that_comes_goes_or_changes_is_another_name(installed: Path):
    names = [identity.name(_PLAIN)]
    (installed / "keras-3.0.dist-info").mkdir()
    names.append(identity.name(_PLAIN))
    (installed / "keras-3.0.dist-info").rename(installed / "keras-3.1.dist-info")
    names.append(identity.name(_PLAIN))
    # The same version, installed anew.
    os.utime(installed / "keras-3.1.dist-info", (time.time(), time.time() + 5))
    names.append(identity.name(_PLAIN))
    (installed / "mine.pth").write_text("/somewhere")
    names.append(identity.name(_PLAIN))
    assert len(set(names)) == len(names)


def test_headraces_own_source_is_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    source = tmp_path / "headrace"
    (source / "inner").mkdir(parents=True)
    (source / "inner" / "a.py").write_text("1")
    monkeypatch.setattr(identity, "_PACKAGE_PATH", str(source))
    before = identity.name(_PLAIN)
    assert identity.name(_PLAIN) == before
    (source / "inner" / "a.py").write_text("22")
    assert identity.name(_PLAIN) != before


def test_another_interpreter_or_limit_is_another_name(monkeypatch: pytest.MonkeyPatch):
    before = identity.name(_PLAIN)
    with monkeypatch.context() as patch:
        patch.setattr(sys, "prefix", "/elsewhere")
        assert identity.name(_PLAIN) != before
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    other = 4096 if soft != 4096 else 0
    resource.setrlimit(resource.RLIMIT_CORE, (min(other, hard) if hard >= 0 else other, hard))
    try:
        changed = resource.getrlimit(resource.RLIMIT_CORE)[0] != soft
        assert (identity.name(_PLAIN) != before) == changed
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))


def test_other_processors_are_another_name():
    before, usable = identity.name(_PLAIN), os.sched_getaffinity(0)
    if len(usable) < 2:
        pytest.skip("there is one processor")
    os.sched_setaffinity(0, {min(usable)})
    try:
        assert identity.name(_PLAIN) != before
    finally:
        os.sched_setaffinity(0, usable)
