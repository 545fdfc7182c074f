"""Data, schemas and destinations at addresses, through real runs: their nodes are executed in processes of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import conftest_runs
import far_files
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from conftest_runs import Command, Run, states

from headrace import testing
from headrace.authoring import Channel, Importer, standard_artifacts
from headrace.components import (
    CsvExampleGen,
    ImportExampleGen,
    ImportSchemaGen,
    ParquetExampleGen,
    Pusher,
    StatisticsGen,
)
from headrace.errors import DataError, MissingFileError, UnreachableError, UnsupportedFeatureError
from headrace.formats import artifacts
from headrace.formats.examples import tfrecord
from headrace.orchestration.runners.local.workers import Workers
from headrace.sources import input_files
from headrace.sources.csv.csv_reader import CsvReader

far = far_files.far  # fixtures
store, run, command = conftest_runs.store, conftest_runs.run, conftest_runs.command

SCHEMA = 'feature { name: "x" type: INT }\n'


@pytest.fixture(name="workers")
def workers_that_know_far(far: Path) -> Any:
    """Started after the file system was installed."""
    with Workers(list) as kept:
        yield kept


def put(far: Path, name: str, content: str) -> None:
    path = far / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def test_rows_elsewhere_are_read_once(far: Path, run: Run, command: Command):
    """A later span is read, an equal one comes from the cache, and `explain` says by what the files are known."""
    config = {"splits": [{"name": "all", "pattern": "span-{SPAN}/*.csv"}]}

    def rows() -> Any:
        return CsvExampleGen(input_base="far://trips", input_config=config)

    put(far, "trips/span-1/a.csv", "x,y\n1,a\n2,b\n")
    assert states(run(rows())) == {"CsvExampleGen": "done"}
    assert states(run(rows())) == {"CsvExampleGen": "cached"}
    put(far, "trips/span-2/a.csv", "x,y\n1,a\n2,c\n")
    result = run(rows())
    assert states(result) == {"CsvExampleGen": "done"}
    assert "3 rows" not in str(result.nodes[0].outputs[0].summary)
    explained = command("explain", "latest", "CsvExampleGen").output
    assert "parameter input_fingerprint changed" in explained
    assert "total_bytes:12,etag:" in explained
    put(far, "trips/span-2/a.csv", "x,y\n1,a\n2,d\n")
    assert states(run(rows())) == {"CsvExampleGen": "done"}


def _csv(far: Path) -> None:
    put(far, "data/a.csv", "x,y\n" + "".join(f"{row},t{row}\n" for row in range(500)))


def _parquet(far: Path) -> None:
    (far / "data").mkdir()
    table = pa.table({"x": list(range(500)), "y": [f"t{row}" for row in range(500)]})
    pq.write_table(table, str(far / "data" / "a.parquet"), row_group_size=100)


def _tfrecord(far: Path) -> None:
    (far / "data").mkdir()
    with tfrecord.Writer(str(far / "data" / "a.gz")) as writer:
        for row in range(500):
            example = tf.train.Example()
            example.features.feature["x"].int64_list.value.append(row)
            writer.write([example.SerializeToString()])


@pytest.mark.parametrize(
    ("component", "write"),
    [(CsvExampleGen, _csv), (ParquetExampleGen, _parquet), (ImportExampleGen, _tfrecord)],
    ids=lambda value: value.__name__,
)
def test_each_format_is_read_as_from_a_folder(
    far: Path, tmp_path: Path, component: Any, write: Callable[[Path], None]
):
    """Byte for byte the same Examples, also in several shards, which start in the middle of a file."""
    write(far)
    made = [
        testing.run_component(component(input_base=base, num_shards=3), tmp_path / f"store{number}").output(
            "examples"
        )
        for number, base in enumerate(["far://data", str(far / "data")])
    ]

    for split in ("train", "eval"):
        one, other = (
            [Path(path).read_bytes() for path in artifacts.split_files(examples, split)] for examples in made
        )
        assert one == other
        assert len(one) == 3


def test_files_that_change_while_they_are_read_are_refused(
    far: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The result would be filed under what the driver saw."""
    put(far, "data/a.csv", "x\n1\n")
    read = CsvReader.read

    def change(*given: Any) -> Any:
        put(far, "data/a.csv", "x\n2\n")
        return read(*given)

    monkeypatch.setattr(CsvReader, "read", change)
    with pytest.raises(DataError, match="the files in 'far://data' changed while they were read"):
        testing.run_component(CsvExampleGen(input_base="far://data"), tmp_path / "store")


def test_a_list_that_lacks_a_file_is_refused(far: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A store may tell the executor of fewer files than it told the driver."""
    put(far, "data/a.csv", "x\n1\n")
    put(far, "data/b.csv", "x\n2\n")
    find, told = input_files.find, iter([2, 1, 2])
    monkeypatch.setattr(input_files, "find", lambda *given: find(*given)[: next(told)])

    with pytest.raises(DataError, match="the files in 'far://data' changed while they were read"):
        testing.run_component(CsvExampleGen(input_base="far://data"), tmp_path / "store")


def test_a_schema_elsewhere_is_known_by_its_etag(far: Path, run: Run, command: Command):
    put(far, "schema.pbtxt", SCHEMA)

    assert states(run(ImportSchemaGen(schema_file="far://schema.pbtxt"))) == {"ImportSchemaGen": "done"}
    result = run(ImportSchemaGen(schema_file="far://schema.pbtxt"))
    assert states(result) == {"ImportSchemaGen": "cached"}
    assert Path(result.nodes[0].outputs[0].uri, "schema.pbtxt").read_text() == SCHEMA
    put(far, "schema.pbtxt", SCHEMA.replace("x", "z"))
    assert states(run(ImportSchemaGen(schema_file="far://schema.pbtxt"))) == {"ImportSchemaGen": "done"}
    assert (
        "files of schema_file changed  told by the etag in their store"
        in command("explain", "latest", "ImportSchemaGen").output
    )


def test_a_model_is_pushed_once_and_again_when_it_is_gone(far: Path, run: Run, tmp_path: Path):
    """What is there is not pushed again, and a version that somebody removed is."""
    names = ("saved_model.pb", "variables/variables.index")
    exported = {f"Format-Serving/{name}": name for name in names}
    model = testing.make_artifact(tmp_path / "model", standard_artifacts.Model, exported)

    def pusher() -> list[Any]:
        given = Importer(source_uri=model.uri, artifact_type=standard_artifacts.Model).with_id("given")
        destination = {"filesystem": {"base_directory": "far://models"}}
        return [given, Pusher(model=given.outputs["result"], push_destination=destination)]

    assert states(run(*pusher()))["Pusher"] == "done"
    [version] = (far / "models").iterdir()
    assert {str(path.relative_to(version)) for path in version.rglob("*") if path.is_file()} == {*names}
    assert states(run(*pusher()))["Pusher"] == "cached"
    assert states(run(*pusher(), cache=False))["Pusher"] == "done"
    assert list((far / "models").iterdir()) == [version]
    version.rename(far / "moved")
    assert states(run(*pusher()))["Pusher"] == "done"
    assert len(list((far / "models").iterdir())) == 1


def test_a_store_that_does_not_answer_fails_the_node_in_a_sentence(
    far: Path, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """The address, the reason and what to do; what was pushed is not taken for gone."""
    monkeypatch.setenv("FAR_DOWN", "1")
    for component, key in (
        (CsvExampleGen(input_base="far://trips"), "examples"),
        (ImportSchemaGen(schema_file="far://schema.pbtxt"), "schema"),
    ):
        with pytest.raises(UnreachableError) as caught:
            testing.run_component(component, tmp_path / key)
        assert "cannot be reached: ConnectionError: no route to far." in caught.value.problem
        assert caught.value.fix.startswith("check the address and the network")


def test_a_file_that_is_not_there_is_named(far: Path, tmp_path: Path):
    with pytest.raises(MissingFileError, match=r"there is no file at schema_file .far://none\.pbtxt."):
        testing.run_component(ImportSchemaGen(schema_file="far://none.pbtxt"), tmp_path / "store")


def test_artifacts_elsewhere_are_refused_where_they_are_read(far: Path, tmp_path: Path):
    """An Importer may name any address; who reads it says that it has to be here."""
    given = Importer(source_uri="far://rows", artifact_type=standard_artifacts.Examples).outputs["result"]
    assert isinstance(given, Channel)

    with pytest.raises(UnsupportedFeatureError) as caught:
        testing.run_component(StatisticsGen(examples=given), tmp_path / "store")

    assert (
        "StatisticsGen: input 'examples' is 'far://rows', and cannot be: it has to lie on a disk of this machine."
        in str(caught.value)
    )


def test_an_artifact_at_a_file_address_is_one_of_this_machine(tmp_path: Path, run: Run, command: Command):
    """It is known by its content, measured and shown."""
    folder = tmp_path / "given [1]"
    folder.mkdir()
    (folder / "schema.pbtxt").write_text(SCHEMA)
    rows = testing.make_examples(tmp_path / "rows", {"train": [{"x": 1}, {"x": 2}]})

    def statistics() -> list[Any]:
        schema = Importer(source_uri=f"file://{folder}", artifact_type=standard_artifacts.Schema).with_id(
            "schema"
        )
        examples = Importer(
            source_uri=rows.uri,
            artifact_type=standard_artifacts.Examples,
            properties={"split_names": '["train"]'},
        ).with_id("rows")
        node = StatisticsGen(examples=examples.outputs["result"], schema=schema.outputs["result"])
        return [schema, examples, node]

    assert states(run(*statistics()))["StatisticsGen"] == "done"
    assert states(run(*statistics()))["StatisticsGen"] == "cached"
    shown = command("show", "latest/schema.result").output
    assert f"files  {folder}" in shown
    assert "1 feature" in shown
