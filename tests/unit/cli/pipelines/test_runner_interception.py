"""Scripts that hand their pipeline to a runner of TFX; a small stand-in for TFX is imported by them."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import textwrap

import pytest

_RUNNER = """
class Base:
    def run(self, pipeline, run_options=None):
        print("TFX ran", pipeline)

    def run_with_ir(self, ir):
        print("TFX ran", ir)


class LocalDagRunner(Base):
    pass
"""

_HARNESS = """
import sys
from headrace.cli.pipelines.runner_interception import run_script
from headrace.errors import HeadraceError, TrainingError
from headrace.orchestration.events import NodeResult, NodeState, RunResult
from headrace.run_options import RunOptions

def run_pipeline(pipeline, options):
    given = {key: value for key, value in vars(options).items() if value != getattr(RunOptions(), key)}
    print("Headrace ran", pipeline, given)
    state = NodeState.FAILED if pipeline == "bad" else NodeState.DONE
    error = TrainingError("Trainer: no.", "yes.") if pipeline == "bad" else None
    node = NodeResult("Trainer", state, error=error)
    return RunResult("1", pipeline, (node,), 1.0, "", stopped_by=int(pipeline.partition(" ")[2] or 0))

try:
    results = run_script("script.py", run_pipeline, is_dry="dry" in sys.argv)
    print([result.pipeline_name for result in results])
except HeadraceError as error:
    print(f"{type(error).__name__}: {error}")
import tfx.orchestration.local.local_dag_runner as module
print("run" in vars(module.LocalDagRunner), sys.argv[0], sys.path[0])
"""


@pytest.fixture
def run_script(tmp_path):
    """Runs a script's text by the harness in a process where `tfx` is the stand-in."""
    # The harness needs headrace's light modules only, whose path is all that the process is given.
    folder = tmp_path / "site" / "tfx" / "orchestration" / "local"
    folder.mkdir(parents=True)
    for place in (folder, folder.parent, folder.parent.parent):
        (place / "__init__.py").write_text("")
    (folder / "local_dag_runner.py").write_text(_RUNNER)
    (tmp_path / "harness.py").write_text(_HARNESS)
    (tmp_path / "neighbour.py").write_text("NAME = 'one'\n")
    spec = importlib.util.find_spec("headrace")
    assert spec is not None
    assert spec.submodule_search_locations is not None

    def run(text: str, *arguments: str) -> list[str]:
        (tmp_path / "script.py").write_text(textwrap.dedent(text))
        code = (
            f"import sys; sys.path[:0] = [{str(tmp_path / 'site')!r}]; sys.argv[0] = 'started'; "
            f"exec(open('harness.py').read())"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], cwd=tmp_path, capture_output=True, text=True
        )
        assert not done.stderr, done.stderr
        *lines, left = done.stdout.splitlines()
        # Whatever happened: the class, the arguments and the import path are as they were.
        assert left == f"False started {tmp_path / 'site'}"
        return lines

    return run


_USE = "from tfx.orchestration.local.local_dag_runner import LocalDagRunner\n"


def test_the_pipeline_goes_to_headrace_and_the_script_goes_on(run_script):
    """The script is started as Python starts it: `__main__`, its own arguments, its folder on the path."""
    lines = run_script(
        _USE
        + """
import sys
import neighbour
if __name__ == "__main__":
    LocalDagRunner().run(neighbour.NAME)
    print("after", sys.argv)
"""
    )

    assert lines == ["Headrace ran one {}", "after ['script.py']", "['one']"]


def test_two_pipelines_run_one_after_the_other(run_script):
    """A script may run several."""
    lines = run_script(_USE + "LocalDagRunner().run('one')\nLocalDagRunner().run(pipeline='two')\n")

    assert lines == ["Headrace ran one {}", "Headrace ran two {}", "['one', 'two']"]


def test_a_partial_run_is_passed_on(run_script):
    """TFX's run options name the nodes."""
    lines = run_script(
        _USE
        + """
class Options:
    from_nodes = ["A"]
    to_nodes = None
LocalDagRunner().run("one", run_options=Options)
"""
    )

    assert lines[0] == "Headrace ran one {'from_nodes': ('A',)}"


def test_a_compiled_pipeline_is_taken_too(run_script):
    """With what TFX's proto of options says."""
    lines = run_script(
        _USE
        + """
from types import SimpleNamespace as Made
settings = Made(base_pipeline_run_strategy=Made(base_run_id="r"))
partial = Made(from_nodes=[], to_nodes=["B"], snapshot_settings=settings)
LocalDagRunner().run_with_ir("ir", Made(partial_run=partial))
LocalDagRunner().run_with_ir("ir")
"""
    )

    assert lines == [
        "Headrace ran ir {'to_nodes': ('B',), 'base_run': 'r'}",
        "Headrace ran ir {}",
        "['ir', 'ir']",
    ]


def test_a_failed_run_raises_in_the_script(run_script):
    """Where TFX's runner would have: what relies on the outputs is not reached."""
    lines = run_script(
        _USE + "try:\n    LocalDagRunner().run('bad')\nfinally:\n    print('clean')\nprint('never')\n"
    )

    assert lines == ["Headrace ran bad {}", "clean", "['bad']"]


@pytest.mark.parametrize("number", [2, 15])
def test_a_signal_that_stopped_the_run_ends_the_script(run_script, number):
    """Also where the nodes had just ended when it came, and where the script catches all errors."""
    lines = run_script(
        _USE
        + f"try:\n    LocalDagRunner().run('stopped {number}')\nexcept Exception:\n    pass\nprint('never')\n"
    )

    assert lines == [f"Headrace ran stopped {number} {{}}", f"['stopped {number}']"]


def test_a_dry_run_leaves_the_script_at_its_pipeline(run_script):
    """What follows would look for outputs."""
    lines = run_script(_USE + "LocalDagRunner().run('one')\nprint('never')\n", "dry")

    assert lines == ["Headrace ran one {}", "['one']"]


def test_exit_with_success_is_no_failure(run_script):
    """As absl's app.run ends every script."""
    assert run_script(_USE + "LocalDagRunner().run('one')\nraise SystemExit(0)\n")[-1] == "['one']"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "x = 1\n",
            [
                "DefinitionError: script.py ended without handing a pipeline to LocalDagRunner, BeamDagRunner or "
                "headrace.run.",
                "  Fix: call one of them at the end of the script, or define create_pipeline() without required "
                "parameters.",
            ],
        ),
        (
            "raise SystemExit(3)\n",
            [
                "DefinitionError: script.py ended itself with exit code 3.",
                "  Fix: run it by itself to see why.",
            ],
        ),
    ],
)
def test_a_script_that_runs_nothing_is_refused(run_script, text, message):
    """It did not do what it was started for."""
    assert run_script(_USE + text) == message
