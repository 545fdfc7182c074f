"""A copy of the tree in which a fault may be planted."""

from __future__ import annotations

import compileall
import contextlib
import enum
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mutant import Mutant

_PARTS = ("src", "components", "pipelines", "tests", "configs", "notebooks", "requirements")
_FILES = ("pyproject.toml", "README.md", "CHANGELOG.md", "Makefile", "LICENSE")
_SECONDS = 300
# pytest: some failed; collection was interrupted by an error.
_NOTICED_CODES = (1, 2)


class Verdict(enum.Enum):
    """What the tests made of a fault."""

    NOTICED = "noticed"
    UNNOTICED = "UNNOTICED"
    NOT_RUN = "NOT RUN"


@dataclass(frozen=True)
class CopiedTree:
    """One copy; used for one mutant at a time.

    Attributes:
        root: Its folder.
    """

    root: Path

    @classmethod
    def make(cls, source: Path, target: Path) -> CopiedTree:
        """Copy a tree; its modules are compiled once, for all mutants."""
        target.mkdir(parents=True)
        ignored = shutil.ignore_patterns("__pycache__", "*.egg-info", ".headrace")
        for name in _PARTS:
            # The library's components and pipelines are links to folders beside it.
            shutil.copytree(source / name, target / name, symlinks=True, ignore=ignored)
        for name in _FILES:
            shutil.copy2(source / name, target / name)
        for name in ("src", "components", "pipelines"):
            compileall.compile_dir(target / name, quiet=2)
        return cls(target)

    def attempt(self, mutant: Mutant) -> Verdict:
        """Plant a fault, run its tests, and take it out again."""
        path = self.root / mutant.file
        sound = path.read_text(encoding="utf-8")
        try:
            self._write(path, mutant.planted(sound))
            code = self._run(mutant.tests)
        finally:
            self._write(path, sound)
        if code in _NOTICED_CODES:
            return Verdict.NOTICED
        return Verdict.NOT_RUN if code else Verdict.UNNOTICED

    def passes(self, tests: Sequence[str]) -> bool:
        """Whether tests pass on the code as it is."""
        return self._run(tests) == 0

    def _write(self, path: Path, text: str) -> None:
        path.write_text(text, encoding="utf-8")
        # Python compares seconds and sizes only: what was compiled before might pass for this.
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink()

    def _run(self, tests: Sequence[str]) -> int:
        """Run tests until one fails; one that takes too long has failed."""
        environment = {**os.environ, "PYTHONPATH": str(self.root / "src"), "PYTHONHASHSEED": "0"}
        environment.pop("PYTEST_ADDOPTS", None)
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
        process = subprocess.Popen(
            command,
            cwd=self.root,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return process.wait(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            return 1
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
