"""A folder in which no command can work."""

import os
import subprocess
import sys

import pytest

from headrace.cli import working_folder
from headrace.errors import SetupError, StoreError
from headrace.store.open.store import Store


def test_a_folder_that_was_removed_is_told(tmp_path):
    """In one sentence, and not in Python's."""
    gone = tmp_path / "gone"
    gone.mkdir()
    code = f"import os; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r}); from headrace.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "runs"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "SetupError: the folder in which this command runs was removed." in done.stderr
    assert "Fix: go to a folder that exists: cd FOLDER" in done.stderr


def test_a_folder_whose_path_is_not_utf8_is_told(tmp_path, monkeypatch):
    """By the command, and by the store where no command is used."""
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    os.mkdir(folder)
    monkeypatch.chdir(folder)
    with pytest.raises(SetupError) as caught:
        working_folder.check()
    assert f"{tmp_path}/caf\\xe9, holds bytes that are not UTF-8" in caught.value.problem
    with pytest.raises(StoreError) as told:
        Store(".headrace")
    assert f"{tmp_path}/caf\\xe9/.headrace, holds bytes that are not UTF-8" in told.value.problem
