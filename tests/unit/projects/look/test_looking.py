"""What columns are taken for, and what kind of problem a label poses."""

from __future__ import annotations

import datetime
import gzip
import io
import json
import sqlite3
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from headrace.errors import DataError, MissingFileError
from headrace.projects import conversion
from headrace.projects.look import folders
from headrace.projects.look.databases import Database, parse_address, with_labels
from headrace.projects.look.labels import Label
from headrace.projects.look.looking import Wishes, likely_labels, look_at


def _csv(tmp_path, columns, name="rows.csv"):
    path = tmp_path / name
    rows = zip(*columns.values())
    lines = [",".join(columns), *(",".join(str(cell) for cell in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def _numbers(count, step=1.37):
    return [round(number * step % 11, 3) for number in range(count)]


def _days(count):
    first = datetime.date(2025, 1, 1)
    return [first + datetime.timedelta(days=number) for number in range(count)]


@pytest.mark.parametrize(
    ("name", "values", "role", "reason"),
    [
        ("height", _numbers(60), "number", "numbers from"),
        ("height", ["NA", "?", *_numbers(58)], "number", "'?' stands for missing"),
        ("height", ["tall", *_numbers(199)], "number", "1 cells are none, such as 'tall'"),
        ("price", list(range(7, 607, 10)), "number", "whole numbers from 7 to 597"),
        ("row", list(range(60)), "id", "counts the rows"),
        ("order_id", [number * 7919 % 6007 for number in range(60)], "id", "named like an id"),
        ("zip", [10115, 20095, 80331] * 20, "category", "named like a code"),
        ("month", [1, 2, 3, 4, 5, 6] * 10, "category", "named like a code"),
        ("colour", ["red", "green", "blue"] * 20, "category", "3 words: 'red'"),
        ("token", [f"x{number}" for number in range(60)], "id", "a word of its own"),
        ("always", ["yes"] * 60, "ignore", "the same value in every row: 'yes'"),
        ("never", [""] * 60, "ignore", "no value in any row"),
        ("note", [f"this one is number {number}" for number in range(60)], "text", "texts of 5 words"),
        (
            "seen_at",
            [1_700_000_000 + number * 977 % 6007 for number in range(60)],
            "date",
            "seconds since 1970",
        ),
        ("when", ["2025-03-01", "2024-02-28", "2025-01-09"] * 20, "date", "dates such as"),
        ("when", ["13/01/2025", "02/02/2025", "01/03/2025"] * 20, "date", "dates such as"),
        ("when", ["02/01/2025", "03/02/2025", "01/03/2025"] * 20, "date", "the month could be first"),
        ("patient_id", [number // 3 for number in range(60)], "group", "several rows each"),
    ],
)
def test_a_column_is_taken_for_what_its_values_and_name_say(tmp_path, name, values, role, reason):
    """And it is said why."""
    path = _csv(tmp_path, {name: values, "y": [number % 5 + 0.5 for number in range(len(values))]})

    column = look_at(path, Wishes(("y",))).columns[0]

    assert (column.role, reason in column.reason) == (role, True), column.reason


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        ([0.5, 1.5, 2.25] * 20, "regression", ()),
        ([3, 4, 5, 6, 7, 8] * 10, "regression", ()),
        ([0, 1] * 30, "binary", ("0", "1")),
        ([2, 1] * 30, "binary", ("1", "2")),
        ([0, 1, 2] * 20, "classes", ("0", "1", "2")),
        (["yes", "no"] * 30, "binary", ("no", "yes")),
        (["b", "b", "a"] * 20, "binary", ("b", "a")),
        (["c", "b", "a"] * 20, "classes", ("a", "b", "c")),
        (["x|y", "y", "x|z", "z"] * 15, "labels", ("x", "y", "z")),
    ],
)
def test_the_label_says_what_kind_of_problem_it_is(tmp_path, values, task, classes):
    """Of two classes the one that is predicted is the last: yes, or the rarer one."""
    path = _csv(tmp_path, {"x": _numbers(60), "y": values})

    label = look_at(path, Wishes(("y",))).label

    assert label is not None
    assert (label.task, label.classes) == (task, classes)


def test_whole_numbers_with_a_name_of_amounts_are_amounts_unless_said_otherwise(tmp_path):
    """Stars from 1 to 5 have an order; a person may want classes all the same."""
    path = _csv(tmp_path, {"x": _numbers(60), "stars": [1, 2, 3, 4, 5] * 12})

    by_name, by_wish = (look_at(path, Wishes(("stars",), task=task)).label for task in (None, "classes"))

    assert by_name is not None
    assert by_wish is not None
    assert (by_name.task, by_wish.task) == ("regression", "classes")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["a"] * 60, "the same value in every row: 'a'"),
        ([""] * 60, "no value in any row"),
        ([f"name {number}" for number in range(60)], "60 different values in 60 rows, 1.0 rows for each"),
    ],
)
def test_a_label_that_cannot_be_learned_is_refused(tmp_path, values, told):
    """Before anything is written."""
    path = _csv(tmp_path, {"x": _numbers(60), "y": values})

    with pytest.raises(DataError) as caught:
        look_at(path, Wishes(("y",)))

    assert told in caught.value.problem


def test_fractions_number_no_classes(tmp_path):
    """A person who asks for classes all the same is told what to do."""
    path = _csv(tmp_path, {"x": _numbers(60), "y": [0.5, 1.5, 2.25] * 20})

    with pytest.raises(DataError, match="with fractions or gaps"):
        look_at(path, Wishes(("y",), task="classes"))


def test_a_wrong_name_is_answered_with_those_there_are(tmp_path):
    """Also where only capitals differ."""
    path = _csv(tmp_path, {"Height": _numbers(9), "kind": ["a", "b", "a"] * 3})

    with pytest.raises(DataError) as caught:
        look_at(path, Wishes(("height",)))

    assert str(caught.value) == (
        f"{path} has no column 'height'. It has 'Height', 'kind'.\n"
        "  Fix: did you mean 'Height'? Correct --label."
    )


def test_what_stands_out_is_said(tmp_path):
    """Copies, rows without label, rare classes, values far out, what gives the label away."""
    rare = ["rare" if number < 3 else "usual" for number in range(100)]
    far = [1e9, *_numbers(99)]
    told = [f"it is {name}" for name in rare]
    columns = {"x": far, "told": told, "y": rare}
    path = _csv(tmp_path, {name: [*values, values[50], ""] for name, values in columns.items()})

    look = look_at(path, Wishes(("y",)))

    notes = " ".join(look.notes)
    assert "1 of 102 rows are exact copies" in notes
    assert "rows without label: 1. They are left out." in notes
    assert "'rare' has 3 of 101 rows" in notes
    assert "'x' has values very far from all others, such as 1e+09" in notes
    assert "'told' tells the label 'y' in each row, and is left out" in notes
    assert look.split == ("stratify", "y")


def test_a_series_is_divided_by_its_time_and_other_dates_are_mentioned(tmp_path):
    """Rows in the order of a date, one for each: later ones are for evaluation."""
    days = _days(60)
    series = _csv(tmp_path, {"day": days, "y": _numbers(60)}, "series.csv")
    mixed = _csv(tmp_path, {"day": days[::-2] + days[::2], "y": _numbers(60)}, "mixed.csv")

    assert look_at(series, Wishes(("y",))).split == ("time", "day")
    assert look_at(mixed, Wishes(("y",))).split == ("hash", "")
    assert "--time day" in look_at(mixed, Wishes(("y",))).notes[0]
    assert look_at(mixed, Wishes(("y",), time="day")).split == ("time", "day")


def test_typed_files_and_databases_are_tables_too(tmp_path):
    """Parquet, JSON lines, and a query on SQLite give the same columns."""
    columns = {"x": _numbers(40), "kind": ["a", "b"] * 20}
    table = pa.table(columns)
    pq.write_table(table, tmp_path / "rows.parquet")
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    with sqlite3.connect(tmp_path / "rows.db") as connection:
        connection.execute("CREATE TABLE rows (x REAL, kind TEXT)")
        connection.executemany("INSERT INTO rows VALUES (?, ?)", zip(*columns.values()))

    for given in ("rows.parquet", "rows.jsonl"):
        look = look_at(str(tmp_path / given), Wishes(("kind",)))
        assert [column.role for column in look.columns] == ["number", "label"], given
    database = f"sqlite:///{tmp_path}/rows.db"
    for address, num_rows in ((database, 40), (f"{database}?SELECT * FROM rows WHERE x > 5", 24)):
        look = look_at(address, Wishes(("kind",)))
        assert ([column.role for column in look.columns], look.num_rows) == (["number", "label"], num_rows)


def test_a_query_that_the_database_refuses_names_its_tables(tmp_path):
    """And a file that is not there is not made."""
    with sqlite3.connect(tmp_path / "rows.db") as connection:
        connection.execute("CREATE TABLE wines (x REAL)")

    with pytest.raises(DataError) as caught:
        look_at(f"sqlite:///{tmp_path}/rows.db?SELECT * FROM wine", Wishes())
    with pytest.raises(MissingFileError):
        look_at(f"sqlite:///{tmp_path}/other.db", Wishes())

    assert "no such table: wine" in caught.value.problem
    assert "did you mean 'wines'?" in caught.value.fix
    assert not (tmp_path / "other.db").exists()


def test_a_database_file_has_its_whole_path(tmp_path, monkeypatch):
    """A project lies in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    found = parse_address("sqlite:///rows.db?mode=ro?SELECT 1", None)

    assert found == Database(f"sqlite:///{tmp_path}/rows.db?mode=ro", "SELECT 1")
    assert parse_address("postgresql://db/x?SELECT 1", None) == Database("postgresql://db/x", "SELECT 1")
    assert parse_address("s3://bucket/rows.csv", None) is None


def test_a_password_in_an_address_is_refused_and_not_shown():
    """It would be written into pipeline.py."""
    with pytest.raises(DataError) as caught:
        look_at("postgresql://me:secret@127.0.0.1/db?SELECT 1", Wishes())

    assert "holds a password" in caught.value.problem
    assert "secret" not in str(caught.value)


def test_rows_of_a_database_without_label_are_left_out_by_its_query():
    """Nothing is copied."""
    label = Label(("kind",), "binary", "", num_missing=2)

    found = with_labels(Database("sqlite:///x.db", "SELECT * FROM rows"), label)

    assert found.query == 'SELECT * FROM (SELECT * FROM rows) AS labelled WHERE "kind" IS NOT NULL'


def test_folders_of_texts_have_their_labels_as_names(tmp_path):
    """Empty folders and other files are mentioned."""
    for name in ("good", "bad"):
        (tmp_path / "texts" / name).mkdir(parents=True)
        for number in range(12):
            (tmp_path / "texts" / name / f"{number}.txt").write_text(f"a {name} text {number}")
    (tmp_path / "texts" / "ugly").mkdir()
    (tmp_path / "texts" / "notes.md").write_text("x")

    look = look_at(str(tmp_path / "texts"), Wishes())

    assert look.label is not None
    assert (look.label.classes, look.label.counts) == (("bad", "good"), (12, 12))
    assert "nothing is in 'ugly'" in look.notes[0]
    assert "'notes.md'" in look.notes[1]


def _texts(folder, *labels):
    for label in labels:
        (folder / label).mkdir(parents=True)
        (folder / label / "1.txt").write_text("words")
    return str(folder)


def test_folders_that_are_splits_are_no_labels(tmp_path):
    """They stay apart, and the labels are the folders in them."""
    given = _texts(tmp_path / "texts", "Train/a", "Train/b", "dev/a", "dev/b", "test/a", "test/c")
    (tmp_path / "texts" / "dev" / "empty").mkdir()

    look = look_at(given, Wishes())

    assert look.label is not None
    assert (look.label.classes, look.label.counts) == (("a", "b", "c"), (3, 2, 1))
    assert look.source.splits == {"Train": "train", "dev": "valid", "test": "eval"}
    assert look.split == ("folders", "")
    assert "nothing is in 'dev/empty'" in look.notes[0]
    assert "'Train' as train" in look.notes[1]
    assert "Train has no texts of 'c'." in look.notes
    two = _texts(tmp_path / "two", "train/a", "train/b", "val/a", "val/b")
    assert look_at(two, Wishes()).source.splits == {"train": "train", "val": "eval"}


def test_folders_of_splits_are_asked_for_what_is_missing(tmp_path):
    """Something to learn from, something to judge by, and a folder for each label in each."""
    no_train = _texts(tmp_path / "no_train", "val/a", "test/a")
    twice = _texts(tmp_path / "twice", "train/a", "training/a", "test/a")
    loose = _texts(tmp_path / "loose", "train/a", "train/b", "test")

    for given in (no_train, twice):
        with pytest.raises(DataError, match="which is for training and which for evaluation is not clear"):
            look_at(given, Wishes())
    with pytest.raises(DataError, match="of one lie in no folder that is their label"):
        look_at(loose, Wishes())


def test_what_is_said_about_columns_of_a_folder_is_not_heard_in_silence(tmp_path):
    """Its label has one name."""
    given = _texts(tmp_path / "texts", "a", "b")

    with pytest.raises(DataError, match="--time says nothing about it"):
        look_at(given, Wishes(time="when"))
    assert look_at(given, Wishes(("label",))).num_rows == 2


def test_rows_are_divided_in_one_way(tmp_path):
    """By time or by group: of both, one would be left out in silence."""
    path = _csv(tmp_path, {"who": ["a", "b"] * 30, "day": _days(60), "y": _numbers(60)})

    with pytest.raises(DataError, match="--time day and --group who each say how all rows are divided"):
        look_at(path, Wishes(("y",), time="day", group="who"))


def test_likely_labels_are_those_with_such_a_name_then_the_last(tmp_path):
    """An id is none."""
    path = _csv(tmp_path, {"row": range(60), "class": ["a", "b"] * 30, "x": _numbers(60), "z": _numbers(60)})

    assert likely_labels(look_at(path, Wishes()).columns) == ["class", "z", "x"]


@pytest.mark.parametrize("pack", [lambda data: data, gzip.compress])
def test_an_array_of_json_is_a_table_as_lines_are(tmp_path, pack):
    """With the flat names that JsonExampleGen gives to what is nested; rows without a label are left out of a copy."""
    rows = [{"user": {"age": 20 + number}, "y": number % 2 if number else None} for number in range(60)]
    (tmp_path / "rows.json").write_bytes(pack(json.dumps(rows, indent=1).encode()))
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))

    looks = [look_at(str(tmp_path / name), Wishes(labels=("y",))) for name in ("rows.json", "rows.jsonl")]

    assert [[column.name for column in look.columns] for look in looks] == [["user.age", "y"]] * 2
    assert looks[0].num_rows == 60
    conversion.convert(looks[0], str(tmp_path / "project"))
    copied = (tmp_path / "project" / "data" / "rows.json").read_text().splitlines()
    assert [json.loads(line)["user.age"] for line in copied] == list(range(21, 80))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[{"a": 1}, 5]', r"element 2 of the array is int, not an object"),
        ('[{"a": 1}, {"a"]', r"the array is no JSON after element 1: "),
        ('[{"a": 1}', r"after element 1: .*the end of the file"),
        ("[]", "has no row"),
    ],
)
def test_an_array_that_is_none_says_where(tmp_path, text, told):
    """The place, and what can be done."""
    (tmp_path / "rows.json").write_text(text)
    with pytest.raises(DataError, match=told):
        look_at(str(tmp_path / "rows.json"), Wishes())


def _picture(shade):
    out = io.BytesIO()
    Image.new("RGB", (8, 6), (shade, 0, 0)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("wrapper", ["", "all/", "all/of/"])
def test_a_zip_archive_of_pictures_is_read_where_it_is(tmp_path, wrapper):
    """A folder is a label, also within another; what a Mac adds is not looked at."""
    path = tmp_path / "signs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(8):
            archive.writestr(f"{wrapper}{'ab'[number % 2]}/{number}.png", _picture(number))
        archive.writestr(f"__MACOSX/{wrapper}a/._0.png", b"x")
        archive.writestr(f"{wrapper}notes.txt", b"x")

    look = look_at(str(path), Wishes())

    assert look.label.classes == ("a", "b")
    assert look.num_rows == 8
    assert look.source.text == "a zip archive of pictures"
    assert folders.picture_size(look.source) == (8, 8, 3)
    conversion.copy(look.source, str(tmp_path / "project"))
    assert (tmp_path / "project" / "data" / "signs.zip").read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["train/a/1.png", "test/a/1.png"], "folders in .* are splits, 'test', 'train'"),
        (["1.png", "2.png"], "the 2 pictures in .* lie in no folder that is their label"),
        (["a/1.csv"], "holds 1 files of csv. Only pictures"),
        (["a/1.bin"], "holds no file whose kind is known"),
    ],
)
def test_a_zip_archive_of_something_else_is_to_be_unpacked(tmp_path, names, told):
    """What it holds, and what to do."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in names:
            archive.writestr(name, _picture(1))
    with pytest.raises(DataError, match=told):
        look_at(str(tmp_path / "a.zip"), Wishes())
