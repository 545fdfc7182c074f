"""The notebooks run, from the first cell to the last, in real kernels without a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
NAMES = sorted(path.name for path in FOLDER.glob("*.ipynb"))
TIMEOUT_SECONDS = 300


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder, and so one store, for all: what one notebook made, the next finds in the cache."""
    folder: Path = tmp_path_factory.mktemp("notebooks")
    for name in NAMES:
        shutil.copy(FOLDER / name, folder)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_from_top_to_bottom(name: str, place: Path, monkeypatch: pytest.MonkeyPatch):
    # `!headrace run` in a cell means the command of this environment.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    notebook = nbformat.read(place / name, as_version=4)

    NotebookClient(
        notebook, timeout=TIMEOUT_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(place)}}
    ).execute()

    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type == "error"]
    pages = [output.data["text/html"] for output in outputs if "text/html" in output.get("data", {})]
    assert any("<table" in page for page in pages)


def test_the_exported_pipeline_comes_from_the_cache(place: Path):
    """After its notebook ran: nothing is executed again."""
    if not (place / "taxi_exported.py").exists():
        pytest.skip("its notebook did not run")

    done = subprocess.run(
        [sys.executable, "-m", "headrace", "run", "taxi_exported.py", "--plain"],
        check=False,
        cwd=place,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(": cached") == 6


@pytest.mark.parametrize("name", NAMES)
def test_notebooks_are_kept_without_outputs_and_logic(name: str):
    notebook = nbformat.read(FOLDER / name, as_version=4)

    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not [cell for cell in code if cell.outputs or cell.execution_count]
    assert max(cell.source.count("\n") for cell in code) < 40
