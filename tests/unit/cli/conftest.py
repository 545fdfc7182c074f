"""A fake engine in the place of the real one: it emits the events of a run and keeps what it was given."""

from __future__ import annotations

import sys
import tempfile
import types
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from headrace.cli.main import cli
from headrace.errors import TrainingError
from headrace.orchestration.events import (
    NodeFinished,
    NodeProgress,
    NodeResult,
    NodeStarted,
    NodeState,
    OutputRecord,
    RunFinished,
    RunResult,
    RunStarted,
)
from headrace.run_options import RunOptions

PIPELINE_FILE = '''"""Adds."""


class FakePipeline:
    components = ()
    pipeline_info = "info"


def create_pipeline(*, train_steps: int = 100, push_to: str = "serving", min_accuracy: float = 0.5):
    pipeline = FakePipeline()
    pipeline.parameters = {"train_steps": train_steps, "push_to": push_to, "min_accuracy": min_accuracy}
    return pipeline
'''


class FakeEngine:
    """Stands for `headrace.orchestration.engine.start`.

    Attributes:
        pipelines, options, internal: What each call was given.
        ending: State of the node Trainer.
        raises: Raised instead of running.
    """

    def __init__(self) -> None:
        self.pipelines: list[Any] = []
        self.options: list[RunOptions] = []
        self.internal: list[dict[str, Any]] = []
        self.ending = NodeState.DONE
        self.raises: BaseException | None = None

    def run(self, pipeline: Any, options: RunOptions, *, display: Any, **internal: Any) -> RunResult:
        self.pipelines.append(pipeline)
        self.options.append(options)
        self.internal.append(internal)
        if self.raises is not None:
            raise self.raises
        if options.dry_run:
            nodes = (
                NodeResult("ExampleGen", NodeState.CACHED, reason="same inputs as execution 1"),
                NodeResult("Trainer", NodeState.WAITING, reason="parameter train_steps changed"),
            )
            return RunResult("dry-run", "demo", nodes, 0.1, ".headrace", is_plan=True)
        result = RunResult("2026-11-21-1", "demo", tuple(self._nodes()), 41.0, ".headrace")
        display(RunStarted("2026-11-21-1", "demo", ("ExampleGen", "Trainer"), ".headrace/logs/2026-11-21-1"))
        for node in result.nodes:
            display(NodeStarted(node.node_id))
            display(NodeProgress(node.node_id, "reading", 5))
            display(NodeFinished(node))
        display(RunFinished(result))
        return result

    def _nodes(self) -> list[NodeResult]:
        examples = OutputRecord("examples", "Examples", 1, "/data/examples/1", "train 9,998 rows")
        nodes = [NodeResult("ExampleGen", NodeState.DONE, 3.1, outputs=(examples,))]
        if self.ending is NodeState.FAILED:
            error = TrainingError("Trainer: the loss became NaN at step 7.", "lower the learning rate.")
            failed = NodeResult("Trainer", NodeState.FAILED, 2.0, error=error, log_path="logs/Trainer.log")
            return [*nodes, failed]
        return [*nodes, NodeResult("Trainer", self.ending, 2.0)]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    fake = FakeEngine()
    module = types.ModuleType("headrace.orchestration.engine.start")
    module.run = fake.run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "headrace.orchestration.engine.start", module)
    return fake


@pytest.fixture
def project(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty project folder with `demo.py`, as the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADRACE_DEBUG", "0")
    # Tracebacks go to the temporary folder.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "argv", ["headrace", "run", "demo.py"])
    (tmp_path / "demo.py").write_text(PIPELINE_FILE)
    return tmp_path


@pytest.fixture
def headrace() -> Callable[..., Result]:
    """Runs the command line in this process."""

    def invoke(*arguments: str, input: str | None = None) -> Result:
        return CliRunner().invoke(cli, list(arguments), input=input, prog_name="headrace")

    return invoke
