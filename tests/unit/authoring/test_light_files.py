"""TFX's access to files without TensorFlow."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from headrace.authoring import light_files, tfx_internals


def test_other_than_local_files_load_tensorflow(monkeypatch: pytest.MonkeyPatch):
    loaded = []
    found = SimpleNamespace(exists=lambda path: f"asked for {path}")
    monkeypatch.setitem(sys.modules, tfx_internals.PLUGIN, SimpleNamespace(TensorflowFilesystem=found))  # type: ignore[arg-type]
    monkeypatch.setattr(light_files, "load_plugin", lambda: loaded.append(True))

    assert light_files._ElsewhereFiles.exists("gs://bucket/file") == "asked for gs://bucket/file"
    assert loaded == [True]
    assert not hasattr(light_files._ElsewhereFiles, "_private")
