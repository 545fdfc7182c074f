"""components/ and pipelines/ are one set of files to the editable install, the wheel, mypy and the layers."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import grimp
import pytest
from mypy.find_sources import create_source_list
from mypy.options import Options

ROOT = Path(__file__).resolve().parents[3]
LINKED = ("components", "pipelines")
DATA_SUFFIXES = {".yaml", ".csv", ".json", ".html", ".css", ".js", ".svg", ".pbtxt"}


def _files() -> set[str]:
    """Paths of the Python and data files of the linked packages, such as `pipelines/taxi/pipeline.py`."""
    return {
        str(path.relative_to(ROOT))
        for folder in LINKED
        for path in (ROOT / folder).rglob("*")
        if path.suffix in DATA_SUFFIXES | {".py"}
    }


def _module(path: str) -> str:
    return ".".join(("headrace", *Path(path).with_suffix("").parts)).removesuffix(".__init__")


def _modules() -> dict[str, str]:
    """The linked packages' modules and the paths of their files."""
    return {_module(path): path for path in _files() if path.endswith(".py")}


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names in a wheel built from a copy of the tree, links kept as links."""
    project = tmp_path_factory.mktemp("project")
    for folder in ("src", *LINKED):
        shutil.copytree(
            ROOT / folder,
            project / folder,
            symlinks=True,
            ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"),
        )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, project)
    build = "from setuptools import build_meta; build_meta.build_wheel('dist')"
    subprocess.run([sys.executable, "-c", build], cwd=project, check=True, capture_output=True)
    (wheel,) = (project / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_links_lead_to_the_top_level():
    """A checkout that wrote the links as text files would lose both packages."""
    for folder in LINKED:
        assert (ROOT / "src" / "headrace" / folder).resolve() == ROOT / folder


def test_the_installed_package_is_the_working_tree():
    """An edit in components/ or pipelines/ works at once, without a new installation."""
    for name in ("headrace.components", "headrace.pipelines"):
        spec = importlib.util.find_spec(name)

        assert spec is not None
        assert spec.origin is not None
        assert Path(spec.origin).resolve() == ROOT / name.removeprefix("headrace.") / "__init__.py"


def test_the_wheel_holds_every_module_and_data_file(wheel_names: set[str]):
    """What runs from the tree runs from the wheel."""
    assert {f"headrace/{path}" for path in _files()} - wheel_names == set()
    assert {"headrace/errors.py", "headrace/cli/main.py", "headrace/py.typed"} <= wheel_names


def test_the_wheel_holds_nothing_else(wheel_names: set[str]):
    """Tests, notebooks and top-level copies of the packages stay out."""
    top = {name.split("/")[0] for name in wheel_names}

    assert {name for name in top if not name.endswith(".dist-info")} == {"headrace"}


def test_mypy_checks_every_module():
    """mypy's own search, with the settings of pyproject, arrives at the real files."""
    options = Options()
    options.explicit_package_bases = True
    options.mypy_path = [str(ROOT / "src")]
    sources = create_source_list([str(ROOT / "src" / "headrace")], options)
    found = {source.module: Path(source.path or "").resolve() for source in sources}

    assert {name: found.get(name) for name in _modules()} == {
        name: ROOT / path for name, path in _modules().items()
    }


def test_the_layer_check_sees_every_module():
    """import-linter's graph has the modules of both packages, and the imports in them."""
    graph = grimp.build_graph("headrace", cache_dir=None)

    assert set(_modules()) - graph.modules == set()
    assert "headrace.components" in graph.find_modules_directly_imported_by(
        "headrace.pipelines.taxi.pipeline"
    )
