"""Projects of all kinds, rendered: their files are what a person would write."""

from __future__ import annotations

import ast
import json
import subprocess
import sys

import pytest
import yaml

from headrace.cli.pipelines.ready_pipelines import find_ready_pipelines
from headrace.errors import DataError
from headrace.projects.look.looking import Wishes, look_at
from headrace.projects.making import plan_project
from headrace.projects.naming import check_place
from headrace.projects.ready import plan_copy

RULES = "E,F,W,I,UP,B,SIM,C4,N,RUF,PT,RET,PIE,SLF"
UGLY = [
    'say "no"',
    "it's",
    "back\\slash",
    "{{ jinja }}",
    "# hash",
    "a/b",
    "\u05e9\u05dc\u05d5\u05dd",
    "x" * 120,
    "`md` | *",
]


def _rows(columns):
    return "\n".join([",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values()))]) + "\n"


def _columns(**more):
    numbers = [round(number * 1.37 % 11, 3) for number in range(60)]
    return {
        "size": numbers,
        "gaps": ["NA", *numbers[1:]],
        "colour": ["red", "green", "blue"] * 20,
        "when": ["13/01/2025", "02/02/2025", "01/03/2025"] * 20,
        "note": [f"this one is number {number}" for number in range(60)],
        **more,
    }


KINDS = {
    "regression": _columns(y=[0.5, 1.5, 2.25] * 20),
    "regression_in_text": _columns(y=["n/a", *[0.5, 1.5, 2.25] * 19, 1.0, 2.0]),
    "binary": _columns(y=["no", "yes"] * 30),
    "rare": _columns(y=["no"] * 55 + ["yes"] * 5),
    "classes": _columns(y=[1, 2, 3] * 20),
    "float_classes": _columns(y=[1.0, 2.0] * 30),
    "wide": _columns(
        **{f"n{number}": [0.5, 1.5, 2.25, 4] * 15 for number in range(120)}, y=["a", "b", "c"] * 20
    ),
    "listed": _columns(y=["x|y", "y", "x|z", "z"] * 15),
    "ugly": {**{name: [1.5, 2.5, 3.25, 4.5] * 15 for name in UGLY}, "y": ["\u202ea", 'b"', "c\\"] * 20},
}


def _checked(folder):
    """Ruff's formatter and checks, as the project's own configuration says."""
    for arguments in (["format", "--diff"], ["check", "--select", RULES, "--ignore", "E501,RUF012"]):
        command = [sys.executable, "-m", "ruff", *arguments, "--no-cache", "."]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_a_project_from_a_table_is_clean_and_small(tmp_path, kind):
    """Formatted, checked, and its roles are those that were said, whatever the columns are called."""
    data = tmp_path / "rows.csv"
    data.write_text(_rows(KINDS[kind]))
    look = look_at(str(data), Wishes(("y",)))
    place = check_place(str(tmp_path / "made"))

    plan_project(place, look, is_copied=False).carry_out()

    made = tmp_path / "made"
    _checked(made)
    features = ast.parse((made / "features.py").read_text())
    roles = next(
        node for node in features.body if isinstance(node, ast.Assign) and node.targets[0].id == "ROLES"
    )
    assert ast.literal_eval(roles.value) == {column.name: column.role for column in look.columns}
    assert len((made / "pipeline.py").read_text().splitlines()) < 85
    settings = yaml.safe_load((made / "headrace.yaml").read_text())
    assert settings["pipeline"] == "pipeline.py"
    assert yaml.safe_load((made / ".github/workflows/pipeline.yml").read_text())["name"] == "made"
    for cell in json.loads((made / "notebook.ipynb").read_text())["cells"]:
        if cell["cell_type"] == "code":
            ast.parse("".join(cell["source"]))
    for name in made.rglob("*.py"):
        assert "headrace.pipelines" not in name.read_text()


def test_several_columns_of_0_and_1_are_one_label(tmp_path):
    """Each is an output of the model."""
    data = tmp_path / "rows.csv"
    data.write_text(_rows(_columns(a=[0, 1] * 30, b=[0, 0, 1] * 20)))

    plan_project(
        check_place(str(tmp_path / "made")), look_at(str(data), Wishes(("a", "b"))), is_copied=True
    ).carry_out()

    _checked(tmp_path / "made")
    assert 'LABELS = ("a", "b")' in (tmp_path / "made/features.py").read_text()
    assert (tmp_path / "made/data/rows.csv").read_text() == data.read_text()


def test_pictures_texts_and_databases_have_projects_too(tmp_path):
    """Each with its own ExampleGen."""
    import sqlite3

    from PIL import Image

    for name in ("good", "bad"):
        for kind in ("pictures", "texts"):
            (tmp_path / kind / name).mkdir(parents=True)
        for number in range(12):
            Image.new("L", (300, 200)).save(tmp_path / "pictures" / name / f"{number}.png")
            (tmp_path / "texts" / name / f"{number}.txt").write_text("some words")
    with sqlite3.connect(tmp_path / "rows.db") as connection:
        connection.execute("CREATE TABLE rows (x REAL, kind TEXT)")
        connection.executemany("INSERT INTO rows VALUES (?, ?)", zip([1.5, 2.5] * 20, ["a", "b"] * 20))

    wanted = {"pictures": "ImageFolderExampleGen(", "texts": "TextExampleGen(", "rows.db": "SqlExampleGen("}
    for given, component in wanted.items():
        address = f"sqlite:///{tmp_path}/rows.db" if given == "rows.db" else str(tmp_path / given)
        look = look_at(address, Wishes(("kind",) if given == "rows.db" else ()))
        made = tmp_path / f"made_{given}"
        plan_project(check_place(str(made)), look, is_copied=False).carry_out()
        _checked(made)
        assert component in (made / "pipeline.py").read_text()
    assert "SIZE = (85, 128)\nCHANNELS = 1" in (tmp_path / "made_pictures/features.py").read_text()


@pytest.mark.parametrize(
    ("folders", "call", "stops"),
    [
        (("train", "test"), 'split_by=folders(names={"test": "eval"}),', 'eval_split="eval",'),
        (("train", "valid", "eval"), "split_by=folders(),", 'eval_split="valid",'),
    ],
)
def test_folders_of_splits_are_read_as_they_are(tmp_path, folders, call, stops):
    """And where none says when to stop, the one to judge by does."""
    for name in folders:
        for label in ("good", "bad"):
            (tmp_path / "texts" / name / label).mkdir(parents=True)
            for number in range(8):
                (tmp_path / "texts" / name / label / f"{number}.txt").write_text("some words")

    look = look_at(str(tmp_path / "texts"), Wishes())
    plan_project(check_place(str(tmp_path / "made")), look, is_copied=False).carry_out()

    _checked(tmp_path / "made")
    written = (tmp_path / "made/pipeline.py").read_text()
    assert call in written
    assert stops in written
    assert "splits=splits" not in written


@pytest.mark.parametrize(
    ("names", "other", "pattern"),
    [
        (("a.csv", "b.csv"), "notes.md", "*.csv"),
        (("2025.01.csv", "2025.02.csv"), "_SUCCESS", "*.csv"),
        (("a.csv", "b.old.csv"), "notes.csv.bak", "*.csv"),
        (("a.csv", "b.tsv"), "notes.md", None),
    ],
)
def test_other_files_between_those_of_a_table_are_not_read(tmp_path, names, other, pattern):
    """A pattern leaves them out; where there is none, they have to be moved."""
    (tmp_path / "table").mkdir()
    for name in (*names, other):
        (tmp_path / "table" / name).write_text("words" if name == other else _rows(KINDS["binary"]))
    look = look_at(str(tmp_path / "table"), Wishes(("y",)))
    place = check_place(str(tmp_path / "made"))

    if pattern is None:
        with pytest.raises(DataError, match="other files lie between those of the table"):
            plan_project(place, look, is_copied=False)
        return
    plan_project(place, look, is_copied=False).carry_out()

    assert f'"pattern": "{pattern}"' in (tmp_path / "made/pipeline.py").read_text()
    _checked(tmp_path / "made")


@pytest.mark.parametrize("ready", [pipeline.name for pipeline in find_ready_pipelines()])
def test_a_copy_of_a_ready_pipeline_uses_nothing_of_it(tmp_path, ready):
    """Its modules name each other, its data lie beside it, and its name is the project's."""
    pipeline = next(one for one in find_ready_pipelines() if one.name == ready)

    plan_copy(check_place(str(tmp_path / "mine")), pipeline.module, pipeline.description).carry_out()

    made = tmp_path / "mine"
    _checked(made)
    texts = {path.name: path.read_text() for path in made.rglob("*.py")}
    assert not [name for name, text in texts.items() if "headrace.pipelines" in text]
    assert 'Pipeline(\n        "mine"' in texts["pipeline.py"]
    assert list((made / "data").iterdir())


def test_a_project_is_there_whole_or_not_at_all(tmp_path):
    """A copy that fails leaves nothing behind."""
    from headrace.projects.writing import write_project

    def fail(folder):
        raise OSError(28, "No space left on device")

    with pytest.raises(Exception, match="No space left on device"):
        write_project(str(tmp_path / "made"), {"a/b.txt": "x"}, fail)

    assert not list(tmp_path.iterdir())


def test_data_below_the_folder_are_found_by_a_relative_path(tmp_path):
    """So the folder can move with its data; what lies elsewhere has its whole path."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/rows.csv").write_text(_rows(KINDS["binary"]))
    look = look_at(str(tmp_path / "data/rows.csv"), Wishes(("y",)))

    beside = plan_project(check_place(str(tmp_path / "made")), look, is_copied=False)
    (tmp_path / "other").mkdir()
    apart = plan_project(check_place(str(tmp_path / "other/made")), look, is_copied=False)

    assert beside.data.path == "../data/rows.csv"
    assert apart.data.path == str(tmp_path / "data/rows.csv")


def test_data_in_another_form_are_converted(tmp_path):
    """Semicolons, decimal commas, Windows' encoding, rows without label: the copy is what CsvExampleGen reads."""
    rows = '"gr\u00f6\u00dfe";"sorte, fein"\n1,5;a\n2,5;\n' + "3,5;b\n4,5;a\n" * 10
    (tmp_path / "rows.csv").write_bytes(rows.encode("cp1252"))
    look = look_at(str(tmp_path / "rows.csv"), Wishes(("sorte fein",)))

    plan = plan_project(check_place(str(tmp_path / "made")), look, is_copied=False)
    plan.carry_out()

    copied = (tmp_path / "made/data/rows.csv").read_text().splitlines()
    assert copied[:3] == ["gr\u00f6\u00dfe,sorte fein", "1.5,a", "3.5,b"]
    assert len(copied) == 22
    assert "divided by semicolons" in plan.data.text
    assert "decimal comma" in plan.data.text


def test_parquet_types_without_a_form_are_converted(tmp_path):
    """Times become text, decimals floats; structures are left out."""
    import datetime
    import decimal

    import pyarrow as pa
    import pyarrow.parquet as pq

    start = datetime.datetime(2025, 1, 1, 12)
    columns = {
        "when": [start + datetime.timedelta(hours=7 * number % 50) for number in range(40)],
        "cost": [decimal.Decimal(number % 7) / 4 for number in range(40)],
        "inner": [{"a": 1}] * 40,
        "kind": pa.array(["a", "b"] * 20).dictionary_encode(),
        "y": [1, 0, None, 1] * 10,
    }
    pq.write_table(pa.table(columns), tmp_path / "rows.parquet")
    look = look_at(str(tmp_path / "rows.parquet"), Wishes(("y",)))

    plan = plan_project(check_place(str(tmp_path / "made")), look, is_copied=False)
    plan.carry_out()

    assert [column.role for column in look.columns] == ["date", "number", "ignore", "category", "label"]
    assert "no form for the types of 'cost', 'inner', 'when'" in plan.data.text
    copied = pq.read_table(tmp_path / "made/data/rows.parquet")
    assert [str(kind) for kind in copied.schema.types] == [
        "string",
        "double",
        "dictionary<values=string, indices=int32, ordered=0>",
        "int64",
    ]
    assert len(copied) == 30
    assert copied["when"][0].as_py().startswith("2025-01-01 12:00:00")
