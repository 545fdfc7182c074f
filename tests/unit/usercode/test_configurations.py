"""Which files configuration files name, in each format; what is no such file, or malformed, names none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headrace.usercode import configurations
from headrace.usercode.named_destinations import Destinations


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "conf").mkdir()
    for name in ("a.txt", "conf/b.txt"):
        (tmp_path / name).write_text(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.json", '{"deep": [{"first": "a.txt"}, "b.txt"]}'),
        ("c.yaml", "first: a.txt\n---\n- b.txt\n"),
        ("c.yml", "{a.txt: 1, b.txt: 2}"),
        ("c.yml", "first: &it a.txt\nsecond: *it\nthird: !include b.txt\n"),
        ("c.yml", "here: &here [*here, a.txt]\n<<: {x: 1}\n<<: {x: b.txt}\n"),
        ("c.json", '\ufeff["a.txt", {"outputs": {"label": {"words": "b.txt"}}}]'),
        ("c.ini", "[files]\nfirst = a.txt\nsecond = b.txt\n"),
        ("c.CFG", "[DEFAULT]\nfirst = a.txt\n[files]\nsecond = b.txt\n"),
    ],
)
def test_paths_are_taken_from_the_working_folder_and_from_that_of_the_file(
    folder: Path, name: str, text: str
):
    path = folder / "conf" / name
    path.write_text(text)

    assert configurations.named([str(path)]) == {str(folder / "a.txt"), str(folder / "conf" / "b.txt")}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.json", '{"first": "a.txt"'),
        ("c.json", "[" * 50_000),
        ("c.yaml", "first: [a.txt"),
        ("c.yaml", "!!python/object/apply:os.system [touch a.txt]"),
        ("c.ini", "a.txt"),
        ("c.json", json.dumps({"first": "a.txt", "rest": "-" * (1 << 16)})),
        ("c.json", json.dumps(["conf", "", ".", "/", "a.txt\0", "x" * 5000])),
        ("c.csv", "a.txt"),
        ("c.json", '{"output": "a.txt", "tmp": ["a.txt"]}'),
        ("c.json", '{"outputPath": "a.txt", "OUTPUT": "a.txt", "output-file": "a.txt", "a.output": "a.txt"}'),
        ("c.ini", "[output]\npath = a.txt\n"),
        ("c.yaml", "outputs: {model: {path: a.txt}}"),
    ],
)
def test_what_names_none(folder: Path, name: str, text: str):
    (folder / name).write_text(text)

    assert configurations.named([str(folder / name)]) == set()


def test_files_that_name_each_other_are_read_once(folder: Path):
    (folder / "c.json").write_text('["d.json", "c.json"]')
    (folder / "d.json").write_text('["c.json", "a.txt"]')

    assert configurations.named([str(folder / "c.json")]) == {str(folder / "d.json"), str(folder / "a.txt")}


def test_what_is_written_once_and_meant_in_many_places_is_read_once(folder: Path):
    """Nine of nine of nine ...: a file of a kilobyte that would fill the memory."""
    lines = ["- &a0 [a.txt]", *(f"- &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))]
    (folder / "c.yaml").write_text("\n".join(lines))

    assert configurations.named([str(folder / "c.yaml")]) == {str(folder / "a.txt")}


@pytest.mark.parametrize("text", ['{"dir": "data", "names": ["x.csv", "y.csv"]}', '{"all": "data/*.csv"}'])
def test_names_in_a_folder_that_stands_apart_and_patterns(folder: Path, text: str):
    paths = [folder / "data" / name for name in ("x.csv", "y.csv")]
    paths[0].parent.mkdir()
    for path in paths:
        path.touch()
    (folder / "c.json").write_text(text)

    assert configurations.named([str(folder / "c.json")]) == {str(path) for path in paths}


def test_a_folder_counts_for_code_that_lists_folders(folder: Path):
    (folder / "c.json").write_text('{"data": "conf", "output_dir": "made"}')
    (folder / "made").mkdir()
    (folder / "made" / "x").touch()

    assert configurations.named([str(folder / "c.json")]) == set()
    assert configurations.named([str(folder / "c.json")], lists_folders=True) == {
        str(folder / "conf" / "b.txt")
    }


def test_what_the_code_writes_is_not_read(folder: Path):
    """Keys that say nothing but that there is a place may be of what is read as well."""
    (folder / "c.json").write_text('{"model": "a.txt", "input": {"path": "conf/b.txt"}}')

    found = configurations.named([str(folder / "c.json")], Destinations({"model"}, {".model"}))

    assert found == {str(folder / "conf" / "b.txt")}
