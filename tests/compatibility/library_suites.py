"""Run test modules that lie in a library's wheel, with a plugin that puts Headrace's code in the place of the library's."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

_TAKEN = re.compile(r"^cases taken: (\d+)", re.MULTILINE)


def run_suites(tmp_path: Path, package: str, files: Sequence[str], plugin: str, only: str) -> int:
    """Run a library's own cases, which must all pass; return how often the plugin took their work.

    Args:
        tmp_path: Where they run.
        package: Importable name of the library.
        files: Test modules, relative to it; those that the wheel leaves out are not run.
        plugin: Module beside this one; it ends with a line `cases taken: N`.
        only: Which cases, as pytest's `-k` selects them.
    """
    found = importlib.util.find_spec(package)
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent
    present = [str(folder / name) for name in files if (folder / name).exists()]
    if not present:
        pytest.skip(f"this wheel of {package} has no tests")
    command = [sys.executable, "-m", "pytest", "-p", plugin, "-p", "no:cacheprovider", "-q", "--tb=short"]
    # Newer wheels mark whole classes as failing under pytest, which are not with what `suite_surroundings` prepares.
    command.append("--runxfail")
    command += ["-W", "ignore", f"--rootdir={tmp_path}", "-k", f"({only}) and not test_session", *present]
    here = Path(__file__).parent
    paths = os.pathsep.join(map(str, (here, here.parent / "integration")))
    environment = {**os.environ, "PYTHONPATH": paths, "TF_USE_LEGACY_KERAS": "1"}
    # Options that are meant for the tests outside, such as a plugin of theirs.
    environment.pop("PYTEST_ADDOPTS", None)

    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    taken = _TAKEN.search(run.stdout)
    assert taken is not None
    return int(taken[1])
