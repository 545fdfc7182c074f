"""What the options of a run do, however they are given; `test_run_options` holds how they are declared."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest_runs import good
from ml_metadata.proto import metadata_store_pb2

import headrace
from headrace.authoring import Importer
from headrace.authoring import standard_artifacts as types
from headrace.errors import OptionError


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_dry_run_prints_its_plan(capsys: pytest.CaptureFixture[str]):
    """On standard output, as the command line does; nothing with `show=False`."""
    result = headrace.run(good(), dry_run=True)
    assert capsys.readouterr().out.startswith("good plan: 1 resolved\n")
    assert result.is_plan

    headrace.run(good(), dry_run=True, show=False)
    assert capsys.readouterr().out == ""


def test_an_option_that_there_is_not_is_refused_when_the_runner_is_made():
    with pytest.raises(OptionError, match=r"has no option 'max_worker'.*\n  Fix: did you mean 'workers'\?"):
        headrace.Runner(max_worker=3)
    with pytest.raises(TypeError, match="has no option 'pipeline'"):
        headrace.Runner(pipeline=good())
    with pytest.raises(OptionError, match="'dryrun'"):
        headrace.Runner().run(good(), dryrun=True)


def test_former_names_of_options_work_and_warn():
    importer = Importer(source_uri="files", artifact_type=types.Schema).with_id("One")
    starts: list[Callable[[], object]] = [
        lambda: headrace.run(good(), max_workers=1, show=False),
        lambda: headrace.Runner(fail_fast=True, show=False).run(good()),
        lambda: headrace.Runner(show=False).run(good(), enable_cache=False),
        lambda: headrace.InteractiveContext("good").run(importer, enable_cache=False),
    ]
    for start in starts:
        with pytest.warns(DeprecationWarning, match=r"is called '\w+' now") as caught:
            start()
        assert caught[0].filename == __file__


def test_a_store_that_the_pipeline_does_not_use_for_its_metadata_is_told(tmp_path: Path):
    """The pipeline's own connection goes first; that it names the store's own file is no contradiction."""
    pipeline = good()
    pipeline.metadata_connection_config = sqlite(tmp_path / "other.db")

    with pytest.warns(
        RuntimeWarning, match=r"names .*/other\.db: metadata go there, and the store mine holds"
    ):
        headrace.run(pipeline, store="mine", show=False)
    pipeline.metadata_connection_config = sqlite(tmp_path / "mine" / "metadata.db")
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        headrace.run(pipeline, store="mine", show=False)
        headrace.run(pipeline, show=False)


def sqlite(path: Path) -> metadata_store_pb2.ConnectionConfig:
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(path)
    return config


def test_one_name_may_stand_for_a_list_of_one():
    assert headrace.run(good(), only="Importer", show=False).is_success
