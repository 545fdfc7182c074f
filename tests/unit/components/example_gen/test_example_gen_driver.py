"""The driver: what it decides, and what it records of it."""

from __future__ import annotations

import glob
import json
import os
import types

import pytest

from headrace.authoring import standard_artifacts
from headrace.authoring.light import authoring
from headrace.components.example_gen import CsvExampleGen
from headrace.components.example_gen.driver import Driver
from headrace.errors import DefinitionError, MissingFileError
from headrace.sources import input_files

with authoring():
    from tfx.proto import example_gen_pb2
    from tfx.utils import proto_utils


def _resolved(folder, pattern="*"):
    config = example_gen_pb2.Input(splits=[example_gen_pb2.Input.Split(name="all", pattern=pattern)])
    properties = dict(CsvExampleGen(str(folder), input_config=config).exec_properties)
    return Driver(None).resolve_exec_properties(properties, None, None)


def test_fingerprint_ignores_times_and_place(tmp_path):
    """A fresh checkout in another folder finds the cache."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.csv").write_text("x\n1\n")
    os.utime(tmp_path / "two" / "a.csv", (1, 1))
    one, two = _resolved(tmp_path / "one"), _resolved(tmp_path / "two")
    assert one["input_fingerprint"] == two["input_fingerprint"]
    assert one["input_fingerprint"].startswith("split:all,num_files:1,total_bytes:4,sha256:")


def test_fingerprint_sees_a_changed_byte(tmp_path):
    """Even where size and time stay."""
    path = tmp_path / "a.csv"
    path.write_text("x\n1\n")
    before = _resolved(tmp_path)["input_fingerprint"]
    path.write_text("x\n2\n")
    os.utime(path, (1, 1))
    assert _resolved(tmp_path)["input_fingerprint"] != before


def test_run_returns_what_was_decided_in_stock_names(tmp_path):
    """TFX's launcher records these properties with the execution and the artifact."""
    (tmp_path / "span3" / "v2").mkdir(parents=True)
    (tmp_path / "span3" / "v2" / "a.csv").write_text("x\n1\n")
    config = example_gen_pb2.Input(
        splits=[example_gen_pb2.Input.Split(name="all", pattern="span{SPAN}/v{VERSION}/*")]
    )
    properties = dict(CsvExampleGen(str(tmp_path), input_config=config).exec_properties)
    examples = standard_artifacts.Examples()
    examples.uri = "somewhere"
    info = types.SimpleNamespace(exec_properties=properties, output_dict={"examples": [examples]})

    output = Driver(None).run(info)

    assert output.exec_properties["span"].int_value == 3
    assert output.exec_properties["version"].int_value == 2
    assert "range_config" not in output.exec_properties
    filled = example_gen_pb2.Input()
    proto_utils.json_to_proto(output.exec_properties["input_config"].string_value, filled)
    assert filled.splits[0].pattern == "span3/v2/*"
    (artifact,) = output.output_artifacts["examples"].artifacts
    assert artifact.uri == "somewhere"
    assert artifact.custom_properties["span"].int_value == 3
    assert artifact.custom_properties["version"].int_value == 2
    assert artifact.custom_properties["input_fingerprint"].string_value.startswith("split:all,num_files:1,")


def test_interactive_context_gets_its_artifact(tmp_path):
    """The older way to call a driver makes the output folder too."""
    (tmp_path / "a.csv").write_text("x\n1\n")
    driver = Driver(None)
    component = CsvExampleGen(str(tmp_path))
    properties = driver.resolve_exec_properties(dict(component.exec_properties), None, None)
    made = driver._prepare_output_artifacts(
        {},
        component.outputs,
        properties,
        7,
        types.SimpleNamespace(pipeline_root=str(tmp_path / "root")),
        types.SimpleNamespace(component_id="CsvExampleGen"),
    )
    (artifact,) = made["examples"]
    assert artifact.uri == str(tmp_path / "root" / "CsvExampleGen" / "examples" / "7")
    assert os.path.isdir(artifact.uri)
    assert artifact.get_int_custom_property("span") == 0
    assert not artifact.has_custom_property("version")


def test_missing_folder(tmp_path, monkeypatch):
    """The reader sees the folder asked for and where it was looked for."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingFileError) as caught:
        _resolved("nowhere")
    assert str(caught.value) == (
        f"input_base 'nowhere' does not exist (looked in {tmp_path}).\n"
        "  Fix: correct the path; a relative path starts at the folder where the command runs."
    )


def test_pattern_without_a_match_shows_what_there_is(tmp_path):
    """The deepest folder that exists is listed."""
    (tmp_path / "day1").mkdir()
    (tmp_path / "day1" / "a.csv").write_text("x\n1\n")
    with pytest.raises(MissingFileError) as caught:
        _resolved(tmp_path, "day1/*.tsv")
    assert str(caught.value) == (
        f"no file matches 'day1/*.tsv' in '{tmp_path}'. '{tmp_path}/day1' holds 'a.csv'.\n"
        "  Fix: correct input_base or the pattern of the split in input_config."
    )


def test_empty_folder_is_called_empty(tmp_path):
    """Subfolders and hidden files are not input."""
    with pytest.raises(MissingFileError) as caught:
        input_files.find(str(tmp_path), "*")
    assert caught.value.problem == f"no file matches '*' in '{tmp_path}'. It is empty."


@pytest.mark.parametrize("name", ["a.csv", "odd [1] {SPAN} *.csv", ".hidden.csv"])
def test_one_file_is_its_folder_with_a_pattern_that_names_it(tmp_path, monkeypatch, name):
    """So it is recorded, so that the key is that of the folder, and executors of TFX's read it."""
    (tmp_path / name).write_text("x\n1\n")
    (tmp_path / "odd 1 {SPAN} other.csv").write_text("x\n2\n")

    of_file = _resolved(tmp_path / name)

    assert of_file["input_base"] == str(tmp_path)
    pattern = json.loads(of_file["input_config"])["splits"][0]["pattern"]
    assert of_file == _resolved(tmp_path, pattern)
    assert glob.glob(os.path.join(str(tmp_path), pattern)) == [str(tmp_path / name)]
    monkeypatch.chdir(tmp_path)
    assert _resolved(name)["input_base"] == "."
    assert _resolved(name, "*.csv")["input_fingerprint"] == of_file["input_fingerprint"]


def test_a_pattern_of_other_files_beside_one_file_is_refused(tmp_path):
    """Nobody can tell which of both is meant."""
    (tmp_path / "a.csv").write_text("x\n1\n")
    with pytest.raises(MissingFileError) as caught:
        _resolved(tmp_path / "a.csv", "span-{SPAN}/*.csv")
    assert str(caught.value) == (
        f"input_base '{tmp_path}/a.csv' is a file, and the pattern 'span-{{SPAN}}/*.csv' of split 'all' is "
        "not that of its name.\n"
        f"  Fix: leave the pattern out to read that file, or give the folder '{tmp_path}'."
    )


def test_no_input_base():
    """The stock component accepts none as well, and fails later without a word."""
    with pytest.raises(DefinitionError) as caught:
        input_files.find("", "*")
    assert str(caught.value) == (
        "input_base is not given.\n  Fix: give the folder that holds the input files."
    )


@pytest.mark.parametrize("key", ["input_config", "output_config"])
def test_a_split_name_that_leads_elsewhere_is_refused_before_anything_is_read(tmp_path, key):
    """The names become folders: nothing may be written beside the artifact."""
    name = "x/../../../precious"
    output = example_gen_pb2.Output()
    if key == "output_config":
        output.split_config.splits.add(name=name, hash_buckets=1)
    given = name if key == "input_config" else "all"
    config = example_gen_pb2.Input(splits=[example_gen_pb2.Input.Split(name=given, pattern="*")])
    component = CsvExampleGen(str(tmp_path / "none"), input_config=config, output_config=output)
    with pytest.raises(DefinitionError) as caught:
        Driver(None).resolve_exec_properties(dict(component.exec_properties), None, None)
    assert caught.value.problem == f"{key}: '{name}' cannot be the name of a split."


def test_a_folder_counts_sign_by_sign(tmp_path):
    """[ ] * ? in the path of a folder that exists are no pattern; in one that does not, they are."""
    folder = tmp_path / "proj [v1]*?" / "data"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("x\n1\n")
    assert _resolved(folder)["input_fingerprint"].startswith("split:all,num_files:1,")
    assert input_files.find(str(folder), "*.csv") == [str(folder / "a.csv")]
    assert input_files.find(str(tmp_path / "proj ?v1]*" / "da*"), "*.csv") == [str(folder / "a.csv")]
