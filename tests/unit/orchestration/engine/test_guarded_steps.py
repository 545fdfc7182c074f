"""Whatever ends a step of a node's life ends that node, and leaves no other waiting."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headrace.authoring.light import authoring
from headrace.errors import HeadraceError
from headrace.orchestration.engine.engine import Engine, RunSettings
from headrace.orchestration.events import NodeResult, NodeState
from headrace.run_options import RunOptions
from headrace.store.open.store import Store

with authoring():
    from tfx.proto.orchestration import pipeline_pb2


def _fail() -> None:
    raise ValueError("no data")


@pytest.mark.parametrize(
    ("step", "words"),
    [(lambda: sys.exit("no data"), "SystemExit: no data"), (_fail, "ValueError: no data")],
    ids=["exit", "exception"],
)
def test_a_step_that_ends_in_any_way_is_that_nodes_failure(tmp_path: Path, step: Any, words: str):
    """A resolver that calls `sys.exit` ends neither the run nor the thread that the other nodes need."""
    settings = RunSettings(RunOptions(workers=1), details={"configuration": {}, "script": ""})
    engine = Engine(pipeline_pb2.Pipeline(), [], Store(str(tmp_path / "store")), "", settings)

    def failed(error: HeadraceError) -> NodeResult:
        return NodeResult("Find", NodeState.FAILED, error=error)

    life: Any = SimpleNamespace(node_id="Find", log_path=str(tmp_path / "log"), failed=failed)

    result = engine._guarded(life, step)

    assert isinstance(result, NodeResult)
    assert words in str(result.error)
    assert "no data" in (tmp_path / "log").read_text()
