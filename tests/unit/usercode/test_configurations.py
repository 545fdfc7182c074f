"""Which files configuration files name, in each format; what is no such file, or malformed, names none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headrace.usercode import configurations


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
        ("c.json", '{"output": "a.txt", "log_file": "a.txt", "tmp": ["a.txt"]}'),
    ],
)
def test_what_names_none(folder: Path, name: str, text: str):
    (folder / name).write_text(text)

    assert configurations.named([str(folder / name)]) == set()


def test_files_that_name_each_other_are_read_once(folder: Path):
    (folder / "c.json").write_text('["d.json", "c.json"]')
    (folder / "d.json").write_text('["c.json", "a.txt"]')

    assert configurations.named([str(folder / "c.json")]) == {str(folder / "d.json"), str(folder / "a.txt")}
