"""Where the splits of an artifact lie, and which files they have."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from headrace.authoring.light import authoring
from headrace.errors import DataError, EmptyDataError, UnknownSplitError
from headrace.formats import artifacts

with authoring():
    from tfx.types import standard_artifacts


def examples(uri: Path, splits: list[str]) -> Any:
    artifact = standard_artifacts.Examples()
    artifact.uri = str(uri)
    artifact.id = 7
    artifact.split_names = artifacts.encode_split_names(splits)
    return artifact


def test_files_of_a_split_are_in_the_order_of_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Whatever order the disk has; folders are no files."""
    names = ["data-2", "data-0", "data-1"]
    for name in names:
        (tmp_path / "Split-train").mkdir(exist_ok=True)
        (tmp_path / "Split-train" / name).touch()
    (tmp_path / "Split-train" / "folder").mkdir()
    scandir = os.scandir

    class Turned:
        """The entries of a folder, the last name first."""

        def __init__(self, path: Any) -> None:
            with scandir(path) as entries:
                self._entries = sorted(entries, key=lambda entry: entry.name, reverse=True)

        def __enter__(self) -> Any:
            return iter(self._entries)

        def __exit__(self, *_: object) -> None:
            pass

        def __iter__(self) -> Any:
            return iter(self._entries)

    monkeypatch.setattr(os, "scandir", Turned)

    found = artifacts.split_files(examples(tmp_path, ["train"]), "train")

    assert [os.path.basename(path) for path in found] == ["data-0", "data-1", "data-2"]


@pytest.mark.parametrize(("folder", "is_found"), [("Split-train", True), ("train", True), ("trained", False)])
def test_both_forms_of_split_folders_are_read(tmp_path: Path, folder: str, is_found: bool):
    """TFX before 1.0 wrote them without `Split-`."""
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "data").touch()
    artifact = examples(tmp_path, ["train"])

    if is_found:
        assert artifacts.split_files(artifact, "train") == [str(tmp_path / folder / "data")]
    else:
        with pytest.raises(EmptyDataError):
            artifacts.split_files(artifact, "train")


def test_a_split_with_a_pattern_of_its_own(tmp_path: Path):
    """Examples made outside of TFX name their files so."""
    for name in ("train-0.gz", "train-1.gz", "eval-0.gz"):
        (tmp_path / name).touch()
    artifact = examples(tmp_path, [])
    artifact.split_names = ""
    artifact.set_string_custom_property("custom_split_pattern", json.dumps({"train": "train-*"}))

    assert artifacts.split_names(artifact) == ["train"]
    assert [os.path.basename(path) for path in artifacts.split_files(artifact, "train")] == [
        "train-0.gz",
        "train-1.gz",
    ]


@pytest.mark.parametrize("recorded", ["{broken", "[1]", '{"train": 3}', "[" * 100_000])
def test_patterns_that_are_none_are_told(tmp_path: Path, recorded: str):
    artifact = examples(tmp_path, [])
    artifact.split_names = ""
    artifact.set_string_custom_property("custom_split_pattern", recorded)

    for ask in (artifacts.split_names, lambda given: artifacts.split_files(given, "train")):
        with pytest.raises(DataError, match="the patterns of its splits are recorded as"):
            ask(artifact)


def test_splits_are_left_out_by_names_that_exist(tmp_path: Path):
    """A typo would keep the split that was to be left out."""
    artifact = examples(tmp_path, ["train", "eval", "test"])

    assert artifacts.keep_splits(artifact, ["eval"], "StatisticsGen") == ["train", "test"]
    with pytest.raises(UnknownSplitError, match="there is no split 'evl'"):
        artifacts.keep_splits(artifact, ["evl"], "StatisticsGen")
