"""What may stand after `headrace run`."""

from __future__ import annotations

import contextlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.cli.pipelines import pipeline_source
from headrace.cli.pipelines.pipeline_source import FunctionSource, ScriptSource, find_source
from headrace.cli.pipelines.ready_pipelines import Parameter, ReadyPipeline
from headrace.config.document import Document
from headrace.config.run_config import RunConfig
from headrace.errors import DefinitionError
from headrace.usercode import python_files


@pytest.fixture(autouse=True)
def ready(project, monkeypatch):
    """One ready pipeline, in the empty project folder."""
    pipelines = [ReadyPipeline("taxi", "Tips.", (Parameter("steps", "int", "5"),))]
    monkeypatch.setattr(pipeline_source, "find_ready_pipelines", lambda: pipelines)


def test_a_name_is_a_ready_pipeline():
    """Known by its folder."""
    assert find_source("taxi") == FunctionSource("taxi", "headrace.pipelines.taxi.pipeline:create_pipeline")


@pytest.mark.parametrize(
    ("given", "hint"),
    [("txi", "did you mean 'taxi'? "), ("demo", "did you mean the file 'demo.py'? "), ("x", "")],
)
def test_an_unknown_name_is_answered_with_those_there_are(given, hint):
    """A forgotten .py is the likeliest reason where such a file exists."""
    with pytest.raises(DefinitionError) as caught:
        find_source(given)

    assert str(caught.value) == (
        f"there is no pipeline '{given}'. Ready pipelines are 'taxi'.\n"
        f"  Fix: {hint}Give a ready pipeline's name, 'module:function', or a file such as 'pipeline.py'."
    )


def test_a_file_with_create_pipeline_is_a_function():
    """Its parameters can be set."""
    assert find_source("demo.py") == FunctionSource("demo.py", "demo.py:create_pipeline")


@pytest.mark.parametrize(
    "text",
    [
        "from tfx import v1 as tfx\ntfx.orchestration.LocalDagRunner().run(p)\n",
        "from tfx.orchestration.beam.beam_dag_runner import BeamDagRunner\nBeamDagRunner().run(p)\n",
        "import headrace\nheadrace.run(p)\n",
        "from headrace import run\nrun(p)\n",
        "import project\nproject.main()\n",
        "def create_pipeline(name): ...\n\nif __name__ == '__main__':\n    LocalDagRunner().run(create_pipeline('n'))\n",
    ],
)
def test_a_file_without_create_pipeline_is_a_script(project, text):
    """So is one whose create_pipeline only itself can call."""
    (project / "script.py").write_text(text)

    assert find_source("script.py") == ScriptSource("script.py")


def test_given_parameters_make_a_function_of_a_script(project):
    """What create_pipeline needs is there, so it is called."""
    (project / "script.py").write_text("def create_pipeline(name): ...\nLocalDagRunner().run(1)\n")

    assert isinstance(find_source("script.py", frozenset({"name"})), FunctionSource)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = (\n", "script.py:1: '(' was never closed.\n  Fix: correct the syntax of that line."),
        (
            "\ndef create_pipeline(name, *, root): ...\n",
            "script.py:2: create_pipeline needs 'name', 'root', and nothing in the file calls it.\n"
            "  Fix: give each with --set name=VALUE, or give the parameters defaults.",
        ),
    ],
)
def test_a_file_without_a_pipeline_is_refused(project, text, message):
    """With the line where there is one."""
    (project / "script.py").write_text(text)

    with pytest.raises(DefinitionError) as caught:
        find_source("script.py")

    assert str(caught.value) == message


def test_a_missing_file_is_answered_with_the_likely_one(project):
    """The folder that was looked in is named."""
    with pytest.raises(DefinitionError) as caught:
        find_source("dmo.py")

    assert str(caught.value) == (
        f"there is no file 'dmo.py' (looked in {os.getcwd()}).\n  Fix: did you mean 'demo.py'? Correct the path."
    )


def test_what_the_users_function_raises_names_his_own_line(project):
    """Not ours and not a library's."""
    (project / "bad.py").write_text(
        '"""Bad."""\n\n\ndef create_pipeline():\n    return read({})\n\n\ndef read(rows):\n    return rows["x"]\n'
    )

    with pytest.raises(DefinitionError) as caught:
        pipeline_source.create_pipeline(find_source("bad.py"), RunConfig(), Document())

    assert str(caught.value) == (
        "bad.py:9, read:\n    KeyError: 'x'\n"
        "  Fix: correct that line; headrace --debug run ... shows the whole traceback."
    )


def test_what_is_no_pipeline_is_refused(project):
    """With what it is."""
    (project / "number.py").write_text("def create_pipeline():\n    return 5\n")

    with pytest.raises(DefinitionError) as caught:
        pipeline_source.create_pipeline(find_source("number.py"), RunConfig(), Document())

    assert str(caught.value) == (
        "number.py:create_pipeline returned int, not a pipeline.\n  Fix: return the tfx Pipeline that it makes."
    )


def test_a_compiled_pipeline_is_one(project):
    """Known by its name, before TFX is loaded."""
    (project / "compiled.py").write_text(
        "class Compiled:\n    class DESCRIPTOR:\n        full_name = 'tfx.orchestration.Pipeline'\n\n\n"
        "def create_pipeline():\n    return Compiled()\n"
    )

    created = pipeline_source.create_pipeline(find_source("compiled.py"), RunConfig(), Document())

    assert type(created.pipeline).__name__ == "Compiled"


def test_beam_arguments_go_into_a_function_that_takes_them(project):
    """By the function where it takes them; else the engine adds them."""
    (project / "beam.py").write_text(
        "class Made:\n    pipeline_info = 1\n    components = []\n\n\n"
        "def create_pipeline():\n    return Made()\n\n\n"
        "def takes(beam_pipeline_args=()):\n    made = Made()\n    made.given = beam_pipeline_args\n"
        "    return made\n"
    )
    config = RunConfig(beam_pipeline_args=["--b"])

    made = pipeline_source.create_pipeline(find_source("beam.py"), config, Document())
    taken = pipeline_source.create_pipeline(find_source("beam.py:takes"), config, Document())

    assert (made.takes_beam_arguments, taken.takes_beam_arguments) == (False, True)
    assert taken.pipeline.given == ["--b"]


_NO_PYTHON = {
    "NUL": (b"x = 1\ny = '\0'\n", ":2: a NUL byte, which no Python file holds."),
    "latin-1": (b"x = 1\ny = 'caf\xe9'\n", ":2: byte 0xe9 is not UTF-8."),
    "an encoding that does not fit": (
        b"# -*- coding: ascii -*-\ny = '\xc3\xa9'\n",
        ":2: byte 0xc3 is not ASCII.",
    ),
    "no encoding": (b"# -*- coding: nonsense -*-\n", ":1: unknown encoding: nonsense."),
    "wrong syntax": (b"x = 1\nx = = 1\n", ":2: invalid syntax."),
    "signs nested too deep": (
        b"x = " + b"-" * 100_000 + b"1\n",
        ": an expression in it is nested deeper than Python reads.",
    ),
}


@pytest.mark.parametrize("case", _NO_PYTHON)
def test_a_file_that_python_cannot_read_is_told_with_its_line(project, case):
    """Before anything of it runs."""
    content, problem = _NO_PYTHON[case]
    (project / "bad.py").write_bytes(content)
    with pytest.raises(DefinitionError) as caught:
        find_source("bad.py")
    assert caught.value.problem.startswith(f"bad.py{problem.removesuffix('.')}")
    assert caught.value.fix


@given(st.binary(max_size=60) | st.text("()[]{}:=\n\t 'a1#\\\"", max_size=60).map(str.encode))
def test_any_bytes_are_python_or_an_error_of_ours(content):
    """Whatever a file of that name holds."""
    with contextlib.suppress(DefinitionError):
        python_files.parse(content, "a.py")
