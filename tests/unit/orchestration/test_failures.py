"""What a person reads when an executor raises."""

from __future__ import annotations

import errno
import importlib.util
import json
import os
import re
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from headrace.errors import DataError, ExecutorError, StoreError
from headrace.orchestration import failures


def raised_by(tmp_path: Path, source: str) -> BaseException:
    """The exception that a user's module raises in its function `build_model`."""
    path = tmp_path / "model.py"
    path.write_text(textwrap.dedent(source))
    spec = importlib.util.spec_from_file_location("user_model", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - each test names what it expects
        module.build_model()
    return caught.value


def test_the_users_own_line_comes_first(tmp_path, monkeypatch):
    """Frames of libraries below the user's line do not hide it."""
    monkeypatch.chdir(tmp_path)
    error = raised_by(
        tmp_path,
        """
        import json

        def build_model():
            return json.loads("{")
        """,
    )

    described = failures.describe(error, "Trainer", 41.3)

    assert isinstance(described, ExecutorError)
    assert described.problem == (
        "Trainer failed after 41 s in model.py:5, build_model:\n"
        "    JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"
    )
    assert described.fix == "correct build_model"


def test_without_a_line_of_the_user_the_innermost_line_is_named():
    with ThreadPoolExecutor(1) as pool:
        error = pool.submit(json.loads, "{").exception()

    assert error is not None
    problem = failures.describe(error, "Evaluator", 1.0).problem
    first, second = problem.splitlines()
    assert re.fullmatch(r"Evaluator failed after 1\.0 s in json/decoder\.py:\d+, raw_decode:", first)
    assert second.startswith("    JSONDecodeError: ")


def test_the_innermost_line_of_the_user_wins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    error = raised_by(
        tmp_path,
        """
        def layer():
            raise ValueError("13 inputs, 12 expected")

        def build_model():
            layer()
        """,
    )

    assert str(failures.find_user_frame(error)) == "model.py:3, layer"


def test_a_cause_in_user_code_is_found_behind_a_library_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cause = raised_by(tmp_path, "def build_model():\n    raise KeyError('tips')\n")
    outer = RuntimeError("pipeline failed [while running 'Transform/Map']")
    outer.__cause__ = cause

    assert str(failures.find_user_frame(outer)) == "model.py:2, build_model"
    assert failures.message_of(outer) == "pipeline failed"


def test_autograph_messages_lose_their_copy_of_the_stack(tmp_path):
    path = tmp_path / "features.py"
    path.write_text("x = 1\n")
    error = ValueError(
        f'in user code:\n\n    File "{path}", line 7, in preprocessing_fn  *\n        y = inputs["a"] + 1\n'
        "\n    ValueError: shapes differ"
    )

    frame = failures.find_user_frame(error)

    assert frame is not None
    assert (os.path.basename(frame.path), frame.line, frame.function) == (
        "features.py",
        7,
        "preprocessing_fn",
    )
    assert failures.message_of(error) == "shapes differ"


def test_our_own_errors_pass_with_the_node_named():
    described = failures.describe(DataError("line 7 is ragged.", "mend it."), "CsvExampleGen", 1)

    assert str(described) == "CsvExampleGen: line 7 is ragged.\n  Fix: mend it."
    assert type(described) is DataError
    assert failures.describe(described, "CsvExampleGen", 1) is described


def test_a_full_disk_is_a_store_error():
    described = failures.describe(OSError(errno.ENOSPC, "No space left on device"), "Trainer", 1)

    assert isinstance(described, StoreError)
    assert "No space left on device" in described.problem


def test_long_messages_are_cut_and_say_so():
    described = failures.describe(ValueError("\n".join(str(n) for n in range(100))), "Trainer", 1)

    assert described.problem.count("\n") == 12
    assert described.problem.endswith("... (89 more lines in the log)")
