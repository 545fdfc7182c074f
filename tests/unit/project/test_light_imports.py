"""What starts every command must not load the heavy libraries: that would cost 5 to 15 seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

HEAVY = (
    "tensorflow",
    "keras",
    "apache_beam",
    "pyarrow",
    "pandas",
    "numpy",
    "fsspec",
    "tensorflow_data_validation",
    "tensorflow_transform",
    "tensorflow_model_analysis",
)

# The part of TFX that records runs. It loads Google's API client, and takes as long as all the rest.
RECORDING = (
    "tfx.orchestration.portable.execution_publish_utils",
    "tfx.orchestration.portable.mlmd.context_lib",
    "googleapiclient",
)

# What the commands that look at a store import.
READERS = (
    "garbage.collection",
    "read.catalog",
    "read.comparison",
    "read.explanation",
    "read.starts",
    "read.subjects",
    "session",
)

# Imports each module and prints, for the first one that loads something heavy, what that is.
_SCRIPT = """
import importlib, json, sys
heavy, modules = json.loads(sys.argv[1])
for name in modules:
    importlib.import_module(name)
    loaded = [library for library in heavy if library in sys.modules]
    if loaded:
        print(json.dumps([name, loaded]))
        break
"""


def _light_modules() -> list[str]:
    declarations = [
        f"headrace.{path.parent.parent.name}.{path.parent.name}.{path.stem}"
        for pattern in ("components/*/component.py", "pipelines/*/pipeline.py")
        for path in sorted(ROOT.glob(pattern))
    ]
    return ["headrace", "headrace.authoring", *declarations, "headrace.components", "headrace.cli.main"]


def _heavy_import(modules: list[str], heavy: tuple[str, ...] = HEAVY) -> str:
    command = [sys.executable, "-c", _SCRIPT, json.dumps([heavy, modules])]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_every_declaration_and_ready_pipeline_is_found():
    """The list below is made of the files there are: a new component cannot be forgotten."""
    modules = _light_modules()

    assert "headrace.components.trainer.component" in modules
    assert "headrace.pipelines.taxi.pipeline" in modules
    assert len(modules) >= 12


def test_declarations_and_command_line_load_no_heavy_library():
    """On failure the reader sees the module and what it loaded."""
    assert _heavy_import(_light_modules()) == ""


def test_who_reads_a_store_loads_nothing_that_records():
    modules = [f"headrace.store.{name}" for name in READERS]

    assert _heavy_import(modules, (*HEAVY, *RECORDING)) == ""


def test_a_heavy_import_would_be_seen():
    """The check itself works: numpy is one of the libraries it names."""
    assert _heavy_import(["json", "numpy"]) == '["numpy", ["numpy"]]'
