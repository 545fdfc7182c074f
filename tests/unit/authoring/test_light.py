"""How heavy libraries are imported."""

from __future__ import annotations

import gc
import importlib
import sys

import pytest

from headrace.authoring import light


@pytest.fixture
def _without_ipython(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "IPython"]:
        monkeypatch.delitem(sys.modules, name)


@pytest.mark.usefixtures("_without_ipython")
def test_what_is_imported_heavily_finds_no_ipython_and_no_collector():
    with light.heavy_import():
        assert not gc.isenabled()
        with pytest.raises(ImportError):
            importlib.import_module("IPython")

    assert gc.isenabled()
    assert "IPython" not in sys.modules
    assert importlib.util.find_spec("IPython") is not None


def test_a_loaded_ipython_stays(monkeypatch):
    loaded = importlib.import_module("IPython")
    with light.heavy_import():
        assert sys.modules["IPython"] is loaded
    assert sys.modules["IPython"] is loaded


@pytest.mark.usefixtures("_without_ipython")
def test_a_failed_import_leaves_everything_as_it_was():
    with pytest.raises(ModuleNotFoundError, match="no_such_library"), light.heavy_import():
        importlib.import_module("no_such_library")
    assert gc.isenabled()
    assert "IPython" not in sys.modules


def test_who_turned_the_collector_off_finds_it_off():
    gc.disable()
    try:
        with light.without_collections():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
