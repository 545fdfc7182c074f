"""What a parameter adds to a cache key: change a file that it names, and the key changes; change another, and it stays."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from headrace.authoring import Component, NamedExecutorSpec, standard_artifacts
from headrace.files import marks, payloads
from headrace.orchestration.cache import cache_key
from headrace.store.read.differences import UNKNOWN, compare

EXECUTOR = "some_library.Executor"


class Declared(Component):
    """A component that says which parameter is a file."""

    EXECUTOR_SPEC = NamedExecutorSpec("declared.Executor")
    INPUT_FILES = ("table",)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("a.csv", "b.csv", "deep/c.csv", "store/metadata.db"):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "settings.json").write_text('["data/b.csv"]')
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "d.csv").write_text("d")
    (tmp_path / "data" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "data" / "circle").symlink_to(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HEADRACE_TEST_FOLDER", str(tmp_path))
    return tmp_path


def key(folder: Path, executor: str = EXECUTOR, driver: str = "", **parameters: Any) -> str:
    what = ingredients(folder, executor, driver, **parameters)
    return cache_key.key(what)


def ingredients(
    folder: Path, executor: str = EXECUTOR, driver: str = "", **parameters: Any
) -> dict[str, Any]:
    own = (str(folder / "data" / "store"),)
    return cache_key.ingredients(
        executor, "", parameters, {}, {}, str(folder), driver_path=driver, own_folders=own
    )


def write(path: str) -> Callable[[Path], Any]:
    return lambda folder: (folder / path).write_text("changed")


CASES = [
    ("table", "{}/data/a.csv", "data/a.csv", True),
    ("table", "data/a.csv", "data/a.csv", True),
    ("table", "file://{}/data/a.csv", "data/a.csv", True),
    ("table", "data/new.csv", "data/new.csv", True),
    ("table", "data/a.csv", "data/b.csv", False),
    ("tables", "data/a.csv,data/b.csv", "data/b.csv", True),
    ("tables", '["data/a.csv", "data/b.csv"]', "data/b.csv", True),
    ("tables", '{"x": {"paths": ["data/b.csv"]}}', "data/b.csv", True),
    ("tables", json.dumps({"x": json.dumps({"y": "data/b.csv"})}), "data/b.csv", True),
    ("pattern", "data/*.csv", "data/b.csv", True),
    ("pattern", "data/*.csv", "data/z.csv", True),
    ("pattern", "data/**/*.csv", "data/deep/c.csv", True),
    ("pattern", "data/a*.csv", "data/b.csv", False),
    ("images", "data", "data/deep/c.csv", True),
    ("images", "data/", "data/deep/new.csv", True),
    ("images", "data", "elsewhere/d.csv", True),
    ("images", "data", "data/store/metadata.db", False),
    ("input_base", "data", "data/a.csv", True),
    ("push_destination", '{"filesystem": {"base_directory": "data"}}', "data/a.csv", False),
    ("output_path", "data", "data/a.csv", False),
    ("target", "data/a.csv", "data/a.csv", True),
    ("steps", 3, "data/a.csv", False),
    ("tables", "data/a.csv;data/b.csv", "data/b.csv", True),
    ("tables", "data/a.csv:data/b.csv", "data/b.csv", True),
    ("tables", "data/a.csv data/b.csv", "data/b.csv", True),
    ("tables", "data/a.csv\ndata/b.csv", "data/b.csv", True),
    ("tables", "data/a*.csv, data/b*.csv", "data/b.csv", True),
    ("tables", "['data/a.csv', 'data/b.csv']", "data/b.csv", True),
    ("tables", '{"data/b.csv": 1}', "data/b.csv", True),
    ("options", "--table=data/b.csv --steps 3", "data/b.csv", True),
    ("options", "table: data/b.csv\nsteps: 3\n", "data/b.csv", True),
    ("query", "count the data", "data/a.csv", False),
    ("table", "$HEADRACE_TEST_FOLDER/data/a.csv", "data/a.csv", True),
    ("tables", "${HEADRACE_TEST_FOLDER}/data", "data/deep/c.csv", True),
    ("table", "file:{}/data/a.csv", "data/a.csv", True),
    ("table", "file://localhost{}/data/a.csv", "data/a.csv", True),
    ("table", "sqlite:///data/a.csv", "data/a.csv", True),
    ("table", "file://{}/%64ata/a.csv", "data/a.csv", True),
    ("table", "gs://bucket/data/a.csv", "data/a.csv", False),
    ("checkpoint", "data/a", "data/a.csv", True),
    ("table", "data/a.csv#rows", "data/a.csv", True),
    ("settings", "settings.json", "data/b.csv", True),
    ("settings", "settings.json", "data/a.csv", False),
]

SCRIPT = """
import os

def Reads(target, log_file, temp):
    return open(target).read() + open(log_file).read() + open(temp).read()

def Writes(report, folder, name):
    with open(report, "w") as file:
        file.write("x")
    os.makedirs(folder)
    (folder / name).write_text("x")
"""


@pytest.mark.parametrize(
    ("executor", "name", "counts"),
    [
        ("Reads", "target", True),
        ("Reads", "log_file", True),
        ("Reads", "temp", True),
        ("Reads", "output", False),
        ("Writes", "report", False),
    ],
)
def test_a_file_that_the_code_itself_writes_does_not_count(
    folder: Path, executor: str, name: str, counts: bool
):
    """Where the component's code is known it tells what is read, whatever the parameter is called."""
    (folder / "script.py").write_text(SCRIPT)

    def key() -> str:
        what = cache_key.ingredients(
            f"__main__.{executor}_Executor", str(folder / "script.py"), {name: "data/a.csv"}, {}, {}, ""
        )
        return cache_key.key(what)

    before = key()
    write("data/a.csv")(folder)

    assert (key() != before) is counts


@pytest.mark.parametrize(("name", "value", "changed", "counts"), CASES)
def test_files_that_parameters_name_count_by_content(
    folder: Path, name: str, value: Any, changed: str, counts: bool
):
    value = value.replace("{}", str(folder)) if isinstance(value, str) else value
    before = key(folder, **{name: value})

    write(changed)(folder)

    assert (key(folder, **{name: value}) != before) is counts


def test_of_a_declared_file_only_name_and_content_count(folder: Path):
    """The same file elsewhere is the same input; another parameter's text is no path."""
    before = key(folder, "declared.Executor", table="data/a.csv", label="data/b.csv")
    (folder / "elsewhere" / "a.csv").write_text("a.csv")
    write("data/b.csv")(folder)

    assert key(folder, "declared.Executor", table="elsewhere/a.csv", label="data/b.csv") == before
    assert key(folder, "declared.Executor", table=str(folder / "data/a.csv"), label="data/b.csv") == before
    assert key(folder, "declared.Executor", table="elsewhere/d.csv", label="data/b.csv") != before
    missing = key(folder, "declared.Executor", table="gone.csv", label="data/b.csv")
    (folder / "gone.csv").write_text("")
    assert key(folder, "declared.Executor", table="gone.csv", label="data/b.csv") != missing


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a folder with one file, whose store tells when files changed: they are made anew each time."""
    monkeypatch.setattr(marks, "_RACY_SECONDS", -1.0)
    monkeypatch.setattr(marks, "_OF_TIME", ("created",))
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/bucket/data/a.csv", b"a")
    yield "memory://bucket/data"
    memory.store.clear()


@pytest.mark.parametrize("executor", ["declared.Executor", EXECUTOR])
@pytest.mark.parametrize("name", ["", "/a.csv"])
def test_a_file_elsewhere_counts_by_what_its_store_says(folder: Path, away: str, executor: str, name: str):
    """Declared, or the whole text of a parameter of another component; a folder is all that is in it."""
    before = ingredients(folder, executor, table=away + name)

    assert cache_key.key(ingredients(folder, executor, table=away + name)) == cache_key.key(before)
    assert before["parameters"]["table"]["content"].startswith("created and size:")
    fsspec.filesystem("memory").pipe_file("/bucket/data/a.csv", b"b")
    assert key(folder, executor, table=away + name) != cache_key.key(before)


def test_a_list_of_addresses_counts_as_a_whole(folder: Path, away: str):
    fsspec.filesystem("memory").pipe_file("/bucket/data/b.csv", b"b")
    before = key(folder, table=f"{away}/a.csv,{away}/b.csv")
    fsspec.filesystem("memory").pipe_file("/bucket/data/b.csv", b"c")

    assert key(folder, table=f"{away}/a.csv,{away}/b.csv") != before


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("push_destination", "memory://bucket/data"),
        ("table", "memory://bucket/none.csv"),
        ("table", "https://127.0.0.1:9/a.csv"),
        ("table", "postgresql://host/database"),
    ],
)
def test_other_addresses_count_by_their_text(folder: Path, away: str, name: str, address: str):
    """Destinations, what is not there, the web, and what is no file at all: nothing asks them."""
    found = ingredients(folder, **{name: address})

    assert found["parameters"][name] == address
    assert UNKNOWN not in found


def test_what_does_not_answer_is_never_the_same(folder: Path, away: str, monkeypatch: pytest.MonkeyPatch):
    def fail(self: Any, path: str, **options: Any) -> Any:
        raise ConnectionError("no route")

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "info", fail)

    assert ingredients(folder, table=f"{away}/a.csv")[UNKNOWN] == ["parameter table"]


def test_a_fingerprint_that_says_nothing_is_never_the_same(folder: Path):
    driver = "headrace.components.example_gen.driver.Driver"
    line = f"split:all,num_files:1,total_bytes:3,{payloads.unknown_digest()}"

    found = ingredients(folder, driver=driver, input_base="s3://bucket", input_fingerprint=line)
    assert found[UNKNOWN] == ["parameter input_fingerprint"]
    known = ingredients(folder, driver=driver, input_base="s3://bucket", input_fingerprint="split:all,etag:1")
    assert UNKNOWN not in known


def test_a_declared_file_elsewhere_is_never_the_same(folder: Path):
    first = ingredients(folder, "declared.Executor", table="gs://bucket/a.csv")
    second = ingredients(folder, "declared.Executor", table="gs://bucket/a.csv")

    assert first[UNKNOWN] == ["parameter table"]
    assert cache_key.key(first) != cache_key.key(second)


@pytest.mark.parametrize("path", ["/proc/self/stat", "/dev/null", "/proc", "/sys/"])
def test_what_the_kernel_shows_of_itself_is_no_content(folder: Path, path: str):
    """It is only a text."""
    assert ingredients(folder, table=path)["parameters"] == {"table": path}


def test_a_folder_counts_without_what_the_kernel_shows_in_it(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(payloads, "KERNEL_FOLDERS", (f"{folder}/data/deep/",))
    before = key(folder, table="data")

    write("data/deep/c.csv")(folder)

    assert key(folder, table="data") == before


def test_two_texts_with_equal_files_are_two_values_for_a_component_of_the_user(folder: Path):
    (folder / "data" / "b.csv").write_text("a.csv")

    assert key(folder, table="data/a.csv") != key(folder, table="data/b.csv")


@pytest.mark.parametrize(
    ("driver", "fingerprint", "counts"),
    [
        ("headrace.components.example_gen.driver.Driver", "sha", False),
        ("headrace.components.example_gen.driver.Driver", None, True),
        ("", "sha", True),
        ("mine.Driver", "sha", True),
    ],
)
def test_input_base_is_left_out_where_the_driver_put_a_fingerprint_beside_it(
    folder: Path, driver: str, fingerprint: str | None, counts: bool
):
    one = key(folder, driver=driver, input_base="here", input_fingerprint=fingerprint)
    other = key(folder, driver=driver, input_base="there", input_fingerprint=fingerprint)

    assert (one != other) is counts


def test_the_explanation_names_the_file_that_changed(folder: Path):
    before = ingredients(folder, table="data/a.csv")
    write("data/a.csv")(folder)

    [found] = compare(before, ingredients(folder, table="data/a.csv"), lambda digest: None)

    assert (found.kind, found.name) == ("file", "table")
    assert [os.path.basename(file.name) for file in found.files] == ["a.csv"]


def test_properties_that_the_pipeline_gives_an_output_count():
    plain, named = standard_artifacts.Examples(), standard_artifacts.Examples()
    named.set_string_custom_property("table", "x")

    def of(made: Any) -> str:
        return cache_key.key(cache_key.ingredients(EXECUTOR, "", {}, {}, {"examples": [made]}, ""))

    assert of(plain) != of(named)
