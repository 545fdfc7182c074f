"""Which files there are, of which class each is, and by what they are known; without looking into them."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from headrace.errors import DataError, DefinitionError, EmptyDataError, MalformedFileError, MissingFileError
from headrace.files import payloads, trees
from headrace.sources.images.image_source import ImageSource
from headrace.sources.labelled import folders
from headrace.sources.labelled.group import MAX_FILES, Group
from headrace.sources.source import Request, Survey

PICTURE = b"\x89PNG\r\n\x1a\n"


def _tree(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PICTURE + os.fsencode(name))
    return folder


def _survey(place: Path | str, pattern: str = "*", **options: object) -> Survey:
    source = ImageSource(**options)  # type: ignore[arg-type]
    return source.survey(Request(str(place), [SimpleNamespace(name="all", pattern=pattern)]))


def _groups(place: Path | str, pattern: str = "*", **options: object) -> tuple[Group, ...]:
    return _survey(place, pattern, **options).splits[0].items


def _labels(place: Path | str, pattern: str = "*", **options: object) -> Mapping[str, str | None]:
    """The class of each file, by its path below `input_base`."""
    return {
        group.prefix + name: group.label
        for group in _groups(place, pattern, **options)
        for name in group.split_names
    }


def test_the_folder_is_the_class_in_any_script(tmp_path: Path):
    names = ("señal ñ/1.png", "手/2.png", "يد/3.png", "two words/4.png", "手/deep/er/5.png", "手/notes.txt")

    found = _labels(_tree(tmp_path, *names))

    assert found == {name: name.split("/")[0] for name in names}


def test_a_class_without_files_is_named_and_a_hidden_folder_is_none(tmp_path: Path):
    groups = _groups(_tree(tmp_path, "a/1.png", "a/2.png", "empty/", ".git/", ".git/x"))

    assert [(group.label, group.num_files, group.num_others) for group in groups] == [
        (None, 0, 1),
        ("a", 2, 0),
        ("empty", 0, 0),
    ]


LAYOUTS = {
    "folders of splits": (["train/a/1.png", "train/b/2.png", "test/a/3.png"], {"a", "b"}),
    "one split": (["train/a/1.png", "train/b/2.png"], {"a", "b"}),
    "notes beside the splits": (
        ["README.md", "labels.csv", "train/a/1.png", "val/b/2.png"],
        {"a", "b", None},
    ),
    "one folder around all": (["signs/a/1.png", "signs/b/2.png"], {"a", "b"}),
    "one folder around splits": (["signs/train/a/1.png", "signs/test/b/2.png"], {"a", "b"}),
    "a class that is named as a split": (["train/1.png", "bus/2.png"], {"train", "bus"}),
    "a class that is named as a split, deep": (["train/x/1.png", "bus/x/2.png"], {"train", "bus"}),
    "classes of which one is deep": (["a/x/1.png", "b/2.png"], {"a", "b"}),
    "one class": (["a/1.png", "a/2.png"], {"a"}),
    "one class, deep": (["a/x/1.png", "a/x/2.png"], {"a"}),
}


@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_folders_above_the_classes_are_none(tmp_path: Path, layout: str):
    """In an archive as in a folder."""
    names, expected = LAYOUTS[layout]
    folder = _tree(tmp_path / "data", *names)
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        for name in names:
            archive.write(folder / name, name)

    assert set(_labels(folder).values()) == expected
    assert _labels(tmp_path / "data.zip") == _labels(folder)


def test_folders_that_are_no_classes_are_said(tmp_path: Path):
    found = folders.remarks(_groups(_tree(tmp_path, "signs/train/a/1.png", "signs/test/b/2.png")))

    assert found == [
        "'test', 'train' are taken for the folder of a split, not of a class, and read with the others; "
        "split_by='folders' keeps them apart",
        "'signs' holds the folders of the classes, and is none itself",
    ]


def test_a_folder_of_a_split_that_is_kept_apart_is_not_said(tmp_path: Path):
    """As `split_by="folders"` reads it: by itself."""
    _tree(tmp_path, "train/a/1.png", "train/b/2.png", "test/a/3.png")

    found = folders.groups(
        folders.roots(str(tmp_path), "train/*"),
        with_label=True,
        input_base=str(tmp_path),
        suffixes=(".png",),
    )

    assert folders.remarks(found) == []


PATTERNS = {
    "train/*": {"train/a/1.png": "a", "train/b/2.png": "b"},
    "train": {"train/a/1.png": "a", "train/b/2.png": "b"},
    "*/a": {"train/a/1.png": "a", "test/a/3.png": "a"},
    "train/*/*.png": {"train/a/1.png": "a", "train/b/2.png": "b"},
    "train/b*": {"train/b/2.png": "b"},
}


@pytest.mark.parametrize("pattern", list(PATTERNS))
def test_a_pattern_names_folders_or_files(tmp_path: Path, pattern: str):
    """The path stays that below `input_base`."""
    _tree(tmp_path, "train/a/1.png", "train/b/2.png", "test/a/3.png", "train/.x")
    assert _labels(tmp_path, pattern) == PATTERNS[pattern]


def test_the_latest_span_is_read(tmp_path: Path):
    _tree(tmp_path, "span-1/a/1.png", "span-2/a/2.png", "span-2/b/3.png")

    survey = _survey(tmp_path, "span-{SPAN}/*")

    assert (survey.span, survey.splits[0].pattern) == (2, "span-2/*")
    assert _labels(tmp_path, "span-2/*") == {"span-2/a/2.png": "a", "span-2/b/3.png": "b"}


def test_an_archive_in_the_folder_is_opened_where_classes_would_lie(tmp_path: Path):
    """Deeper, it is a file as any other; what a Mac adds to it is none."""
    _tree(tmp_path, "cats/more.zip")
    with zipfile.ZipFile(tmp_path / "signs.zip", "w") as archive:
        archive.writestr("signs/a/1.png", PICTURE)
        archive.writestr("signs/b/2.png", PICTURE)
        archive.writestr("__MACOSX/signs/a/._1.png", b"")

    assert _labels(tmp_path) == {
        "cats/more.zip": "cats",
        "signs/a/1.png": "a",
        "signs/b/2.png": "b",
    }


def test_links_are_followed_and_never_round(tmp_path: Path):
    _tree(tmp_path, "data/a/1.png", "elsewhere/2.png")
    (tmp_path / "data/b").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data/a/up").symlink_to(tmp_path / "data")
    (tmp_path / "data/a/gone.png").symlink_to(tmp_path / "nowhere")

    assert set(_labels(tmp_path / "data")) >= {"a/1.png", "b/2.png", "a/gone.png"}


def test_many_files_are_few_items_and_many_classes_as_many(tmp_path: Path):
    _tree(tmp_path, *(f"big/{number:05d}.png" for number in range(MAX_FILES + 1)))
    _tree(tmp_path, *(f"class-{number}/x.png" for number in range(300)))

    groups = _groups(tmp_path)

    assert [group.num_files for group in groups if group.label == "big"] == [MAX_FILES, 1]
    assert len(groups) == 302


@pytest.mark.parametrize(
    ("names", "error", "problem"),
    [
        (["1.png", "2.png"], DataError, "there is no folder of a class in '{place}': the files lie there directly, such as '1.png', '2.png'."),
        (["a/", "b/"], MissingFileError, "there are no files below what matches '*' in '{place}'."),
        (["signs.zip"], MalformedFileError, ""),
    ],
)  # fmt: skip
def test_what_holds_no_classes_is_refused(
    tmp_path: Path, names: list[str], error: type[Exception], problem: str
):
    _tree(tmp_path, *names)
    if not problem:
        (tmp_path / "signs.zip").write_bytes(b"PK\x03\x04 and no more")
        problem = "'{place}/signs.zip' is no zip archive that can be read: File is not a zip file."

    with pytest.raises(error) as caught:
        _survey(tmp_path)

    assert caught.value.problem == problem.format(place=tmp_path)  # type: ignore[attr-defined]


def test_without_a_label_files_need_no_folders(tmp_path: Path):
    assert _labels(_tree(tmp_path, "1.png", "a/2.png"), label=None) == {"1.png": None, "a/2.png": None}


def test_what_computers_keep_beside_files_is_counted_and_not_looked_at(tmp_path: Path):
    """So a folder that was merely opened in a window is the same input."""
    _tree(tmp_path, "a/1.png", ".DS_Store", "a/Thumbs.db", "a/.2.png", "a/.ipynb_checkpoints/1.png")
    before = _fingerprint(tmp_path)
    (tmp_path / "a/Thumbs.db").write_bytes(b"other")

    groups = _groups(tmp_path)

    assert _labels(tmp_path) == {"a/1.png": "a"}
    assert sum(group.num_others for group in groups) == 4
    assert _fingerprint(tmp_path) == before


def _fingerprint(place: Path, **options: object) -> str:
    return ImageSource(**options).fingerprint(_survey(place, **options))  # type: ignore[arg-type]


CHANGES = {
    "a byte": lambda folder: (folder / "a/1.png").write_bytes(PICTURE + b"A/1.png"),
    "a new file": lambda folder: (folder / "a/3.png").write_bytes(PICTURE),
    "a file that goes": lambda folder: (folder / "a/1.png").unlink(),
    "another class": lambda folder: (folder / "a/1.png").rename(folder / "b/1.png"),
    "another name of a class": lambda folder: (folder / "a").rename(folder / "aa"),
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_a_change_is_seen(tmp_path: Path, change: str):
    """And a copy of the folder is known as the same."""
    names = ("a/1.png", "a/2.png", "b/1.txt")
    one, two = _tree(tmp_path / "one", *names), _tree(tmp_path / "two", *names)
    before = _fingerprint(one)
    assert _fingerprint(two) == before

    CHANGES[change](one)

    assert _fingerprint(one) != before
    assert not payloads.is_unknown(before)


def test_files_are_hashed_once_while_they_look_as_they_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = _tree(tmp_path, "a/1.png", "a/2.png")
    old = os.stat(folder / "a/1.png").st_mtime_ns - 10**10
    monkeypatch.setattr(trees.time, "time_ns", lambda: old + 3 * 10**10)
    first = _fingerprint(folder)
    read = []
    monkeypatch.setattr(trees, "_hash_into", lambda digest, path, name: read.append(name))

    assert _fingerprint(folder) == first
    assert read == []


def _table(tmp_path: Path, text: str) -> Path:
    _tree(tmp_path, "pictures/1.png", "pictures/2.png")
    (tmp_path / "labels.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_table_names_paths_and_what_is_known_of_them(tmp_path: Path):
    """A path is a text, whatever it looks like; one column becomes the label."""
    _tree(tmp_path, "007", "pictures/1.png")
    (tmp_path / "t.csv").write_text(
        "file,species,age,x\n007,ñu,3,\npictures/1.png,gato,,1.5\n", encoding="utf-8"
    )

    (group,) = _groups(tmp_path, table="t.csv", path_column="file", label="species")

    assert group.split_names == ["007", "pictures/1.png"]
    assert group.values == {"label": ["ñu", "gato"], "age": [3, None], "x": [None, 1.5]}
    assert dict(group.kinds) == {"label": "bytes or text", "age": "integers", "x": "floats"}
    assert group.first_row == 2


WRONG_TABLES = {
    "no such column": (
        "paths,label\npictures/1.png,a\n",
        DefinitionError,
        "path_column is 'path', and '{table}' has no such column. It has 'label', 'paths'.",
    ),
    "a feature's name": (
        "path,width\npictures/1.png,3\n",
        DefinitionError,
        "'{table}' has a column 'width', and a feature is called so.",
    ),
    "a path is missing": (
        "path,label\n,a\n",
        MalformedFileError,
        "{table}, row 2: column 'path' holds '', where a path is expected.",
    ),
    "a ragged row": (
        "path,label\npictures/1.png,a,b\n",
        MalformedFileError,
        "{table}, row 2 has 3 cells, and the header has 2.",
    ),
    "a header alone": ("path,label\n", EmptyDataError, "'{table}' has no rows."),
    "nothing": ("", MalformedFileError, "'{table}' has no header line."),
    "a column twice": ("path,a,a\np,1,2\n", MalformedFileError, "'{table}' has two columns 'a'."),
}


@pytest.mark.parametrize("case", list(WRONG_TABLES))
def test_a_table_that_cannot_be_used_is_refused(tmp_path: Path, case: str):
    text, error, problem = WRONG_TABLES[case]
    _table(tmp_path, text)

    with pytest.raises(error) as caught:
        _survey(tmp_path, table="labels.csv")

    assert caught.value.problem == problem.format(table=tmp_path / "labels.csv")


def test_a_table_that_is_not_there_is_named(tmp_path: Path):
    _table(tmp_path, "path\n1.png\n")

    with pytest.raises(MissingFileError) as caught:
        _survey(tmp_path, table="label.csv")

    assert caught.value.problem == f"there is no table 'label.csv', neither in '{tmp_path}' nor at this path."
    assert caught.value.fix == "did you mean 'labels.csv'? Correct table."
