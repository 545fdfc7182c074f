"""What type checkers and editors know of the public surface."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from public_surface import untyped

from headrace.runtime import executor

TYPED = Path(__file__).parents[1] / "data/typed/outputs.py"


def test_mypy_knows_each_output_and_refuses_others(tmp_path: Path) -> None:
    """The comment of each line is what is said of it, and nothing is said of the others."""
    # Beside the project, whose own settings skip TFX.
    (tmp_path / "mypy.ini").write_text(f"[mypy]\nstrict = True\ncache_dir = {tmp_path / 'cache'}\n")

    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", str(TYPED)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )

    said = {
        int(line): re.sub(r'(?<=["\[])[\w.]+\.(?=\w+["\[\]])', "", text)
        for line, text in re.findall(r"outputs\.py:(\d+): (?:note|error): (.*)", done.stdout)
    }
    expected = {
        number: line.partition("  # ")[2]
        for number, line in enumerate(TYPED.read_text().splitlines(), 1)
        if "  # " in line
    }
    assert len(expected) > 10, done.stderr
    assert said.keys() == expected.keys(), done.stdout
    for number, text in expected.items():
        assert text in said[number]


def test_the_bases_of_executors_name_their_types() -> None:
    """But for the values of TFX's exec properties."""
    assert untyped(executor) == {"BeamExecutor.Do: exec_properties", "Executor.Do: exec_properties"}
