"""A module that starts a process when it is imported, such as a server of data for the nodes that use it."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
from conftest_runs import Run, run, states, store

_ = (run, store)  # fixtures


@pytest.fixture
def workers() -> None:
    """Each run here starts and ends a server of its own."""


MODULE = """
import os, subprocess
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import Schema

helper = None
if "HEADRACE_FAMILY" in os.environ:
    helper = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

def ask(uri):
    helper.stdin.write(b"word\\n")
    helper.stdin.flush()
    with open(os.path.join(uri, "text"), "wb") as file:
        file.write(helper.stdout.readline())

@component
def First(out: OutputArtifact[Schema]):
    ask(out.uri)

@component
def Second(given: InputArtifact[Schema], out: OutputArtifact[Schema]):
    ask(out.uri)
"""


def test_a_process_of_a_module_serves_every_node(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Each has one of its own: what a node's reading of the module starts ends with the node."""
    (tmp_path / "helped.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    helped = importlib.import_module("helped")
    try:
        first = helped.First()
        result = run(first, helped.Second(given=first.outputs["out"]))
    finally:
        del sys.modules["helped"]

    assert states(result) == {"First": "done", "Second": "done"}
    [output] = result.node("Second").outputs
    assert (Path(output.uri) / "text").read_text() == "word\n"
