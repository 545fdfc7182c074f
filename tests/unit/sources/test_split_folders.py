"""Folders of `input_base` as splits."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from headrace import splits
from headrace.errors import DataError, DefinitionError, MissingFileError
from headrace.sources import split_folders
from headrace.splits.shares import Shares


@pytest.fixture
def base(tmp_path):
    for path in (
        "train/a.csv",
        "val/a.csv",
        "test [1]/a.csv",
        "docs/readme.txt",
        ".hidden/a.csv",
        "beside.csv",
    ):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("x\n1\n")
    return tmp_path


def _resolve(base, way=None, names=(), pattern="*.csv"):
    return split_folders.resolve(str(base), pattern, way or splits.folders(), Shares(tuple(names)))


def test_folders_with_files_that_match_are_splits(base):
    """By their own names, or those given; a folder's name is no pattern."""
    way = splits.folders(names={"test [1]": "test"})
    assert _resolve(base, way) == [
        ("test", "test [[]1]/*.csv"),
        ("train", "train/*.csv"),
        ("val", "val/*.csv"),
    ]


def test_expected_names_choose_and_order(base):
    """Other folders are left alone."""
    assert _resolve(base, names=["val", "train"]) == [("val", "val/*.csv"), ("train", "train/*.csv")]


@pytest.mark.parametrize(
    ("way", "names", "error", "problem"),
    [
        (None, ["train", "vla"], MissingFileError, "splits has 'vla', and there is no such folder in"),
        (
            splits.folders(names={"trian": "train"}),
            [],
            MissingFileError,
            "names has 'trian', and there is no such folder",
        ),
        (None, [], DefinitionError, "folders(): the folder 'test [1]' cannot give its name to a split."),
        (
            splits.folders(names={"train": "a", "val": "a", "test [1]": "b"}),
            [],
            DataError,
            "folders(names={'train': 'a', 'val': 'a', 'test [1]': 'b'}): split 'a' is that of two folders",
        ),
    ],
)
def test_folders_that_cannot_be_splits(base, way, names, error, problem):
    """The folders that there are, are listed."""
    with pytest.raises(error) as caught:
        _resolve(base, way, names)
    assert caught.value.problem.startswith(problem)
    assert caught.value.fix


def test_folders_of_each_item_are_no_splits(tmp_path):
    """Such as one for each of many classes."""
    for number in range(101):
        (tmp_path / f"class{number}").mkdir()
        (tmp_path / f"class{number}" / "a.csv").write_text("x\n1\n")
    with pytest.raises(DataError, match=r"each of 101 names would be a split, .* has the folders 'class0', "):
        _resolve(tmp_path)
    names = [f"class{number}" for number in range(101)]
    assert len(_resolve(tmp_path, names=names)) == 101


def test_without_a_folder_that_matches(base, tmp_path):
    """Neither folder nor file."""
    with pytest.raises(MissingFileError, match="holds a file that matches"):
        _resolve(base, pattern="*.parquet")
    with pytest.raises(MissingFileError, match="is no folder"):
        _resolve(tmp_path / "nowhere")
    with pytest.raises(MissingFileError, match="no folder in"):
        _resolve(base / "train")


def test_files_beside_the_folders_are_said(base):
    """They are in no split."""
    said = split_folders.beside(str(base), [SimpleNamespace(pattern="train/*.csv")])
    assert said.startswith("1 file lies beside the folders of the splits and is read into none, such as ")
    assert split_folders.beside(str(base), [SimpleNamespace(pattern="train/*.txt")]) == ""
