"""The user's code is read once for all nodes of a run, and only where nobody can tell."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest_runs import states

from headrace.authoring import Pipeline
from headrace.orchestration.engine import start as engine
from headrace.orchestration.runners.local.workers import Workers
from headrace.run_options import RunOptions
from headrace.store.results import RunResult
from headrace.usercode import functions

_HEAD = """
import os
from tfx import v1 as tfx

Integer = tfx.types.standard_artifacts.Integer
component, Output, Input = (getattr(tfx.dsl.components, name) for name in ("component", "OutputArtifact", "InputArtifact"))

folder = os.path.dirname(__file__)
with open(os.path.join(folder, "readings.txt"), "a") as file:
    file.write(f"{os.getpid()}\\n")

in_worker = "HEADRACE_FAMILY" in os.environ
seen = []
"""
_NODES = """
@component
def Start(number: Output[Integer]):
    seen.append("Start")
    number.value = len(seen)


@component
def Add(before: Input[Integer], number: Output[Integer]):
    seen.append("Add")
    number.value = before.value + len(seen)


def nodes():
    made = [Start()]
    for index in range(3):
        made.append(Add(before=made[-1].outputs["number"]).with_id(f"Add{index}"))
    return made
"""

_TWO_NODES = """
@component
def Start(number: Output[Integer]):
    number.value = 1


def nodes():
    return [Start().with_id("One"), Start().with_id("Two")]
"""

_SCRIPT = """
import argparse
import headrace
from headrace.authoring import Pipeline

parser = argparse.ArgumentParser()
parser.add_argument("--number", type=int)
number = parser.parse_args().number


@component
def Give(out: Output[Integer]):
    out.value = number


@component
def Double(given: Input[Integer], out: Output[Integer]):
    out.value = 2 * given.value


first = headrace.run(Pipeline("first", components=[Give(), Give().with_id("Again")]), show=False, enable_cache=False)
number += int(open(first.node("Give").outputs[0].uri).read())
give = Give()
second = headrace.run(Pipeline("second", components=[give, Double(given=give.outputs["out"])]), show=False, enable_cache=False)
print([open(node.outputs[0].uri).read() for node in second.nodes])
"""

RunCode = Callable[..., RunResult]


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    """One server for all these runs; each has a folder and a file of its own."""
    with Workers() as kept:
        yield kept


@pytest.fixture(name="run_code")
def _run_code(tmp_path: Path, workers: Workers, monkeypatch: pytest.MonkeyPatch) -> RunCode:
    """Run the nodes of a file, and return the result; what this process read does not count."""
    monkeypatch.setattr(sys, "path", [*sys.path])

    def run_code(head: str = "", nodes: str = _NODES) -> RunResult:
        path = tmp_path / "pipe.py"
        path.write_text(f"{_HEAD}{head}{nodes}")
        made = functions.load_module(str(path)).nodes()
        (tmp_path / "readings.txt").unlink()
        # A file that was just written may change without a trace.
        time.sleep(0.1)
        pipeline = Pipeline("read", components=made)
        return engine.run(pipeline, RunOptions(store=str(tmp_path / "store"), cache=False), pool=workers)

    return run_code


def _num_readings(folder: Path) -> int:
    return len((folder / "readings.txt").read_text().splitlines())


def _numbers(result: RunResult) -> list[int]:
    return [int(Path(node.outputs[0].uri).read_text()) for node in result.nodes]


def test_a_file_is_read_once_and_each_node_finds_it_as_it_was_read(run_code: RunCode, tmp_path: Path):
    result = run_code()
    assert set(states(result).values()) == {"done"}
    assert _num_readings(tmp_path) == 1
    # Each has seen itself alone.
    assert _numbers(result) == [1, 2, 3, 4]


def test_nodes_that_run_at_once_wait_for_one_reading(run_code: RunCode, tmp_path: Path):
    result = run_code(nodes=_TWO_NODES)
    assert (_numbers(result), _num_readings(tmp_path)) == ([1, 1], 1)


@pytest.mark.parametrize(
    "head",
    [
        "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()",
        "LOG = open(os.path.join(folder, 'log.txt'), 'a')",
    ],
    ids=["thread", "open file"],
)
def test_what_no_fork_may_share_is_made_anew_for_each_node(run_code: RunCode, tmp_path: Path, head: str):
    result = run_code(f"if in_worker: {head}\n".replace("; ", "\nif in_worker: "))
    assert _numbers(result) == [1, 2, 3, 4]
    assert _num_readings(tmp_path) == 4


def test_code_that_changes_while_the_run_goes_on_is_read_again(run_code: RunCode, tmp_path: Path):
    """The cache files what a node makes under the code as it is then."""
    (tmp_path / "more.txt").write_text("1")
    changing = "    with open(os.path.join(folder, 'more.txt'), 'w') as file: file.write('5')\n"
    result = run_code(
        "with open(os.path.join(folder, 'more.txt')) as file: more = int(file.read())\n",
        _NODES.replace("    number.value = len(seen)\n", f"    number.value = len(seen)\n{changing}").replace(
            "before.value + len(seen)", "before.value + more"
        ),
    )
    assert _numbers(result)[:2] == [1, 6]


@pytest.mark.parametrize(
    ("ending", "told"),
    [("raise LookupError('not here')", "LookupError: not here"), ("os._exit(3)", "ended with exit code 3")],
)
def test_each_node_tells_why_its_code_cannot_be_read(run_code: RunCode, ending: str, told: str):
    result = run_code(f"if in_worker: {ending}\n", _TWO_NODES)
    assert states(result) == {"One": "failed", "Two": "failed"}
    assert all(told in str(node.error) for node in result.nodes)


def test_a_template_that_is_killed_takes_its_nodes_with_it_and_nothing_else(run_code: RunCode):
    """Whoever kills it: its workers end with it, and the next run has another."""
    killing = _TWO_NODES.replace(
        "    number.value = 1\n", "    os.kill(os.getppid(), 9)\n    import time; time.sleep(60)\n"
    ).replace(', Start().with_id("Two")', "")
    started = time.monotonic()
    result = run_code(nodes=killing)
    assert "was killed, and this node with it" in str(result.node("One").error)
    assert time.monotonic() - started < 30


def test_what_follows_a_killed_template_finds_another(run_code: RunCode):
    assert _numbers(run_code()) == [1, 2, 3, 4]


def test_a_script_is_read_once_for_each_of_its_runs(tmp_path: Path):
    """With its own command line, and up to the run that goes on."""
    (tmp_path / "script.py").write_text(
        _HEAD.replace("from tfx", "import headrace.authoring\nfrom tfx", 1) + _SCRIPT
    )
    time.sleep(0.1)
    command = [sys.executable, "script.py", "--number", "7"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (0, "['14', '28']\n"), done.stderr
    # By Python, and for the nodes of each run.
    assert _num_readings(tmp_path) == 3


_SEVERAL_RUNS = """
import headrace
from headrace.errors import HeadraceError
from headrace.authoring import Pipeline
from headrace.authoring.light import authoring

with authoring():
    from tfx.dsl.component.experimental.annotations import OutputDict, Parameter
    from tfx.dsl.component.experimental.decorators import component


@component
def One() -> OutputDict(text=str):
    return {"text": "one"}


try:
    headrace.run(Pipeline("first", components=[One()]), only=["Nothing"], show=False)
except HeadraceError as error:
    print(type(error).__name__)
first = headrace.run(Pipeline("first", components=[One()]), show=False)
with open(first.node("One").outputs[0].uri) as file:
    made = file.read()


@component
def Two(text: Parameter[str]):
    print("given", text)


second = headrace.run(Pipeline("second", components=[Two(text=made)]), show=False)
print(open(second.node("Two").log_path).read().splitlines()[-1])
"""


def test_a_script_may_define_components_between_its_runs(tmp_path: Path):
    """A worker that reads the script passes the runs before: each call gives what it gave in the script."""
    (tmp_path / "several.py").write_text(_SEVERAL_RUNS)

    done = subprocess.run(
        [sys.executable, "several.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["UnknownNodeError", "given one"]
