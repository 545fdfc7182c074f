"""How heavy libraries are imported."""

from __future__ import annotations

import gc
import importlib
import importlib.metadata
import os
import subprocess
import sys
import threading

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


_USER_FILE = """
import os, sys
from headrace.authoring import light

light.stay_light_with_runners()

from tfx import v1 as tfx
from tfx.dsl.component.experimental.decorators import component

@tfx.dsl.components.component
def Make(number: tfx.dsl.components.OutputArtifact[tfx.types.standard_artifacts.Integer]):
    pass

tfx.dsl.Pipeline("p", components=[Make()])
tfx.orchestration.LocalDagRunner()
tfx.orchestration.metadata.sqlite_metadata_connection_config("m.db")
tfx.proto.PushDestination()
tfx.dsl.io.fileio.makedirs(os.path.dirname("file"))
assert component is tfx.dsl.components.component
print([name for name in ("tensorflow", "apache_beam", "tfx.components", "googleapiclient") if name in sys.modules])
print(os.environ["TF_USE_LEGACY_KERAS"])
"""


def test_a_users_file_pays_for_the_parts_of_tfx_that_it_uses():
    """And finds the Keras that the whole of TFX would have chosen."""
    environment = {key: value for key, value in os.environ.items() if key != "TF_USE_LEGACY_KERAS"}
    done = subprocess.run(
        [sys.executable, "-c", _USER_FILE], capture_output=True, text=True, timeout=60, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["[]", "1"]


def test_only_the_thread_that_imports_does_without(monkeypatch: pytest.MonkeyPatch):
    """Another may load what is kept out here."""
    guard = light._LooksAbsent(["colorsys"])
    monkeypatch.setattr(sys, "meta_path", [guard, *sys.meta_path])
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with pytest.raises(ModuleNotFoundError, match="kept out"):
        importlib.import_module("colorsys")

    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(importlib.import_module("colorsys")))
    thread.start()
    thread.join()
    assert found


def test_no_search_of_all_packages_while_much_is_imported():
    before = importlib.metadata.packages_distributions
    with light.heavy_import():
        assert importlib.metadata.packages_distributions() == {}
    assert importlib.metadata.packages_distributions is before


def test_every_public_name_loads_in_a_process_that_knows_nothing_of_tfx():
    """Those that stand on what TFX's runners import, too; and none of them loads heavy libraries."""
    source = (
        "import sys, headrace\n"
        "names = [getattr(headrace, name) for name in headrace.__all__]\n"
        "print([name for name in ('tensorflow', 'apache_beam', 'tfx.components') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["[]"]
