"""Cleaner: what goes, what stays, what is said of each row; and that others read what it writes."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import dirty_rows
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from data_validation import example
from executor_contexts import executor_context
from tfx.components.statistics_gen import executor as stock_statistics
from tfx.types import standard_artifacts

from headrace import checks
from headrace.authoring import Channel
from headrace.authoring.own_artifacts import CleaningReport
from headrace.components import Cleaner, ImportExampleGen
from headrace.components.cleaner import executor as cleaner_executor
from headrace.errors import DataError, DefinitionError
from headrace.formats import artifacts, cleaning_reports, protos
from headrace.formats.examples import example_writer
from headrace.formats.examples.example_writer import ParquetWriter
from headrace.store.session import open_store
from headrace.testing import (
    channel,
    make_artifact,
    make_examples,
    make_schema,
    read_examples,
    run_component,
)

_WINE = Path(__file__).parents[1] / "data" / "winequality_red.csv"


def _clean(folder: Path, examples: Any, schema: str | None = None, **arguments: Any) -> Any:
    if schema is not None:
        arguments["schema"] = channel(make_schema(folder / "schema", schema))
    return run_component(Cleaner(examples=channel(examples), **arguments), folder / "store")


def _report(result: Any) -> Any:
    return cleaning_reports.read(result.output("report"))


def _found(result: Any) -> list[Any]:
    return list(cleaning_reports.read_rows(result.output("report")))


def _removed(result: Any) -> dict[str, str]:
    """Why each path was removed."""
    return {row.sample.features["path"]: row.reason for row in _found(result) if row.action != "keep"}


def _assert_sums(result: Any, examples: Any) -> None:
    """Rows in are rows out and those removed; the files hold what the report says."""
    report, lines = _report(result), _found(result)
    cleaned = result.output("cleaned_examples")
    for split in artifacts.split_names(examples):
        given, kept = read_examples(examples, split), read_examples(cleaned, split)
        removed = [row for row in lines if row.sample.split == split and row.action != "keep"]
        assert report.rows_in[split] == len(given)
        assert report.rows_out[split] == len(kept)
        assert len(given) - len(kept) == len(removed)
        gone = {row.sample.row for row in removed}
        assert kept == [row for number, row in enumerate(given, 1) if number not in gone]


def test_copies_are_those_of_pandas_and_the_first_of_all_splits_stays(tmp_path: Path) -> None:
    """Half of the copies lie across splits: what train has, eval loses."""
    with _WINE.open() as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    examples = make_examples(tmp_path / "rows", {"train": rows[:1000], "eval": rows[1000:]})

    result = _clean(tmp_path, examples)

    duplicated = pd.DataFrame(rows).duplicated().to_numpy()
    found = _found(result)
    assert duplicated.sum() == len(found) == 240
    places = [row.sample.row - 1 + (1000 if row.sample.split == "eval" else 0) for row in found]
    assert places == np.flatnonzero(duplicated).tolist()
    for row, place in zip(found, places, strict=True):
        assert row.of is not None
        first = row.of[1] - 1 + (1000 if row.of[0] == "eval" else 0)
        assert first < place
        assert rows[first] == rows[place]
    _assert_sums(result, examples)


def test_pictures_that_cannot_be_decoded_contradict_or_are_copies(tmp_path: Path) -> None:
    """Each with its path and a picture where there is one; what is in quarantine can be read again."""
    examples = make_examples(tmp_path / "rows", {"train": dirty_rows.pictures()})

    result = _clean(tmp_path, examples, label="label", on_conflict="quarantine", near_duplicates="keep")

    assert _removed(result) == {
        "special/truncated.png": "undecodable",
        "special/empty.png": "undecodable",
        "special/text.png": "undecodable",
        "good/0.png": "conflict",
        "special/copy.png": "conflict",
        "special/copy_of_other_label.png": "conflict",
    }
    _assert_sums(result, examples)
    near = {row.sample.features["path"] for row in _found(result) if row.reason == "near duplicate"}
    assert near == {"special/cmyk.jpg", "special/really_jpeg.png"}
    shown = {row.sample.features["path"] for row in _found(result) if row.sample.thumbnail}
    assert {"good/0.png", "special/copy.png"} <= shown
    assert "special/text.png" not in shown
    folder = f"{result.output('report').uri}/{cleaning_reports.QUARANTINE_FOLDER}"
    again = run_component(
        ImportExampleGen(input_base=f"{folder}/Split-train"),
        tmp_path / "store",
    )
    bad = again.output("examples")
    rows = [row for split in artifacts.split_names(bad) for row in read_examples(bad, split)]
    paths = {row["path"][0].decode() for row in rows}  # type: ignore[index, union-attr]
    assert paths == set(_removed(result))


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Two splits of two files each; row 4 of the second file of train, and row 2 of eval, are copies."""
    rows = dirty_rows.numbers(20)
    files = make_examples(
        tmp_path_factory.mktemp("several") / "one", {"all": [*rows[:10], *rows[10:13], rows[2], *rows[13:]]}
    )
    records = _records(files, "all")
    other = _records(
        make_examples(tmp_path_factory.mktemp("several") / "two", {"all": dirty_rows.numbers(5, seed=1)}),
        "all",
    )
    return make_examples(
        tmp_path_factory.mktemp("several") / "rows",
        {"train": [records[:10], records[10:]], "eval": [[other[0], records[0]], other[1:]]},
    )


def _records(examples: Any, split: str) -> list[bytes]:
    from headrace.formats.examples import examples as payload

    return [record for batch in payload.read_records(examples, split) for record in batch]


def test_rows_are_numbered_over_the_files_of_a_split(tmp_path: Path, several: Any) -> None:
    result = _clean(tmp_path, several)

    assert [(row.sample.split, row.sample.row, row.of) for row in _found(result)] == [
        ("train", 14, ("train", 3)),
        ("eval", 2, ("train", 1)),
    ]
    _assert_sums(result, several)
    untouched = f"{several.uri}/Split-eval/data_tfrecord-00001-of-00002.gz"
    copied = f"{result.output('cleaned_examples').uri}/Split-eval/data_tfrecord-00001-of-00002.gz"
    assert Path(untouched).read_bytes() == Path(copied).read_bytes()


@pytest.mark.parametrize("action", ["keep", "drop", "quarantine"])
def test_each_action_is_counted_as_what_it_is(tmp_path: Path, several: Any, action: str) -> None:
    result = _clean(tmp_path, several, duplicates=action)
    counts = Counter(row.action for row in _found(result))

    assert counts == {action: 2}
    assert _report(result).num_removed == (0 if action == "keep" else 2)
    is_there = Path(result.output("report").uri, "quarantine").exists()
    assert is_there == (action == "quarantine")


def test_parquet_stays_parquet(tmp_path: Path) -> None:
    folder = tmp_path / "rows" / "Split-train"
    folder.mkdir(parents=True)
    batch = pa.RecordBatch.from_pydict({"a": [1, 2, 1, None], "t": ["x", "y", "x", None]})
    with ParquetWriter(example_writer.parquet_path(str(folder), 0, 1), batch.schema) as writer:
        writer.write(batch)
    examples = make_artifact(
        tmp_path / "rows",
        standard_artifacts.Examples,
        split_names='["train"]',
        payload_format="FORMAT_PARQUET",
        file_format="tfrecords_gzip",
    )

    result = _clean(tmp_path, examples, duplicates="quarantine")

    assert [row.sample.row for row in _found(result)] == [3]
    _assert_sums(result, examples)
    assert list(Path(result.output("report").uri).glob("quarantine/Split-train/*.parquet"))


_SCHEMA = """
feature { name: "sugar" type: FLOAT }
feature { name: "alcohol" type: FLOAT float_domain { min: 8 max: 15 disallow_nan: true } }
feature { name: "quality" type: INT presence { min_fraction: 1 min_count: 1 } }
"""


def test_rows_against_the_schema_are_named_and_the_others_get_its_types(tmp_path: Path) -> None:
    """A CSV column with one text in it is text: the others of it become the numbers that they say."""
    rows: list[dict[str, Any]] = [
        {"sugar": b"1.9", "alcohol": 9.0 + at / 100, "quality": 5} for at in range(30)
    ]
    rows[3] = {**rows[3], "sugar": b"n/a"}
    del rows[10]["quality"]
    rows[20] = {**rows[20], "alcohol": 1e9}
    rows[25] = {**rows[25], "alcohol": float("nan")}
    examples = make_examples(tmp_path / "rows", {"train": rows})

    result = _clean(tmp_path, examples, _SCHEMA)

    assert {(row.sample.row, row.detail) for row in _found(result)} == {
        (4, "sugar: 'n/a' is no number"),
        (11, "quality: no value"),
        (21, "alcohol: 1e+09 is above 15"),
        (26, "alcohol: nan is not allowed"),
    }
    kept = read_examples(result.output("cleaned_examples"), "train")
    assert len(kept) == 26
    assert all(row["sugar"] == [pytest.approx(1.9)] for row in kept)
    assert _report(result).remarks == [
        "feature 'sugar' converted from text to FLOAT, as the schema says",
    ]


def test_near_texts_and_numbers_are_found(tmp_path: Path) -> None:
    text = "the quick brown fox jumps over the lazy dog and runs away into the deep dark forest "
    texts = [text * 3, text * 3 + "!", "nothing of it in here at all, and a few more words"]
    examples = make_examples(tmp_path / "texts", {"train": [{"text": one.encode()} for one in texts]})
    numbers = make_examples(tmp_path / "numbers", {"train": [{"a": 1.2341}, {"a": 1.2342}, {"a": 1.25}]})

    of_texts = _clean(tmp_path / "1", examples, near_duplicates="drop")
    of_numbers = _clean(tmp_path / "2", numbers, near_duplicates="drop", near=checks.near_numbers(digits=4))

    assert [(row.sample.row, row.of, row.reason) for row in _found(of_texts)] == [
        (2, ("train", 1), "near duplicate")
    ]
    assert [row.sample.row for row in _found(of_numbers)] == [2]


def test_what_was_removed_before_is_the_first_of_nothing(tmp_path: Path) -> None:
    """The first of two rows of one key breaks the schema; so the second is no copy of one that stays, and stays."""
    schema = 'feature { name: "x" type: FLOAT float_domain { max: 1 } }'
    rows = [{"id": 1, "x": 5.0}, {"id": 1, "x": 0.5}, {"id": 1, "x": 0.6}]
    examples = make_examples(tmp_path / "rows", {"train": rows})

    result = _clean(tmp_path, examples, schema, keys="id")

    assert [(row.sample.row, row.reason, row.of) for row in _found(result)] == [
        (1, "off schema", None),
        (3, "duplicate", ("train", 2)),
    ]


def test_what_is_cleaned_is_of_the_span_of_what_was_given(tmp_path: Path) -> None:
    """An ExampleGen records it as a custom property; by it a drift check finds the span before."""
    examples = make_examples(tmp_path / "rows", {"train": [{"x": 1}, {"x": 2}]})
    examples.set_int_custom_property("span", 3)
    cleaned = make_artifact(tmp_path / "cleaned", standard_artifacts.Examples)
    report = make_artifact(tmp_path / "report", CleaningReport)
    parameters = Cleaner(Channel(type=standard_artifacts.Examples)).exec_properties

    cleaner_executor.Executor(executor_context(tmp_path)).Do(
        {"examples": [examples]},
        {"cleaned_examples": [cleaned], "report": [report]},
        dict(parameters),
    )

    assert cleaned.span == 3


def test_text_that_is_no_utf8_is_undecodable(tmp_path: Path) -> None:
    rows = [{"text": "camión".encode()}, {"text": "camión".encode("latin-1")}, {"text": b"plain"}]
    result = _clean(tmp_path, make_examples(tmp_path / "rows", {"train": rows}))

    assert [(row.sample.row, row.detail) for row in _found(result)] == [
        (2, "text: it is no UTF-8: byte 0xf3 at position 4")
    ]


def test_a_feature_of_two_types_is_named_with_its_file(tmp_path: Path) -> None:
    rows = [example(sugar=[1.5]), example(sugar=[b"n/a"]), example(sugar=[2.5])]

    with pytest.raises(DataError) as caught:
        _clean(tmp_path, make_examples(tmp_path / "rows", {"train": rows}))

    assert "data_tfrecord-00000-of-00001.gz: in a row of split 'train'" in caught.value.problem
    assert "sugar" in caught.value.problem


def test_a_cleaner_that_would_leave_nothing_stops(tmp_path: Path) -> None:
    """All rows against the schema: that is a fault of the schema."""
    examples = make_examples(tmp_path / "rows", {"train": [{"x": 5.0}, {"x": 6.0}]})
    schema = 'feature { name: "x" type: FLOAT float_domain { max: 1 } }'

    with pytest.raises(DataError) as caught:
        _clean(tmp_path, examples, schema)

    assert caught.value.problem == (
        "Cleaner: none of the 2 rows would stay: 2 off schema. Its row 1: x: 5 is above 1."
    )


@pytest.mark.parametrize(
    ("arguments", "problem", "fix"),
    [
        ({"label": "labl"}, "there is no feature 'labl'. The examples have 'label', 'x'", "'label'"),
        ({"keys": ["id"]}, "there is no feature 'id'", "Correct the name"),
        ({"images": "x"}, "feature 'x' holds floats, where pictures are needed", "bytes"),
        (
            {"near_duplicates": "keep", "near": checks.near_images()},
            "no feature holds pictures. The examples have 'label' (integers), 'x' (floats)",
            "feature=",
        ),
    ],
)
def test_a_feature_that_is_not_there_is_named(
    tmp_path: Path, arguments: dict[str, Any], problem: str, fix: str
) -> None:
    examples = make_examples(tmp_path / "rows", {"train": [{"x": 5.0, "label": 1}]})

    with pytest.raises(DefinitionError) as caught:
        _clean(tmp_path, examples, **arguments)

    assert problem in caught.value.problem
    assert fix in caught.value.fix


def test_stock_components_read_what_it_writes(tmp_path: Path, several: Any) -> None:
    """TFX's StatisticsGen counts the rows that are left; an empty split and file are read as such."""
    cleaned = _clean(tmp_path, several).output("cleaned_examples")
    statistics = make_artifact(tmp_path / "statistics", standard_artifacts.ExampleStatistics)
    stock_statistics.Executor(executor_context(tmp_path)).Do(
        {"examples": [cleaned]}, {"statistics": [statistics]}, {"exclude_splits": "[]"}
    )

    counts = {
        split: protos.read_statistics(statistics, split).datasets[0].num_examples
        for split in ("train", "eval")
    }
    assert counts == {"train": 20, "eval": 5}


def test_its_page_says_what_was_removed_and_never_that_all_is_well(tmp_path: Path) -> None:
    from headrace.reports.artifacts import renderers
    from headrace.reports.blocks.blocks import Note
    from headrace.reports.blocks.pages import walk

    result = _clean(tmp_path, make_examples(tmp_path / "rows", {"train": dirty_rows.pictures()}))
    with open_store(result.store) as store:
        subject = store.subject(result.output("report").id)
        blocks = list(walk(renderers.render(subject)))

    notes = [block for block in blocks if isinstance(block, Note)]
    assert [note.text for note in notes if note.tone == "good"] == []
    assert "4 rows removed: 23 in = 19 out + 4." in [note.text for note in notes]
    images = [
        cell.image
        for block in blocks
        for row in getattr(block, "cells", [])
        for cell in row
        if hasattr(cell, "image")
    ]
    assert any(image.startswith("data:image/png;base64,") for image in images)
