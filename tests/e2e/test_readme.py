"""README's examples, as printed: the first in an empty folder, and the one that reads what it recorded."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from stored import list_runs

README = Path(__file__).parents[2] / "README.md"


def test_the_examples_run_as_printed_in_an_empty_folder(tmp_path: Path):
    """The file under the name that the text gives it, then the two commands below it, whose promise holds.

    Then the script that reads the store; what it prints says why the second command ran the Trainer.
    """
    before, code, after = re.split(r"```python\n(.*?)```\n", README.read_text(), maxsplit=1, flags=re.DOTALL)
    [name] = re.findall(r"`(\w+\.py)`", before.rpartition("##")[2])
    first, second = re.findall(rf"^ {{4}}(\S+ .*{re.escape(name)}.*)$", after, flags=re.MULTILINE)[:2]
    (tmp_path / name).write_text(code)

    for line, states in ((first, {"ran": 4}), (second, {"ran": 1, "cached": 3})):
        command, _, arguments = line.partition("#")[0].partition(" ")
        words = {"python": [], "headrace": ["-m", "headrace"]}[command] + arguments.split()
        done = subprocess.run(
            [sys.executable, *words], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        told = done.stdout + done.stderr
        assert ", ".join(f"{count} {word}" for word, count in states.items()) in told, told

    assert [run.state for run in list_runs(str(tmp_path / ".headrace"))] == ["succeeded", "succeeded"]
    [reading] = [
        code for code in re.findall(r"```python\n(.*?)```\n", after, re.DOTALL) if "open_store" in code
    ]
    done = subprocess.run(
        [sys.executable, "-c", reading], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "parameter epochs 3 -> 5" in done.stdout
    assert f"'eval': '{tmp_path}/.headrace/" in done.stdout
