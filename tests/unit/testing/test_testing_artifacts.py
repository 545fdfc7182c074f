"""Artifacts that tests make from Python values."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace import testing
from headrace.authoring import Importer, standard_artifacts
from headrace.errors import DataError, DefinitionError
from headrace.formats import protos
from headrace.formats.examples import tfrecord


@pytest.mark.parametrize(
    ("splits", "error", "words"),
    [
        ({"train": [{"a": 1}, {"a": "x"}]}, DataError, "column 'a', with values of type 'int', 'str'"),
        ({"train": [{"a": 2**70}]}, DataError, "column 'a', with values of type 'int'"),
        ({"train": [{}]}, DataError, "no row has a column"),
        ({"train": {"a": 1}}, DataError, "a list of mappings"),
        ({"train": ["a"]}, DataError, "'a' was given"),
        ({"train": [{1: 1}]}, DataError, "{1: 1} was given"),
        ({"train": 5}, DataError, "5 was given"),
        ({"a/b": []}, DefinitionError, "a/b"),
        ({1: []}, DefinitionError, "1 cannot be the name"),
        ([{"a": 1}], DefinitionError, "no split"),
        ({}, DefinitionError, "no split"),
    ],
)
def test_what_has_no_form_is_refused(tmp_path: Path, splits, error, words):
    with pytest.raises(error, match=words):
        testing.make_examples(tmp_path, splits)


def test_an_artifact_of_any_type_has_files_and_properties(tmp_path: Path):
    made = testing.make_artifact(
        tmp_path / "model",
        standard_artifacts.ExampleStatistics,
        {"a/b": "text", "c": b"\x00"},
        span=2,
        note="n",
        size=1.5,
    )

    assert Path(made.uri, "a", "b").read_text() == "text"
    assert Path(made.uri, "c").read_bytes() == b"\x00"
    assert (made.span, made.get_string_custom_property("note"), made.get_float_custom_property("size")) == (
        2,
        "n",
        1.5,
    )
    with pytest.raises(DefinitionError, match="outside"):
        testing.make_artifact(tmp_path / "model", standard_artifacts.Model, {"../x": ""})
    with pytest.raises(DefinitionError, match="property 'span'"):
        testing.make_artifact(tmp_path / "model", standard_artifacts.ExampleStatistics, span="two")


def test_a_schema_is_given_as_a_proto_or_its_text(tmp_path: Path):
    schema = testing.make_schema(tmp_path, 'feature { name: "a" type: INT }')

    assert 'name: "a"' in Path(schema.uri, "schema.pbtxt").read_text()
    with pytest.raises(DefinitionError, match="no Schema"):
        testing.make_schema(tmp_path, "feature {")
    with pytest.raises(DefinitionError, match="NoneType"):
        testing.make_schema(tmp_path, None)  # type: ignore[arg-type]


def test_records_are_written_as_they_are_in_one_file_or_several(tmp_path: Path):
    made = testing.make_examples(tmp_path, {"train": [b"one", b"two"], "eval": [[b"three"], [b"four"], []]})

    files = sorted(path for path in Path(made.uri).rglob("*.gz"))
    assert [(path.parent.name, [*tfrecord.read_batches(str(path), 10)]) for path in files] == [
        ("Split-eval", [[b"three"]]),
        ("Split-eval", [[b"four"]]),
        ("Split-eval", []),
        ("Split-train", [[b"one", b"two"]]),
    ]


def test_statistics_are_given_as_protos_or_their_texts(tmp_path: Path):
    made = testing.make_statistics(
        tmp_path / "made", {"train": "datasets { num_examples: 3 }", "eval": "datasets {}"}, span=2
    )

    assert protos.read_statistics(made, "train").datasets[0].num_examples == 3
    assert (made.span, made.split_names) == (2, '["train", "eval"]')
    for splits in ({}, {"train": "datasets {"}, {"train": 5}, {"a/b": ""}):
        with pytest.raises(DefinitionError):
            testing.make_statistics(tmp_path / "other", splits)  # type: ignore[arg-type]


def test_a_split_is_not_written_over_another(tmp_path: Path):
    testing.make_examples(tmp_path, {"train": [{"a": 1}]})

    with pytest.raises(DefinitionError, match="Split-train is there already"):
        testing.make_examples(tmp_path, {"train": [{"a": 2}]})


@pytest.mark.parametrize(
    "given", [None, "Model", standard_artifacts.Model()], ids=["None", "text", "artifact"]
)
def test_only_a_type_makes_an_artifact(tmp_path: Path, given):
    with pytest.raises(DefinitionError, match="no artifact type"):
        testing.make_artifact(tmp_path, given)


def test_what_is_no_artifact_or_component_is_refused(tmp_path: Path):
    with pytest.raises(DefinitionError, match="given a str"):
        testing.channel("rows")  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match="given a ABCMeta"):
        testing.run_component(Importer, tmp_path)  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match="type int"):
        testing.make_artifact(tmp_path, standard_artifacts.Model, {"a": 5})  # type: ignore[dict-item]
