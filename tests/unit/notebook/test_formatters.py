"""What a person sees who evaluates an object, in IPython and outside of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nodes

from headrace.authoring import Component, ComponentSpec, ExecutionParameter, NamedExecutorSpec
from headrace.store.results import NodeResult, NodeState, RunResult

_SESSION = """
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
import headrace
from headrace.store.results import NodeResult, NodeState

result = headrace.RunResult("run-1", "taxi", (NodeResult("Make", NodeState.DONE, 1.0),), 1.0, "store")
import nodes

make = nodes.Make(text="<b>")
for item in (result, make, make.outputs["out"], [1]):
    formats, _ = shell.display_formatter.format(item)
    print(sorted(formats), formats["text/plain"].splitlines()[0])
"""


def test_ipython_shows_runs_components_and_channels_without_a_context():
    """`headrace.run` in a notebook is enough; what is not Headrace's stays as it is."""
    folder = Path(nodes.__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", _SESSION], capture_output=True, text=True, check=True, cwd=folder
    )

    assert done.stdout.splitlines() == [
        "['text/html', 'text/plain'] taxi run run-1, 1.0 s",
        "['text/html', 'text/plain'] Make",
        "['text/html', 'text/plain'] Schema of Make.outputs['out']",
        "['text/plain'] [1]",
    ]


class SizeSpec(ComponentSpec):
    PARAMETERS = {"size": ExecutionParameter(type=int)}
    INPUTS = {}
    OUTPUTS = {}


class Size(Component):
    SPEC_CLASS = SizeSpec
    EXECUTOR_SPEC = NamedExecutorSpec("nowhere.Executor")

    def __init__(self, size: int) -> None:
        super().__init__(SizeSpec(size=size))


def test_plain_python_shows_components_and_runs_in_lines():
    node = NodeResult("Make", NodeState.DONE, 1.0)

    assert repr(Size(3)) == "Size\n  size = 3"
    assert repr(Size(3).with_id("Small")) == "Small (Size)\n  size = 3"
    assert repr(RunResult("run-1", "taxi", (node,), 2.0, "store")) == ("taxi run run-1, 2.0 s\n  Make: done")
