"""Kill -9 at random moments: nothing is lost, and the next start mends what was left. The long form is a command."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType

KILLS_PATH = Path(__file__).parent.parent / "benchmarks" / "kills.py"


def load_kills() -> ModuleType:
    import sys

    spec = importlib.util.spec_from_file_location("kills", KILLS_PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["kills"] = module
    spec.loader.exec_module(module)
    return module


def test_killed_runs_lose_nothing(tmp_path: Path):
    seed = int.from_bytes(os.urandom(3), "big")

    report = load_kills().kill_many(6, seed, tmp_path)

    assert not report.lost, f"seed {seed}\n{report}"
