"""The cache key: what counts, and what is only told to the reader."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from headrace.orchestration.cache import cache_key, code_contents
from headrace.store.read.differences import SOURCES
from headrace.usercode import sources


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "features.py").write_text("import layers\n\ndef f():\n    return layers.g()\n")
    (folder / "layers.py").write_text("def g():\n    return 1\n")
    return folder


def ingredients(project: Path) -> dict[str, Any]:
    parameters = {"module_file": str(project / "features.py"), "steps": 100, "place": f"{project}/data"}
    return cache_key.ingredients("tfx.some.Executor", "", parameters, {}, {}, str(project))


def test_moving_the_project_or_touching_a_file_keeps_the_key(project: Path, tmp_path: Path):
    before = cache_key.key(ingredients(project))
    (project / "layers.py").touch()
    moved = tmp_path / "moved"
    shutil.move(str(project), str(moved))

    assert cache_key.key(ingredients(moved)) == before


def test_editing_an_imported_module_changes_the_key(project: Path):
    before = cache_key.key(ingredients(project))
    (project / "layers.py").write_text("def g():\n    return 2\n")

    assert cache_key.key(ingredients(project)) != before


def test_the_files_behind_the_digests_are_told_and_do_not_count(project: Path):
    what = ingredients(project)

    assert {Path(path).name for path in what[SOURCES]["parameters.module_file"]} == {
        "features.py",
        "layers.py",
    }
    assert cache_key.key({**what, SOURCES: {}}) == cache_key.key(what)


def test_the_form_of_the_key_stays(project: Path):
    """A changed form would make every cache entry of every store useless."""
    what = ingredients(project)

    assert what["parameters"].pop("module_file") == {
        "file": "features.py",
        "source": sources.usage(str(project / "features.py")).digest,
        "text": "{project}/features.py",
    }
    assert what["parameters"] == {"place": "{project}/data", "steps": 100}
    assert sorted(what) == [
        "executor",
        "executor_source",
        "format",
        "inputs",
        "outputs",
        "packages",
        "parameters",
        "python",
        "sources",
        "tfx",
    ]


@pytest.mark.parametrize(
    ("edited", "changed"),
    [
        ("components/tuner/executor.py", {"tuner"}),
        ("training/readers.py", {"trainer", "tuner", "the user's run_fn"}),
        ("models/exporters/saving.py", {"trainer", "tuner", "the user's run_fn"}),
        ("formats/examples/tfrecord.py", {"pusher", "trainer", "tuner", "the user's run_fn"}),
        ("cli/main.py", set()),
    ],
)
def test_an_edit_of_headrace_changes_the_keys_of_those_that_use_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edited: str, changed: set[str]
):
    """In this tree the tuner, the trainer and a `run_fn` import from a part that the pusher has nothing of."""
    texts = {
        "components/tuner/executor.py": "from headrace.training import readers\n",
        "components/trainer/executor.py": "from headrace.training.readers import read\n",
        "training/readers.py": "from headrace.models import exporters\n",
        "models/exporters/saving.py": "",
        "components/pusher/executor.py": "",
        "formats/examples/tfrecord.py": "",
        "runtime/context.py": "",
        "cli/main.py": "",
    }

    def digests(folder: str) -> dict[str, str]:
        for name, text in texts.items():
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        monkeypatch.setattr(code_contents, "_PACKAGE_PATH", str(tmp_path / folder))
        code_contents._own.cache_clear()
        found = {}
        for name in ("tuner", "trainer", "pusher"):
            executor = f"headrace.components.{name}.executor.Executor"
            found[name] = cache_key.ingredients(executor, "", {}, {}, {}, "")["executor_source"]
        found["the user's run_fn"] = code_contents.own_digest(["headrace.training.export", "headrace.errors"])
        return found

    before = digests("before")
    texts[edited] += "x = 1\n"
    after = digests("after")

    assert {name for name in before if before[name] != after[name]} == changed
    code_contents._own.cache_clear()
